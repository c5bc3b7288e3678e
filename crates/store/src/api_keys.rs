//! Keys of the API: shown once, kept as a digest.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use sqlx::FromRow;

use crate::vault::digest;
use crate::{Store, StoreError};

/// What every key begins with, so that people and secret scanners know it.
const PREFIX: &str = "weir_";
/// How much of a key is kept for people.
const HINT: usize = PREFIX.len() + 4;

/// A key, without itself.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ApiKeyRow {
    /// Its number.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// Its first letters.
    pub hint: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The extractor that alone may come with it.
    pub extractor: Option<String>,
}

impl Store {
    /// Makes a key. It is told here and never again.
    pub async fn create_api_key(
        &self,
        name: &str,
        scopes: &[String],
        at: DateTime<Utc>,
    ) -> Result<(ApiKeyRow, SecretString), StoreError> {
        let key = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
        let hint = key[..HINT].to_owned();
        let key = SecretString::from(key);
        let row = sqlx::query_as(
            "insert into weir.api_keys (name, hint, digest, scopes, created_at) values ($1, $2, $3, $4, $5) returning *",
        );
        let row = row.bind(name).bind(hint).bind(digest(&key).to_vec()).bind(scopes).bind(at);
        Ok((row.fetch_one(&self.pool).await?, key))
    }

    /// Has a key belong to an extractor: it alone may come with it.
    pub async fn bind_api_key(&self, id: i64, extractor: &str) -> Result<(), StoreError> {
        sqlx::query("update weir.api_keys set extractor = $2 where id = $1")
            .bind(id)
            .bind(extractor)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The key that was presented, unless it is unknown or revoked.
    ///
    /// It is looked for by its digest: how long that takes tells nothing about the key.
    pub async fn api_key(
        &self,
        key: &SecretString,
        at: DateTime<Utc>,
    ) -> Result<Option<ApiKeyRow>, StoreError> {
        if !key.expose_secret().starts_with(PREFIX) {
            return Ok(None);
        }
        let row = sqlx::query_as("select * from weir.api_keys where digest = $1 and revoked_at is null");
        let row: Option<ApiKeyRow> = row.bind(digest(key).to_vec()).fetch_optional(&self.pool).await?;
        let fresh = |it: &ApiKeyRow| it.last_used_at.is_some_and(|used| (at - used).num_seconds() < 60);
        if let Some(row) = row.as_ref().filter(|it| !fresh(it)) {
            sqlx::query("update weir.api_keys set last_used_at = $2 where id = $1")
                .bind(row.id)
                .bind(at)
                .execute(&self.pool)
                .await?;
        }
        Ok(row)
    }

    /// Every key, the newest first.
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyRow>, StoreError> {
        Ok(sqlx::query_as("select * from weir.api_keys order by id desc").fetch_all(&self.pool).await?)
    }

    /// Revokes a key; false where there is no such key that works.
    pub async fn revoke_api_key(&self, id: i64, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let revoked =
            sqlx::query("update weir.api_keys set revoked_at = $2 where id = $1 and revoked_at is null");
        Ok(revoked.bind(id).bind(at).execute(&self.pool).await?.rows_affected() > 0)
    }
}
