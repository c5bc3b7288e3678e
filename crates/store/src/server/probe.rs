//! Asks the server whether it is there.

use std::io;
use std::os::unix::net::UnixStream;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};

use super::error::ServerError;
use super::home::Home;
use super::{DATABASE, OWNER_ROLE, secret};

/// What a connection attempt showed.
pub(super) enum Answer {
    Ready,
    /// It runs, but its first start was cut short before the database was made.
    Empty,
    /// It is starting or stopping; ask again.
    Busy,
    /// Nobody listens.
    Absent,
}

/// Whether a process listens on the socket. This, not the number in `postmaster.pid`, tells that the server runs:
/// after a crash the number may be another process's.
pub(super) fn listens(home: &Home, port: u16) -> bool {
    UnixStream::connect(home.socket(port)).is_ok()
}

/// Tries to log in.
pub(super) async fn ask(home: &Home, port: u16, password: &str) -> Result<Answer, ServerError> {
    match connect(home, port, password, DATABASE).await {
        Ok(connection) => {
            connection.close().await?;
            Ok(Answer::Ready)
        }
        Err(error) => judge(home, error),
    }
}

/// A connection to one of the databases as Weir's role.
pub(super) async fn connect(
    home: &Home,
    port: u16,
    password: &str,
    database: &str,
) -> Result<PgConnection, sqlx::Error> {
    let options = PgConnectOptions::new_without_pgpass().socket(home.socket_dir()).port(port);
    let options = options.username(OWNER_ROLE).password(password).database(database);
    options.application_name("weir database").disable_statement_logging().connect().await
}

fn judge(home: &Home, error: sqlx::Error) -> Result<Answer, ServerError> {
    match &error {
        sqlx::Error::Database(refused) => match refused.code().as_deref() {
            // cannot_connect_now: starting up, recovering or shutting down.
            Some("57P03" | "57P01") => Ok(Answer::Busy),
            // too_many_connections: it surely runs.
            Some("53300") => Ok(Answer::Ready),
            // invalid_catalog_name.
            Some("3D000") => Ok(Answer::Empty),
            Some("28P01") => Err(ServerError::PasswordRefused { path: home.password() }),
            _ => Err(error.into()),
        },
        sqlx::Error::Io(cause) => match cause.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(Answer::Absent),
            io::ErrorKind::PermissionDenied => {
                Err(ServerError::io("connecting to", &home.socket_dir(), copy(cause)))
            }
            _ => Ok(Answer::Busy),
        },
        _ => Err(error.into()),
    }
}

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

/// The password of Weir's role, which every cluster has.
pub(super) fn password(home: &Home) -> Result<String, ServerError> {
    secret::find(&home.password())?.ok_or_else(|| ServerError::PasswordMissing { path: home.password() })
}
