//! Users of whom only a part is known.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::{Store, StoreError};

impl Store {
    /// GitLab's ids of users whose `bot` flag is not known yet, or not why they are what they are, above `after`.
    pub async fn unknown_users(&self, instance: i64, after: i64, most: i64) -> Result<Vec<i64>, StoreError> {
        let unknown = sqlx::query_scalar(
            "select source_id
               from gitlab_users
              where id >= $1 * 17592186044416 and id < ($1 + 1) * 17592186044416
                and (bot is null or type_rule is null)
                and source_id > $2
              order by source_id
              limit $3",
        );
        Ok(unknown.bind(instance).bind(after).bind(most).fetch_all(&self.pool).await?)
    }

    /// Which of these users are not people, as far as is known.
    pub async fn not_human(&self, users: &[i64]) -> Result<Vec<i64>, StoreError> {
        let bots = sqlx::query_scalar("select id from gitlab_users where id = any($1) and type <> 'human'");
        Ok(bots.bind(users).fetch_all(&self.pool).await?)
    }

    /// Keeps that GitLab no longer knows these users: what is known of them stays, and they count as people.
    pub async fn retire_users(&self, users: &[i64], at: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query(
            "update gitlab_users set bot = false, type = 'human', type_rule = 'deleted_account', synced_at = $2 where id = any($1) and (bot is null or type_rule is null)",
        )
        .bind(users)
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Those of the users that a later read has changed: an older row was refused there.
pub(crate) async fn newer_than(
    connection: &mut PgConnection,
    users: &[i64],
    sent_at: DateTime<Utc>,
) -> Result<Vec<i64>, StoreError> {
    let newer = sqlx::query_scalar("select id from gitlab_users where id = any($1) and synced_at > $2");
    Ok(newer.bind(users).bind(sent_at).fetch_all(connection).await?)
}
