//! Asks the fake what a reader of the catalogue would ask.

use anyhow::{Context, bail, ensure};
use catalogue::pipelines::CHILD_SOURCE;
use catalogue::{Document, Reader, Resource, Source};
use fake_gitlab::FakeGitlab;
use gitlab_client::{BaseUrl, Client, ClientConfig, Credential, Request, TokenKind};
use serde_json::{Map, Value, json};

use super::ELEMENTS;
use super::places::Places;

/// Elements of the lists inside an element.
const NESTED: usize = 50;

/// A client of the fake.
pub struct Asker {
    client: Client,
}

impl Asker {
    /// A client that may ask what the sync may.
    pub fn new(fake: &FakeGitlab) -> anyhow::Result<Asker> {
        let mut config = ClientConfig::new(BaseUrl::parse(fake.url())?);
        config.credentials.push(Credential::new("fake", TokenKind::Private, fake.token()));
        config.allowed = sync::allowed_endpoints();
        Ok(Asker { client: Client::new(config)? })
    }

    /// The elements of a reader's first page.
    pub async fn elements(
        &self,
        resource: &Resource,
        reader: &Reader,
        at: &Places,
    ) -> anyhow::Result<Vec<Value>> {
        let elements = match &reader.source {
            Source::Rest { path, params } if path.contains("{user}") => self.users(path, params, at).await,
            Source::Rest { path, params } => self.rest(resource, path, params, at).await,
            Source::Graphql { document, connection } => {
                self.graphql(resource, document, connection, at).await
            }
        };
        let mut elements = elements.with_context(|| format!("{} by {}", resource.name, reader.name))?;
        elements.truncate(ELEMENTS);
        ensure!(!elements.is_empty(), "the fake has no {} for {}", resource.name, reader.name);
        Ok(elements)
    }

    async fn users(&self, path: &str, params: &[(&str, &str)], at: &Places) -> anyhow::Result<Vec<Value>> {
        let mut users = Vec::new();
        for id in &at.users {
            users.push(self.get(Request::new(path).value(id), params).await?);
        }
        Ok(users)
    }

    /// An answer that is no list is one element.
    async fn rest(
        &self,
        resource: &Resource,
        path: &str,
        params: &[(&str, &str)],
        at: &Places,
    ) -> anyhow::Result<Vec<Value>> {
        let mut request = Request::new(path);
        for placeholder in path.split('/').filter(|it| it.starts_with('{')) {
            request = match placeholder {
                "{group}" => request.value(at.group),
                "{project}" => request.value(at.project_of(resource)),
                "{pipeline}" => request.value(at.pipeline_of(resource)),
                "{deployment}" => request.value(at.ci.deployment),
                "{iid}" => request.value(at.iid),
                other => bail!("record does not know what {other} stands for"),
            };
        }
        match self.get(request, params).await? {
            Value::Array(elements) => Ok(elements),
            element => Ok(vec![element]),
        }
    }

    async fn get(&self, mut request: Request, params: &[(&str, &str)]) -> anyhow::Result<Value> {
        for (name, value) in params {
            request = request.query(*name, *value);
        }
        let answer = self.client.get(&request.query("per_page", ELEMENTS)).await?;
        Ok(serde_json::from_slice(&answer.body)?)
    }

    async fn graphql(
        &self,
        resource: &Resource,
        document: &Document,
        connection: &str,
        at: &Places,
    ) -> anyhow::Result<Vec<Value>> {
        let answer = self.client.graphql(&document.whole(), &variables(resource, document, at)?).await?;
        ensure!(answer.errors.is_empty(), "the fake complains: {:?}", answer.errors);
        let answer: Value = serde_json::from_slice(&answer.body)?;
        let nodes = nodes(&answer, connection).with_context(|| format!("the answer has no {connection}"))?;
        Ok(nodes.clone())
    }
}

/// The variables that the document declares.
fn variables(resource: &Resource, document: &Document, at: &Places) -> anyhow::Result<Value> {
    let ids = match document.text {
        text if text.contains("projects(ids:") => gids("Project", &[at.project_of(resource)]),
        text if text.contains("groups(ids:") => gids("Group", &[at.group]),
        text if text.contains("users(ids:") => gids("User", &at.users),
        _ => bail!("record does not know what {} asks", document.name),
    };
    let values = [
        ("ids", json!(ids)),
        ("iid", json!(at.iid_of(resource).to_string())),
        ("first", json!(ELEMENTS)),
        ("projects", json!(1)),
        // REST's own order.
        ("sort", json!("CREATED_DESC")),
        ("notes", json!(NESTED)),
        ("lists", json!(NESTED)),
        ("jobs", json!(NESTED)),
        ("source", json!((resource.name == "child_pipelines").then_some(CHILD_SOURCE))),
    ];
    let declared = values.into_iter().filter(|(name, _)| document.text.contains(&format!("${name}:")));
    Ok(Value::Object(declared.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>()))
}

fn gids(kind: &str, ids: &[i64]) -> Vec<String> {
    ids.iter().map(|id| format!("gid://gitlab/{kind}/{id}")).collect()
}

/// The nodes of the outermost connection of that name.
fn nodes<'a>(value: &'a Value, connection: &str) -> Option<&'a Vec<Value>> {
    match value {
        Value::Object(object) => {
            let own = object.get(connection).and_then(|it| it.get("nodes")).and_then(Value::as_array);
            own.or_else(|| object.values().find_map(|it| nodes(it, connection)))
        }
        Value::Array(values) => values.iter().find_map(|it| nodes(it, connection)),
        _ => None,
    }
}
