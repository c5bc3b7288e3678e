//! Weir's HTTP server: the Data Cloud API and the receiver of webhooks. It reads and writes through the store, and meets GitLab only through `sync`.

mod api;
mod client_address;
mod dawdling;
mod doorkeeper;
mod figures;
mod health;
mod listen;
mod moment;
mod open_files;
mod operation;
mod requests;
mod tls;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use store::Store;
use store::vault::Keyring;
use sync::Clock;
use sync::connection::Network;
use sync::tasks::Here;
use telemetry::Telemetry;
use tokio::sync::Notify;

pub use api::openapi;
pub use api::{SCOPES, Scope};
pub use client_address::TrustedProxies;
pub use doorkeeper::Limits;
pub use listen::{Listening, serve, serve_within};
pub use operation::{Operation, operation};
pub use tls::Tls;

/// What every request may use.
pub struct App {
    /// The database.
    pub store: Store,
    /// The database with the rights of a reader, for questions in SQL; none where no such role is known.
    pub reader: Option<Store>,
    /// What opens and seals the tokens in it.
    pub ring: Arc<Keyring>,
    /// How GitLab is reached.
    pub network: Network,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Wakes the workers of this process.
    pub wake: Arc<Notify>,
    /// Wakes those of them that look at webhooks.
    pub arrived: Arc<Notify>,
    /// What the workers of this process run.
    pub here: Here,
    /// Whether every error of the caller is a 422, for clients that know only that.
    pub compatible_statuses: bool,
    /// What is counted.
    pub telemetry: Telemetry,
    /// Whether the figures are served here too, not at an address of their own.
    pub serves_metrics: bool,
    /// The proxies whose word on where a request came from is taken.
    pub trusted_proxies: TrustedProxies,
}

/// Shared by all requests.
pub(crate) type Shared = Arc<App>;

/// All that is served.
pub fn router(app: App) -> Router {
    let app: Shared = Arc::new(app);
    let seen = requests::Seen { telemetry: app.telemetry.clone(), proxies: app.trusted_proxies.clone() };
    let operation = operation(Operation {
        store: app.store.clone(),
        clock: app.clock.clone(),
        telemetry: app.telemetry.clone(),
        serves_metrics: app.serves_metrics,
        tells_database: true,
    });
    Router::new()
        .merge(api::routes(&app))
        .merge(health::routes())
        .merge(webhooks::routes(&app))
        .layer(middleware::from_fn(dawdling::bodies_in_time))
        .with_state(app)
        .merge(operation)
        .layer(middleware::from_fn_with_state(seen, requests::note))
}
