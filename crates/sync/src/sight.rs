//! What a run has in sight: the groups and projects it covers.

use std::collections::{BTreeMap, BTreeSet};

/// A project in sight.
#[derive(Debug, Clone, PartialEq, Eq)]
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
