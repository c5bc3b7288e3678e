//! `cargo xtask docs`: the pages of docs/ that are made from the database and the catalogue.

mod api;
mod connectors;
mod endpoints;
mod metrics;
mod schema;

use store::Store;

use crate::database::with_database;
use crate::generated::Files;

/// What stands above every such page.
const MADE: &str = "<!-- Written by `cargo xtask docs`. Do not edit. -->\n";

/// Writes the pages, or checks that they are up to date.
pub async fn run(check: bool) -> anyhow::Result<()> {
    let tables = with_database(async |url| {
        let store = Store::open(url, 2).await?;
        let tables = store.schema().await?;
        store.close().await;
        Ok(tables)
    });
    let mut files = Files::default();
    files.add("docs/schema.md", schema::page(&tables.await?));
    files.add("docs/endpoints.md", endpoints::page());
    let described = serde_json::to_value(server::openapi::describe())?;
    files.add("docs/openapi.json", serde_json::to_string_pretty(&described)? + "\n");
    files.add("docs/api.md", api::page(&described));
    files.add("docs/metrics.md", metrics::page());
    connectors::pages().for_each(|(path, page)| files.add(path, page));
    files.settle(check, "docs")
}
