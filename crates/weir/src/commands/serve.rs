//! `weir serve`: API, schedule and workers in one process.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use gitlab_client::SystemClock;
use server::{App, Listening};
use store::vault::Keyring;
use sync::Stop;
use sync::tasks::{Here, Pace, Tokens, Worker};
use tokio::sync::Notify;

use crate::configuration::{Configuration, ConfigurationArguments};
use crate::database::{self, Database};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::{interrupt, keys, logging, terminal};

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
    let ring = Arc::new(ring);
    let worker = Worker {
        store: database.store.clone().into(),
        tokens: Tokens::Sealed { store: database.store.clone(), ring: ring.clone() },
        network: configuration.network.clone(),
        pace: Pace::default(),
        clock,
        owner: owner(),
        wake: Arc::new(Notify::new()),
        arrived: Arc::new(Notify::new()),
        here: Here::default(),
    };
    Ok(Opened { configuration, database, worker, ring })
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let Opened { configuration, database, worker, ring } = open(settings, &arguments.configuration).await?;
    let listening = Listening::bind(configuration.listen).await.map_err(|it| in_use(&configuration, &it))?;
    let address = listening.address().map_err(|it| in_use(&configuration, &it))?;
    let app = App {
        store: database.store.clone(),
        reader: database::reader(&database, &configuration).await?,
        ring,
        network: worker.network.clone(),
        clock: worker.clock.clone(),
        wake: worker.wake.clone(),
        arrived: worker.arrived.clone(),
        here: worker.here.clone(),
        compatible_statuses: configuration.compatible_statuses,
    };
    let stop = Stop::default();
    let listener = interrupt::stop_on_signal(stop.clone());
    terminal::say(&format!(
        "Weir listens at http://{address}. The API is below /api; weir api-key create makes a key."
    ));
    let working = async {
        if !arguments.no_workers {
            work(worker, stop.clone()).await;
        }
    };
    let (served, ()) = tokio::join!(server::serve(listening, server::router(app), stop.clone()), working);
    drop(listener);
    served.map_err(|it| Problem::failed("listen", format!("Listening at {address} ended: {it}.")))?;
    terminal::say("Stopped. What was begun goes on with the next start.");
    Ok(ExitCode::SUCCESS)
}

/// Runs tasks, and what webhooks name, until asked to stop.
pub async fn work(worker: Worker, stop: Stop) {
    tokio::join!(sync::tasks::work(worker.clone(), stop.clone()), sync::inbox::work(worker, stop));
}

fn in_use(configuration: &Configuration, error: &std::io::Error) -> Problem {
    let address = configuration.listen;
    Problem::failed(
        "listen",
        format!(
            "{address} cannot be listened at: {error}. Choose another with WEIR_LISTEN or server.listen."
        ),
    )
}

/// What this process is called in the database: unlike every other, on other machines too.
fn owner() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    format!("{}-{:016x}", std::process::id(), RandomState::new().build_hasher().finish())
}
