//! Commits.

use chrono::{DateTime, FixedOffset, Utc};
use serde_json::{Value, json};

use crate::world::git::Commit;

/// A commit as the repository has it: times keep the offset of whoever made it.
pub fn commit(project_url: &str, commit: &Commit) -> Value {
    let local = |at: DateTime<FixedOffset>| at.format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
    view(project_url, commit, json!(commit.parents), local)
}

/// A commit as a merge request keeps it: without parents, in UTC.
pub fn of_merge_request(project_url: &str, commit: &Commit) -> Value {
    let utc = |at: DateTime<FixedOffset>| at.with_timezone(&Utc).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    view(project_url, commit, json!([]), utc)
}

fn view(
    project_url: &str,
    commit: &Commit,
    parents: Value,
    time: impl Fn(DateTime<FixedOffset>) -> String,
) -> Value {
    let committed = time(commit.committer.at);
    json!({
        "id": commit.sha,
        "short_id": commit.short_id(),
        "created_at": committed,
        "parent_ids": parents,
        "title": commit.title(),
        "message": commit.message,
        "author_name": commit.author.name,
        "author_email": commit.author.email,
        "authored_date": time(commit.author.at),
        "committer_name": commit.committer.name,
        "committer_email": commit.committer.email,
        "committed_date": committed,
        "trailers": {},
        "extended_trailers": {},
        "web_url": format!("{project_url}/-/commit/{}", commit.sha),
    })
}

/// The size of a commit.
pub fn stats(commit: &Commit) -> Value {
    let (additions, deletions) = (commit.additions, commit.deletions);
    json!({ "additions": additions, "deletions": deletions, "total": additions + deletions })
}
