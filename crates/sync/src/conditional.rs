//! Complete listings that GitLab sends only if they changed (`If-None-Match`).
//!
//! What an answer was called is kept for a listing of one page alone. A page that is full may have another behind it;
//! and were a list of several pages asked for page by page, a change on its last would cost the pages before it twice.

use std::collections::HashMap;

use catalogue::{Instance, Origin, Reader, Rows, Table};
use chrono::{DateTime, Utc};
use gitlab_client::{CredentialId, Request};
use serde_json::value::RawValue;
use store::{Etag, Listed, Page, Told};

use crate::engine::{Engine, Halt};
use crate::fetch::{self, Listing, PER_PAGE, read_all};

/// The rows of one table under one parent, as one reader brings them.
#[derive(Clone, Copy)]
pub(crate) struct Complete {
    pub(crate) resource: &'static str,
    pub(crate) reader: &'static Reader,
    pub(crate) table: &'static Table,
    /// The project or group (Weir's id).
    pub(crate) parent_id: i64,
}

/// What GitLab said.
pub(crate) enum Asked {
    /// The listing is as it is stored.
    Unchanged(Unchanged),
    /// Here it is.
    Read(Listing, Name),
}

/// A listing that is as it is stored.
pub(crate) struct Unchanged {
    complete: Complete,
    sent_at: DateTime<Utc>,
    pub(crate) rows: u64,
}

/// What the answer is called, if it may be asked for by that.
pub(crate) struct Name {
    complete: Complete,
    named: Option<(String, String)>,
}

/// Asks for a listing, unless it is as it is stored.
pub(crate) async fn list(engine: &Engine, request: Request, complete: Complete) -> Result<Asked, Halt> {
    let seals: HashMap<CredentialId, String> =
        engine.client.seals(&dependence(&request, complete)).into_iter().collect();
    let known = known(engine, complete, &seals).await?;
    let etag = |(id, seal): (&CredentialId, &String)| Some((id.clone(), known.get(seal)?.etag.clone()));
    let request = seals.iter().filter_map(etag).fold(request, |request, (id, it)| request.etag_for(id, it));
    let halt = |error| engine.halt(&error, complete.resource, complete.parent_id);
    let answer = engine.client.get(&request.query("per_page", PER_PAGE)).await.map_err(halt)?;
    let seal = seals.get(&answer.credential);
    if answer.not_modified {
        let found = seal.and_then(|it| known.get(it)).map(|it| it.rows.unsigned_abs());
        // An empty body would pass for an empty list.
        let rows =
            found.ok_or_else(|| Halt::Later("GitLab answered 304 to what it was not asked.".to_owned()))?;
        return Ok(Asked::Unchanged(Unchanged { complete, sent_at: answer.sent_at, rows }));
    }
    let named = seal.cloned().zip(answer.etag.clone());
    let listing = fetch::follow(&engine.client, answer).await.map_err(halt)?;
    listing.elements()?;
    let named = named.filter(|_| is_one_page(&listing));
    Ok(Asked::Read(listing, Name { complete, named }))
}

async fn known(
    engine: &Engine,
    complete: Complete,
    seals: &HashMap<CredentialId, String>,
) -> Result<HashMap<String, Etag>, Halt> {
    if engine.options.scope.full {
        return Ok(HashMap::new());
    }
    let seals: Vec<String> = seals.values().cloned().collect();
    let found = engine.store.etags(complete.table, complete.parent_id, &seals).await?;
    Ok(found.into_iter().map(|it| (it.seal.clone(), it)).collect())
}

/// Everything but the token that decides what is stored of an answer: the request, and what this Weir makes of one.
fn dependence(request: &Request, complete: Complete) -> String {
    let Request { template, values, query, .. } = request;
    format!("{template} {values:?} {query:?} {}", reading(complete.reader))
}

/// The rows of the reader's own sample: they change with the columns it brings and with how it reads them.
fn reading(reader: &'static Reader) -> String {
    let mut rows = Rows::default();
    let elements: Vec<&RawValue> = serde_json::from_str(reader.sample).unwrap_or_default();
    read_all("", reader, &Origin::instance(Instance(0)), 0, elements, &mut rows);
    rows.batches.iter().map(|it| format!("{} {:?} {}", it.table.name, it.columns, it.json())).collect()
}

fn is_one_page(listing: &Listing) -> bool {
    let [page] = listing.pages.as_slice() else { return false };
    let elements: Option<Vec<&RawValue>> = serde_json::from_slice(&page.body).ok();
    page.next.is_none() && elements.is_some_and(|it| it.len() < PER_PAGE)
}

impl Name {
    /// What is kept with the page that holds the whole listing. An element that was not understood is to be met again.
    pub(crate) fn listed(&self, understood: bool) -> Listed<'_> {
        let Complete { table, parent_id, .. } = self.complete;
        let told = match self.named.as_ref().filter(|_| understood) {
            Some((seal, etag)) => Told::Named { seal, etag },
            None => Told::Unnamed,
        };
        Listed { table, parent_id, told }
    }
}

impl Unchanged {
    /// Writes what a page with the same rows would: what hangs on them, and how far the partition is read.
    pub(crate) async fn write(&self, engine: &Engine, page: Page<'_>) -> Result<(), Halt> {
        let Complete { table, parent_id, .. } = self.complete;
        let listed = Some(Listed { table, parent_id, told: Told::Unchanged });
        engine.write(&Page { listed, sent_at: self.sent_at, ..page }).await?;
        engine.tally.confirmed(table.name, self.rows);
        Ok(())
    }
}
