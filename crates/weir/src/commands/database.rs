//! `weir database`: the database in use, and Weir's own server.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use store::Store;
use store::server::{IDLE_LIMIT, Listen, Server, Status};

use crate::database;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::terminal::{print, say};

const EXAMPLES: &str = "\
Examples:
  weir database url                                  one URL for psql, pg_dump and every other program
  psql \"$(weir database url)\"
  weir database url --listen 127.0.0.1:5433 --read-only    for a BI tool; --listen off ends it
  weir database status
  weir database stop                                 the next command starts it again

With --database-url or DATABASE_URL there is nothing to start or stop here.";

/// Options of `weir database`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with the database.
#[derive(Subcommand)]
pub enum Action {
    /// Print the address of the database, starting it if needed
    Url(Url),
    /// Start Weir's own database
    Start(Start),
    /// Stop Weir's own database; nothing that was written is lost
    Stop,
    /// Show where the database is and whether it runs
    Status,
    /// Stop the server when nobody has used it for a while
    #[command(hide = true)]
    Watch,
}

/// Options of `weir database url`.
#[derive(Args)]
pub struct Url {
    /// Also listen on TCP, for other programs and machines; off ends it. Remembered
    #[arg(long, value_name = "ADDR:PORT|off")]
    pub listen: Option<String>,
    /// For the role that can only read
    #[arg(long)]
    pub read_only: bool,
}

/// Options of `weir database start`.
#[derive(Args)]
pub struct Start {
    /// Also listen on TCP, for other programs and machines; off ends it. Remembered
    #[arg(long, value_name = "ADDR:PORT|off")]
    pub listen: Option<String>,
}

/// Runs the command.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    match (arguments.action, settings.database_url()) {
        (Action::Watch, _) => Server::watch(&settings.data_dir()?.value, IDLE_LIMIT).await?,
        (Action::Url(url), Some(given)) => theirs(&url, &given.value)?,
        (Action::Status, Some(given)) => {
            let store = Store::connect(&given.value, 1).await?;
            print(&format!("reachable (named by {})\nPostgreSQL  {}", given.source, store.server_version().await?));
        }
        (_, Some(given)) => say(&format!(
            "{} names a database of your own: start and stop it by its own means.",
            given.source
        )),
        (action, None) => ours(action, &settings.data_dir()?.value).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn theirs(url: &Url, given: &str) -> Result<(), Problem> {
    if url.listen.is_some() || url.read_only {
        return Err(Problem::usage(
            "--listen and --read-only are for Weir's own database, and another one is named. Leave out \
             --database-url and DATABASE_URL, or these options.",
        ));
    }
    print(given);
    Ok(())
}

async fn ours(action: Action, data_dir: &Path) -> Result<(), Problem> {
    match action {
        Action::Url(url) => address(&url, data_dir).await?,
        Action::Start(it) => start(&it, data_dir).await?,
        Action::Stop if Server::stop(data_dir).await? => say("The database is stopped."),
        Action::Stop => say("The database was not running."),
        Action::Status => print(&described(&Server::status(data_dir)?, data_dir)),
        Action::Watch => {}
    }
    Ok(())
}

async fn address(url: &Url, data_dir: &Path) -> Result<(), Problem> {
    let listen = listen(url.listen.as_deref())?;
    let server = Server::open(&database::options(data_dir, listen)).await?;
    // For its tables, and for the rights of the reader on them.
    database::own(data_dir, 1).await?.store.close().await;
    let tcp = matches!(listen, Some(Listen::At(_)));
    let found = match (tcp, url.read_only) {
        (true, true) => server.tcp_reader_url(),
        (true, false) => server.tcp_url(),
        (false, true) => Some(server.reader_url()),
        (false, false) => Some(server.url()),
    };
    print(&found.unwrap_or_else(|| server.url()));
    Ok(())
}

async fn start(arguments: &Start, data_dir: &Path) -> Result<(), Problem> {
    let listen = listen(arguments.listen.as_deref())?;
    let server = Server::open(&database::options(data_dir, listen)).await?;
    let found = if server.started() { "is started" } else { "was running already" };
    say(&format!("The database in {} {found}. Its address: weir database url", data_dir.display()));
    Ok(())
}

fn listen(text: Option<&str>) -> Result<Option<Listen>, Problem> {
    match text {
        None => Ok(None),
        Some("off") => Ok(Some(Listen::Off)),
        Some(text) => text.parse::<SocketAddr>().map(|it| Some(Listen::At(it))).map_err(|_| {
            Problem::usage(format!("--listen {text:?} is not an address with a port. Write it as 127.0.0.1:5433, or off."))
        }),
    }
}

/// What is known of the server, line by line.
pub fn described(status: &Status, data_dir: &Path) -> String {
    match status {
        Status::NotInitialised => {
            format!("There is no database in {} yet: the first command that needs it makes it.", data_dir.display())
        }
        Status::Stopped { version, data, log, account } => format!(
            "stopped\nPostgreSQL  {version}, as {account}\ndata        {}\nlog         {}",
            data.display(),
            log.display()
        ),
        Status::Running { version, data, log, account, pid, listen } => format!(
            "running{}\nPostgreSQL  {version}, as {account}\ndata        {}\nlog         {}\nlistens on  {}",
            pid.map(|it| format!(" (process {it})")).unwrap_or_default(),
            data.display(),
            log.display(),
            listening(*listen)
        ),
    }
}

fn listening(listen: Listen) -> String {
    match listen {
        Listen::Off => "its socket only".to_owned(),
        Listen::At(address) => format!("its socket and {address}"),
    }
}
