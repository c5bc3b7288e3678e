//! Projects and groups that were in sight once. GitLab answers for a deleted one as for one that may not be seen, so that it takes more
//! than that to call it deleted: a token to which nothing is hidden, or that it was marked for deletion
//! so long ago that GitLab cannot still hold it.

use chrono::{NaiveDate, TimeDelta};
use gitlab_client::{CredentialId, Request};
use store::LostProject;

use super::evidence::denied;
use crate::engine::{Engine, Halt};
use crate::sight::Sight;
use crate::users;

/// GitLab holds what is marked for deletion for 90 days at most, and then deletes it within days.
const HELD: TimeDelta = TimeDelta::days(97);

/// Marks the lost projects and groups that are provably deleted, with everything in them.
pub(crate) async fn mark_deleted(engine: &Engine, sight: &Sight) -> Result<(), Halt> {
    let lost = engine.store.lost_projects(engine.instance.0).await?;
    let groups = match sight.complete && engine.options.scope.is_everything() {
        true => lost_groups(engine, sight).await?,
        false => Vec::new(),
    };
    if (lost.is_empty() && groups.is_empty()) || engine.options.job_token {
        return Ok(());
    }
    let sees_all = users::sees_all(engine).await.ok().flatten();
    for group in groups {
        let Some(credential) = &sees_all else { break };
        let group_alone = Request::new("groups/{group}").value(engine.instance.source_id(group));
        if denied(engine, group_alone.credential(credential.clone())).await {
            engine.store.mark_group_deleted(group, engine.now()).await?;
            engine.tally.marked("gitlab_groups", 1);
        }
    }
    for project in lost {
        if (sees_all.is_some() || is_overdue(&project, engine.started.date_naive()))
            && is_denied(engine, &project, sees_all.clone()).await
        {
            let marked = engine.store.mark_project_deleted(project.id, engine.now()).await?;
            engine.tally.marked("gitlab_projects", 1);
            tracing::info!(
                project = project.path_with_namespace,
                rows = marked,
                "GitLab has deleted a project"
            );
        }
    }
    Ok(())
}

async fn lost_groups(engine: &Engine, sight: &Sight) -> Result<Vec<i64>, Halt> {
    let seen: Vec<i64> = sight.groups.keys().map(|it| engine.instance.id(*it)).collect();
    let others = engine.store.groups_not_among(engine.instance.0, &seen).await?;
    Ok(others.into_iter().map(|it| it.0).collect())
}

/// Whether it is denied to whom nothing is hidden, where there is such a credential.
async fn is_denied(engine: &Engine, project: &LostProject, credential: Option<CredentialId>) -> bool {
    let request = Request::new("projects/{project}").value(project.source_id);
    denied(engine, Request { credential, ..request }).await
}

fn is_overdue(project: &LostProject, today: NaiveDate) -> bool {
    project.marked_for_deletion_on.is_some_and(|it| it + HELD < today)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_overdue_only_when_gitlab_cannot_hold_it_any_longer() {
        let today = NaiveDate::from_ymd_opt(2026, 6, 1).expect("a date");
        let marked = |days: i64| LostProject {
            id: 1,
            source_id: 1,
            path_with_namespace: "a/b".to_owned(),
            marked_for_deletion_on: Some(today - TimeDelta::days(days)),
        };
        assert!(!is_overdue(&marked(90), today));
        assert!(is_overdue(&marked(98), today));
        assert!(!is_overdue(&LostProject { marked_for_deletion_on: None, ..marked(98) }, today));
    }
}
