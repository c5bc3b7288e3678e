//! What several deliveries of one GitLab name, each thing once.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Instance;
use catalogue::events::Changed;
use store::WebhookHint;

/// What is to be read again of one GitLab.
#[derive(Debug, Default)]
pub(super) struct Hints {
    /// By project (GitLab's id).
    pub(super) projects: BTreeMap<i64, Named>,
    /// Whether there may be other groups and projects, or other members.
    pub(super) groups: bool,
}

/// What is to be read again of one project.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) merge_requests: BTreeSet<i64>,
    pub(super) issues: BTreeSet<i64>,
    pub(super) pipelines: BTreeSet<i64>,
    pub(super) deployments: bool,
    pub(super) trunk: bool,
    pub(super) project: bool,
}

impl Hints {
    /// Adds what a delivery names, of a project where it is one.
    pub(super) fn add(&mut self, changed: Changed, project: Option<i64>) {
        let Some(project) = project.filter(|_| changed != Changed::Groups) else {
            self.groups = true;
            return;
        };
        let named = self.projects.entry(project).or_default();
        match changed {
            Changed::MergeRequest(iid) => drop(named.merge_requests.insert(iid)),
            Changed::Issue(iid) => drop(named.issues.insert(iid)),
            Changed::Pipeline(id) => drop(named.pipelines.insert(id)),
            Changed::Deployments => named.deployments = true,
            Changed::Trunk => named.trunk = true,
            Changed::Project => named.project = true,
            Changed::Groups => {}
        }
    }

    /// Everything with a number that was named.
    pub(super) fn named(&self, instance: Instance) -> Vec<WebhookHint> {
        let of_project = |(project, named): (&i64, &Named)| {
            let project_id = instance.id(*project);
            let numbers = [
                ("merge_request", &named.merge_requests),
                ("issue", &named.issues),
                ("pipeline", &named.pipelines),
            ];
            let hint = move |kind, number: &i64| WebhookHint { project_id, kind, number: *number };
            let of_kind = |(kind, all): (&'static str, &BTreeSet<i64>)| -> Vec<WebhookHint> {
                all.iter().map(|it| hint(kind, it)).collect()
            };
            numbers.map(of_kind).concat()
        };
        self.projects.iter().flat_map(of_project).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_events_of_one_thing_are_one_reading() {
        let mut hints = Hints::default();
        for iid in [7, 7, 8, 7] {
            hints.add(Changed::MergeRequest(iid), Some(1));
        }
        hints.add(Changed::Groups, Some(4));
        assert_eq!(hints.projects[&1].merge_requests.len(), 2);
        assert!(hints.groups && hints.projects.len() == 1);
    }
}
