//! The kinds of events a hook can ask for, with GitLab's words for them.

macro_rules! triggers {
    ($($(#[$meta:meta])* $name:ident = $flag:literal, $trigger:literal, $header:literal;)+) => {
        /// A kind of events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Trigger { $($(#[$meta])* $name,)+ }

        impl Trigger {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The switch of a hook, such as `push_events`.
            pub fn flag(self) -> &'static str {
                match self { $(Self::$name => $flag,)+ }
            }

            /// The word in the list of recent deliveries.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $trigger,)+ }
            }

            /// The value of `X-Gitlab-Event`, other than for system hooks.
            pub fn header(self) -> &'static str {
                match self { $(Self::$name => $header,)+ }
            }

            /// The kind a switch stands for.
            pub fn of_flag(flag: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.flag() == flag)
            }
        }
    };
}

triggers! {
    Push = "push_events", "push_hooks", "Push Hook";
    TagPush = "tag_push_events", "tag_push_hooks", "Tag Push Hook";
    MergeRequest = "merge_requests_events", "merge_request_hooks", "Merge Request Hook";
    RepositoryUpdate = "repository_update_events", "repository_update_hooks", "System Hook";
    Issue = "issues_events", "issue_hooks", "Issue Hook";
    ConfidentialIssue =
        "confidential_issues_events", "confidential_issue_hooks", "Confidential Issue Hook";
    Note = "note_events", "note_hooks", "Note Hook";
    ConfidentialNote = "confidential_note_events", "confidential_note_hooks", "Confidential Note Hook";
    Job = "job_events", "job_hooks", "Job Hook";
    Pipeline = "pipeline_events", "pipeline_hooks", "Pipeline Hook";
    WikiPage = "wiki_page_events", "wiki_page_hooks", "Wiki Page Hook";
    Deployment = "deployment_events", "deployment_hooks", "Deployment Hook";
    FeatureFlag = "feature_flag_events", "feature_flag_hooks", "Feature Flag Hook";
    Release = "releases_events", "release_hooks", "Release Hook";
    Milestone = "milestone_events", "milestone_hooks", "Milestone Hook";
    Emoji = "emoji_events", "emoji_hooks", "Emoji Hook";
    ResourceAccessToken =
        "resource_access_token_events", "resource_access_token_hooks", "Resource Access Token Hook";
    Vulnerability = "vulnerability_events", "vulnerability_hooks", "Vulnerability Hook";
    Member = "member_events", "member_hooks", "Member Hook";
    Subgroup = "subgroup_events", "subgroup_hooks", "Subgroup Hook";
    Project = "project_events", "project_hooks", "Project Hook";
    /// What every system hook is told and no other.
    System = "system_events", "system_hooks", "System Hook";
}

impl Trigger {
    /// What only hooks of groups can ask for.
    const OF_GROUPS: &'static [Self] = &[Self::Member, Self::Subgroup, Self::Project];
    /// What system hooks can ask for.
    const OF_SYSTEM: &'static [Self] =
        &[Self::Push, Self::TagPush, Self::MergeRequest, Self::RepositoryUpdate];

    /// The switches of a hook, in GitLab's order, with their defaults.
    pub fn switches(owner: super::HookOwner) -> Vec<(Self, bool)> {
        use super::HookOwner::{Group, Project, System};
        let all = Self::ALL.iter().copied().filter(|it| *it != Self::System);
        match owner {
            Project(_) => {
                all.filter(|it| !Self::OF_GROUPS.contains(it)).map(|it| (it, it == Self::Push)).collect()
            }
            Group(_) => all.map(|it| (it, it == Self::Push)).collect(),
            System => Self::OF_SYSTEM.iter().map(|it| (*it, *it == Self::RepositoryUpdate)).collect(),
        }
    }
}
