//! The tokens of connections: sealed, never shown, deleted softly.

use chrono::{DateTime, NaiveDate, Utc};
use secrecy::SecretString;
use serde_json::Value;
use sqlx::{FromRow, PgConnection};

use crate::connections::settle;
use crate::encryption_keys::place_of_credential;
use crate::vault::Keyring;
use crate::{Store, StoreError};

/// A credential without its token.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct CredentialRow {
    /// Its number.
    pub id: i64,
    /// The connection.
    pub connection_id: i64,
    /// What people call it.
    pub label: String,
    /// How it is presented.
    pub settings: Value,
    /// What it may do.
    pub scopes: Option<Vec<String>>,
    /// GitLab's id of its user.
    pub gitlab_user_id: Option<i64>,
    /// The day on which it dies.
    pub expiration_date: Option<NaiveDate>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When a sync last worked with it.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When GitLab refused it.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Why it is not used any more.
    pub disabled_reason: Option<String>,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// When Weir last rotated its token.
    pub rotated_at: Option<DateTime<Utc>>,
    /// Since when Weir is rotating its token.
    pub rotation_began_at: Option<DateTime<Utc>>,
    /// When a rotation last failed.
    pub rotation_failed_at: Option<DateTime<Utc>>,
    /// Why.
    pub rotation_error: Option<String>,
}

/// A credential as it is to be: all of it was verified together.
#[derive(Debug, Clone)]
pub struct NewCredential<'n> {
    /// What people call it.
    pub label: &'n str,
    /// How it is presented.
    pub settings: &'n Value,
    /// The token.
    pub token: &'n SecretString,
    /// What it may do, where GitLab told.
    pub scopes: Option<&'n [String]>,
    /// GitLab's id of its user, where GitLab told.
    pub gitlab_user_id: Option<i64>,
    /// The day on which it dies.
    pub expiration_date: Option<NaiveDate>,
}

impl Store {
    /// Live credentials of a connection; `after` is the last one of the page before.
    pub async fn credentials(
        &self,
        connection: i64,
        after: i64,
        limit: i64,
    ) -> Result<Vec<CredentialRow>, StoreError> {
        let rows = sqlx::query_as(
            "select * from weir.credentials
              where connection_id = $1 and deleted_at is null and id > $2
              order by id
              limit $3",
        );
        Ok(rows.bind(connection).bind(after).bind(limit).fetch_all(&self.pool).await?)
    }

    /// A credential of a connection, a deleted one too.
    pub async fn credential(&self, connection: i64, id: i64) -> Result<Option<CredentialRow>, StoreError> {
        let row = sqlx::query_as("select * from weir.credentials where connection_id = $1 and id = $2");
        Ok(row.bind(connection).bind(id).fetch_optional(&self.pool).await?)
    }

