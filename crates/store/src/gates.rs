//! What rate limits leave, shared by processes: a row for each user, changed under its lock, and word of pauses for all.
//!
//! The connections are their own: whoever is about to ask GitLab does not wait behind pages that are written.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};

use crate::{Store, StoreError};

/// One that listens, and two that ask.
const CONNECTIONS: u32 = 3;
/// A gate that cannot be looked at within this time is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Connections beyond the one that listens are given back after so long without use.
const IDLE: Duration = Duration::from_secs(60);
/// Where pauses are told.
const CHANNEL: &str = "weir_gates";

/// The gates of all users.
#[derive(Debug, Clone)]
pub struct Gates {
    pool: PgPool,
}

/// Whose gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateOf<'g> {
    /// Address of the GitLab.
    pub base_url: &'g str,
    /// The user, or the token.
    pub whose: &'g str,
}

/// A pause, as processes tell each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatePause {
    /// Address of the GitLab.
    pub base_url: String,
    /// The user, or the token.
    pub whose: String,
    /// The endpoint; none where all of them wait.
    pub endpoint: Option<String>,
    /// For how long from now on: clocks of machines differ.
    pub milliseconds: u64,
}

/// Hears of pauses.
#[derive(Debug)]
pub struct GateListener(PgListener);

impl Store {
    /// The gates. Nothing is connected yet.
    pub fn gates(&self) -> Gates {
        let options = self.pool.connect_options().as_ref().clone();
        // A gate that is forgotten with the server's last moments is learnt anew from GitLab's next answer.
        let options = options.options([("synchronous_commit", "off")]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .idle_timeout(IDLE)
            .connect_lazy_with(options);
        Gates { pool }
    }
}

impl Gates {
    /// Changes a gate while no other process does. `change` gets its state and the database's time, and gives the new state.
    pub async fn change<T>(
        &self,
        gate: GateOf<'_>,
        change: impl FnOnce(Value, DateTime<Utc>) -> (Value, T),
    ) -> Result<T, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let (state, now): (Value, DateTime<Utc>) = sqlx::query_as(
            "insert into weir.gates as g (base_url, whose, changed_at) values ($1, $2, clock_timestamp())
                 on conflict (base_url, whose) do update set changed_at = clock_timestamp()
             returning g.state, clock_timestamp()",
        )
        .bind(gate.base_url)
        .bind(gate.whose)
        .fetch_one(&mut *transaction)
        .await?;
        let (state, result) = change(state, now);
        sqlx::query("update weir.gates set state = $3 where base_url = $1 and whose = $2")
            .bind(gate.base_url)
            .bind(gate.whose)
            .bind(state)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(result)
    }

    /// Tells every process of a pause.
    pub async fn tell(&self, pause: &GatePause) -> Result<(), StoreError> {
        let text = serde_json::to_string(pause).unwrap_or_default();
        sqlx::query("select pg_notify($1, $2)").bind(CHANNEL).bind(text).execute(&self.pool).await?;
        Ok(())
    }

    /// Listens for pauses.
    pub async fn listen(&self) -> Result<GateListener, StoreError> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(GateListener(listener))
    }

    /// Whose these tokens are, as far as GitLab has ever told, in the same order.
    pub async fn users(&self, base_url: &str, tokens: &[&str]) -> Result<Vec<Option<i64>>, StoreError> {
        let known: Vec<(String, Option<i64>)> = sqlx::query_as(
            "update weir.gates set changed_at = clock_timestamp() where base_url = $1 and whose = any($2)
             returning whose, user_id",
        )
        .bind(base_url)
        .bind(tokens)
        .fetch_all(&self.pool)
        .await?;
        let user = |token: &&str| known.iter().find(|it| it.0 == *token).and_then(|it| it.1);
        Ok(tokens.iter().map(user).collect())
    }

    /// Keeps in mind whose a token is.
    pub async fn remember_user(&self, token: GateOf<'_>, user: i64) -> Result<(), StoreError> {
        sqlx::query(
            "insert into weir.gates (base_url, whose, user_id, changed_at) values ($1, $2, $3, clock_timestamp())
                 on conflict (base_url, whose) do update set user_id = $3, changed_at = clock_timestamp()",
        )
        .bind(token.base_url)
        .bind(token.whose)
        .bind(user)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets gates that were not used for a week: tokens are replaced.
    pub async fn clean(&self) -> Result<(), StoreError> {
        sqlx::query("delete from weir.gates where changed_at < clock_timestamp() - interval '7 days'")
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

impl GateListener {
    /// The next pause that somebody tells of; what is not understood is passed over. Fails where the database is away.
    pub async fn next(&mut self) -> Result<GatePause, StoreError> {
        loop {
            // None: the connection was lost, and with it what was told meanwhile.
            let told = self.0.try_recv().await?.ok_or(sqlx::Error::PoolTimedOut)?;
            if let Ok(pause) = serde_json::from_str(told.payload()) {
                return Ok(pause);
            }
        }
    }
}
