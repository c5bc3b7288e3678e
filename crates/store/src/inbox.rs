//! Webhook deliveries, kept before they are answered.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{Store, StoreError};

/// How long a worker may take over a delivery before another one looks at it, in seconds.
pub(crate) const LEASE_SECONDS: f64 = 300.0;

/// Bytes of payloads that are taken at once, unless a single one is larger.
const MOST_BYTES: i64 = 4 * 1024 * 1024;

/// Takes deliveries in an order, as many as there is room for.
macro_rules! claim {
    ($whose:literal, $which:literal) => {
        concat!(
            "with next as materialized (
               select id, octet_length(body) as bytes from weir.inbox
                where state = 'due' and due_at <= $3 and (until is null or until < clock_timestamp()) and ",
            $whose,
            $which,
            " limit $2
                  for update skip locked
             ), room as materialized (
               select id, sum(bytes) over (order by id) - bytes as before from next
             )
             update weir.inbox i
                set owner = $1, until = clock_timestamp() + make_interval(secs => $4)
               from room
              where i.id = room.id and room.before < $6
             returning i.id, i.sender, i.body, i.received_at, i.attempts, i.read_by"
        )
    };
}

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
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// How often looking at it has failed.
    pub attempts: i32,
    /// Connections that have read what it names already.
    pub read_by: Vec<i64>,
}

/// Why deliveries are put off, and until when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PutOff {
    /// When they are to be looked at again.
    pub due_at: DateTime<Utc>,
    /// Why.
    pub note: String,
    /// Connections that have read meanwhile what they name.
    pub read_by: Vec<i64>,
    /// Whether it counts as an attempt: waiting for a GitLab that is away does not.
    pub counts: bool,
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
    /// Keeps deliveries in one transaction; those that are there already are left out. Gives the keys of the new
    /// ones.
    pub async fn receive(&self, deliveries: &[Delivery]) -> Result<Vec<Vec<u8>>, StoreError> {
        let masks = self.masks.current(&self.pool).await?;
        let column = |of: fn(&Delivery) -> String| -> Vec<String> { deliveries.iter().map(of).collect() };
        let keys: Vec<Vec<u8>> = deliveries.iter().map(|it| it.key.clone()).collect();
        let senders: Vec<Option<String>> = deliveries.iter().map(|it| it.sender.clone()).collect();
        let times: Vec<DateTime<Utc>> = deliveries.iter().map(|it| it.received_at).collect();
        let received = sqlx::query_scalar(
            "insert into weir.inbox (key, received_at, sender, event, body, due_at)
             select k, t, s, e, b, t from unnest($1::bytea[], $2::timestamptz[], $3::text[], $4::text[], $5::text[]) as d(k, t, s, e, b)
                 on conflict (key) do nothing
             returning key",
        )
        .bind(keys)
        .bind(times)
        .bind(senders)
        .bind(column(|it| it.event.clone()))
        .bind(deliveries.iter().map(|it| masks.body(&it.body)).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        Ok(received)
    }

    /// Takes deliveries that are due: of those that became due after `since` the newest first, or of all the oldest first.
    /// Those that were handed to an extractor are left to it.
    pub async fn claim_deliveries(
        &self,
        owner: &str,
        limit: i64,
        since: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        self.claim_deliveries_among(None, owner, limit, since, now).await
    }

    /// The same for an extractor (or, without one, for workers of this database): of those that were handed to it alone.
    pub(crate) async fn claim_deliveries_among(
        &self,
        extractor: Option<i64>,
        owner: &str,
        limit: i64,
        since: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        // Each has an index of its own.
        let sql = match (extractor, since) {
            (None, Some(_)) => {
                claim!("extractor_id is null", " and due_at > $5 order by due_at desc, id desc")
            }
            (None, None) => {
                claim!("extractor_id is null", " and ($5::timestamptz is null) order by due_at, id")
            }
            (Some(_), Some(_)) => {
                claim!("extractor_id = $7", " and due_at > $5 order by due_at desc, id desc")
            }
            (Some(_), None) => {
                claim!("extractor_id = $7", " and ($5::timestamptz is null) order by due_at, id")
            }
        };
        let rows = sqlx::query_as(sql).bind(owner).bind(limit).bind(now).bind(LEASE_SECONDS).bind(since);
        let rows = rows.bind(MOST_BYTES);
        let rows = if extractor.is_some() { rows.bind(extractor) } else { rows };
        Ok(rows.fetch_all(&self.pool).await?)
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

    /// Puts deliveries off: what they name could not be read now, or not by all.
    pub async fn put_off_deliveries(&self, ids: &[i64], off: &PutOff) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.inbox
                set attempts = attempts + $5::integer, note = $2, due_at = $3, read_by = read_by || $4, owner = null, until = null
              where id = any($1) and state = 'due'",
        )
        .bind(ids)
        .bind(&off.note)
        .bind(off.due_at)
        .bind(&off.read_by)
        .bind(i32::from(off.counts))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Says that the worker that looks at deliveries lives. Names of its claims begin with its own.
    pub async fn renew_deliveries(&self, owner: &str, ids: &[i64]) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.inbox set until = clock_timestamp() + make_interval(secs => $3)
              where id = any($2) and starts_with(owner, $1) and state = 'due'",
        )
        .bind(owner)
        .bind(ids)
        .bind(LEASE_SECONDS)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Makes deliveries due that were put off by a clock that has been put back since: nothing is put off for so long. What
    /// was handed to an extractor that reads for nobody any more is taken back.
    pub async fn catch_up_deliveries(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        sqlx::query(
            "update weir.inbox i set extractor_id = null, owner = null, until = null
              where state = 'due' and extractor_id is not null
                and not exists (
                  select from weir.connections c where c.extractor_id = i.extractor_id and c.deleted_at is null
                )",
        )
        .execute(&self.pool)
        .await?;
        let due = sqlx::query(
            "update weir.inbox set due_at = $1 where state = 'due' and due_at > $1 + interval '1 hour'",
        );
        Ok(due.bind(now).execute(&self.pool).await?.rows_affected())
    }

    /// Gives deliveries back that a worker has taken and will not look at.
    pub async fn release_deliveries(&self, owner: &str, ids: &[i64]) -> Result<(), StoreError> {
        sqlx::query(
            "update weir.inbox set owner = null, until = null where id = any($2) and starts_with(owner, $1) and state = 'due'",
        )
        .bind(owner)
        .bind(ids)
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
