//! A merge request with its commits as GraphQL answers it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{CommitRow, Head, TABLE};
use crate::merge_requests::PARENT;
use crate::{Connection, Origin, Rows};

#[derive(Deserialize)]
struct Commits<'a> {
    #[serde(borrow, default)]
    commits: Option<Connection<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Commit<'a> {
    #[serde(borrow)]
    sha: Cow<'a, str>,
    /// `title` is cut where it is long.
    #[serde(borrow, default)]
    full_title: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    author_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    author_email: Option<Cow<'a, str>>,
    authored_date: Option<DateTime<Utc>>,
    committed_date: Option<DateTime<Utc>>,
}

pub(super) fn read(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let head = Head::from_graphql(element)?;
    let commits: Commits = serde_json::from_str(element)?;
    let below = origin.merge_request(head.id);
    head.store(origin, out);
    match commits.commits.filter(|it| is_credible(&head, it)) {
        Some(list) => write(&below, &head, &list, out),
        None => {
            head.ask(origin, out);
            Ok(())
        }
    }
}

/// Who may not read the code is shown an empty list: whether a merge request with a head has no commits is REST's to say.
fn is_credible(head: &Head, list: &Connection) -> bool {
    list.is_whole() && (!list.nodes.is_empty() || head.sha.is_none())
}

/// A list that did not fit stays open: it is read whole by requests of its own.
fn write(below: &Origin, head: &Head, list: &Connection, out: &mut Rows) -> serde_json::Result<()> {
    let (project_id, merge_request_id) = (below.project_id(), below.merge_request_id());
    for node in &list.nodes {
        let commit: Commit = serde_json::from_str(node.get())?;
        out.push(&CommitRow {
            project_id,
            merge_request_id,
            sha: &commit.sha,
            author_name: commit.author_name.as_deref(),
            author_email: commit.author_email.as_deref(),
            authored_at: commit.authored_date,
            committed_at: commit.committed_date,
            title: commit.full_title.as_deref(),
        });
    }
    match list.page_info.has_next_page {
        true => head.ask(below, out),
        false => out.complete(&TABLE, PARENT, &[project_id, merge_request_id]),
    }
    Ok(())
}
