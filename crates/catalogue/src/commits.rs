//! Commits of a project's default branch: <https://docs.gitlab.com/api/commits/>.
//!
//! Only REST lists them, in git's order and without a count. How many lines a commit added and removed is told where
//! that is asked for, which costs GitLab a comparison for each.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::row::row;
use crate::{Connector, Cursor, Document, Origin, Reader, Resource, Rows, Scope, Source, Table};

/// Commits of default branches.
pub static COMMITS: Resource = Resource {
    name: "commits",
    connector: Connector::GitlabCommitsTrunk,
    scope: Scope::Project,
    cursor: Cursor::Ancestry,
    tables: &[&TABLE],
    readers: &[
        Reader {
            name: "rest",
            source: Source::Rest { path: "projects/{project}/repository/commits", params: &[] },
            read,
            sample: include_str!("../samples/commits.rest.json"),
        },
        Reader {
            name: STATISTICS_READER,
            source: Source::Rest {
                path: "projects/{project}/repository/commits",
                params: &[("with_stats", "true")],
            },
            read,
            sample: include_str!("../samples/commits.rest_statistics.json"),
        },
    ],
    documentation: "https://docs.gitlab.com/api/commits/#list-repository-commits",
};

/// The last commits of many default branches.
pub static TRUNK_HEADS_QUERY: Document =
    Document { name: "trunkHeads", text: include_str!("commits/trunk_heads.graphql") };

/// The reader that asks for the size of each commit.
pub const STATISTICS_READER: &str = "rest_statistics";

/// Where commits of default branches are stored.
pub static TABLE: Table =
    Table { name: "gitlab_commits", key: &["project_id", "sha"], version: None, fill: &[] };

row! {
    CommitRow<'a> in TABLE {
        project_id: i64, sha: &'a str, author_name: Option<&'a str>, author_email: Option<&'a str>,
        authored_at: Option<DateTime<Utc>>, committer_name: Option<&'a str>, committer_email: Option<&'a str>,
        committed_at: DateTime<Utc>, title: Option<&'a str>, parent_shas: &'a [Cow<'a, str>],
    }
}

row! {
    /// With the lines it changed.
    MeasuredRow<'a> in TABLE {
        project_id: i64, sha: &'a str, author_name: Option<&'a str>, author_email: Option<&'a str>,
        authored_at: Option<DateTime<Utc>>, committer_name: Option<&'a str>, committer_email: Option<&'a str>,
        committed_at: DateTime<Utc>, title: Option<&'a str>, parent_shas: &'a [Cow<'a, str>],
        additions: i64, deletions: i64,
    }
}

#[derive(Deserialize)]
struct Commit<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    author_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    author_email: Option<Cow<'a, str>>,
    #[serde(default)]
    authored_date: Option<DateTime<Utc>>,
    #[serde(borrow, default)]
    committer_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    committer_email: Option<Cow<'a, str>>,
    committed_date: DateTime<Utc>,
    #[serde(borrow, default)]
    title: Option<Cow<'a, str>>,
    #[serde(borrow)]
    parent_ids: Vec<Cow<'a, str>>,
    #[serde(default)]
    stats: Option<Statistics>,
}

#[derive(Deserialize)]
struct Statistics {
    additions: i64,
    deletions: i64,
}

fn read(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let it: Commit = serde_json::from_str(element)?;
    let row = CommitRow {
        project_id: origin.project_id(),
        sha: &it.id,
        author_name: it.author_name.as_deref(),
        author_email: it.author_email.as_deref(),
        authored_at: it.authored_date,
        committer_name: it.committer_name.as_deref(),
        committer_email: it.committer_email.as_deref(),
        committed_at: it.committed_date,
        title: it.title.as_deref(),
        parent_shas: &it.parent_ids,
    };
    match &it.stats {
        None => out.push(&row),
        Some(statistics) => out.push(&measured(row, statistics)),
    }
    Ok(())
}

fn measured<'a>(row: CommitRow<'a>, statistics: &Statistics) -> MeasuredRow<'a> {
    MeasuredRow {
        project_id: row.project_id,
        sha: row.sha,
        author_name: row.author_name,
        author_email: row.author_email,
        authored_at: row.authored_at,
        committer_name: row.committer_name,
        committer_email: row.committer_email,
        committed_at: row.committed_at,
        title: row.title,
        parent_shas: row.parent_shas,
        additions: statistics.additions,
        deletions: statistics.deletions,
    }
}

/// What a walk through history needs of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Lineage {
    /// The commit.
    #[serde(rename = "id")]
    pub sha: String,
    /// Those it stands on.
    #[serde(rename = "parent_ids", default)]
    pub parents: Vec<String>,
    /// When it was committed; none where that cannot be understood, which rejects its row.
    #[serde(rename = "committed_date", default, deserialize_with = "understood")]
    pub committed_at: Option<DateTime<Utc>>,
}

fn understood<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = Option::<Cow<str>>::deserialize(from)?;
    Ok(text.and_then(|it| it.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::Lineage;

    #[test]
    fn a_commit_of_an_impossible_date_still_has_its_parents() {
        let text = r#"{"id":"a","parent_ids":["b"],"committed_date":"long ago"}"#;
        let lineage: Lineage = serde_json::from_str(text).unwrap();
        assert_eq!((lineage.parents, lineage.committed_at), (vec!["b".to_owned()], None));
    }
}
