//! Starting and stopping a fake GitLab.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, RwLockReadGuard};
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::connection::{Peer, Resettable};
use crate::counters::Counters;
use crate::faults::{FaultPlan, Faults};
use crate::hooks::{Hooks, deliver_all};
use crate::limits::{LimitSettings, Limits};
use crate::server::router;
use crate::settings::{Edition, HookSettings, Settings};
use crate::state::{State, WorldMut};
use crate::tokens::{TokenKind, TokenSpec};
use crate::world::access::Viewer;
use crate::world::generate::{READER, Scale, generate};
use crate::world::model::World;

/// The token every fake knows unless it is given others.
pub const DEFAULT_TOKEN: &str = "glpat-fake-token";

/// How long `stop` waits for requests that are being served.
const STOP_WITHIN: Duration = Duration::from_millis(500);

/// What a fake is started with.
pub struct Builder {
    settings: Settings,
    scale: Scale,
    seed: u64,
    world: Option<World>,
    tokens: Vec<TokenSpec>,
    limits: LimitSettings,
    faults: Faults,
    address: SocketAddr,
    url: Option<String>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            scale: Scale::tiny(),
            seed: 1,
            world: None,
            tokens: Vec::new(),
            limits: LimitSettings::default(),
            faults: Faults::default(),
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            url: None,
        }
    }
}

impl Builder {
    /// All switches at once.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// How much the generated world holds; tiny by default.
    pub fn scale(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// Seed of the generated world.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// This world instead of a generated one.
    pub fn world(mut self, world: World) -> Self {
        self.world = Some(world);
        self
    }

    /// Edition and tier.
    pub fn edition(mut self, edition: Edition) -> Self {
        self.settings.edition = edition;
        self
    }

    /// Version, such as `17.11.0`.
    pub fn version(mut self, version: &str) -> Self {
        self.settings.version = version.to_owned();
        self
    }

    /// Whether GraphQL exists.
    pub fn graphql(mut self, graphql: bool) -> Self {
        self.settings.graphql = graphql;
        self
    }

    /// Time of every answer, and of every element in it.
    pub fn latency(mut self, fixed: Duration, per_item: Duration) -> Self {
        self.settings.latency = fixed;
        self.settings.latency_per_item = per_item;
        self
    }

    /// Requests served at the same time.
    pub fn workers(mut self, workers: usize) -> Self {
        self.settings.workers = Some(workers.max(1));
        self
    }

    /// A token more. Without any, `glpat-fake-token` acts for the reader.
    pub fn token(mut self, token: TokenSpec) -> Self {
        self.tokens.push(token);
        self
    }

    /// Limits; none are on by default.
    pub fn limits(mut self, limits: LimitSettings) -> Self {
        self.limits = limits;
        self
    }

    /// How webhooks are delivered.
    pub fn hook_settings(mut self, hooks: HookSettings) -> Self {
        self.settings.hooks = hooks;
        self
    }

    /// Random faults.
    pub fn faults(self, plan: FaultPlan) -> Self {
        self.faults.set_plan(Some(plan));
        self
    }

    /// Where to listen; a free port of this machine by default.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// The address in links and `web_url`s, as configured on the instance; the listening one by default.
    pub fn url(mut self, url: &str) -> Self {
        self.url = Some(url.trim_end_matches('/').to_owned());
        self
    }

    /// Starts listening.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn start(self) -> anyhow::Result<FakeGitlab> {
        let listener = listen(self.address).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let mut world = self.world.unwrap_or_else(|| generate(self.seed, &self.scale));
        world.url = self.url.unwrap_or_else(|| url.clone());
        let tokens = if self.tokens.is_empty() { default_token(&world) } else { self.tokens };
        let limits = Limits::new(self.limits);
        let state = Arc::new(State::new(self.settings, world, tokens, limits, self.faults));
        let (stop, stopped) = oneshot::channel::<()>();
        let service = router(state.clone()).into_make_service_with_connect_info::<Peer>();
        let server = tokio::spawn(async move {
            let ended = async { drop(stopped.await) };
            drop(axum::serve(Resettable(listener), service).with_graceful_shutdown(ended).await);
        });
        let deliveries = state.hooks.arrivals().map(|it| tokio::spawn(deliver_all(state.clone(), it)));
        Ok(FakeGitlab { url, state, stop: Some(stop), server, deliveries })
    }
}

/// Listens on an address.
///
/// # Errors
///
/// When it cannot be listened on; one sentence says which port.
pub async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let port = address.port();
    let refused = || format!("port {port} cannot be listened on, perhaps because another program has it");
    TcpListener::bind(address).await.with_context(refused)
}

/// The token of the reader, whom the generated worlds know.
fn default_token(world: &World) -> Vec<TokenSpec> {
    let reader = world.users.values().find(|user| user.username == READER);
    let spec = |user_id| TokenSpec {
        kind: TokenKind::ServiceAccount,
        ..TokenSpec::personal(DEFAULT_TOKEN, user_id)
    };
    reader.map(|user| spec(user.id)).into_iter().collect()
}

/// A running fake GitLab. It stops when dropped.
pub struct FakeGitlab {
    url: String,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    deliveries: Option<JoinHandle<()>>,
}

impl FakeGitlab {
    /// What to start with.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Its address, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The token of the account that reads a generated world.
    pub fn token(&self) -> &'static str {
        DEFAULT_TOKEN
    }

    /// Who that token acts for.
    pub fn viewer(&self) -> Viewer {
        let spec = self.state.token(DEFAULT_TOKEN);
        spec.map_or_else(|| Viewer::of(0), |spec| spec.viewer())
    }

    /// The world, held still. Do not keep it across an await.
    pub fn world(&self) -> RwLockReadGuard<'_, World> {
        self.state.world()
    }

    /// The world, to be changed. Do not keep it across an await.
    pub fn world_mut(&self) -> WorldMut<'_> {
        self.state.world_mut()
    }

    /// Disturbances.
    pub fn faults(&self) -> &Faults {
        &self.state.faults
    }

    /// Throttles and application limits.
    pub fn limits(&self) -> &Limits {
        &self.state.limits
    }

    /// What was asked and served.
    pub fn counters(&self) -> &Counters {
        &self.state.counters
    }

    /// Webhooks and their deliveries.
    pub fn hooks(&self) -> &Hooks {
        &self.state.hooks
    }

    /// All that requests share, tokens included.
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Stops listening; requests in service get a moment to end.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if tokio::time::timeout(STOP_WITHIN, &mut self.server).await.is_err() {
            self.server.abort();
        }
    }

    /// Serves until the process ends.
    pub async fn serve(mut self) {
        drop((&mut self.server).await);
    }
}

impl Drop for FakeGitlab {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(deliveries) = self.deliveries.take() {
            deliveries.abort();
        }
    }
}
