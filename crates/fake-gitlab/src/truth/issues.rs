//! Issues with their labels, assignees and links.

use serde_json::json;

use super::issue_links::links;
use super::{Row, Sight, Tables, at, at_or_null, row};
use crate::world::issue::{Issue, IssueType};
use crate::world::model::{Id, Label};

impl Sight<'_> {
    pub(super) fn issues(&self, tables: &mut Tables) {
        let seen = || self.visible_issues();
        tables.insert("gitlab_issues", seen().map(|it| self.issue(it)).collect());
        tables.insert("gitlab_issue_labels", seen().flat_map(|it| self.labels_of(it)).collect());
        tables.insert("gitlab_issue_links", seen().flat_map(|it| links(self.world, it)).collect());
        let assignees = seen().flat_map(|it| it.assignee_ids.iter().map(|id| assignee(it, *id)));
        tables.insert("gitlab_issue_assignees", assignees.collect());
    }

    fn visible_issues(&self) -> impl Iterator<Item = &Issue> {
        self.projects.iter().flat_map(|project| self.world.visible_issues(self.viewer, project))
    }

    /// Who closed an issue: GraphQL does not tell.
    fn closed_by(&self, issue: &Issue) -> Option<Id> {
        issue.closed_by_id.filter(|_| !self.reading.graphql)
    }

    /// Everyone who opened, closed or was assigned an issue.
    pub(super) fn people_of_issues(&self) -> impl Iterator<Item = Id> {
        self.visible_issues().flat_map(|it| {
            let assignees = it.assignee_ids.iter().copied();
            assignees.chain([it.author_id]).chain(self.closed_by(it))
        })
    }

    fn issue(&self, issue: &Issue) -> Row {
        let incident = issue.issue_type == IssueType::Incident;
        row(json!({
            "project_id": issue.project_id,
            "id": issue.id,
            "source_id": issue.id,
            "iid": issue.iid,
            "title": issue.title,
            "state": issue.state(),
            "type": issue.issue_type.word(),
            "severity": incident.then(|| issue.severity.word()),
            "confidential": issue.confidential,
            "user_id": issue.author_id,
            "milestone_id": issue.milestone_id,
            "created_at": at(issue.created_at),
            "updated_at": at(issue.updated_at),
            "closed_at": at_or_null(issue.closed_at),
            "closed_by_user_id": self.closed_by(issue),
            "due_date": issue.due_date,
            "description": null,
        }))
    }

    fn labels_of(&self, issue: &Issue) -> Vec<Row> {
        let labels = issue.label_ids.iter().filter_map(|id| self.world.labels.get(id));
        let link = |label: &Label| {
            row(json!({
                "project_id": issue.project_id,
                "issue_id": issue.id,
                "label_id": label.id,
                "name": label.title,
            }))
        };
        labels.map(link).collect()
    }
}

fn assignee(issue: &Issue, user_id: Id) -> Row {
    row(json!({ "project_id": issue.project_id, "issue_id": issue.id, "user_id": user_id }))
}
