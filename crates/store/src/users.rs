//! Users of whom only a part is known.

use catalogue::Batch;
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

    /// Some users (Weir's ids) of an instance whose kind changed after something was derived from it.
    pub async fn people_due(&self, instance: i64, most: i64) -> Result<Vec<i64>, StoreError> {
        let due = sqlx::query_scalar(
            "select user_id
               from weir.people_due
              where user_id >= $1 * 17592186044416 and user_id < ($1 + 1) * 17592186044416
              order by user_id
              limit $2",
        );
        Ok(due.bind(instance).bind(most).fetch_all(&self.pool).await?)
    }

    /// What depends on these users was computed again.
    pub async fn people_done(&self, users: &[i64]) -> Result<(), StoreError> {
        sqlx::query("delete from weir.people_due where user_id = any($1)")
            .bind(users)
            .execute(&self.pool)
            .await?;
        Ok(())
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

/// The kinds of some users before they are written, where the batch brings kinds. Who is not known counts as a person.
pub(crate) async fn kinds(
    connection: &mut PgConnection,
    batch: &Batch,
    users: &[i64],
) -> Result<Vec<(i64, String)>, StoreError> {
    if !batch.columns.contains(&"type") {
        return Ok(Vec::new());
    }
    let kinds = sqlx::query_as(
        "select u.id, coalesce(g.type, 'human')
           from unnest($1::bigint[]) as u(id)
           left join gitlab_users g on g.id = u.id
          order by u.id",
    );
    Ok(kinds.bind(users).fetch_all(connection).await?)
}

/// Notes those whose kind is another than before, in the transaction that wrote it: a crash does not forget them.
pub(crate) async fn note_due(
    connection: &mut PgConnection,
    before: Vec<(i64, String)>,
) -> Result<(), StoreError> {
    if before.is_empty() {
        return Ok(());
    }
    let (ids, kinds): (Vec<i64>, Vec<String>) = before.into_iter().unzip();
    sqlx::query(
        "insert into weir.people_due (user_id)
         select g.id
           from unnest($1::bigint[], $2::text[]) as b(id, kind)
           join gitlab_users g on g.id = b.id
          where g.type is distinct from b.kind
          order by g.id
             on conflict do nothing",
    )
    .bind(ids)
    .bind(kinds)
    .execute(connection)
    .await?;
    Ok(())
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
