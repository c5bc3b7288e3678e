//! Errors, named by what happens next.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::auth::CredentialId;
use crate::network::NetworkFailure;

/// Why a request brought nothing, in one sentence and by what happens next.
pub struct Error {
    /// What the caller should do.
    pub kind: ErrorKind,
    /// A sentence for the operator. Never holds a token.
    pub message: Box<str>,
    /// The status of the last answer, if there was one.
    pub status: Option<u16>,
    /// The template of the endpoint.
    pub endpoint: Option<Arc<str>>,
    /// The credential of the last attempt.
    pub credential: Option<CredentialId>,
    /// What went wrong on the way, where nothing came back.
    pub network: Option<NetworkFailure>,
    /// Whether GitLab says that it has no such endpoint for anything: its edition or version lacks the feature.
    pub unknown_endpoint: bool,
    /// GitLab's `X-Request-Id`, to look up in its logs.
    pub request_id: Option<Box<str>>,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What the caller should do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// No usable credential is left: replace the token.
    Unauthorized {
        /// What is wrong with it.
        reason: UnauthorizedReason,
    },
    /// The token is good but may not read this: skip it.
    Forbidden {
        /// Why not.
        reason: ForbiddenReason,
    },
    /// Not there, or not visible to this token. The two cannot be told apart.
    NotFound,
    /// GitLab asks to wait longer than the client's patience: come back then.
    RateLimited {
        /// When to come back.
        until: DateTime<Utc>,
    },
    /// The server or the way to it is down: try later. Nothing may be concluded about the data.
    Unavailable,
    /// The request is not allowed, by our allow-list or as GitLab understands it: repeating it will not help.
    Refused,
    /// What came back is not what GitLab sends: try later, keep what is known.
    Unreadable,
}

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnauthorizedReason {
    /// Its last day has passed.
    Expired,
    /// It was revoked or rotated.
    Revoked,
    /// GitLab does not know it.
    Unknown,
    /// It is an impersonation token and these are switched off.
    ImpersonationDisabled,
    /// Its owner requires demonstrated proof of possession, which Weir does not offer.
    ProofRequired,
    /// Its user is blocked, deactivated or must act first.
    UserBlocked,
    /// The client has no credential that fits the request.
    NoCredential,
}

/// Why a good token may not read something.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForbiddenReason {
    /// The token lacks a scope.
    InsufficientScope {
        /// The scopes of which one would do, separated by spaces.
        needed: Box<str>,
    },
    /// The user of the token is blocked, deactivated or has to accept terms first.
    Blocked,
    /// The feature is switched off for this project or not in the licence.
    FeatureOff,
    /// A job token may not read this endpoint.
    JobToken,
    /// Not GitLab but something before it (a proxy, a firewall, an address block) refused. Nothing may be
    /// concluded about the data.
    Foreign,
    /// GitLab gave no reason, or one this client does not know.
    Other,
}

impl ErrorKind {
    /// The kind as one word, for counters.
    pub fn name(&self) -> &'static str {
        match self {
            ErrorKind::Unauthorized { .. } => "unauthorized",
            ErrorKind::Forbidden { .. } => "forbidden",
            ErrorKind::NotFound => "not_found",
            ErrorKind::RateLimited { .. } => "rate_limited",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Refused => "refused",
            ErrorKind::Unreadable => "unreadable",
        }
    }
}

impl fmt::Display for UnauthorizedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UnauthorizedReason::Expired => "the token is expired",
            UnauthorizedReason::Revoked => "the token was revoked",
            UnauthorizedReason::Unknown => "GitLab does not know the token",
            UnauthorizedReason::ImpersonationDisabled => "impersonation tokens are switched off",
            UnauthorizedReason::ProofRequired => "the token's owner requires proof of possession (DPoP)",
            UnauthorizedReason::UserBlocked => "the token's user is blocked or has to act first",
            UnauthorizedReason::NoCredential => "there is no token for this request",
        })
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into().into_boxed_str(),
            status: None,
            endpoint: None,
            credential: None,
            network: None,
            unknown_endpoint: false,
            request_id: None,
            source: None,
        }
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Refused, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Some(endpoint) => write!(f, "{endpoint}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("status", &self.status)
            .field("endpoint", &self.endpoint)
            .field("credential", &self.credential)
            .field("network", &self.network)
            .field("unknown_endpoint", &self.unknown_endpoint)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
