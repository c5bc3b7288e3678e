//! `weir demo`: an invented GitLab, imported by the same code as a real one, and three questions about it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use fake_gitlab::builder::DEFAULT_TOKEN;
use fake_gitlab::world::generate::Scale;
use fake_gitlab::{Edition, FakeGitlab};
use gitlab_client::{BaseUrl, Client, Proxy, SystemClock, TokenKind};
use store::Store;
use sync::{Options, Scope};

use crate::commands::sync::{connections, read};
use crate::database::{self, Database};
use crate::problem::Problem;
use crate::settings::{Found, Settings, variable};
use crate::summary::summary;
use crate::{connection, connectors, terminal, tokens};

mod questions;

/// Parts of the invented GitLab that are read at once.
const WORKERS: usize = 8;

const EXAMPLES: &str = "\
Examples:
  weir demo                                          20 projects, 1,000 merge requests: some seconds
  weir demo --scale medium                           40 projects, 8,000 merge requests
  weir demo --keep                                   keep the invented GitLab, to try weir sync on it

Nothing leaves this machine. The data goes into a database of its own below the data directory.";

/// Options of `weir demo`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// How much there is to import
    #[arg(long, value_enum, default_value_t = Size::Small)]
    pub scale: Size,
    /// Keep the invented GitLab running until Ctrl-C
    #[arg(long)]
    pub keep: bool,
}

/// How much there is to import.
#[derive(Clone, Copy, ValueEnum)]
pub enum Size {
    /// 20 projects with 50 merge requests each
    Small,
    /// 40 projects with 200 merge requests each
    Medium,
    /// 200 projects with 200 merge requests each
    Large,
}

impl Size {
    fn scale(self) -> Scale {
        match self {
            Size::Small => Scale::small(),
            Size::Medium => Scale::medium(),
            Size::Large => Scale::large(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Size::Small => "small",
            Size::Medium => "medium",
            Size::Large => "large",
        }
    }
}

/// Where the demonstration's data goes, and the option that leads there.
struct Place {
    directory: Option<PathBuf>,
    option: String,
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    terminal::say("Starting the database ...");
    let place = place(settings, arguments.scale)?;
    let database = open(settings, &place).await?;
    terminal::say("Inventing a GitLab ...");
    let fake = start(&database.store, arguments.scale).await?;
    terminal::say(&format!("Reading it at {} ...", fake.url()));
    let outcome = read(client(&fake)?, &database.store, options()?, settings.verbose > 0).await;
    terminal::say(&format!("\n{}\n", summary(&outcome)));
    if let Some(failure) = outcome.error {
        return Err(Problem(failure));
    }
    questions::ask(&database.store).await?;
    go_on(&place.option);
    if arguments.keep {
        keep(&fake, &place.option).await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Beside the real data and never among it: a database named in the environment is not touched.
fn place(settings: &Settings, size: Size) -> Result<Place, Problem> {
    if settings.database_url.is_some() {
        return Ok(Place { directory: None, option: "--database-url ...".to_owned() });
    }
    if let Some(Found { source, .. }) = variable("DATABASE_URL") {
        terminal::say(&format!("The demonstration does not touch the database that {source} names."));
    }
    let directory = settings.data_dir()?.value.join("demo").join(size.name());
    Ok(Place {
        option: format!("--data-dir {}", quoted(&directory.display().to_string())),
        directory: Some(directory),
    })
}

async fn open(settings: &Settings, place: &Place) -> Result<Database, Problem> {
    match &place.directory {
        Some(directory) => database::own(directory, connections()).await,
        None => database::open(settings, connections()).await,
    }
}

/// At the address of last time, if it is free: to Weir the address is what makes it the same GitLab.
async fn start(store: &Store, size: Size) -> Result<FakeGitlab, Problem> {
    let known = store.status().await?;
    let ports = known.iter().filter_map(|it| url::Url::parse(&it.url).ok()?.port());
    for port in ports.chain([0]) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let builder = FakeGitlab::builder().scale(size.scale()).edition(Edition::Premium).address(address);
        match builder.start().await {
            Ok(fake) => return Ok(fake),
            Err(error) if port == 0 => {
                return Err(Problem::failed("demo", format!("The invented GitLab did not start: {error}.")));
            }
            Err(_) => {}
        }
    }
    Err(Problem::failed("demo", "The invented GitLab found no port to listen on."))
}

/// The invented GitLab is reached like a real one, except that no proxy leads there.
fn client(fake: &FakeGitlab) -> Result<Client, Problem> {
    let url = BaseUrl::parse(fake.url()).map_err(|it| Problem::failed("demo", it.to_string()))?;
    let token = Found { value: DEFAULT_TOKEN.to_owned(), source: "the demonstration" };
    let mut config = connection::config(url, tokens::from_text(&token, TokenKind::Private)?, Some(WORKERS));
    config.proxy = Proxy::Direct;
    Client::new(config).map_err(connection::refused)
}

fn options() -> Result<Options, Problem> {
    Ok(Options {
        connectors: connectors::named(&[])?,
        scope: Scope::default(),
        keep_bodies: false,
        approval_rules: false,
        issues: true,
        all_users: false,
        rest_only: false,
        workers: WORKERS,
        job_token: false,
        clock: Arc::new(SystemClock),
    })
}

fn go_on(option: &str) {
    terminal::say("Go on with:");
    terminal::say(&format!("  weir {option} schema                    the tables and what they mean"));
    terminal::say(&format!("  weir {option} sql 'select ...'          questions of your own"));
    terminal::say(&format!("  weir {option} psql                      a prompt"));
    terminal::say("  GITLAB_TOKEN=... weir sync --url gitlab.example.com     your own GitLab");
}

async fn keep(fake: &FakeGitlab, option: &str) {
    terminal::say(&format!(
        "\nThe invented GitLab runs at {} until Ctrl-C. In another terminal:",
        fake.url()
    ));
    terminal::say(&format!("  GITLAB_TOKEN={DEFAULT_TOKEN} weir {option} sync --url {}", fake.url()));
    let _ = tokio::signal::ctrl_c().await;
}

/// A path that a shell takes for one word.
fn quoted(path: &str) -> String {
    let plain = path.chars().all(|it| it.is_alphanumeric() || "/._-+".contains(it));
    if plain { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}