    /// Adds a credential that was verified.
    pub async fn add_credential(
        &self,
        ring: &Keyring,
        connection: i64,
        new: &NewCredential<'_>,
        at: DateTime<Utc>,
    ) -> Result<CredentialRow, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let id: i64 = sqlx::query_scalar(
            "insert into weir.credentials (connection_id, label, settings, created_at, updated_at)
             values ($1, '', '{}', $2, $2) returning id",
        )
        .bind(connection)
        .bind(at)
        .fetch_one(&mut *transaction)
        .await?;
        let row = write(&mut transaction, ring, connection, id, new, at).await?;
        transaction.commit().await?;
        row.ok_or(StoreError::Query(sqlx::Error::RowNotFound))
    }

    /// Replaces a live credential by one that was verified; it counts as working again. None where it is gone.
    pub async fn replace_credential(
        &self,
        ring: &Keyring,
        connection: i64,
        id: i64,
        new: &NewCredential<'_>,
        at: DateTime<Utc>,
    ) -> Result<Option<CredentialRow>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let row = write(&mut transaction, ring, connection, id, new, at).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Deletes a live credential and forgets its token; the rest of it can still be looked up.
    pub async fn delete_credential(
        &self,
        connection: i64,
        id: i64,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let deleted = sqlx::query(
            "update weir.credentials set deleted_at = $3, updated_at = $3, token = null, fingerprint = null
              where connection_id = $1 and id = $2 and deleted_at is null",
        )
        .bind(connection)
        .bind(id)
        .bind(at)
        .execute(&mut *transaction)
        .await?;
        settle(&mut transaction, connection, at).await?;
        transaction.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }

    /// Takes a credential out of use: GitLab refused it. False where it is another one by now: what was refused is not what it holds.
    pub async fn disable_credential(
        &self,
        seen: &CredentialRow,
        reason: &str,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let disabled = sqlx::query(
            "update weir.credentials set disabled_at = $3, disabled_reason = $4, updated_at = $3
              where id = $1 and updated_at = $2 and deleted_at is null and disabled_at is null",
        )
        .bind(seen.id)
        .bind(seen.updated_at)
        .bind(at)
        .bind(reason)
        .execute(&mut *transaction)
        .await?;
        settle(&mut transaction, seen.connection_id, at).await?;
        transaction.commit().await?;
        Ok(disabled.rows_affected() > 0)
    }

    /// Puts a credential back to use: it was found to work.
    pub async fn enable_credential(
        &self,
        connection: i64,
        id: i64,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "update weir.credentials set disabled_at = null, disabled_reason = null, updated_at = $3
              where connection_id = $1 and id = $2 and deleted_at is null and disabled_at is not null",
        )
        .bind(connection)
        .bind(id)
        .bind(at)
        .execute(&mut *transaction)
        .await?;
        settle(&mut transaction, connection, at).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The token of a live credential.
    pub async fn token(&self, ring: &Keyring, id: i64) -> Result<Option<SecretString>, StoreError> {
        let sealed = sqlx::query_scalar(
            "select token from weir.credentials where id = $1 and deleted_at is null and token is not null",
        );
        let sealed: Option<Vec<u8>> = sealed.bind(id).fetch_optional(&self.pool).await?;
        Ok(sealed.map(|it| ring.open(&it, &place_of_credential(id))).transpose()?)
    }

    /// The credentials that a sync of the connection works with, with their tokens.
    pub async fn usable_credentials(
        &self,
        ring: &Keyring,
        connection: i64,
    ) -> Result<Vec<(CredentialRow, SecretString)>, StoreError> {
        let rows: Vec<CredentialRow> = sqlx::query_as(
            "select * from weir.credentials
              where connection_id = $1 and deleted_at is null and disabled_at is null and rotation_began_at is null
              order by id",
        )
        .bind(connection)
        .fetch_all(&self.pool)
        .await?;
        let mut usable = Vec::new();
        for row in rows {
            // One that was deleted meanwhile is left out.
            if let Some(token) = self.token(ring, row.id).await? {
                usable.push((row, token));
            }
        }
        Ok(usable)
    }

    /// The live credential of the connection that holds this token.
    pub async fn has_token(
        &self,
        ring: &Keyring,
        connection: i64,
        token: &SecretString,
    ) -> Result<Option<i64>, StoreError> {
        let holder = sqlx::query_scalar(
            "select id from weir.credentials
              where connection_id = $1 and fingerprint = $2 and deleted_at is null limit 1",
        );
        Ok(holder.bind(connection).bind(ring.fingerprint(token)).fetch_optional(&self.pool).await?)
    }

    /// Other connections that hold the same token: they share its rate limit.
    pub async fn same_token(
        &self,
        ring: &Keyring,
        connection: i64,
        token: &SecretString,
    ) -> Result<Vec<i64>, StoreError> {
        let others = sqlx::query_scalar(
            "select distinct connection_id from weir.credentials
              where fingerprint = $2 and connection_id <> $1 and deleted_at is null
              order by connection_id",
        );
        Ok(others.bind(connection).bind(ring.fingerprint(token)).fetch_all(&self.pool).await?)
    }

    /// Notes that a sync works with these credentials.
    pub async fn use_credentials(&self, ids: &[i64], at: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query("update weir.credentials set last_used_at = $2 where id = any($1)")
            .bind(ids)
            .bind(at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// Writes all of a live credential; it counts as working.
async fn write(
    connection: &mut PgConnection,
    ring: &Keyring,
    parent: i64,
    id: i64,
    new: &NewCredential<'_>,
    at: DateTime<Utc>,
) -> Result<Option<CredentialRow>, StoreError> {
    let row = sqlx::query_as(
        "update weir.credentials
            set label = $3, settings = $4, token = $5, fingerprint = $6, scopes = $7, gitlab_user_id = $8
              , expiration_date = $9, updated_at = $10, disabled_at = null, disabled_reason = null
              , warned_days = null, rotation_began_at = null, rotation_owner = null, rotation_until = null
              , rotation_failed_at = null, rotation_error = null
          where connection_id = $1 and id = $2 and deleted_at is null
         returning *",
    )
    .bind(parent)
    .bind(id)
    .bind(new.label)
    .bind(new.settings)
    .bind(ring.seal(new.token, &place_of_credential(id)))
    .bind(ring.fingerprint(new.token))
    .bind(new.scopes)
    .bind(new.gitlab_user_id)
    .bind(new.expiration_date)
    .bind(at)
    .fetch_optional(&mut *connection)
    .await?;
    settle(connection, parent, at).await?;
    Ok(row)
}
