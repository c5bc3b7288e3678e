//! What kind of GitLab the fake pretends to be.

use std::time::Duration;

/// Edition and tier; they decide the shapes of some answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// Community Edition: EE routes do not exist.
    Ce,
    /// Enterprise Edition without a licence.
    Free,
    /// Enterprise Edition with Premium.
    Premium,
}

/// Switches of the instance. All have GitLab's defaults.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Edition and tier.
    pub edition: Edition,
    /// Version, such as `17.11.0`.
    pub version: String,
    /// Whether `/api/graphql` exists.
    pub graphql: bool,
    /// Whether `/approvals` tells when; none: from 18.5 on.
    pub approvals_have_time: Option<bool>,
    /// Rows above which totals disappear from the headers.
    pub totals_up_to: usize,
    /// Highest offset of projects, groups and users; 0 for none.
    pub max_offset: usize,
    /// Time every answer takes.
    pub latency: Duration,
    /// Time every element of an answer takes on top.
    pub latency_per_item: Duration,
    /// Requests served at the same time; none for no bound.
    pub workers: Option<usize>,
    /// Whether a 429 of an application limit says `Retry-After`, as newer versions do.
    pub application_limits_say_when: bool,
    /// GraphQL fields this version lacks, as `Type.field`.
    pub graphql_without: Vec<String>,
    /// Elements above which a GraphQL answer runs out of time.
    pub graphql_timeout_above_items: Option<usize>,
    /// Whether commits of an empty repository, or of a branch there is not, are an empty list instead of a 404: both
    /// were seen.
    pub commits_of_nothing_are_empty: bool,
    /// Whether issues and commits that are switched off are forbidden, as older versions say. Newer ones list no issues
    /// and find no repository.
    pub switched_off_is_forbidden: bool,
    /// Whether administrators see more than others only in Admin Mode: with tokens that have the scope `admin_mode`.
    pub admin_mode: bool,
    /// How likely a merge request in a GraphQL page is null, from 0 to 1.
    pub graphql_null_nodes: f64,
    /// How webhooks are delivered.
    pub hooks: HookSettings,
}

/// How webhooks are delivered.
#[derive(Debug, Clone)]
pub struct HookSettings {
    /// How long a receiver may take.
    pub time_limit: Duration,
    /// Deliveries made at the same time.
    pub at_once: usize,
    /// Whether hooks that fail again and again are disabled: as on gitlab.com, and not by default elsewhere.
    pub failing_are_disabled: bool,
    /// Whether addresses in the local network are refused. GitLab does so by default; receivers of tests are local.
    pub local_addresses_are_refused: bool,
}

impl Default for HookSettings {
    fn default() -> Self {
        Self {
            time_limit: Duration::from_secs(10),
            at_once: 32,
            failing_are_disabled: false,
            local_addresses_are_refused: false,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            edition: Edition::Free,
            version: "17.11.0".to_owned(),
            graphql: true,
            approvals_have_time: None,
            totals_up_to: 10_000,
            max_offset: 50_000,
            latency: Duration::ZERO,
            latency_per_item: Duration::ZERO,
            workers: None,
            application_limits_say_when: true,
            graphql_without: Vec::new(),
            graphql_timeout_above_items: None,
            commits_of_nothing_are_empty: false,
            switched_off_is_forbidden: false,
            admin_mode: false,
            graphql_null_nodes: 0.0,
            hooks: HookSettings::default(),
        }
    }
}

impl Settings {
    /// The version as the instance tells it: with `-ee` where it is Enterprise Edition.
    pub fn full_version(&self) -> String {
        let edition = if self.edition == Edition::Ce { "" } else { "-ee" };
        format!("{}{edition}", self.version)
    }

    /// Major and minor version; 0 where the text has none.
    pub fn version_numbers(&self) -> (u32, u32) {
        let mut numbers = self.version.split('.').map(|part| part.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }

    /// Whether the version is at least this one.
    pub fn is_at_least(&self, major: u32, minor: u32) -> bool {
        self.version_numbers() >= (major, minor)
    }

    /// Whether `/approvals` tells when each approval was given.
    pub fn approvals_have_time(&self) -> bool {
        self.approvals_have_time.unwrap_or(self.is_at_least(18, 5))
    }
}
