//! What follows from milestones: GitLab takes a deleted one off its merge requests without touching them.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::StoreError;

/// Takes deleted milestones off the merge requests of these projects. Gives how many merge requests that changed.
pub(crate) async fn leave_deleted(
    connection: &mut PgConnection,
    projects: &[i64],
    sent_at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let left = sqlx::query(
        "update gitlab_merge_requests m
            set milestone_id = null, synced_at = greatest(m.synced_at, $2)
           from gitlab_milestones s
          where s.project_id = any($1)
            and s.deleted_at is not null
            and m.project_id = s.project_id
            and m.milestone_id = s.id",
    );
    Ok(left.bind(projects).bind(sent_at).execute(connection).await?.rows_affected())
}
