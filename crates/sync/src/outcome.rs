//! How a run ended, in the shape that `weir sync --json` prints.

use std::collections::BTreeMap;

use gitlab_client::Usage;
use serde::{Serialize, Serializer};
use store::Skip;

/// How a run ended.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    /// Whether everything asked for was read, skips apart.
    pub ok: bool,
    /// Why not.
    pub error: Option<Failure>,
    /// The connectors that ran.
    pub connectors: Vec<String>,
    /// Rows by table.
    pub resources: BTreeMap<String, TableCounts>,
    /// What was not read, with the reason.
    #[serde(serialize_with = "told")]
    pub skips: Vec<Skip>,
    /// Requests sent.
    pub requests: u64,
    /// Bytes of answers read.
    pub bytes: u64,
    /// Answers that said the content is as it was, and did not send it again.
    pub not_modified: u64,
    /// Seconds spent waiting because GitLab said so, summed over all requests.
    pub waited_seconds: f64,
    /// Seconds from start to end.
    pub duration_seconds: f64,
}

impl Outcome {
    /// Notes what the client has asked for so far.
    pub(crate) fn count(&mut self, usage: &Usage) {
        self.requests = usage.requests;
        self.bytes = usage.bytes;
        self.not_modified = usage.not_modified;
        self.waited_seconds = usage.waited.as_secs_f64();
    }
}

/// What happened to the rows of one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TableCounts {
    /// Rows that GitLab sent.
    pub read: u64,
    /// Rows that changed in the database.
    pub written: u64,
    /// Rows read and found equal, and rows of listings that GitLab said are as they were.
    pub unchanged: u64,
    /// Elements that could not be understood.
    pub rejected: u64,
}

/// Why a run or a verification failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// invalid_credentials, invalid_permissions, no_resources, stopped or failed.
    pub code: &'static str,
    /// A finer word: expired, revoked, scope_missing, not_gitlab, unreachable, tls, ...
    pub reason: String,
    /// A sentence that says what to do.
    pub message: String,
    /// The command to try by hand, with a placeholder for the token.
    pub curl: Option<String>,
}

impl Failure {
    /// A failure without a command to try.
    pub fn new(code: &'static str, reason: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure { code, reason: reason.into(), message: message.into(), curl: None }
    }

    /// The exit code of a command that ends with this.
    pub fn exit_code(&self) -> u8 {
        match self.code {
            "usage" => 2,
            "invalid_credentials" => 3,
            "invalid_permissions" => 4,
            "no_resources" => 5,
            "stopped" => 6,
            _ => 1,
        }
    }
}

/// Skips as people are told of them: Weir's own ids are for the database.
fn told<S: Serializer>(skips: &[Skip], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Told<'s> {
        connector: &'s str,
        resource: &'s str,
        parent: &'s str,
        reason: &'s str,
        detail: &'s str,
    }
    serializer.collect_seq(skips.iter().map(|it| Told {
        connector: &it.connector,
        resource: &it.resource,
        parent: &it.parent,
        reason: &it.reason,
        detail: &it.detail,
    }))
}
