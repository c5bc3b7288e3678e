//! `cargo xtask record`: the samples of the catalogue, as the fake GitLab answers.

mod ask;
mod places;

use catalogue::{RESOURCES, Reader, Resource, Scope};
use fake_gitlab::{Edition, FakeGitlab};
use serde_json::{Map, Value, json};

use crate::generated::Files;
use ask::Asker;
use places::Places;

const FOLDER: &str = "crates/catalogue/samples";
/// The world the samples are taken from.
const SEED: u64 = 2;
/// The first version whose REST tells when somebody approved.
const VERSION: &str = "18.5.0";
/// The address in links, which must not vary with the port.
const URL: &str = "https://gitlab.example.com";
/// Elements in a sample.
const ELEMENTS: usize = 10;

/// Writes the samples, or checks that they are up to date.
pub async fn run(check: bool) -> anyhow::Result<()> {
    let fake = FakeGitlab::builder().seed(SEED).edition(Edition::Premium).version(VERSION).start().await?;
    // Only an administrator lists users with all that is known of them.
    let reader = fake.viewer().user_id;
    fake.world_mut().admins.insert(reader);
    let places = Places::choose(&fake)?;
    let asker = Asker::new(&fake)?;
    let mut files = Files::default();
    for resource in RESOURCES {
        for reader in resource.readers {
            let elements = asker.elements(resource, reader, &places).await?;
            files.add(path(resource, reader), pretty(Value::Array(elements), fake.url())?);
        }
    }
    files.add(format!("{FOLDER}/origins.json"), pretty(origins(&places), fake.url())?);
    fake.stop().await;
    files.settle(check, "record")
}

/// Where the sample of a reader is kept.
pub fn path(resource: &Resource, reader: &Reader) -> String {
    format!("{FOLDER}/{}.{}.json", resource.name, reader.name)
}

/// The parents the samples were read under: 0 where there is none.
fn origins(places: &Places) -> Value {
    let origin = |resource: &&Resource| {
        let project = places.project_of(resource);
        let (group, project, merge_request, child) = match resource.scope {
            Scope::Instance => (0, 0, 0, 0),
            Scope::Group => (places.group, 0, 0, 0),
            Scope::Project => (0, project, 0, 0),
            Scope::MergeRequest => (0, project, places.merge_request, 0),
            Scope::Pipeline => (0, project, 0, places.pipeline_of(resource)),
            Scope::Deployment => (0, project, 0, places.ci.deployment),
        };
        let below = |scope: Scope| if resource.scope == scope { child } else { 0 };
        let origin = json!({
            "group": group, "project": project, "merge_request": merge_request,
            "pipeline": below(Scope::Pipeline), "deployment": below(Scope::Deployment),
        });
        (resource.name.to_owned(), origin)
    };
    Value::Object(RESOURCES.iter().map(origin).collect())
}

/// The same text on every machine: keys in order, and an address without the port of this run.
fn pretty(value: Value, url: &str) -> anyhow::Result<String> {
    let text = serde_json::to_string_pretty(&sorted(value))?;
    // Addresses for git name the host alone.
    let host = |url: &str| url.trim_start_matches("https://").trim_start_matches("http://").to_owned();
    Ok(text.replace(url, URL).replace(&host(url), &host(URL)) + "\n")
}

/// Whether an object keeps its order depends on what serde_json was built with.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        Value::Object(object) => {
            let mut pairs: Vec<(String, Value)> =
                object.into_iter().map(|(key, it)| (key, sorted(it))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(Map::from_iter(pairs))
        }
        value => value,
    }
}
