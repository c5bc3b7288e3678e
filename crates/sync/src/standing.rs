//! How a project stands by GitLab's own account: what tells whether anything in it has to be read.

use chrono::{DateTime, Utc};

/// How a project stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// None where GitLab did not tell.
    pub(crate) merge_requests: Option<MergeRequests>,
    /// None where GitLab did not tell.
    pub(crate) issues: Option<Issues>,
    /// None where GitLab did not tell.
    pub(crate) pipelines: Option<Pipelines>,
    /// Whether a pipeline is running, as far as GitLab told.
    pub(crate) running: bool,
    /// How many commits the default branch has; none where GitLab did not tell.
    pub(crate) commits: Option<i64>,
}

/// How the merge requests of a project stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MergeRequests {
    /// How many there are.
    pub(crate) total: i64,
    /// When the newest moved; none where there are none.
    pub(crate) newest: Option<DateTime<Utc>>,
}

/// How the issues of a project stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Issues {
    /// How many the token sees.
    pub(crate) total: i64,
    /// When the newest moved; none where there are none.
    pub(crate) newest: Option<DateTime<Utc>>,
}

/// Whether pipelines of a project have moved since they were last read; whether there are any where they never were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pipelines {
    /// Those that GitLab lists.
    pub(crate) listed: bool,
    /// Those that it lists apart.
    pub(crate) children: bool,
    /// Whether the token's role is one to which GitLab may show none although there are some.
    pub(crate) doubtful: bool,
}

impl Standing {
    /// How many merge requests GitLab counts, as far as it told.
    pub(crate) fn merge_requests(&self) -> i64 {
        self.merge_requests.map_or(0, |it| it.total)
    }
}
