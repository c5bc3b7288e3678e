//! A credential as the API shows it: never its token.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::Value;
use store::CredentialRow;

use crate::moment;

/// A credential that was just made or changed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CredentialBrief)]
pub(crate) struct Brief {
    /// Its number.
    id: i64,
    /// The connector of its connection.
    r#type: String,
    /// What people call it.
    label: String,
    /// When it was added.
    #[serde(serialize_with = "moment::serialize")]
    created_at: DateTime<Utc>,
}

/// A credential in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CredentialListed)]
pub(crate) struct Listed {
    #[serde(flatten)]
    brief: Brief,
    /// How it is presented to GitLab.
    #[schema(value_type = Object)]
    settings: Value,
    /// When GitLab refused it; null while it works.
    #[serde(serialize_with = "moment::option::serialize")]
    disabled_at: Option<DateTime<Utc>>,
    /// Why it is not used any more.
    disabled_reason: Option<String>,
    /// The day on which it dies, as given or as GitLab told.
    expiration_date: Option<NaiveDate>,
    /// What it may do, where GitLab told.
    scopes: Option<Vec<String>>,
    /// When a sync last worked with it.
    #[serde(serialize_with = "moment::option::serialize")]
    last_used_at: Option<DateTime<Utc>>,
}

/// A credential with everything about it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Credential)]
pub(crate) struct Shown {
    #[serde(flatten)]
    listed: Listed,
    /// When it was deleted.
    #[serde(serialize_with = "moment::option::serialize")]
    deleted_at: Option<DateTime<Utc>>,
}

/// A credential that was just made or changed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CredentialMade)]
pub(crate) struct Made {
    pub(crate) credential: Brief,
}

impl Brief {
    pub(crate) fn new(row: CredentialRow, connector: &str) -> Brief {
        Brief { id: row.id, r#type: connector.to_owned(), label: row.label, created_at: row.created_at }
    }
}

impl Listed {
    pub(crate) fn new(row: CredentialRow, connector: &str) -> Listed {
        Listed {
            settings: row.settings.clone(),
            disabled_at: row.disabled_at,
            disabled_reason: row.disabled_reason.clone(),
            expiration_date: row.expiration_date,
            scopes: row.scopes.clone(),
            last_used_at: row.last_used_at,
            brief: Brief::new(row, connector),
        }
    }
}

impl Shown {
    pub(crate) fn new(row: CredentialRow, connector: &str) -> Shown {
        Shown { deleted_at: row.deleted_at, listed: Listed::new(row, connector) }
    }
}
