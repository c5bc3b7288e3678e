//! The GitLab servers that data was read from.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;

use crate::{Store, StoreError};

/// A GitLab as it was last met.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
pub struct InstanceRow {
    /// Its number in ids.
    pub number: i64,
    /// Normalised base address.
    pub base_url: String,
    /// Version it last told.
    pub version: Option<String>,
    /// Whether its GraphQL answers.
    pub graphql: Option<bool>,
    /// When it was last asked.
    pub checked_at: Option<DateTime<Utc>>,
    /// The version at which `schema_fields` was asked for.
    pub schema_version: Option<String>,
    /// GraphQL fields Weir can do without, as `Type.field`, and whether this GitLab has them.
    pub schema_fields: Option<Json<BTreeMap<String, bool>>>,
}

impl Store {
    /// The instance of this address; it gets the next number when it is new.
    pub async fn instance(&self, base_url: &str) -> Result<InstanceRow, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // Numbers are dense and given out rarely: one at a time.
        sqlx::query("lock table weir.instances in share row exclusive mode")
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "insert into weir.instances (number, base_url)
             select coalesce(max(number) + 1, 0), $1 from weir.instances
             having not bool_or(base_url = $1) is true",
        )
        .bind(base_url)
        .execute(&mut *transaction)
        .await?;
        let row = sqlx::query_as("select * from weir.instances where base_url = $1");
        let row = row.bind(base_url).fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// The instance of this address, where it is known.
    pub async fn known_instance(&self, base_url: &str) -> Result<Option<InstanceRow>, StoreError> {
        let row = sqlx::query_as("select * from weir.instances where base_url = $1");
        Ok(row.bind(base_url).fetch_optional(&self.pool).await?)
    }

    /// Keeps what a GitLab told of itself.
    pub async fn save_capabilities(
        &self,
        number: i64,
        version: Option<&str>,
        graphql: bool,
        fields: &BTreeMap<String, bool>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.instances
                set version = $2, graphql = $3, schema_fields = $4, schema_version = $2, checked_at = $5
              where number = $1",
        )
        .bind(number)
        .bind(version)
        .bind(graphql)
        .bind(Json(fields))
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
