//! What Weir computes from the rows that are stored: times of approvals, reviews, and the columns of merge requests
//! that follow from them. Pure SQL over the stored rows, so the result is the same whoever read them.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row};

use crate::{Store, StoreError};

const APPROVAL_TIMES: &str = include_str!("derive/approval_times.sql");
const REVIEWS: &str = include_str!("derive/reviews.sql");

/// What a derivation changed.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Derived {
    pub(crate) reviews: u64,
    pub(crate) written: u64,
}

/// Computes again what follows from the notes, approvals and reviewers of these merge requests of one project.
pub(crate) async fn derive(
    connection: &mut PgConnection,
    project: i64,
    merge_requests: &[i64],
    sent_at: DateTime<Utc>,
) -> Result<Derived, StoreError> {
    if merge_requests.is_empty() {
        return Ok(Derived::default());
    }
    sqlx::query(APPROVAL_TIMES).bind(project).bind(merge_requests).execute(&mut *connection).await?;
    let row =
        sqlx::query(REVIEWS).bind(project).bind(merge_requests).bind(sent_at).fetch_one(connection).await?;
    let count = |column: &str| row.try_get::<i64, _>(column).map(|it| it as u64);
    Ok(Derived { reviews: count("read")?, written: count("written")? + count("gone")? })
}

/// Those of the merge requests whose derived columns contradict their own: a page without lists cannot have changed
/// reviews, but it may have merged a merge request or made it a draft.
pub(crate) async fn inconsistent(
    connection: &mut PgConnection,
    project: i64,
    merge_requests: &[i64],
) -> Result<Vec<i64>, StoreError> {
    let found = sqlx::query_scalar(
        "select id
           from gitlab_merge_requests
          where project_id = $1
            and id = any($2)
            and ((state = 'merged') <> (open_to_merge is not null) or draft = (ready_for_review is not null))
          order by id",
    );
    Ok(found.bind(project).bind(merge_requests).fetch_all(connection).await?)
}

impl Store {
    /// Computes again what depends on whether these users are people: they were only known by id until now.
    pub async fn derive_for_users(&self, users: &[i64], sent_at: DateTime<Utc>) -> Result<(), StoreError> {
        let touched: Vec<(i64, Vec<i64>)> = sqlx::query_as(
            "select project_id, array_agg(distinct merge_request_id)
               from gitlab_reviews
              where user_id = any($1)
              group by project_id",
        )
        .bind(users)
        .fetch_all(&self.pool)
        .await?;
        for (project, merge_requests) in touched {
            for some in merge_requests.chunks(500) {
                let mut transaction = self.pool.begin().await?;
                derive(&mut transaction, project, some, sent_at).await?;
                transaction.commit().await?;
            }
        }
        Ok(())
    }
}
