//! What can go wrong with the database, with a sentence for the person at the terminal.

use sqlx::postgres::{PgDatabaseError, PgErrorPosition, PgSeverity};

use crate::vault::VaultError;

/// A failure of the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is not one of PostgreSQL.
    #[error(
        "The database address cannot be understood ({0}). It looks like postgresql://user:password@host:5432/database."
    )]
    Address(String),
    /// A process stays with its database.
    #[error(
        "The address names another server or database than the one in use. Restart Weir to change to it."
    )]
    OtherDatabase,
    /// Nobody answers there, or it refuses us.
    #[error(
        "The database could not be reached: {0}. Check the address given by --database-url or DATABASE_URL."
    )]
    Connect(String),
    /// A newer Weir has been here.
    #[error(
        "This database was made by a newer version of Weir (its schema has step {0}, which this version does not know). \
         Use that version or a newer one; nothing was changed."
    )]
    NewerSchema(i64),
    /// The schema could not be brought up to date.
    #[error("The database's schema could not be brought up to date: {0}")]
    Migrate(String),
    /// Another process holds the lease now.
    #[error("Another process has taken over this part of the work.")]
    LeaseLost,
    /// Another process has moved or forgotten the cursor since it was read.
    #[error("Another process has read this list, or has it read again, meanwhile.")]
    CursorMoved,
    /// Rows were written faster than they could be looked through.
    #[error("{0} is written faster than a person can be erased from it. Ask for the erasure again.")]
    Restless(String),
    /// A secret could not be opened.
    #[error("{0}.")]
    Vault(VaultError),
    /// The Weir that has the database cannot be reached now.
    #[error("The Weir outside cannot be reached: {0}")]
    Away(String),
    /// It refuses what it was asked.
    #[error("The Weir outside refused: {0}")]
    Refused(String),
    /// What was sent or answered cannot be understood.
    #[error(
        "What was exchanged with the other Weir cannot be understood: {0}. Use the same version for both."
    )]
    Unreadable(String),
    /// Any other failure of a statement.
    #[error("The database answered: {0}")]
    Query(#[from] sqlx::Error),
}

/// PostgreSQL's own words about a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// How bad it is, and what.
    pub message: String,
    /// Its code, such as `42P01`.
    pub code: String,
    /// More about it.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// The letter of the statement it is about, from 1.
    pub position: Option<usize>,
}

fn severity(severity: PgSeverity) -> &'static str {
    match severity {
        PgSeverity::Panic => "PANIC",
        PgSeverity::Fatal => "FATAL",
        _ => "ERROR",
    }
}

impl StoreError {
    pub(crate) fn address(error: sqlx::Error) -> StoreError {
        StoreError::Address(plain(&error))
    }

    pub(crate) fn connect(error: sqlx::Error) -> StoreError {
        StoreError::Connect(plain(&error))
    }

    pub(crate) fn unreadable(error: serde_json::Error) -> StoreError {
        StoreError::Unreadable(error.to_string())
    }

    pub(crate) fn migrate(error: sqlx::migrate::MigrateError) -> StoreError {
        match error {
            sqlx::migrate::MigrateError::VersionMissing(version) => StoreError::NewerSchema(version),
            other => StoreError::Migrate(other.to_string()),
        }
    }

    /// Whether trying the same transaction again may succeed: a deadlock or a serialisation failure.
    pub(crate) fn is_transient(&self) -> bool {
        let StoreError::Query(sqlx::Error::Database(error)) = self else { return false };
        matches!(error.code().as_deref(), Some("40P01" | "40001"))
    }

    /// Whether the server answers but does not let us in: the password or the role was changed.
    pub fn is_refusal(&self) -> bool {
        let StoreError::Query(sqlx::Error::Database(error)) = self else { return false };
        error.code().is_some_and(|it| it.starts_with("28"))
    }

    /// Whether the database itself is gone for the moment: restarted, out of connections, or not letting us in.
    pub fn is_outage(&self) -> bool {
        match self {
            StoreError::Connect(_) | StoreError::Away(_) => true,
            StoreError::Query(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Protocol(_)) => {
                true
            }
            StoreError::Query(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|it| ["57P", "08", "28"].iter().any(|class| it.starts_with(class)))
            }
            _ => false,
        }
    }

    /// What PostgreSQL itself complains of, if it is the one that failed.
    pub fn complaint(&self) -> Option<Complaint> {
        let StoreError::Query(sqlx::Error::Database(error)) = self else { return None };
        let error = error.try_downcast_ref::<PgDatabaseError>()?;
        let position = match error.position() {
            Some(PgErrorPosition::Original(position)) => Some(position),
            _ => None,
        };
        Some(Complaint {
            message: format!("{}: {}", severity(error.severity()), error.message()),
            code: error.code().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
            position,
        })
    }

    /// Whether the disk is full.
    pub fn is_disk_full(&self) -> bool {
        let StoreError::Query(sqlx::Error::Database(error)) = self else { return false };
        error.code().as_deref() == Some("53100")
    }
}

/// The error without the prefix that sqlx puts before the server's own words.
fn plain(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(it) => it.message().to_owned(),
        sqlx::Error::Io(it) => it.to_string(),
        other => other.to_string(),
    }
}
