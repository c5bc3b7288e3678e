//! Reads of whole lists: REST page by page, GraphQL with the test that an answer is whole.

use catalogue::{Connection, Origin, Reader, Rows, Source};
use chrono::{DateTime, Utc};
use gitlab_client::{Answer, Client, Error, Request};
use serde::Deserialize;
use serde_json::value::RawValue;
use store::Reject;

use crate::engine::Halt;

/// Largest page of REST.
pub(crate) const PER_PAGE: usize = 100;

/// A request for a REST reader's listing. `values` fill its placeholders.
pub(crate) fn request(reader: &Reader, values: &[i64]) -> Option<Request> {
    let Source::Rest { path, params } = &reader.source else { return None };
    let request = values.iter().fold(Request::new(*path), |request, value| request.value(value));
    Some(params.iter().fold(request, |request, (name, value)| request.query(*name, value)))
}

/// A list read from its beginning to its end mark.
pub(crate) struct Listing {
    /// The elements of each page, as answered.
    pub(crate) pages: Vec<Answer>,
    /// When the first request was sent.
    pub(crate) sent_at: DateTime<Utc>,
}

impl Listing {
    /// Its elements. Something else than a list would pass for an empty one, and take away everything it stands for.
    pub(crate) fn elements(&self) -> Result<Vec<&RawValue>, Halt> {
        let mut found = Vec::new();
        for page in &self.pages {
            found.extend(whole_page(&page.body)?);
        }
        Ok(found)
    }
}

/// The elements of an answer that has to be a list.
pub(crate) fn whole_page(body: &[u8]) -> Result<Vec<&RawValue>, Halt> {
    serde_json::from_slice(body).map_err(|it| Halt::Later(format!("GitLab answered no list: {it}")))
}

/// Reads a list to its end.
pub(crate) async fn list(client: &Client, request: Request) -> Result<Listing, Error> {
    let first = client.get(&request.query("per_page", PER_PAGE)).await?;
    follow(client, first).await
}

/// Reads the rest of a list whose first page was read.
pub(crate) async fn follow(client: &Client, first: Answer) -> Result<Listing, Error> {
    let sent_at = first.sent_at;
    let mut next = first.next.clone();
    let mut pages = vec![first];
    while let Some(more) = next {
        let page = client.get_next(&more).await?;
        next = page.next.clone().filter(|_| !elements(&page.body).is_empty());
        pages.push(page);
    }
    Ok(Listing { pages, sent_at })
}

/// The elements of an answer that is a list; none when it is not.
pub(crate) fn elements(body: &[u8]) -> Vec<&RawValue> {
    serde_json::from_slice(body).unwrap_or_default()
}

/// Reads elements into rows; what cannot be understood is rejected with its text.
pub(crate) fn read_all<'e>(
    resource: &'static str,
    reader: &'static Reader,
    origin: &Origin,
    parent_id: i64,
    elements: impl IntoIterator<Item = &'e RawValue>,
    rows: &mut Rows,
) -> Vec<Reject> {
    let mut rejects = Vec::new();
    for element in elements {
        if let Err(error) = (reader.read)(origin, element.get(), rows) {
            let raw = element.get().to_owned();
            rejects.push(Reject { resource, reader: reader.name, parent_id, error: error.to_string(), raw });
        }
    }
    rejects
}

#[derive(Deserialize)]
struct Projects<'a> {
    #[serde(borrow)]
    projects: Option<Connection<'a>>,
}

/// The projects that GraphQL answered about.
pub(crate) fn projects(body: &[u8]) -> Result<Option<Connection<'_>>, serde_json::Error> {
    let answer: catalogue::Answer<Projects> = serde_json::from_slice(body)?;
    Ok(answer.data.and_then(|it| it.projects))
}

/// The nodes of a connection, or nothing when GitLab left one of them unanswered.
pub(crate) fn whole<'a>(connection: Option<Connection<'a>>) -> Option<Connection<'a>> {
    connection.filter(Connection::is_whole)
}
