//! How webhooks stand: what waits, what came and from whom, what was refused.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::{Store, StoreError};

/// Deliveries of one kind from one sender in one state.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct WebhookCount {
    /// The GitLab that says it sent them.
    pub sender: Option<String>,
    /// Kind of the event.
    pub event: String,
    /// due, done, unknown or failed.
    pub state: String,
    /// How many.
    pub count: i64,
    /// When the first of them came.
    pub first_received_at: DateTime<Utc>,
    /// When the last of them came.
    pub last_received_at: DateTime<Utc>,
}

/// Deliveries that were not taken.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RefusalCount {
    /// Why.
    pub reason: String,
    /// How many.
    pub count: i64,
    /// When the last of them came.
    pub last_at: DateTime<Utc>,
}

impl Store {
    /// Deliveries that are kept, counted.
    pub async fn webhook_counts(&self) -> Result<Vec<WebhookCount>, StoreError> {
        let counts = sqlx::query_as(
            "select sender, event, state, count(*) as count, min(received_at) as first_received_at
                  , max(received_at) as last_received_at
               from weir.inbox group by sender, event, state order by sender nulls last, event, state",
        );
        Ok(counts.fetch_all(&self.pool).await?)
    }

    /// When the oldest delivery came that still waits. A worker looks at it in this order, unless reading it has failed.
    pub async fn oldest_waiting_delivery(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let oldest = sqlx::query_scalar(
            "select received_at from weir.inbox where state = 'due' order by due_at, id limit 1",
        );
        Ok(oldest.fetch_optional(&self.pool).await?)
    }

    /// Seconds from the arrival of deliveries to their end, of those that ended since a moment: the median and the 95th
    /// percentile.
    pub async fn webhook_delays(&self, since: DateTime<Utc>) -> Result<Option<(f64, f64)>, StoreError> {
        let delays: (Option<f64>, Option<f64>) = sqlx::query_as(
            "select percentile_cont(0.5) within group (order by extract(epoch from done_at - received_at)::float8)
                  , percentile_cont(0.95) within group (order by extract(epoch from done_at - received_at)::float8)
               from weir.inbox where state <> 'due' and state = 'done' and done_at >= $1",
        )
        .bind(since)
        .fetch_one(&self.pool)
        .await?;
        Ok(delays.0.zip(delays.1))
    }

    /// Adds to the count of deliveries that were not taken.
    pub async fn count_refusals(
        &self,
        counts: &BTreeMap<&'static str, i64>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let reasons: Vec<&str> = counts.keys().copied().collect();
        let counts: Vec<i64> = counts.values().copied().collect();
        sqlx::query(
            "insert into weir.webhook_refusals as r (hour, reason, count, last_at)
             select date_trunc('hour', $3::timestamptz), reason, count, $3
               from unnest($1::text[], $2::bigint[]) as t(reason, count)
              order by reason
                 on conflict (hour, reason) do update
                set count = r.count + excluded.count, last_at = greatest(r.last_at, excluded.last_at)",
        )
        .bind(reasons)
        .bind(counts)
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Deliveries that were not taken since a moment, by reason.
    pub async fn refusals(&self, since: DateTime<Utc>) -> Result<Vec<RefusalCount>, StoreError> {
        let counts = sqlx::query_as(
            "select reason, sum(count)::bigint as count, max(last_at) as last_at
               from weir.webhook_refusals where last_at >= $1 group by reason order by reason",
        );
        Ok(counts.bind(since).fetch_all(&self.pool).await?)
    }
}
