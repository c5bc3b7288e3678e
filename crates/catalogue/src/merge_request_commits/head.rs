//! In which commit a merge request ends.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::HeadRow;
use crate::gid::Gid;
use crate::{List, Origin, Pending, Rows};

/// In which commit a merge request ends, and what tells whether that is news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// GitLab's id of the merge request.
    pub id: i64,
    /// Its number within the project.
    pub iid: i64,
    /// opened, closed, merged or locked.
    pub state: String,
    /// The commit; none where the branch is gone and nothing was kept.
    pub sha: Option<String>,
    /// When GitLab last moved the merge request.
    pub updated_at: DateTime<Utc>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Graphql<'a> {
    id: Gid,
    #[serde(borrow)]
    iid: Cow<'a, str>,
    /// Not asked for where only open merge requests are.
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    diff_head_sha: Option<String>,
    updated_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Rest {
    id: i64,
    iid: i64,
    state: String,
    #[serde(default)]
    sha: Option<String>,
    updated_at: DateTime<Utc>,
}

impl Head {
    /// From a node of a list of merge requests; one that does not tell its state is open.
    pub fn from_graphql(element: &str) -> serde_json::Result<Head> {
        let it: Graphql = serde_json::from_str(element)?;
        Ok(Head {
            id: it.id.id,
            iid: it.iid.parse().map_err(serde::de::Error::custom)?,
            state: it.state.unwrap_or_else(|| "opened".to_owned()),
            sha: it.diff_head_sha,
            updated_at: it.updated_at,
        })
    }

    /// From an element of REST's list of merge requests.
    pub fn from_rest(element: &str) -> serde_json::Result<Head> {
        let it: Rest = serde_json::from_str(element)?;
        Ok(Head { id: it.id, iid: it.iid, state: it.state, sha: it.sha, updated_at: it.updated_at })
    }

    /// Keeps it. `origin` is the project.
    pub fn store(&self, origin: &Origin, out: &mut Rows) {
        out.push(&HeadRow {
            project_id: origin.project_id(),
            id: origin.id(self.id),
            iid: self.iid,
            state: &self.state,
            sha: self.sha.as_deref(),
            updated_at: self.updated_at,
        });
    }

    /// Leaves the commits to a request of their own.
    pub fn ask(&self, origin: &Origin, out: &mut Rows) {
        let (project, parent) = (origin.project, self.id);
        out.pending.push(Pending { list: List::Commits, project, parent, iid: self.iid });
    }
}

/// An element of REST's list: its commits are read on their own.
pub(super) fn read(origin: &Origin, element: &str, out: &mut Rows) -> serde_json::Result<()> {
    let head = Head::from_rest(element)?;
    head.store(origin, out);
    head.ask(origin, out);
    Ok(())
}
