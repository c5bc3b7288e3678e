//! Weir's HTTP server: the Data Cloud API and the receiver of webhooks. It reads and writes through the store, and meets GitLab only through `sync`.

mod api;
mod dawdling;
mod doorkeeper;
mod health;
mod listen;
mod moment;
mod open_files;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use store::Store;
use store::vault::Keyring;
use sync::Clock;
use sync::connection::Network;
use sync::tasks::Here;
use tokio::sync::Notify;

pub use api::openapi;
pub use api::{SCOPES, Scope};
pub use doorkeeper::Limits;
pub use listen::{Listening, serve, serve_within};

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
}

/// Shared by all requests.
pub(crate) type Shared = Arc<App>;

/// All that is served.
pub fn router(app: App) -> Router {
    let app: Shared = Arc::new(app);
    Router::new()
        .merge(api::routes(&app))
        .merge(health::routes())
        .merge(webhooks::routes(&app))
        .layer(axum::middleware::from_fn(dawdling::bodies_in_time))
        .with_state(app)
}
