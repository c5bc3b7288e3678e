//! Tokens near their end: who was warned of them, and their rotation by Weir itself. What is about to be done is written
//! down before GitLab is asked, so that whoever comes after a crash knows what to find out.

use chrono::{DateTime, NaiveDate, Utc};
use secrecy::SecretString;
use sqlx::PgConnection;

use crate::connections::settle;
use crate::credentials::CredentialRow;
use crate::encryption_keys::place_of_credential;
use crate::vault::Keyring;
use crate::{Store, StoreError};

/// How long a process that rotates may be silent before another one finds out what became of the token, in seconds.
const LEASE_SECONDS: f64 = 120.0;

impl Store {
    /// Credentials in use that die until this day, of connections that were not deleted.
    pub async fn dying_credentials(&self, until: NaiveDate) -> Result<Vec<CredentialRow>, StoreError> {
        let rows = sqlx::query_as(
            "select k.* from weir.credentials k join weir.connections c on c.id = k.connection_id
              where k.expiration_date <= $1 and k.deleted_at is null and k.disabled_at is null
                and k.rotation_began_at is null and c.deleted_at is null
              order by k.id",
        );
        Ok(rows.bind(until).fetch_all(&self.pool).await?)
    }

    /// Notes that somebody is warned of a credential's end so many days before. False where that was done already.
    pub async fn warn_of_credential(&self, id: i64, days: i32) -> Result<bool, StoreError> {
        let warned = sqlx::query(
            "update weir.credentials set warned_days = $2 where id = $1 and (warned_days is null or warned_days > $2)",
        );
        Ok(warned.bind(id).bind(days).execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Writes down that a token is about to be rotated, wherever it is used: nobody works with it from now on. Gives the
    /// connections; none where another process was first, also where that is done by now: to rotate a token that was rotated
    /// has GitLab revoke its successor.
    pub async fn begin_rotation(
        &self,
        owner: &str,
        row: &CredentialRow,
        now: DateTime<Utc>,
    ) -> Result<Option<Vec<i64>>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let same = lock_same(&mut transaction, row.id).await?;
        let as_seen = same.iter().any(|it| (it.id, it.updated_at) == (row.id, row.updated_at));
        if !as_seen || same.iter().any(|it| it.rotation_began_at.is_some()) {
            return Ok(None);
        }
        let ids: Vec<i64> = same.iter().map(|it| it.id).collect();
        sqlx::query(
            "update weir.credentials
                set rotation_began_at = $2, rotation_owner = $3, updated_at = $2
                  , rotation_until = clock_timestamp() + make_interval(secs => $4)
              where id = any($1)",
        )
        .bind(&ids)
        .bind(now)
        .bind(owner)
        .bind(LEASE_SECONDS)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(same.into_iter().map(|it| it.connection_id).collect()))
    }

    /// Says that the process that rotates a token lives.
    pub async fn renew_rotation(&self, owner: &str) -> Result<(), StoreError> {
        let renewed = sqlx::query(
            "update weir.credentials set rotation_until = clock_timestamp() + make_interval(secs => $2)
              where rotation_owner = $1 and rotation_began_at is not null",
        );
        renewed.bind(owner).bind(LEASE_SECONDS).execute(&self.pool).await?;
        Ok(())
    }

    /// Whether any of these connections runs a task.
    pub async fn any_runs(&self, connections: &[i64]) -> Result<bool, StoreError> {
        let runs = sqlx::query_scalar(
            "select exists (select from weir.tasks where connection_id = any($1) and until > clock_timestamp())",
        );
        Ok(runs.bind(connections).fetch_one(&self.pool).await?)
    }

    /// Stores the token that GitLab gave in place of the old one, wherever that was used. Gives the credentials and their
    /// connections; none where somebody has replaced the old one meanwhile.
    pub async fn end_rotation(
        &self,
        ring: &Keyring,
        old: &SecretString,
        new: &SecretString,
        expires: Option<NaiveDate>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let same: Vec<(i64, i64)> = sqlx::query_as(
            "select id, connection_id from weir.credentials
              where fingerprint = $1 and deleted_at is null order by id for update",
        )
        .bind(ring.fingerprint(old))
        .fetch_all(&mut *transaction)
        .await?;
        for (id, connection) in &same {
            sqlx::query(
                "update weir.credentials
                    set token = $2, fingerprint = $3, expiration_date = $4, rotated_at = $5, updated_at = $5
                      , warned_days = null, disabled_at = null, disabled_reason = null, rotation_began_at = null
                      , rotation_owner = null, rotation_until = null, rotation_failed_at = null, rotation_error = null
                  where id = $1",
            )
            .bind(id)
            .bind(ring.seal(new, &place_of_credential(*id)))
            .bind(ring.fingerprint(new))
            .bind(expires)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
            settle(&mut transaction, *connection, now).await?;
        }
        transaction.commit().await?;
        Ok(same)
    }

    /// Notes that a rotation left the token as it was, and why.
    pub async fn cancel_rotation(&self, id: i64, why: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let ids: Vec<i64> = lock_same(&mut transaction, id).await?.into_iter().map(|it| it.id).collect();
        sqlx::query(
            "update weir.credentials
                set rotation_began_at = null, rotation_owner = null, rotation_until = null
                  , rotation_failed_at = $2, rotation_error = $3
                  , updated_at = case when rotation_began_at is null then updated_at else $2 end
              where id = any($1)",
        )
        .bind(ids)
        .bind(now)
        .bind(why)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Notes that the token is of no use any more, wherever it is used, and why.
    pub async fn lose_rotation(&self, id: i64, why: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let same = lock_same(&mut transaction, id).await?;
        for row in same.iter().filter(|it| it.rotation_began_at.is_some()) {
            sqlx::query(
                "update weir.credentials
                    set disabled_at = $2, disabled_reason = $3, updated_at = $2
                      , rotation_began_at = null, rotation_owner = null, rotation_until = null
                  where id = $1",
            )
            .bind(row.id)
            .bind(now)
            .bind(why)
            .execute(&mut *transaction)
            .await?;
            settle(&mut transaction, row.connection_id, now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Takes a rotation whose process has fallen silent.
    pub async fn abandoned_rotation(&self, owner: &str) -> Result<Option<CredentialRow>, StoreError> {
        let row = sqlx::query_as(
            "with next as materialized (
               select id from weir.credentials
                where rotation_began_at is not null and rotation_until < clock_timestamp() and deleted_at is null
                order by id limit 1 for update skip locked
             )
             update weir.credentials k
                set rotation_owner = $1, rotation_until = clock_timestamp() + make_interval(secs => $2)
               from next where k.id = next.id
             returning k.*",
        );
        Ok(row.bind(owner).bind(LEASE_SECONDS).fetch_optional(&self.pool).await?)
    }
}

/// The live credentials that hold the same token, locked.
async fn lock_same(connection: &mut PgConnection, id: i64) -> Result<Vec<CredentialRow>, StoreError> {
    let rows = sqlx::query_as(
        "select * from weir.credentials
          where deleted_at is null
            and fingerprint = (select fingerprint from weir.credentials where id = $1 and deleted_at is null)
          order by id for update",
    );
    Ok(rows.bind(id).fetch_all(connection).await?)
}
