//! `weir serve`: API, schedule and workers in one process.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use gitlab_client::SystemClock;
use server::{App, Listening, Operation};
use store::Store;
use store::vault::Keyring;
use sync::connection::Network;
use sync::tasks::{Here, Pace, Tokens, Worker};
use sync::{SharedGates, Stop};
use telemetry::Telemetry;
use tokio::sync::Notify;

use crate::configuration::{Configuration, ConfigurationArguments};
use crate::database::{self, Database};
use crate::problem::Problem;
use crate::reload::{self, Reloaded};
use crate::settings::Settings;
use crate::{interrupt, keys, logging, service_manager, terminal};

const EXAMPLES: &str = "\
Examples:
  weir serve                                         on this machine only, with Weir's own database
  WEIR_LISTEN=0.0.0.0:9347 DATABASE_URL=postgresql://... WEIR_ENCRYPTION_KEY_FILE=/run/secrets/weir weir serve
  weir serve --no-workers                            API alone; weir worker runs elsewhere

Ctrl-C or SIGTERM: requests and pages in hand are finished, then it ends.";

/// Options of `weir serve`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    configuration: ConfigurationArguments,
    /// Run no workers in this process
    #[arg(long)]
    no_workers: bool,
}

/// What an unattended process has opened.
pub struct Opened {
    pub configuration: Configuration,
    pub database: Database,
    pub worker: Worker,
    pub ring: Arc<Keyring>,
}

/// Opens database and keys, and checks that they belong together.
pub async fn open(settings: &Settings, arguments: &ConfigurationArguments) -> Result<Opened, Problem> {
    let configuration = arguments.read()?;
    logging::start_unattended(settings.verbose, configuration.json_log);
    let database = database::of(settings, &configuration, database::UNATTENDED).await?;
    let ring = keys::find(&configuration.encryption, database.data_dir()).await?;
    let clock = Arc::new(SystemClock);
    let now = gitlab_client::Clock::now(&*clock);
    if let store::Unlocked::Older(count) = database.store.unlock(&ring, now).await? {
        tracing::warn!(
            tokens = count,
            "tokens are still sealed with the key before this one: run weir key rotate"
        );
    }
    let gates = SharedGates::start(&database.store, clock.clone());
    let ring = Arc::new(ring);
    let worker = Worker {
        store: database.store.clone().into(),
        tokens: Tokens::Sealed { store: database.store.clone(), ring: ring.clone() },
        network: Network { gates: Some(gates), ..configuration.network.clone() },
        pace: Pace::default(),
        clock,
        owner: owner(),
        wake: Arc::new(Notify::new()),
        arrived: Arc::new(Notify::new()),
        here: Here::default(),
        telemetry: Telemetry::new(),
    };
    Ok(Opened { configuration, database, worker, ring })
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let Opened { configuration, database, worker, ring } = open(settings, &arguments.configuration).await?;
    let tls = configuration.tls.clone();
    let listening = bind(configuration.listen, LISTEN_SETTING).await?.with_tls(tls.clone());
    let address = address_of(&listening)?;
    let metrics = match configuration.metrics_listen {
        Some(address) => Some(bind(address, METRICS_SETTING).await?),
        None => None,
    };
    let reader = database::reader(&database, &configuration).await?;
    let reloaded = Reloaded {
        arguments: arguments.configuration.clone(),
        tls: tls.clone(),
        store: settings.database_url.is_none().then(|| database.store.clone()),
        reader: reader.clone(),
    };
    let app = App {
        store: database.store.clone(),
        reader,
        ring,
        network: worker.network.clone(),
        clock: worker.clock.clone(),
        wake: worker.wake.clone(),
        arrived: worker.arrived.clone(),
        here: worker.here.clone(),
        compatible_statuses: configuration.compatible_statuses,
        telemetry: worker.telemetry.clone(),
        serves_metrics: metrics.is_none(),
        trusted_proxies: configuration.trusted_proxies.clone(),
    };
    let operation = operation_of(&database.store, &worker, true);
    let stop = Stop::default();
    let listener = interrupt::stop_on_signal(stop.clone());
    terminal::say(&format!(
        "Weir listens at {}://{address}. The API is below /api; weir api-key create makes a key.",
        if tls.is_some() { "https" } else { "http" }
    ));
    let alive = service_manager::ready();
    let working = async {
        if !arguments.no_workers {
            work(worker, stop.clone()).await;
        }
    };
    let serving = async {
        let served = server::serve(listening, server::router(app), stop.clone());
        let told = serve_operation(metrics, operation, stop.clone());
        tokio::join!(served, told, working)
    };
    let (served, told, ()) = reload::meanwhile(reloaded, &configuration, serving).await;
    drop((listener, alive));
    told?;
    served.map_err(|it| Problem::failed("listen", format!("Listening at {address} ended: {it}.")))?;
    terminal::say("Stopped. What was begun goes on with the next start.");
    Ok(ExitCode::SUCCESS)
}

/// Runs tasks, and what webhooks name, until asked to stop.
pub async fn work(worker: Worker, stop: Stop) {
    tokio::join!(
        sync::tasks::work(worker.clone(), stop.clone()),
        sync::upkeep::work(worker.clone(), stop.clone()),
        sync::purge::work(worker.clone(), stop.clone()),
        sync::inbox::work(worker, stop)
    );
}

/// Where everything is served is chosen with these, where the figures are with those.
const LISTEN_SETTING: &str = "WEIR_LISTEN or server.listen";
/// Names of the settings for the figures.
pub const METRICS_SETTING: &str = "WEIR_METRICS_LISTEN or server.metrics_listen";

/// Listens at an address; when that fails, the settings to choose another with are named.
pub async fn bind(address: SocketAddr, setting: &str) -> Result<Listening, Problem> {
    Listening::bind(address).await.map_err(|error| {
        let message = format!("{address} cannot be listened at: {error}. Choose another with {setting}.");
        Problem::failed("listen", message)
    })
}

fn address_of(listening: &Listening) -> Result<SocketAddr, Problem> {
    listening.address().map_err(|it| Problem::failed("listen", format!("Listening ended: {it}.")))
}

/// What a process tells those who run it, at an address of its own.
pub fn operation_of(store: &Store, worker: &Worker, tells_database: bool) -> Operation {
    Operation {
        store: store.clone(),
        clock: worker.clock.clone(),
        telemetry: worker.telemetry.clone(),
        serves_metrics: true,
        tells_database,
    }
}

/// Serves it, where there is such an address.
pub async fn serve_operation(
    listening: Option<Listening>,
    operation: Operation,
    stop: Stop,
) -> Result<(), Problem> {
    let Some(listening) = listening else { return Ok(()) };
    let address = address_of(&listening)?;
    terminal::say(&format!("Metrics are at http://{address}/metrics."));
    let served = server::serve(listening, server::operation(operation), stop).await;
    served.map_err(|it| Problem::failed("listen", format!("Listening at {address} ended: {it}.")))
}

/// What this process is called in the database: unlike every other, on other machines too.
fn owner() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    format!("{}-{:016x}", std::process::id(), RandomState::new().build_hasher().finish())
}
