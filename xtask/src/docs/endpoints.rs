//! docs/endpoints.md: everything Weir may ask of GitLab.

use std::collections::BTreeSet;

use catalogue::{Document, RESOURCES, Reader, Resource, Source, documents};
use gitlab_client::Method;

const INTRODUCTION: &str = "
# Endpoints

Everything that Weir asks of GitLab. The client refuses any other address, so no source code can be read by mistake.
Paths are below `/api/v4/`. Every request of a sync is a `GET`, but for GraphQL queries, which GitLab takes by `POST`;
documents that change something are refused before they are sent. Only `weir webhooks` has [endpoints of its
own](#webhooks), and nothing else has them.

A resource with two ways to read is read by GraphQL where the GitLab has it, and by REST otherwise or with
`--rest-only`.
";

const QUERIES: &str = "
## GraphQL queries

A line that ends in `#? Type.field` is left out where the GitLab's schema lacks that field.
";

/// The page.
pub fn page() -> String {
    let mut page = format!("{}{INTRODUCTION}", super::MADE);
    for resource in RESOURCES {
        page += &section(resource);
    }
    page += &others();
    page += &webhooks();
    page += QUERIES;
    for document in unique() {
        page += &format!("\n### {}\n\n```graphql\n{}\n```\n", document.name, document.text.trim_end());
    }
    page
}

fn section(resource: &Resource) -> String {
    let tables: Vec<String> = resource.tables.iter().map(|it| format!("`{}`", it.name)).collect();
    let readers: String = resource.readers.iter().map(row).collect();
    format!(
        "\n## {}\n\nConnector `{}`, fills {}. [GitLab's documentation]({})\n\n\
         | reader | asks | always with |\n|---|---|---|\n{readers}",
        resource.name,
        resource.connector.name(),
        tables.join(", "),
        resource.documentation,
    )
}

fn row(reader: &Reader) -> String {
    match &reader.source {
        Source::Rest { path, params } => {
            let params: Vec<String> =
                params.iter().map(|(name, value)| format!("`{name}={value}`")).collect();
            format!("| {} | `GET {path}` | {} |\n", reader.name, params.join(" "))
        }
        Source::Graphql { document, connection } => {
            let query = format!("[`{}`](#{})", document.name, document.name.to_lowercase());
            format!("| {} | {query}, the list `{connection}` | |\n", reader.name)
        }
    }
}

/// What the sync asks beside the resources: about the instance, the token, and single groups and projects.
fn others() -> String {
    let read: BTreeSet<&str> = RESOURCES.iter().flat_map(|it| it.readers).filter_map(path).collect();
    let rules = sync::allowed_endpoints().into_iter().filter(|it| it.method == Method::Get);
    let other: Vec<String> = rules
        .filter(|it| !read.contains(&*it.template))
        .map(|it| format!("* `GET {}`\n", it.template))
        .collect();
    format!(
        "\n## About the instance and the token\n\n{}* GraphQL's own description of its types and fields\n",
        other.concat()
    )
}

/// What `weir webhooks install` and `weir webhooks check` ask and change.
fn webhooks() -> String {
    let rules = sync::hooks::allowed_endpoints();
    let lines: String = rules.iter().map(|it| format!("* `{} {}`\n", it.method, it.template)).collect();
    format!("\n## Webhooks\n\n{lines}")
}

fn path(reader: &Reader) -> Option<&'static str> {
    match reader.source {
        Source::Rest { path, .. } => Some(path),
        Source::Graphql { .. } => None,
    }
}

fn unique() -> Vec<&'static Document> {
    let mut names = BTreeSet::new();
    documents().into_iter().filter(|it| names.insert(it.name)).collect()
}
