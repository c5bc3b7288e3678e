//! Webhook deliveries, kept before they are answered.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{Store, StoreError};

/// How long a worker may take over a delivery before another one looks at it, in seconds.
pub(crate) const LEASE_SECONDS: f64 = 300.0;

/// A delivery that has just come.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Digest of what tells it from others.
    pub key: Vec<u8>,
    /// The GitLab that says it sent it.
    pub sender: Option<String>,
    /// Kind of the event.
    pub event: String,
    /// The payload.
    pub body: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
}

/// A delivery that is to be looked at.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
pub struct DueDelivery {
    /// Its number.
    pub id: i64,
    /// The GitLab that says it sent it.
    pub sender: Option<String>,
    /// The payload.
    pub body: String,
    /// How often looking at it has failed.
    pub attempts: i32,
}

/// How many deliveries are in which state, by kind of event.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct InboxCount {
    /// Kind of the event.
    pub event: String,
    /// due, done, unknown or failed.
    pub state: String,
    /// How many.
    pub count: i64,
    /// When the last of them came.
    pub last_received_at: DateTime<Utc>,
}

impl Store {
    /// Keeps deliveries in one transaction; those that are there already are left out. Gives how many are new.
    pub async fn receive(&self, deliveries: &[Delivery]) -> Result<u64, StoreError> {
        let column = |of: fn(&Delivery) -> String| -> Vec<String> { deliveries.iter().map(of).collect() };
        let keys: Vec<Vec<u8>> = deliveries.iter().map(|it| it.key.clone()).collect();
        let senders: Vec<Option<String>> = deliveries.iter().map(|it| it.sender.clone()).collect();
        let times: Vec<DateTime<Utc>> = deliveries.iter().map(|it| it.received_at).collect();
        let received = sqlx::query(
            "insert into weir.inbox (key, received_at, sender, event, body, due_at)
             select k, t, s, e, b, t from unnest($1::bytea[], $2::timestamptz[], $3::text[], $4::text[], $5::text[]) as d(k, t, s, e, b)
                 on conflict (key) do nothing",
        )
        .bind(keys)
        .bind(times)
        .bind(senders)
        .bind(column(|it| it.event.clone()))
        .bind(column(|it| it.body.clone()))
        .execute(&self.pool)
        .await?;
        Ok(received.rows_affected())
    }

    /// Takes deliveries that are due, the oldest first. Those that were handed to an extractor are left to it.
    pub async fn claim_deliveries(
        &self,
        owner: &str,
        limit: i64,
        now: DateTime<Utc>,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        let rows = sqlx::query_as(
            "with next as materialized (
               select id from weir.inbox
                where state = 'due' and extractor_id is null and due_at <= $3 and (until is null or until < clock_timestamp())
                order by due_at, id
                limit $2
                  for update skip locked
             )
             update weir.inbox i
                set owner = $1, until = clock_timestamp() + make_interval(secs => $4)
               from next
              where i.id = next.id
             returning i.id, i.sender, i.body, i.attempts",
        );
        Ok(rows.bind(owner).bind(limit).bind(now).bind(LEASE_SECONDS).fetch_all(&self.pool).await?)
    }

    /// Ends deliveries: `done`, `unknown` or `failed`.
    pub async fn end_deliveries(
        &self,
        ids: &[i64],
        state: &str,
        note: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.inbox set state = $2, note = $3, done_at = $4, owner = null, until = null where id = any($1)",
        )
        .bind(ids)
        .bind(state)
        .bind(note)
        .bind(now)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Puts deliveries off: what they name could not be read now.
    pub async fn put_off_deliveries(
        &self,
        ids: &[i64],
        note: &str,
        due_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.inbox
                set attempts = attempts + 1, note = $2, due_at = $3, owner = null, until = null
              where id = any($1)",
        )
        .bind(ids)
        .bind(note)
        .bind(due_at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets deliveries that were dealt with before this.
    pub async fn clean_inbox(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let cleaned = sqlx::query("delete from weir.inbox where state <> 'due' and done_at < $1");
        Ok(cleaned.bind(before).execute(&self.pool).await?.rows_affected())
    }

    /// How many deliveries are in which state.
    pub async fn inbox_counts(&self) -> Result<Vec<InboxCount>, StoreError> {
        let counts = sqlx::query_as(
            "select event, state, count(*) as count, max(received_at) as last_received_at
               from weir.inbox group by event, state order by event, state",
        );
        Ok(counts.fetch_all(&self.pool).await?)
    }
}
