//! `weir sync`: one import or update of everything asked, then exit.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use catalogue::Connector;
use clap::Args;
use gitlab_client::{Client, ClientConfig, Clock, SystemClock};
use serde::Serialize;
use store::Store;
use sync::{Estimate, Exclude, Failure, Options, Outcome, Progress, Scope, Stop};

use crate::commands::verify::verify;
use crate::connection::{Connection, ConnectionArguments};
use crate::problem::Problem;
use crate::progress::Display;
use crate::settings::{Settings, variable};
use crate::summary::summary;
use crate::{connectors, database, interrupt, moments, numbers, report, terminal};

/// More than a GitLab or this machine would bear.
const MOST: usize = 256;
/// Parts that are read at once, unless told otherwise.
const CONCURRENCY: usize = 16;

const EXAMPLES: &str = "\
Examples:
  weir sync --url gitlab.example.com                 everything the token sees
  weir sync --group platform --exclude forks         one group with its subgroups, without forks
  weir sync --project shop/api --since 90d           one project, what moved in the last 90 days
  weir sync --exclude 'archive/*' --exclude personal
  weir sync --dry-run                                what it would read and cost
  weir sync --json 2>/dev/null                       one JSON object for a script

The token comes from GITLAB_TOKEN (several separated by commas share the work), --token-file or --token-command.
A second run reads only what changed. Ctrl-C stops after the page in hand; the same command goes on from there.

Exit codes: 0 complete, 2 usage, 3 invalid_credentials, 4 invalid_permissions, 5 no_resources,
6 stopped early but resumable, 1 anything else.";

/// Options of `weir sync`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: ConnectionArguments,
    /// What to import; repeatable [default: everything this version has]
    #[arg(long = "connector", value_name = "CONNECTOR")]
    pub connectors: Vec<String>,
    /// Only this group and what is below it, by path or id; repeatable
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// Only this project, by path or id; repeatable
    #[arg(long = "project", value_name = "PROJECT")]
    pub projects: Vec<String>,
    /// Leave out projects: a pattern of paths, or forks, archived or personal; repeatable
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// Only what moved since: 2026-01-31, 2026-01-31T12:00:00Z or 90d
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Read everything again, whatever was read before
    #[arg(long)]
    pub full: bool,
    /// Also hold everything against what GitLab has, to find what was deleted without a trace
    #[arg(long)]
    pub sweep: bool,
    /// Also read approval rules: a request for each merge request
    #[arg(long)]
    pub approval_rules: bool,
    /// Also read the merge requests of deployments: a request for each successful deployment
    #[arg(long)]
    pub deployment_merge_requests: bool,
    /// Also read how many lines each commit of a default branch added and deleted, which costs GitLab a comparison each
    #[arg(long)]
    pub commit_statistics: bool,
    /// Only say what would be read and what it would cost
    #[arg(long)]
    pub dry_run: bool,
    /// Requests under way at once, at most [default: 16]
    #[arg(long, value_name = "N")]
    pub concurrency: Option<usize>,
    /// Minutes to wait for a GitLab that stops answering in the middle [default: 120]
    #[arg(long, value_name = "MINUTES")]
    pub patience: Option<u32>,
    /// Do not use GraphQL
    #[arg(long)]
    pub rest_only: bool,
    /// Also store every user of the instance; needs the token of an administrator
    #[arg(long)]
    pub all_users: bool,
    /// Leave out issues
    #[arg(long)]
    pub no_issues: bool,
    /// Keep the texts of notes and issues
    #[arg(long)]
    pub keep_bodies: bool,
    /// Print one JSON object on standard output at the end
    #[arg(long)]
    pub json: bool,
}

/// What `--dry-run --json` prints.
#[derive(Serialize)]
struct DryRun {
    #[serde(flatten)]
    outcome: Outcome,
    estimate: Option<Estimate>,
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let json = arguments.json;
    Ok(attend(settings, arguments).await.unwrap_or_else(|problem| report::tell(&problem, json)))
}

async fn attend(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let mut options = arguments.options()?;
    let concurrency = arguments.concurrency.unwrap_or(CONCURRENCY);
    let connection = arguments.connection.connect(Some(concurrency)).await?;
    options.job_token = connection.job_token;
    job_scope(&mut options)?;
    let database = database::open(settings, connections()).await?;
    let Connection { client, config, job_token, .. } = connection.sharing(&database.store).await?;
    let plain = settings.verbose > 0;
    if arguments.dry_run {
        return estimate(client, &database.store, options, arguments.json).await;
    }
    let mut outcome = match database.data_dir() {
        Some(data_dir) => read_into_own(&database.store, data_dir, client, options, plain).await,
        None => read(client, &database.store, options, plain).await,
    };
    if let Some(failure) = outcome.error.take_if(|it| it.code == "invalid_credentials" && !job_token) {
        outcome.error = Some(explained(failure, config, &arguments.connectors()?).await);
    }
    Ok(finish(&outcome, arguments.json))
}

/// A token that was refused midway has told less than it tells when asked about itself.
async fn explained(failure: Failure, config: ClientConfig, connectors: &[Connector]) -> Failure {
    match Client::new(config) {
        Ok(client) => verify(&client, connectors, None).await.error.unwrap_or(failure),
        Err(_) => failure,
    }
}

/// Connections to the database. Writing keeps processors busy, so a few for each of them are as good as many, and every
/// connection has to plan each statement once.
pub fn connections() -> u32 {
    let processors = std::thread::available_parallelism().map_or(4, std::num::NonZero::get);
    u32::try_from(processors * 2).unwrap_or(16).clamp(4, 16)
}

