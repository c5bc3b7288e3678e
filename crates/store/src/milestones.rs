//! What follows from milestones: GitLab takes a deleted one off what carries it without touching them.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::StoreError;

/// What carries a milestone.
const CARRIERS: [&str; 2] = ["gitlab_merge_requests", "gitlab_issues"];

/// Takes deleted milestones off the merge requests and issues of these projects. Gives how many of each table that changed.
///
/// Their `synced_at` stays: no answer about them was read, and an answer asked for a little earlier that is written
/// next must not be taken for an older one.
pub(crate) async fn leave_deleted(
    connection: &mut PgConnection,
    projects: &[i64],
) -> Result<[(&'static str, u64); 2], StoreError> {
    let mut left = CARRIERS.map(|table| (table, 0));
    for (table, count) in &mut left {
        let sql = format!(
            "update {table} m
                set milestone_id = null
               from gitlab_milestones s
              where s.project_id = any($1)
                and s.deleted_at is not null
                and m.project_id = s.project_id
                and m.milestone_id = s.id"
        );
        let leaving = sqlx::query(AssertSqlSafe(sql)).bind(projects);
        *count = leaving.execute(&mut *connection).await?.rows_affected();
    }
    Ok(left)
}
