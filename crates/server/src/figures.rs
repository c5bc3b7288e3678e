//! What the database knows, as figures. It is asked at most every few seconds, however many scrape.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use store::{ConnectionFigures, Figures, Store, TaskFigures};
use telemetry::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// What was read serves so long.
const FRESH: Duration = Duration::from_secs(5);
/// A scrape gives up after ten seconds; what the process itself counts is told before.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// What the database last told; none where it did not answer.
#[derive(Default)]
pub(crate) struct Known(Mutex<Option<Looked>>);

/// A look at the database.
struct Looked {
    at: Instant,
    /// By how many seconds our clock was ahead of the database's.
    ahead: f64,
    figures: Option<Figures>,
}

impl Known {
    /// What the database knows, as of now.
    pub(crate) async fn values(&self, store: &Store, now: DateTime<Utc>) -> Vec<Value> {
        // Whoever comes meanwhile waits for the answer of the first.
        let mut known = self.0.lock().await;
        let fresh = known.as_ref().is_some_and(|it| it.at.elapsed() < FRESH);
        if !fresh {
            let (at, figures) = (Instant::now(), read(store).await);
            let ahead =
                figures.as_ref().map_or(0.0, |it| signed_seconds(now - it.now) + at.elapsed().as_secs_f64());
            *known = Some(Looked { at, ahead, figures });
        }
        let figures = known.as_ref().and_then(|it| Some((it.figures.as_ref()?, it.ahead)));
        let mut values = vec![value("weir_database_up", &[], f64::from(u8::from(figures.is_some())))];
        if let Some((figures, ahead)) = figures {
            values.push(value("weir_clock_offset_seconds", &[], ahead));
            inbox(&mut values, figures, now);
            connections(&mut values, figures, now);
            encryption(&mut values, figures);
            extractors(&mut values, figures, now);
        }
        values
    }
}

async fn read(store: &Store) -> Option<Figures> {
    match timeout(ANSWERS_WITHIN, store.figures()).await {
        Ok(Ok(figures)) => Some(figures),
        Ok(Err(error)) => {
            tracing::debug!(%error, "the figures of the database could not be read");
            None
        }
        Err(_) => None,
    }
}

/// This process's connections to the database.
pub(crate) fn pool(store: &Store) -> Vec<Value> {
    let (open, idle, most) = store.pool();
    let used = f64::from(open) - idle as f64;
    [("used", used), ("idle", idle as f64), ("most", f64::from(most))]
        .map(|(state, count)| value("weir_database_pool_connections", &[state], count))
        .into()
}

fn inbox(values: &mut Vec<Value>, figures: &Figures, now: DateTime<Utc>) {
    let oldest = figures.inbox.oldest_at.map_or(0.0, |it| seconds(now, it));
    values.push(value("weir_inbox_waiting", &[], figures.inbox.waiting as f64));
    values.push(value("weir_inbox_oldest_seconds", &[], oldest));
}

fn encryption(values: &mut Vec<Value>, figures: &Figures) {
    let Some(encryption) = &figures.encryption else { return };
    let since = encryption.since.timestamp_micros() as f64 / 1e6;
    values.push(value("weir_encryption_key_since_timestamp_seconds", &[&encryption.key], since));
    values.push(value("weir_encrypted_secrets", &[], encryption.secrets as f64));
}

fn extractors(values: &mut Vec<Value>, figures: &Figures, now: DateTime<Utc>) {
    for extractor in &figures.extractors {
        if let Some(at) = extractor.heard_at {
            values.push(value(
                "weir_extractor_silent_seconds",
                &[&extractor.id.to_string()],
                seconds(now, at),
            ));
        }
    }
}

fn connections(values: &mut Vec<Value>, figures: &Figures, now: DateTime<Utc>) {
    for state in ["working", "paused", "disabled"] {
        let count = figures.connections.iter().filter(|it| it.state == state).count();
        values.push(value("weir_connections", &[state], count as f64));
    }
    for connection in &figures.connections {
        let id = &*connection.id.to_string();
        values.push(value("weir_connection_info", &[id, &connection.r#type], 1.0));
        progress(values, id, connection, now);
        tasks(values, id, connection, now);
        credentials(values, id, connection, now);
    }
}

fn progress(values: &mut Vec<Value>, id: &str, connection: &ConnectionFigures, now: DateTime<Utc>) {
    if let Some(at) = connection.last_synced_at {
        let at = at.timestamp_micros() as f64 / 1e6;
        values.push(value("weir_connection_last_success_timestamp_seconds", &[id], at));
    }
    let since = connection.last_synced_at.unwrap_or(connection.created_at);
    values.push(value("weir_connection_lag_seconds", &[id], seconds(now, since)));
    for resource in &connection.resources {
        let lag = seconds(now, resource.last_synced_at);
        values.push(value("weir_resource_lag_seconds", &[id, &resource.resource], lag));
    }
}

fn tasks(values: &mut Vec<Value>, id: &str, connection: &ConnectionFigures, now: DateTime<Utc>) {
    let count =
        |is: &dyn Fn(&TaskFigures) -> bool| connection.tasks.iter().filter(|it| is(it)).count() as f64;
    let waits = |it: &TaskFigures| !it.running;
    for (state, count) in [
        ("due", count(&|it| waits(it) && it.due_at <= now)),
        ("scheduled", count(&|it| waits(it) && it.due_at > now)),
        ("running", count(&|it| it.running && !it.stuck)),
        ("stuck", count(&|it| it.stuck)),
        ("failing", count(&|it| it.failures > 0)),
    ] {
        values.push(value("weir_tasks", &[id, state], count));
    }
    for task in &connection.tasks {
        values.push(value("weir_task_failures", &[id, &task.activity], task.failures.into()));
    }
}

fn credentials(values: &mut Vec<Value>, id: &str, connection: &ConnectionFigures, now: DateTime<Utc>) {
    let today = now.date_naive();
    let (mut working, mut disabled, mut expired) = (0.0, 0.0, 0.0);
    for credential in &connection.credentials {
        let days = credential.expiration_date.map(|it| (it - today).num_days());
        match (credential.disabled_at, days) {
            (Some(_), _) => disabled += 1.0,
            (None, Some(..=0)) => expired += 1.0,
            (None, _) => working += 1.0,
        }
        if let Some(days) = days {
            let labels = [id, &*credential.id.to_string()];
            values.push(value("weir_credential_expiry_days", &labels, days as f64));
        }
    }
    for (state, count) in [("working", working), ("disabled", disabled), ("expired", expired)] {
        values.push(value("weir_credentials", &[id, state], count));
    }
}

fn seconds(now: DateTime<Utc>, since: DateTime<Utc>) -> f64 {
    signed_seconds(now - since).max(0.0)
}

fn signed_seconds(delta: TimeDelta) -> f64 {
    delta.num_milliseconds() as f64 / 1e3
}

fn value(figure: &'static str, labels: &[&str], value: f64) -> Value {
    Value { figure, labels: labels.iter().map(|it| (*it).to_owned()).collect(), value }
}
