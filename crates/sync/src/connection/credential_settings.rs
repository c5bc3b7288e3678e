//! What is not secret about a credential, as the API takes it.

use serde::{Deserialize, Serialize};
use store::CredentialRow;

use super::AuthKind;

/// So many days before its end a token is rotated, unless told otherwise.
const DAYS: u16 = 7;

/// What is not secret about a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CredentialSettings {
    /// private (the usual) or bearer.
    pub auth_kind: AuthKind,
    /// Whether Weir rotates the token by itself before it dies.
    #[serde(skip_serializing_if = "is_off")]
    pub rotate: bool,
    /// So many days before.
    #[serde(skip_serializing_if = "is_usual")]
    pub rotate_days: u16,
}

impl Default for CredentialSettings {
    fn default() -> CredentialSettings {
        CredentialSettings { auth_kind: AuthKind::default(), rotate: false, rotate_days: DAYS }
    }
}

impl CredentialSettings {
    /// The farthest ahead of its end that a token may be rotated.
    pub const LONGEST_AHEAD: u16 = 90;

    /// Those of a stored credential; what cannot be read is as usual.
    pub fn of(row: &CredentialRow) -> CredentialSettings {
        CredentialSettings::deserialize(&row.settings).unwrap_or_default()
    }

    /// What is wrong with them.
    pub fn check(&self) -> Result<(), String> {
        match (1..=Self::LONGEST_AHEAD).contains(&self.rotate_days) {
            true => Ok(()),
            false => Err(format!("it is not between 1 and {}", Self::LONGEST_AHEAD)),
        }
    }
}

/// What is as usual is not shown: clients that know only `auth_kind` see nothing else.
fn is_off(rotate: &bool) -> bool {
    !rotate
}

fn is_usual(days: &u16) -> bool {
    *days == DAYS
}
