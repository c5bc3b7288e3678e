//! What is imported unattended: connections.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};

use crate::{Store, StoreError};

/// A connection: one connector of one GitLab.
#[derive(Debug, Clone, PartialEq, FromRow, Serialize, Deserialize)]
pub struct ConnectionRow {
    /// Its number.
    pub id: i64,
    /// Name of the connector.
    #[sqlx(rename = "type")]
    pub connector: String,
    /// What people call it.
    pub name: String,
    /// Number of the GitLab.
    pub instance: i64,
    /// What is imported and how.
    pub settings: Value,
    /// unverified or verified.
    pub state: String,
    /// Since when nothing is scheduled for it.
    pub paused_at: Option<DateTime<Utc>>,
    /// Since when it cannot work.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Why it cannot.
    pub disabled_reason: Option<String>,
    /// When its last complete sync started.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// When the last complete sync that looked at what changes unseen in what is open started.
    pub open_set_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// The extractor that reads for it, from a network of its own.
    pub extractor_id: Option<i64>,
}

/// A connection to be made.
#[derive(Debug, Clone)]
pub struct NewConnection<'n> {
    /// Name of the connector.
    pub connector: &'n str,
    /// What people call it.
    pub name: &'n str,
    /// Number of the GitLab.
    pub instance: i64,
    /// What is imported and how.
    pub settings: &'n Value,
}

/// What is said of a connection that has nothing to work with.
const NO_CREDENTIAL: &str = "It has no credential. Add one with credentials.create.";

impl Store {
    /// Live connections, by type; `after` is the last one of the page before.
    pub async fn connections(
        &self,
        after: Option<(&str, i64)>,
        limit: i64,
    ) -> Result<Vec<ConnectionRow>, StoreError> {
        let (connector, id) = after.unwrap_or(("", 0));
        let rows = sqlx::query_as(
            "select * from weir.connections
              where deleted_at is null and (type, id) > ($1, $2)
              order by type, id
              limit $3",
        );
        Ok(rows.bind(connector).bind(id).bind(limit).fetch_all(&self.pool).await?)
    }

    /// A live connection.
    pub async fn connection(&self, id: i64) -> Result<Option<ConnectionRow>, StoreError> {
        let row = sqlx::query_as("select * from weir.connections where id = $1 and deleted_at is null");
        Ok(row.bind(id).fetch_optional(&self.pool).await?)
    }

    /// Whether there is a live connection of this connector to this GitLab.
    pub async fn has_connection(&self, connector: &str, instance: i64) -> Result<bool, StoreError> {
        let has = sqlx::query_scalar(
            "select exists (select from weir.connections where type = $1 and instance = $2 and deleted_at is null)",
        );
        Ok(has.bind(connector).bind(instance).fetch_one(&self.pool).await?)
    }

    /// Makes a connection, which works once it has a credential.
    pub async fn create_connection(
        &self,
        new: &NewConnection<'_>,
        at: DateTime<Utc>,
    ) -> Result<ConnectionRow, StoreError> {
        let row = sqlx::query_as(
            "insert into weir.connections
               (type, name, instance, settings, state, disabled_at, disabled_reason, created_at, updated_at)
             values ($1, $2, $3, $4, 'unverified', $5, $6, $5, $5)
             returning *",
        );
        let row = row.bind(new.connector).bind(new.name).bind(new.instance).bind(new.settings);
        Ok(row.bind(at).bind(NO_CREDENTIAL).fetch_one(&self.pool).await?)
    }

    /// Changes name and settings; None where there is no such connection any more.
    pub async fn update_connection(
        &self,
        id: i64,
        name: &str,
        settings: &Value,
        at: DateTime<Utc>,
    ) -> Result<Option<ConnectionRow>, StoreError> {
        let row = sqlx::query_as(
            "update weir.connections set name = $2, settings = $3, updated_at = $4
              where id = $1 and deleted_at is null returning *",
        );
        Ok(row.bind(id).bind(name).bind(settings).bind(at).fetch_optional(&self.pool).await?)
    }

    /// Pauses a connection, or lets it go on.
    pub async fn pause_connection(
        &self,
        id: i64,
        paused: bool,
        at: DateTime<Utc>,
    ) -> Result<Option<ConnectionRow>, StoreError> {
        let row = sqlx::query_as(
            "update weir.connections
                set paused_at = case when $2 then coalesce(paused_at, $3) end, updated_at = $3
              where id = $1 and deleted_at is null returning *",
        );
        Ok(row.bind(id).bind(paused).bind(at).fetch_optional(&self.pool).await?)
    }

    /// Deletes a connection and forgets its tokens; what it imported stays.
    pub async fn delete_connection(&self, id: i64, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let deleted = sqlx::query(
            "update weir.connections set deleted_at = $2, updated_at = $2 where id = $1 and deleted_at is null",
        )
        .bind(id)
        .bind(at)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "update weir.credentials set deleted_at = $2, updated_at = $2, token = null, fingerprint = null
              where connection_id = $1 and deleted_at is null",
        )
        .bind(id)
        .bind(at)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }

    /// Notes that a sync of the connection that began at this time is complete.
    pub async fn connection_synced(
        &self,
        id: i64,
        began: DateTime<Utc>,
        open_set: bool,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.connections
                set last_synced_at = greatest(last_synced_at, $2)
                  , open_set_at = case when $3 then greatest(open_set_at, $2) else open_set_at end
              where id = $1",
        )
        .bind(id)
        .bind(began)
        .bind(open_set)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Brings up to date whether a connection can work: it needs a credential that GitLab takes.
pub(crate) async fn settle(
    connection: &mut PgConnection,
    id: i64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "with live as (
           select count(*) as held
                , count(*) filter (where disabled_at is null) as usable
                , string_agg(label || ': ' || disabled_reason, ' ' order by id) as reasons
             from weir.credentials
            where connection_id = $1 and deleted_at is null
         ), judged as (
           select usable > 0 as works
                , case when held = 0 then $3
                       when usable = 0 then 'GitLab refused every credential of it. ' || coalesce(reasons, '')
                  end as reason
             from live
         )
         update weir.connections c
            set disabled_reason = j.reason
              , disabled_at = case when not j.works then coalesce(c.disabled_at, $2) end
              , state = case when j.works then 'verified' else c.state end
              , updated_at = case when c.disabled_reason is distinct from j.reason then $2 else c.updated_at end
           from judged j
          where c.id = $1 and c.extractor_id is null",
    )
    .bind(id)
    .bind(at)
    .bind(NO_CREDENTIAL)
    .execute(connection)
    .await?;
    Ok(())
}
