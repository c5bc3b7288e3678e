//! Where everything stands: instances, last syncs, cursors, skips and rejects.

use catalogue::List;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;

use crate::{Skip, Store, StoreError};

/// Where one instance stands.
#[derive(Debug, Serialize)]
pub struct StatusReport {
    /// Base address.
    pub url: String,
    /// Version it last told.
    pub version: Option<String>,
    /// Whether its GraphQL answers.
    pub graphql: Option<bool>,
    /// The last syncs, newest first.
    pub syncs: Vec<SyncSummary>,
    /// How far the resources with a cursor are read.
    pub cursors: Vec<CursorSummary>,
    /// Lists still to be read.
    pub pending: i64,
    /// What is skipped.
    pub skips: Vec<Skip>,
    /// Elements that could not be understood, by resource.
    pub rejects: Vec<RejectSummary>,
}

/// One run.
#[derive(Debug, Serialize, FromRow)]
pub struct SyncSummary {
    /// Its number.
    pub id: i64,
    /// running, complete, stopped or failed.
    pub state: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Requests sent.
    pub requests: i64,
    /// Bytes read.
    pub bytes: i64,
    /// Seconds waited for GitLab's limits.
    pub waited_seconds: f64,
    /// Why it did not complete.
    pub error: Option<Value>,
}

/// How far a resource is read over all its parents.
#[derive(Debug, Serialize, FromRow)]
pub struct CursorSummary {
    /// Name of the resource.
    pub resource: String,
    /// graphql or rest.
    pub reader: String,
    /// How many partitions there are.
    pub partitions: i64,
    /// How many are read back to the beginning.
    pub whole: i64,
    /// Up to when the least of them is complete.
    pub complete_to: Option<DateTime<Utc>>,
}

/// Rejected elements of a resource.
#[derive(Debug, Serialize, FromRow)]
pub struct RejectSummary {
    /// Name of the resource.
    pub resource: String,
    /// How many.
    pub count: i64,
    /// The newest one's error.
    pub error: String,
}

impl Store {
    /// Where every instance stands.
    pub async fn status(&self) -> Result<Vec<StatusReport>, StoreError> {
        let instances: Vec<(i64, String, Option<String>, Option<bool>)> =
            sqlx::query_as("select number, base_url, version, graphql from weir.instances order by number")
                .fetch_all(&self.pool)
                .await?;
        let mut reports = Vec::new();
        for (number, url, version, graphql) in instances {
            reports.push(StatusReport {
                url,
                version,
                graphql,
                syncs: self.last_syncs(number).await?,
                cursors: self.cursors(number).await?,
                pending: self.pending_left(number, &List::ALL, None).await?,
                skips: self.skips(number).await?,
                rejects: self.reject_summaries(number).await?,
            });
        }
        Ok(reports)
    }

    async fn last_syncs(&self, instance: i64) -> Result<Vec<SyncSummary>, StoreError> {
        let syncs = sqlx::query_as(
            "select id, state, started_at, finished_at, requests, bytes, waited_seconds, error
               from weir.syncs where instance = $1 order by id desc limit 5",
        );
        Ok(syncs.bind(instance).fetch_all(&self.pool).await?)
    }

    async fn cursors(&self, instance: i64) -> Result<Vec<CursorSummary>, StoreError> {
        let cursors = sqlx::query_as(
            "select resource, reader, count(*) as partitions
                  , count(*) filter (where complete_from = '-infinity') as whole
                  , min(complete_to) as complete_to
               from weir.partitions
              where instance = $1
              group by resource, reader
              order by resource, reader",
        );
        Ok(cursors.bind(instance).fetch_all(&self.pool).await?)
    }

    async fn reject_summaries(&self, instance: i64) -> Result<Vec<RejectSummary>, StoreError> {
        let rejects = sqlx::query_as(
            "select resource, count(*), (array_agg(error order by seen_at desc))[1] as error
               from weir.sync_rejects where instance = $1 group by resource order by resource",
        );
        Ok(rejects.bind(instance).fetch_all(&self.pool).await?)
    }

    /// How many elements were rejected since a time, by resource.
    pub async fn rejects_since(
        &self,
        instance: i64,
        since: DateTime<Utc>,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let rejects = sqlx::query_as(
            "select resource, count(*) from weir.sync_rejects where instance = $1 and seen_at >= $2 group by resource",
        );
        Ok(rejects.bind(instance).bind(since).fetch_all(&self.pool).await?)
    }
}
