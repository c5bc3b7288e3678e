//! In which commit merge requests ended when their commits were read.

use catalogue::Rows;
use catalogue::merge_request_commits::TABLE;
use sqlx::PgConnection;

use crate::children::Parent;
use crate::{Store, StoreError};

/// Locks the heads of the merge requests whose commits are in this page whole, so that two pages wait for each other
/// instead of locking each other out. Gives those that are stored: what is new has no commits to lose.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    rows: &Rows,
) -> Result<Vec<(Parent, i64)>, StoreError> {
    let lists = rows.complete.iter().filter(|it| it.table.name == TABLE.name);
    let (projects, merge_requests): (Vec<i64>, Vec<i64>) =
        lists.map(|it| (it.values[0], it.values[1])).unzip();
    if merge_requests.is_empty() {
        return Ok(Vec::new());
    }
    let stored: Vec<i64> = sqlx::query_scalar(
        "select h.id
           from unnest($1::bigint[], $2::bigint[]) as u(project_id, id)
           join weir.merge_request_heads h on h.project_id = u.project_id and h.id = u.id
          order by h.project_id, h.id
            for no key update of h",
    )
    .bind(projects)
    .bind(merge_requests)
    .fetch_all(connection)
    .await?;
    Ok(stored.into_iter().map(|id| (Parent::Head, id)).collect())
}

impl Store {
    /// How many merge requests with a known head are open in each project.
    pub async fn open_heads(&self, projects: &[i64]) -> Result<Vec<(i64, i64)>, StoreError> {
        let open = sqlx::query_as(
            "select project_id, count(*)
               from weir.merge_request_heads
              where project_id = any($1)
                and state in ('opened', 'locked')
              group by project_id
              order by project_id",
        );
        Ok(open.bind(projects).fetch_all(&self.pool).await?)
    }

    /// The open merge requests of projects, each with its number and the head that is known of it.
    pub async fn stored_heads(
        &self,
        projects: &[i64],
    ) -> Result<Vec<(i64, i64, Option<String>)>, StoreError> {
        let heads = sqlx::query_as(
            "select id, iid, sha
               from weir.merge_request_heads
              where project_id = any($1)
                and state in ('opened', 'locked')",
        );
        Ok(heads.bind(projects).fetch_all(&self.pool).await?)
    }

    /// Those of the projects of which heads are stored.
    pub async fn with_heads(&self, projects: &[i64]) -> Result<Vec<i64>, StoreError> {
        let with = sqlx::query_scalar(
            "select p from unnest($1::bigint[]) as u(p)
              where exists (select from weir.merge_request_heads h where h.project_id = p)",
        );
        Ok(with.bind(projects).fetch_all(&self.pool).await?)
    }
}
