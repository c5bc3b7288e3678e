//! What follows from milestones: GitLab takes a deleted one off its merge requests without touching them.

use sqlx::PgConnection;

use crate::StoreError;

/// Takes deleted milestones off the merge requests of these projects. Gives how many merge requests that changed.
///
/// Their `synced_at` stays: no answer about them was read, and an answer asked for a little earlier that is written
/// next must not be taken for an older one.
pub(crate) async fn leave_deleted(
    connection: &mut PgConnection,
    projects: &[i64],
) -> Result<u64, StoreError> {
    let left = sqlx::query(
        "update gitlab_merge_requests m
            set milestone_id = null
           from gitlab_milestones s
          where s.project_id = any($1)
            and s.deleted_at is not null
            and m.project_id = s.project_id
            and m.milestone_id = s.id",
    );
    Ok(left.bind(projects).execute(connection).await?.rows_affected())
}
