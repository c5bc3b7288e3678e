//! What could not be read, with the reason. A skip is typed, listed, and forgotten once the thing is read.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{Store, StoreError};

/// Something that was not read, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, FromRow, Deserialize)]
pub struct Skip {
    /// The connector that wanted it.
    pub connector: String,
    /// Name of the resource.
    pub resource: String,
    /// The project or group (Weir's id); 0 for the instance.
    pub parent_id: i64,
    /// Its path, for people.
    pub parent: String,
    /// One word.
    pub reason: String,
    /// A sentence.
    pub detail: String,
}

impl Store {
    /// Replaces what is known of skips within these parents: what a sync did not meet again is over. Those of
    /// `repeated` were not tested again.
    pub async fn save_skips(
        &self,
        instance: i64,
        parents: &[i64],
        skips: &[Skip],
        repeated: &BTreeSet<Skip>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let masks = self.masks.hold(&mut transaction).await?;
        let masks = masks.of(Some(instance));
        let masked = |column, text: &str| masks.text(column, text).unwrap_or_else(|| text.to_owned());
        for skip in skips {
            sqlx::query(
                "insert into weir.skips as t
                   (instance, connector, resource, parent_id, parent, reason, detail, first_seen_at, last_seen_at, tested_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8)
                     on conflict (instance, connector, resource, parent_id, reason) do update
                    set parent = excluded.parent, detail = excluded.detail, last_seen_at = excluded.last_seen_at
                      , tested_at = case when $9 then t.tested_at else excluded.tested_at end",
            )
            .bind(instance)
            .bind(&skip.connector)
            .bind(&skip.resource)
            .bind(skip.parent_id)
            .bind(masked("parent", &skip.parent))
            .bind(&skip.reason)
            .bind(masked("detail", &skip.detail))
            .bind(at)
            .bind(repeated.contains(skip))
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query(
            "delete from weir.skips where instance = $1 and parent_id = any($2) and last_seen_at < $3",
        )
        .bind(instance)
        .bind(parents)
        .bind(at)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What GitLab refused when it was last asked, after this moment.
    pub async fn refused_since(&self, instance: i64, after: DateTime<Utc>) -> Result<Vec<Skip>, StoreError> {
        let skips = sqlx::query_as(
            "select connector, resource, parent_id, parent, reason, detail
               from weir.skips
              where instance = $1 and tested_at > $2 and reason in ('forbidden', 'not_found_or_no_access')",
        );
        Ok(skips.bind(instance).bind(after).fetch_all(&self.pool).await?)
    }

    /// Everything that is skipped now.
    pub async fn skips(&self, instance: i64) -> Result<Vec<Skip>, StoreError> {
        let skips = sqlx::query_as(
            "select connector, resource, parent_id, parent, reason, detail
               from weir.skips
              where instance = $1
              order by connector, resource, parent, reason",
        );
        Ok(skips.bind(instance).fetch_all(&self.pool).await?)
    }
}
