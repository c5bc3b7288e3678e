//! Who used which API key and credential for what.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{Store, StoreError};

/// An entry of the audit log.
#[derive(Debug, Clone, Default)]
pub struct Audit<'a> {
    /// The key that asked; none where Weir acted by itself.
    pub api_key_id: Option<i64>,
    /// api, command, worker or webhook.
    pub actor: &'a str,
    /// What was done, such as `credentials.create`.
    pub action: &'a str,
    /// The connection it was about.
    pub connection_id: Option<i64>,
    /// The credential it was about.
    pub credential_id: Option<i64>,
    /// More about it. Never a secret.
    pub detail: Value,
}

impl Store {
    /// Adds an entry.
    pub async fn audit(&self, entry: &Audit<'_>, at: DateTime<Utc>) -> Result<(), StoreError> {
        let detail =
            if entry.detail.is_null() { Value::Object(Default::default()) } else { entry.detail.clone() };
        sqlx::query(
            "insert into weir.audit_log (at, api_key_id, actor, action, connection_id, credential_id, detail)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(at)
        .bind(entry.api_key_id)
        .bind(entry.actor)
        .bind(entry.action)
        .bind(entry.connection_id)
        .bind(entry.credential_id)
        .bind(detail)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
