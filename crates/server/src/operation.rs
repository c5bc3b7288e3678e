//! What those who run Weir ask of each of its processes: whether it lives, whether it can work, and its figures.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use store::{Store, StoreError};
use sync::Clock;
use telemetry::Telemetry;

use crate::figures::Known;

/// A database that does not answer within this is not ready. Whoever probes waits seconds, not minutes.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// What a process tells of itself.
pub struct Operation {
    /// Its database.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// What it counts.
    pub telemetry: Telemetry,
    /// Whether it serves its figures here.
    pub serves_metrics: bool,
    /// Whether it tells what the database knows too: one process does that for all.
    pub tells_database: bool,
}

struct Told {
    operation: Operation,
    known: Known,
    /// What was last said to be wrong: it is logged when it changes, not whenever somebody asks.
    trouble: Mutex<Option<&'static str>>,
}

/// `/healthz`, `/readyz` and `/metrics`.
pub fn operation(operation: Operation) -> Router {
    let mut routes = Router::new().route("/healthz", get(alive)).route("/readyz", get(ready));
    if operation.serves_metrics {
        routes = routes.route("/metrics", get(metrics));
    }
    routes.with_state(Arc::new(Told { operation, known: Known::default(), trouble: Mutex::new(None) }))
}

/// The process answers.
async fn alive() -> &'static str {
    "ok\n"
}

/// The database answers too.
async fn ready(State(told): State<Arc<Told>>) -> (StatusCode, &'static str) {
    let asked = tokio::time::timeout(ANSWERS_WITHIN, told.operation.store.server_version()).await;
    let trouble = match &asked {
        Ok(Ok(_)) => None,
        Ok(Err(error)) if error.is_refusal() => Some(
            "the database refuses Weir's role or password; see the address of the database in the configuration\n",
        ),
        Ok(Err(_)) | Err(_) => Some("the database does not answer\n"),
    };
    told.note(trouble, asked.ok().and_then(Result::err));
    match trouble {
        None => (StatusCode::OK, "ready\n"),
        Some(trouble) => (StatusCode::SERVICE_UNAVAILABLE, trouble),
    }
}

impl Told {
    fn note(&self, trouble: Option<&'static str>, error: Option<StoreError>) {
        let mut last = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == trouble {
            return;
        }
        match trouble {
            Some(trouble) => {
                let error = error.map_or_else(String::new, |it| it.to_string());
                tracing::error!(error, "not ready: {}", trouble.trim_end());
            }
            None => tracing::info!("ready again: the database answers"),
        }
        *last = trouble;
    }
}

/// The figures.
async fn metrics(State(told): State<Arc<Told>>) -> Response {
    let Operation { store, clock, telemetry, tells_database, .. } = &told.operation;
    let mut values = crate::figures::pool(store);
    if *tells_database {
        values.extend(told.known.values(store, clock.now()).await);
    }
    ([(header::CONTENT_TYPE, telemetry.content_type())], telemetry.text(&values)).into_response()
}
