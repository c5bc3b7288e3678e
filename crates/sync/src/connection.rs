//! A connection as configured: from its settings and tokens to a client, to a verification, to the options of a run.
//!
//! The server names neither GitLab's client nor its errors: it comes here.

mod credential_settings;
mod observed;
mod settings;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use catalogue::Connector;
use chrono::NaiveDate;
use gitlab_client::{Client, ClientConfig, Clock, ConfigError, Credential, EndpointRule, Proxy, TokenKind};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::CredentialRow;

use crate::verify::{Verification, verify};
use crate::{Failure, Options, Scope, SharedGates, allowed_endpoints};

pub use credential_settings::CredentialSettings;
pub use observed::Observed;
pub use settings::{Bad, Settings};

/// Somebody is waiting for the verdict.
const ATTEMPTS: u32 = 2;
/// So long may a request of a verification take, and wait.
const VERDICT: Duration = Duration::from_secs(20);

/// So long may a request of what cannot wait take, and wait.
const HASTE: Duration = Duration::from_secs(30);

/// A token of a connection.
#[derive(Debug, Clone)]
pub struct Token {
    /// What errors, logs and counters call it.
    pub id: String,
    /// What a person calls it.
    pub label: String,
    /// How it is presented.
    pub kind: AuthKind,
    /// The token.
    pub secret: SecretString,
}

/// How a token is presented to GitLab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthKind {
    /// `PRIVATE-TOKEN`: personal, group, project and service account tokens.
    #[default]
    Private,
    /// `Authorization: Bearer`: OAuth tokens, and all others.
    Bearer,
}

impl From<AuthKind> for TokenKind {
    fn from(kind: AuthKind) -> TokenKind {
        match kind {
            AuthKind::Private => TokenKind::Private,
            AuthKind::Bearer => TokenKind::Bearer,
        }
    }
}

/// How this machine reaches every GitLab.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// The proxy to go through, instead of what the environment says. It may hold a password.
    pub proxy: Option<SecretString>,
    /// Whether what the environment says of proxies is not for GitLab.
    pub direct: bool,
    /// PEM file with certificates to trust beside the machine's own.
    pub ca_file: Option<PathBuf>,
    /// Whom GitLab's operators may write to.
    pub contact: Option<String>,
    /// Where rate limits are shared with other processes; none: this process keeps to them alone.
    pub gates: Option<Arc<SharedGates>>,
}

/// What a client of the connection is made from.
pub(crate) fn config(settings: &Settings, tokens: &[Token], network: &Network) -> ClientConfig {
    let mut config = ClientConfig::new(settings.base_url.clone());
    if let Some(contact) = &network.contact {
        config = config.contact(contact);
    }
    config.credentials = tokens.iter().map(Token::credential).collect();
    config.allowed = allowed_endpoints();
    config.concurrency = settings.concurrency;
    config.ca_file.clone_from(&network.ca_file);
    if let Some(gates) = &network.gates {
        config.gate_store = gates.clone();
    }
    match &network.proxy {
        Some(proxy) => config.proxy = Proxy::Url(proxy.clone()),
        None if network.direct => config.proxy = Proxy::Direct,
        None => {}
    }
    config
}

impl Token {
    /// The token of a credential in the database.
    pub fn stored(row: &CredentialRow, secret: SecretString) -> Token {
        let kind = CredentialSettings::of(row).auth_kind;
        Token { id: row.id.to_string(), label: row.label.clone(), kind, secret }
    }

    fn credential(&self) -> Credential {
        let mut credential = Credential::new(self.id.clone(), self.kind.into(), self.secret.clone());
        credential.label.clone_from(&self.label);
        credential
    }
}

/// A client for runs of the connection, which tells what it does.
pub fn client(
    settings: &Settings,
    tokens: &[Token],
    network: &Network,
    observed: Observed,
) -> Result<Client, Failure> {
    let mut config = config(settings, tokens, network);
    config.observer = Arc::new(observed);
    Client::new(config).map_err(refused)
}

/// The same for what cannot wait: rather than for a limit or an absence, it comes again later.
pub(crate) fn hasty_client(
    settings: &Settings,
    tokens: &[Token],
    network: &Network,
    observed: Observed,
) -> Result<Client, Failure> {
    let mut config = config(settings, tokens, network);
    config.observer = Arc::new(observed);
    config.timeout = HASTE;
    config.retry.attempts = ATTEMPTS;
    config.retry.max = Duration::from_secs(2);
    config.wait.patience = HASTE;
    Client::new(config).map_err(refused)
}

/// Says whose the tokens of a client are, as far as it is known: tokens of one user share one rate limit.
pub(crate) fn belong(client: &Client, users: &[(i64, i64)]) {
    let users = users.iter().map(|(credential, user)| ((*credential).into(), *user));
    client.belongs(&users.collect::<Vec<_>>());
}

/// A client that asks one token about itself, and may rotate it.
pub(crate) fn upkeep_client(
    settings: &Settings,
    token: &Token,
    network: &Network,
) -> Result<Client, Failure> {
    let mut config = config(settings, std::slice::from_ref(token), network);
    config.allowed.push(EndpointRule::post("personal_access_tokens/self/rotate"));
    config.timeout = HASTE;
    config.retry.attempts = ATTEMPTS;
    config.wait.patience = VERDICT;
    Client::new(config).map_err(refused)
}

/// Whether a token reaches what the connector reads.
pub async fn verify_token(
    settings: &Settings,
    connector: Connector,
    token: &Token,
    network: &Network,
    today: NaiveDate,
) -> Verification {
    let mut config = config(settings, std::slice::from_ref(token), network);
    config.timeout = VERDICT;
    config.retry.attempts = ATTEMPTS;
    config.wait.patience = VERDICT;
    match Client::new(config) {
        Ok(client) => verify(&client, &[connector], today).await,
        Err(error) => Verification::impossible(&settings.base_url, refused(error)),
    }
}

/// A configuration that cannot be used.
pub(crate) fn refused(error: ConfigError) -> Failure {
    match error {
        ConfigError::Token(_) => Failure::new(
            "invalid_credentials",
            "malformed_token",
            "The token is empty or has characters in it that no token has. Copy it again.",
        ),
        other => Failure::new("failed", "client", format!("GitLab cannot be asked: {other}.")),
    }
}

/// The options of a run of the connection.
pub fn options(settings: &Settings, connector: Connector, clock: Arc<dyn Clock>) -> Options {
    let mut options = Options::new(vec![connector], clock);
    options.scope = Scope {
        groups: settings.groups.clone(),
        projects: settings.projects.clone(),
        exclude: settings.exclude(),
        since: settings.since.and_then(|it| it.and_hms_opt(0, 0, 0)).map(|it| it.and_utc()),
        full: false,
    };
    options.keep_bodies = settings.keep_bodies;
    options.approval_rules = settings.approval_rules;
    options.deployment_merge_requests = settings.deployment_merge_requests;
    options.commit_statistics = settings.commit_statistics;
    options.issues = settings.issues;
    options.all_users = settings.all_users;
    options.rest_only = settings.rest_only;
    options.workers = settings.concurrency + settings.concurrency.div_ceil(2);
    options
}
