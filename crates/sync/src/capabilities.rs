//! What the GitLab at hand can do: its version, whether GraphQL answers, and which optional fields its schema has.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{Connector, Document, documents};
use gitlab_client::{Client, Error, ErrorKind, Request};
use serde::Deserialize;
use serde_json::json;
use store::InstanceRow;

/// What a GitLab can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    pub(crate) version: Option<String>,
    pub(crate) graphql: bool,
    /// Fields Weir can do without, as `Type.field`, and whether they are there.
    pub(crate) fields: BTreeMap<String, bool>,
}

impl Capabilities {
    /// What was stored of an instance, where that is all that is needed.
    pub(crate) fn stored(row: &InstanceRow) -> Option<Capabilities> {
        let fields = row.schema_fields.as_ref()?.0.clone();
        let graphql = row.graphql?;
        // A newer Weir asks for fields that an older one has not looked for.
        let all_known = optional().iter().all(|(ty, field)| fields.contains_key(&format!("{ty}.{field}")));
        (all_known || !graphql).then(|| Capabilities { version: row.version.clone(), graphql, fields })
    }

    /// A query, fitted to this GitLab's schema.
    pub(crate) fn fit(&self, document: &Document) -> String {
        self.fit_for(document, |_| true)
    }

    /// A query, fitted to this GitLab's schema and to the connectors that run.
    pub(crate) fn fit_for(&self, document: &Document, runs: impl Fn(Connector) -> bool) -> String {
        document.fitted(|ty, field| self.has(ty, field), runs)
    }

    pub(crate) fn has(&self, ty: &str, field: &str) -> bool {
        self.fields.get(&format!("{ty}.{field}")).copied().unwrap_or(false)
    }
}

/// Asks for the version. A GitLab that does not tell (an old one, or a job token) has none.
pub(crate) async fn version(
    client: &Client,
) -> Result<(Option<String>, Option<chrono::DateTime<chrono::Utc>>), Error> {
    #[derive(Deserialize)]
    struct Version {
        version: String,
    }
    match client.get(&Request::new("version")).await {
        Ok(answer) => {
            let version = serde_json::from_slice::<Version>(&answer.body).ok().map(|it| it.version);
            Ok((version, answer.date))
        }
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Forbidden { .. }) => {
            Ok((None, None))
        }
        Err(error) => Err(error),
    }
}

/// GitLab's time, by the one listing that a job token reads. It goes before all others: an answer to it shows that the
/// token is good, without which a refusal of the next request would count against it.
pub(crate) async fn job_date(
    client: &Client,
    project: &str,
) -> Result<Option<chrono::DateTime<chrono::Utc>>, Error> {
    let request = Request::new("projects/{project}/merge_requests").value(project).query("per_page", 1);
    Ok(client.get(&request).await?.date)
}

/// Asks the schema for the optional fields. GraphQL that is off, hidden or forbidden is no error: REST remains.
pub(crate) async fn schema(client: &Client) -> Result<Option<BTreeMap<String, bool>>, Error> {
    match client.graphql(&introspection(), &json!({})).await {
        Ok(answer) if answer.errors.is_empty() => Ok(fields(&answer.body)),
        Ok(_) => Ok(None),
        Err(error) => match error.kind {
            ErrorKind::Unauthorized { .. } | ErrorKind::RateLimited { .. } | ErrorKind::Unavailable => {
                Err(error)
            }
            ErrorKind::Forbidden { .. }
            | ErrorKind::NotFound
            | ErrorKind::Refused
            | ErrorKind::Unreadable => Ok(None),
        },
    }
}

fn optional() -> BTreeSet<(&'static str, &'static str)> {
    documents().into_iter().flat_map(Document::optional).collect()
}

fn introspection() -> String {
    let types: BTreeSet<&str> = optional().into_iter().map(|(ty, _)| ty).collect();
    let fields: String =
        types.iter().map(|ty| format!("{ty}: __type(name: \"{ty}\") {{ fields {{ name }} }}\n")).collect();
    format!("query schema {{\n{fields}}}")
}

fn fields(body: &[u8]) -> Option<BTreeMap<String, bool>> {
    #[derive(Deserialize)]
    struct Answer {
        data: BTreeMap<String, Option<Type>>,
    }
    #[derive(Deserialize)]
    struct Type {
        fields: Option<Vec<Field>>,
    }
    #[derive(Deserialize)]
    struct Field {
        name: String,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let has = |ty: &str, field: &str| {
        let fields = answer.data.get(ty).and_then(|it| it.as_ref()?.fields.as_ref());
        fields.is_some_and(|fields| fields.iter().any(|it| it.name == field))
    };
    Some(optional().into_iter().map(|(ty, field)| (format!("{ty}.{field}"), has(ty, field))).collect())
}
