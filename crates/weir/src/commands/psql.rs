//! `weir psql`: a prompt on the database in use.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Args;
use store::server::Server;
use url::Url;

use crate::database;
use crate::problem::Problem;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  weir psql                                          a prompt; \\dt lists the tables, \\q leaves
  weir psql -- -c '\\d gitlab_merge_requests'         options of psql's own after two dashes
  weir psql -- --csv -f report.sql";

/// Parameters of a PostgreSQL address and the variables that psql reads them from.
const VARIABLES: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("dbname", "PGDATABASE"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("options", "PGOPTIONS"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("application_name", "PGAPPNAME"),
];

/// Options of `weir psql`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Arguments for psql itself
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// Becomes psql; only failing to do so comes back.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, Problem> {
    let (program, url) = match settings.database_url() {
        Some(url) => (PathBuf::from("psql"), url.value),
        None => {
            let server = Server::open(&database::options(&settings.data_dir()?.value, None)).await?;
            (server.program("psql").await.ok_or_else(missing)?, server.url())
        }
    };
    let mut psql = Command::new(program);
    psql.args(arguments.arguments).envs(environment(&url)?);
    let error = psql.exec();
    match error.kind() {
        std::io::ErrorKind::NotFound => Err(missing()),
        _ => Err(Problem::failed("psql", format!("psql could not be started: {error}."))),
    }
}

fn missing() -> Problem {
    Problem::failed(
        "no_psql",
        "psql is not installed. Install PostgreSQL's client (such as `apt install postgresql-client`), or ask with weir sql.",
    )
}

/// The address in variables, as arguments show in the list of processes with the password in them.
fn environment(url: &str) -> Result<Vec<(&'static str, String)>, Problem> {
    let url = Url::parse(url).map_err(|it| {
        Problem::usage(format!("The database address cannot be understood ({it}). It looks like postgresql://host/database."))
    })?;
    let decoded = |text: &str| percent_decoded(text);
    let mut found = vec![
        ("host", url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()),
        ("port", url.port().map(|it| it.to_string()).unwrap_or_default()),
        ("user", decoded(url.username())),
        ("password", decoded(url.password().unwrap_or_default())),
        ("dbname", decoded(url.path().trim_start_matches('/'))),
    ];
    let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    found.extend(parameters.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let named = |(name, value): (&str, String)| {
        let (_, variable) = VARIABLES.iter().find(|(known, _)| *known == name)?;
        (!value.is_empty()).then_some((*variable, decoded(&value)))
    };
    Ok(found.into_iter().filter_map(named).collect())
}

/// `%2F` as `/`; what is no such code stays as it is.
fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%').and_then(|it| std::str::from_utf8(it).ok());
        match code.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            Some(byte) => (bytes.push(byte), rest = &after[2..]),
            None => (bytes.push(first), rest = after),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_becomes_variables_and_the_last_host_wins() {
        let found = environment("postgresql://weir:p%40ss@localhost:5432/weir?host=%2Frun%2Fweir&sslmode=disable");
        let found: std::collections::BTreeMap<_, _> = found.unwrap().into_iter().collect();
        assert_eq!(found["PGHOST"], "/run/weir");
        assert_eq!((found["PGPASSWORD"].as_str(), found["PGSSLMODE"].as_str()), ("p@ss", "disable"));
        assert_eq!((found["PGUSER"].as_str(), found["PGDATABASE"].as_str()), ("weir", "weir"));
    }
}
