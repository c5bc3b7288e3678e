//! Issues: above the lists that a page brings, and how many are stored.

use std::collections::BTreeMap;

use catalogue::Rows;
use catalogue::issues::PARENT;
use sqlx::PgConnection;

use crate::children::Parent;
use crate::{Store, StoreError};

/// Locks the issues of which this page brings whole lists before anything below them, so that two pages wait for each
/// other instead of locking each other out. Gives those that are stored: what is new has no children to lose.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    rows: &Rows,
) -> Result<Vec<(Parent, i64)>, StoreError> {
    let lists = rows.complete.iter().filter(|it| it.parent == PARENT);
    let (projects, issues): (Vec<i64>, Vec<i64>) = lists.map(|it| (it.values[0], it.values[1])).unzip();
    if issues.is_empty() {
        return Ok(Vec::new());
    }
    let stored: Vec<i64> = sqlx::query_scalar(
        "select id
           from gitlab_issues
          where (project_id, id) in (select p, i from unnest($1::bigint[], $2::bigint[]) as u(p, i))
          order by project_id, id
            for no key update",
    )
    .bind(projects)
    .bind(issues)
    .fetch_all(connection)
    .await?;
    Ok(stored.into_iter().map(|id| (Parent::Issue, id)).collect())
}

impl Store {
    /// How many issues are stored of each project (Weir's ids).
    pub async fn stored_issues(&self, projects: &[i64]) -> Result<BTreeMap<i64, i64>, StoreError> {
        let stored: Vec<(i64, i64)> = sqlx::query_as(
            "select project_id, count(*)
               from gitlab_issues
              where project_id = any($1) and deleted_at is null
              group by project_id",
        )
        .bind(projects)
        .fetch_all(&self.pool)
        .await?;
        Ok(stored.into_iter().collect())
    }
}
