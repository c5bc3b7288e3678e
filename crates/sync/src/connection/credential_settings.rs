//! What is not secret about a credential, as the API takes it.

use serde::{Deserialize, Serialize};
use store::CredentialRow;

use super::AuthKind;

/// What is not secret about a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CredentialSettings {
    /// private (the usual) or bearer.
    pub auth_kind: AuthKind,
    /// Whether Weir rotates the token by itself before it dies.
    pub rotate: bool,
    /// So many days before.
    pub rotate_days: u16,
}

impl Default for CredentialSettings {
    fn default() -> CredentialSettings {
        CredentialSettings { auth_kind: AuthKind::default(), rotate: false, rotate_days: 7 }
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
