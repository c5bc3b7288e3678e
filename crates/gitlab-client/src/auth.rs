//! Tokens and the headers that carry them.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

/// How a token is presented to GitLab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Personal, group, project and service account tokens: `PRIVATE-TOKEN`.
    Private,
    /// OAuth tokens (the others are taken too): `Authorization: Bearer`.
    Bearer,
    /// The token of a running CI job: `JOB-TOKEN`.
    Job,
}

impl TokenKind {
    fn header(self) -> HeaderName {
        match self {
            TokenKind::Private => HeaderName::from_static("private-token"),
            TokenKind::Bearer => AUTHORIZATION,
            TokenKind::Job => HeaderName::from_static("job-token"),
        }
    }
}

/// What the owner of a credential calls it. Never the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialId(Arc<str>);

impl CredentialId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for CredentialId {
    fn from(text: &str) -> Self {
        CredentialId(text.into())
    }
}

impl From<String> for CredentialId {
    fn from(text: String) -> Self {
        CredentialId(text.into())
    }
}

impl From<i64> for CredentialId {
    fn from(number: i64) -> Self {
        CredentialId(number.to_string().into())
    }
}

/// A token with a name.
#[derive(Clone)]
pub struct Credential {
    /// What errors, logs and counters call it.
    pub id: CredentialId,
    /// What a person calls it.
    pub label: String,
    /// How it is presented.
    pub kind: TokenKind,
    /// The token.
    pub secret: SecretString,
}

impl Credential {
    /// A credential whose label is its id.
    pub fn new(id: impl Into<CredentialId>, kind: TokenKind, secret: impl Into<SecretString>) -> Self {
        let id = id.into();
        Credential { label: id.to_string(), id, kind, secret: secret.into() }
    }

    /// The header that authenticates a request. `None` if the token has characters no header can carry.
    pub(crate) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let token = self.secret.expose_secret().trim();
        let text = match self.kind {
            TokenKind::Bearer => format!("Bearer {token}"),
            TokenKind::Private | TokenKind::Job => token.to_owned(),
        };
        let mut value = HeaderValue::from_str(&text).ok().filter(|_| !token.is_empty())?;
        value.set_sensitive(true);
        Some((self.kind.header(), value))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("id", &self.id)
            .field("label", &self.label)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
