//! `weir worker`: workers alone, beside others on the same database.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use sync::Stop;

use super::serve::{METRICS_SETTING, Opened, bind, open, operation_of, serve_operation, work};
use crate::configuration::ConfigurationArguments;
use crate::problem::Problem;
use crate::reload::{self, Reloaded};
use crate::settings::Settings;
use crate::{interrupt, service_manager, terminal};

const EXAMPLES: &str = "\
Examples:
  DATABASE_URL=postgresql://... WEIR_ENCRYPTION_KEY_FILE=/run/secrets/weir weir worker

Run as many as you like, on as many machines: they share the work of one database.";

/// Options of `weir worker`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    configuration: ConfigurationArguments,
    /// Serve /metrics, /healthz and /readyz at this address [env: WEIR_METRICS_LISTEN; default: nowhere]
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_listen: Option<SocketAddr>,
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let Opened { worker, database, configuration, .. } = open(settings, &arguments.configuration).await?;
    let metrics = match arguments.metrics_listen.or(configuration.metrics_listen) {
        Some(address) => Some(bind(address, METRICS_SETTING).await?),
        None => None,
    };
    let reloaded = Reloaded {
        arguments: arguments.configuration.clone(),
        tls: None,
        store: settings.database_url.is_none().then(|| database.store.clone()),
        reader: None,
    };
    let stop = Stop::default();
    let listener = interrupt::stop_on_signal(stop.clone());
    terminal::say("Weir works. Ctrl-C ends it after the pages in hand.");
    let alive = service_manager::ready();
    let told = serve_operation(metrics, operation_of(&database.store, &worker, false), stop.clone());
    let working = async { tokio::join!(work(worker, stop.clone()), told) };
    let ((), told) = reload::meanwhile(reloaded, &configuration, working).await;
    drop((listener, alive, database));
    told?;
    terminal::say("Stopped. What was begun goes on elsewhere, or with the next start.");
    Ok(ExitCode::SUCCESS)
}
