//! A credential as the API shows it: never its token.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::Value;
use store::CredentialRow;

use crate::moment;

/// So many days before its end a credential is warned of with every answer.
const SOON: i64 = sync::upkeep::WARNED[sync::upkeep::WARNED.len() - 1];

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
    /// Days until then; negative once it is over, null where it is not known.
    expires_in_days: Option<i64>,
    /// When Weir last rotated its token by itself.
    #[serde(serialize_with = "moment::option::serialize")]
    rotated_at: Option<DateTime<Utc>>,
    /// Since when Weir is rotating its token; it is not used meanwhile.
    #[serde(serialize_with = "moment::option::serialize")]
    rotation_began_at: Option<DateTime<Utc>>,
    /// Why its token could not be rotated the last time.
    rotation_error: Option<String>,
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
    pub(crate) fn new(row: CredentialRow, connector: &str, today: NaiveDate) -> Listed {
        Listed {
            expires_in_days: row.expiration_date.map(|it| (it - today).num_days()),
            rotated_at: row.rotated_at,
            rotation_began_at: row.rotation_began_at,
            rotation_error: row.rotation_error.clone(),
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
    pub(crate) fn new(row: CredentialRow, connector: &str, today: NaiveDate) -> Shown {
        Shown { deleted_at: row.deleted_at, listed: Listed::new(row, connector, today) }
    }
}

/// What should be known of credentials that die soon.
pub(crate) fn dying(rows: &[CredentialRow], today: NaiveDate) -> Vec<String> {
    let live = rows.iter().filter(|it| it.deleted_at.is_none() && it.disabled_at.is_none());
    let dying = live.filter_map(|it| {
        let day = it.expiration_date.filter(|day| (*day - today).num_days() <= SOON)?;
        Some(format!(
            "the token of credential {} ({}) dies on {day}; credentials.update takes a new one",
            it.id, it.label
        ))
    });
    dying.collect()
}
