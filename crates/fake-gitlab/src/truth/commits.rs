//! Commits of default branches and of merge requests.

use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};

use super::{Row, Sight, Tables, at, row};
use crate::world::git::Commit;
use crate::world::model::{Id, MergeRequest, Project};

impl Sight<'_> {
    /// What can be reached from the head of each default branch.
    pub(super) fn commits(&self, tables: &mut Tables) {
        let rows = self.projects.iter().flat_map(|project| self.trunk(project)).collect();
        tables.insert("gitlab_commits", rows);
    }

    fn trunk(&self, project: &Project) -> Vec<Row> {
        let readable = self.world.check_repository(self.viewer, project).is_ok();
        let named = self.world.default_branch(self.viewer, project).is_some();
        let repository = self.world.repositories.get(&project.id).filter(|_| readable && named);
        let commits = repository.map(|it| it.trunk()).unwrap_or_default();
        commits.into_iter().map(|commit| self.commit(project.id, commit)).collect()
    }

    fn commit(&self, project_id: Id, commit: &Commit) -> Row {
        let size = |lines: i64| self.reading.commit_statistics.then_some(lines);
        let mut columns = signed(commit);
        columns.extend(row(json!({
            "project_id": project_id,
            "committer_name": commit.committer.name,
            "committer_email": commit.committer.email,
            "parent_shas": commit.parents,
            "additions": size(commit.additions),
            "deletions": size(commit.deletions),
        })));
        columns
    }

    /// What each merge request lists now.
    pub(super) fn merge_request_commits(&self, tables: &mut Tables) {
        let of = |mr: &&MergeRequest| {
            let (project_id, id) = (mr.project_id, mr.id);
            let row = move |commit: &Commit| {
                let mut columns = signed(commit);
                columns.insert("project_id".to_owned(), json!(project_id));
                columns.insert("merge_request_id".to_owned(), json!(id));
                columns
            };
            self.world.commits_of(mr).into_iter().map(row).collect::<Vec<_>>()
        };
        tables.insert("gitlab_merge_request_commits", self.merge_requests.iter().flat_map(of).collect());
    }
}

/// What both tables have.
fn signed(commit: &Commit) -> Row {
    let utc = |time: DateTime<FixedOffset>| -> Value { at(time.to_utc()) };
    row(json!({
        "sha": commit.sha,
        "author_name": commit.author.name,
        "author_email": commit.author.email,
        "authored_at": utc(commit.author.at),
        "committed_at": utc(commit.committer.at),
        "title": commit.title(),
    }))
}
