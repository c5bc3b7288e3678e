//! Elements of answers that could not be understood: kept with their error, once each.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::StoreError;
use crate::masks::Masks;

/// An element that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Name of the resource.
    #[serde(deserialize_with = "crate::remote::words::resource")]
    pub resource: crate::remote::words::Word,
    /// `graphql` or `rest`.
    #[serde(deserialize_with = "crate::remote::words::reader")]
    pub reader: crate::remote::words::Word,
    /// The project or group it was read under (Weir's id).
    pub parent_id: i64,
    /// What was wrong.
    pub error: String,
    /// The element as it came.
    pub raw: String,
}

pub(crate) async fn add(
    connection: &mut PgConnection,
    instance: i64,
    reject: &Reject,
    at: DateTime<Utc>,
    masks: &Masks,
) -> Result<(), StoreError> {
    // The text column refuses U+0000 as jsonb does.
    let raw = masks.of(Some(instance)).body(&reject.raw).replace('\0', "");
    sqlx::query(
        "insert into weir.sync_rejects as t (instance, resource, reader, parent_id, error, raw, digest, seen_at)
         values ($1, $2, $3, $4, $5, $6, md5($6), $7)
             on conflict (instance, resource, parent_id, digest) do update
            set error = excluded.error, seen_at = excluded.seen_at",
    )
    .bind(instance)
    .bind(reject.resource)
    .bind(reject.reader)
    .bind(reject.parent_id)
    .bind(&reject.error)
    .bind(raw)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}