/// Parts in hand at once: some more than requests under way, because a part that is written does not ask.
fn workers(concurrency: usize) -> usize {
    concurrency + concurrency.div_ceil(2)
}

/// Reads, shown on the terminal, until it is done or Ctrl-C.
pub async fn read(client: Client, store: &Store, options: Options, plain: bool) -> Outcome {
    let (progress, stop) = (Arc::<Progress>::default(), Stop::default());
    let display = Display::new(progress.clone(), client.clone(), plain);
    let showing = display.show();
    let listening = interrupt::listen(stop.clone(), display.clone());
    let outcome = sync::run(client, store.clone(), options, progress, stop).await;
    drop(listening);
    showing.end();
    outcome
}

/// Reads into Weir's own server, which is started again when it ends in the middle. Where it cannot be, the reason is what
/// ends the sync: most often a disk that is full.
async fn read_into_own(
    store: &Store,
    data_dir: &Path,
    client: Client,
    options: Options,
    plain: bool,
) -> Outcome {
    let connectors = options.connectors.clone();
    tokio::select! {
        outcome = read(client, store, options, plain) => outcome,
        Problem(failure) = database::kept(data_dir) => {
            Outcome { error: Some(failure), ..report::empty(&connectors) }
        }
    }
}

/// What is said when it is done.
fn finish(outcome: &Outcome, json: bool) -> ExitCode {
    terminal::say(&summary(outcome));
    if json {
        terminal::print_json(outcome);
    }
    match &outcome.error {
        Some(failure) => Problem(failure.clone()).tell(),
        None => {
            terminal::say("\nNext: weir schema, or for example");
            terminal::say("  weir sql \"select state, count(*) from gitlab_merge_requests group by state\"");
            ExitCode::SUCCESS
        }
    }
}

async fn estimate(client: Client, store: &Store, options: Options, json: bool) -> Result<ExitCode, Problem> {
    let connectors = options.connectors.clone();
    let estimate =
        sync::dry_run(client.clone(), store.clone(), options, Arc::default()).await.map_err(Problem)?;
    terminal::say(&expected(&estimate));
    if json {
        let usage = client.usage();
        let outcome = Outcome {
            ok: true,
            error: None,
            requests: usage.requests,
            bytes: usage.bytes,
            not_modified: usage.not_modified,
            waited_seconds: usage.waited.as_secs_f64(),
            ..report::empty(&connectors)
        };
        terminal::print_json(&DryRun { outcome, estimate: Some(estimate) });
    }
    Ok(ExitCode::SUCCESS)
}

fn expected(estimate: &Estimate) -> String {
    let unsigned = |it: i64| it.max(0).unsigned_abs();
    let projects = numbers::counted(estimate.projects as u64, "project");
    let merge_requests = estimate.merge_requests.map_or_else(
        || "merge requests that GitLab does not count".to_owned(),
        |it| numbers::counted(unsigned(it), "merge request"),
    );
    let mut text = format!("A first import would read {projects} with {merge_requests}");
    if let Some(requests) = estimate.requests {
        text.push_str(&format!(", in about {}", numbers::counted(unsigned(requests), "request")));
    }
    if let Some(seconds) = estimate.seconds {
        text.push_str(&format!(" and {}", numbers::seconds(seconds)));
    }
    text + ". Nothing was read yet."
}

/// A job token reads one project.
fn job_scope(options: &mut Options) -> Result<(), Problem> {
    if !options.job_token {
        return Ok(());
    }
    if options.scope.projects.is_empty() {
        options.scope.projects.extend(variable("CI_PROJECT_ID").map(|it| it.value));
    }
    if options.scope.projects.len() != 1 || !options.scope.groups.is_empty() {
        return Err(Problem::usage(
            "A job token (CI_JOB_TOKEN) reads one project: name it with --project, or use a token of your own in \
             GITLAB_TOKEN for more.",
        ));
    }
    Ok(())
}

impl Arguments {
    /// What can be refused without asking anybody is refused here.
    fn options(&self) -> Result<Options, Problem> {
        let concurrency = self.concurrency.unwrap_or(CONCURRENCY);
        if !(1..=MOST).contains(&concurrency) {
            let message = format!(
                "--concurrency {concurrency} is not between 1 and {MOST}. The usual is {CONCURRENCY}."
            );
            return Err(Problem::usage(message));
        }
        let clock = SystemClock;
        let since = self.since.as_deref().map(|it| moments::since(it, clock.now())).transpose()?;
        Ok(Options {
            connectors: self.connectors()?,
            scope: Scope {
                groups: self.groups.clone(),
                projects: self.projects.clone(),
                exclude: Exclude::parse(&self.exclude).map_err(|it| Problem::usage(format!("{it}.")))?,
                since,
                full: self.full,
            },
            keep_bodies: self.keep_bodies,
            approval_rules: self.approval_rules,
            sweep: self.sweep,
            open_set: true,
            lists_of: None,
            deployment_merge_requests: self.deployment_merge_requests,
            commit_statistics: self.commit_statistics,
            issues: !self.no_issues,
            all_users: self.all_users,
            rest_only: self.rest_only,
            workers: workers(concurrency),
            covers_connection: false,
            patience: self.patience.map_or(sync::PATIENCE, |it| Duration::from_secs(u64::from(it) * 60)),
            database_patience: sync::DATABASE_PATIENCE,
            job_token: false,
            connection: None,
            only_help: false,
            older_for: None,
            clock: Arc::new(clock),
        })
    }

    fn connectors(&self) -> Result<Vec<Connector>, Problem> {
        connectors::named(&self.connectors)
    }
}
