//! `weir extract`: reads a GitLab from within its network and pushes what it reads to a Weir outside.

mod configuration;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use catalogue::Connector;
use clap::Args;
use extractor::{Connected, Outside, Wanted, check, connect};
use gitlab_client::{Clock, SystemClock};
use sync::Stop;
use sync::connection::verify_token;
use sync::tasks::{Here, Pace, Tokens, Worker};
use sync::verify::Verification;
use telemetry::Telemetry;
use tokio::sync::Notify;

use super::verify::lines;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::{interrupt, logging, terminal};
use configuration::Configuration;

/// Between two questions for work where the Weir outside cannot be asked, or says that there is some.
const BREATH: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "\
Examples:
  EXTRACTION_TYPE=gitlab EXTRACTOR_ID=berlin GITLAB_URL=https://gitlab.internal GITLAB_TOKEN=... \\
  DATACLOUD_URL=https://weir.example.com DATACLOUD_KEY=weir_... weir extract --check

Everything comes from the environment:
  DATACLOUD_URL, DATACLOUD_KEY    the Weir outside, and an API key of it (weir api-key create --extractor ID)
  EXTRACTOR_ID                    what this extractor is called; each has a name of its own
  GITLAB_URL, GITLAB_TOKEN        the GitLab inside; several tokens are separated by commas. They never leave this network
  EXTRACTOR_CONNECTORS            which to run, separated by commas [default: all]
  EXTRACTOR_PROXY_URL, EXTRACTOR_PROXY_PORT, EXTRACTOR_PROXY_USER, EXTRACTOR_PROXY_PASS    the proxy on the way out
  EXTRACTOR_CA_FILE               certificates to trust on the way out
  WEIR_PROXY, WEIR_CA_FILE        the same for the GitLab inside [default: no proxy]

Ctrl-C or SIGTERM: pages in hand are finished, then it ends. Nothing is kept on disk.";

/// Options of `weir extract`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Only check that the Weir outside lets this extractor in, and that the token reads what is to be read
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let configuration = Configuration::read()?;
    let stop = Stop::default();
    let outside =
        Outside::new(configuration.route.clone(), stop.clone()).map_err(|it| Problem::usage(it.0))?;
    if configuration.route.is_open() {
        terminal::say(
            "Warning: DATACLOUD_URL is http://, so the API key and all that is read travel unencrypted.",
        );
    }
    if arguments.check {
        return verdict(&configuration, &outside).await;
    }
    logging::start_unattended(settings.verbose, configuration.json_log);
    let listener = interrupt::stop_on_signal(stop.clone());
    let connected = match connect(&outside, &configuration.wanted()).await {
        Ok(connected) => connected,
        Err(error) => return ended(&outside, Some(Problem::failed("outside", error.to_string()))),
    };
    if let Some(failure) = found_inside(&configuration).await.error {
        // GitLab may be away for the moment; a token that it refuses will be refused again.
        tracing::error!(message = failure.message, "the GitLab inside cannot be read now");
        if failure.code == "invalid_credentials" {
            return Err(Problem(failure));
        }
    }
    terminal::say(&format!(
        "Reads {} for the Weir at {} (version {}).",
        configuration.gitlab.base_url.as_str(),
        configuration.route.address,
        connected.version
    ));
    work(&configuration, &outside, connected, stop).await;
    drop(listener);
    let (calls, bytes) = outside.sent();
    tracing::info!(calls, bytes, "sent in all");
    ended(&outside, None)
}

/// Runs tasks, and what webhooks name, until asked to stop.
async fn work(configuration: &Configuration, outside: &Outside, connected: Connected, stop: Stop) {
    let worker = Worker {
        store: connected.store,
        tokens: Tokens::Given(configuration.tokens.clone().into()),
        network: configuration.network.clone(),
        pace: Pace::default(),
        clock: Arc::new(connected.clock),
        owner: format!("{}worker", connected.owner),
        wake: Arc::new(Notify::new()),
        arrived: Arc::new(Notify::new()),
        here: Here::default(),
        telemetry: Telemetry::new(),
    };
    let (wake, arrived) = (worker.wake.clone(), worker.arrived.clone());
    let waking = async {
        while !stop.asked() {
            let work = tokio::select! {
                work = outside.wait_for_work() => work,
                () = stop.wait() => return,
            };
            if work {
                wake.notify_one();
                arrived.notify_one();
            }
            tokio::time::sleep(BREATH).await;
        }
    };
    tokio::join!(super::serve::work(worker, stop.clone()), waking);
}

/// How the command ends: as asked, or because the Weir outside will have no more of it.
fn ended(outside: &Outside, otherwise: Option<Problem>) -> Result<ExitCode, Problem> {
    if let Some(refused) = outside.refused() {
        return Err(Problem::failed(&refused.code, refused.message));
    }
    match otherwise {
        Some(problem) => Err(problem),
        None => {
            terminal::say("Stopped. What was begun goes on with the next start.");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What the tokens reach inside: for every connector, by the first token that does not reach it, else by the last.
async fn found_inside(configuration: &Configuration) -> Verification {
    let mut last = None;
    for connector in &configuration.connectors {
        for token in &configuration.tokens {
            let found = verify(configuration, *connector, token).await;
            if found.error.is_some() {
                return found;
            }
            last = Some(found);
        }
    }
    let none = || sync::Failure::new("failed", "usage", "There is nothing to read.");
    last.unwrap_or_else(|| Verification::impossible(&configuration.gitlab.base_url, none()))
}

async fn verify(
    configuration: &Configuration,
    connector: Connector,
    token: &sync::connection::Token,
) -> Verification {
    let today = SystemClock.now().date_naive();
    verify_token(&configuration.gitlab, connector, token, &configuration.network, today).await
}

/// Checks both sides and says all that is wrong.
async fn verdict(configuration: &Configuration, outside: &Outside) -> Result<ExitCode, Problem> {
    let wanted = configuration.wanted();
    let (let_in, inside) = tokio::join!(check(outside, &wanted), found_inside(configuration));
    match &let_in {
        Ok(version) => terminal::say(&format!(
            "{}: version {version} lets the extractor {} in.",
            configuration.route.address, configuration.name
        )),
        Err(error) => terminal::error(&format!("{}: {error}", configuration.route.address)),
    }
    lines(&inside).iter().for_each(|it| terminal::say(it));
    if let Some(failure) = inside.error {
        return Err(Problem(failure));
    }
    match let_in {
        Ok(_) => {
            terminal::say("Everything that is needed can be reached. Next: weir extract");
            Ok(ExitCode::SUCCESS)
        }
        Err(_) => {
            Err(Problem::failed("outside", "The Weir outside does not let this extractor in, as said above."))
        }
    }
}

impl Configuration {
    fn wanted(&self) -> Wanted {
        Wanted {
            name: self.name.clone(),
            base_url: self.gitlab.base_url.as_str().to_owned(),
            connectors: self.connectors.iter().map(|it| it.name().to_owned()).collect(),
        }
    }
}
