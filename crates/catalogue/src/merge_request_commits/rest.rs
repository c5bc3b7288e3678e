//! A commit of a merge request as REST lists it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::CommitRow;
use crate::{Origin, Rows};

#[derive(Deserialize)]
struct Commit<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    title: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    author_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    author_email: Option<Cow<'a, str>>,
    #[serde(default)]
    authored_date: Option<DateTime<Utc>>,
    #[serde(default)]
    committed_date: Option<DateTime<Utc>>,
}

pub(crate) fn read(below: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let it: Commit = serde_json::from_str(element)?;
    out.push(&CommitRow {
        project_id: below.project_id(),
        merge_request_id: below.merge_request_id(),
        sha: &it.id,
        author_name: it.author_name.as_deref(),
        author_email: it.author_email.as_deref(),
        authored_at: it.authored_date,
        committed_at: it.committed_date,
        title: it.title.as_deref(),
    });
    Ok(())
}
