//! What a run has in sight: the groups and projects it covers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

/// A project in sight.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// GitLab's id.
    pub(crate) source_id: i64,
    /// Whole path.
    pub(crate) path: String,
    /// The namespace it is in (Weir's id).
    pub(crate) namespace_id: Option<i64>,
    /// Whether merge requests are switched off.
    pub(crate) merge_requests_off: bool,
    /// Whether issues are switched off.
    pub(crate) issues_off: bool,
    /// Whether CI/CD is switched off.
    pub(crate) builds_off: bool,
    /// Whether environments are switched off.
    pub(crate) environments_off: bool,
    /// Whether the repository is switched off.
    pub(crate) repository_off: bool,
    /// Whether nothing was ever pushed.
    pub(crate) empty_repo: bool,
    /// The default branch; none without one, and where the token may not read the code.
    pub(crate) default_branch: Option<String>,
    /// When something last happened; GitLab moves it once an hour at most.
    pub(crate) last_activity_at: Option<DateTime<Utc>>,
}

/// Everything in sight.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    /// Groups by GitLab's id, with their path.
    pub(crate) groups: BTreeMap<i64, String>,
    /// Projects by GitLab's id.
    pub(crate) projects: BTreeMap<i64, Found>,
    /// Projects that were listed and are left out by the scope.
    pub(crate) excluded: BTreeSet<i64>,
    /// Whether every listing was read to its end without an error: only then is the absence of something known.
    pub(crate) complete: bool,
}
