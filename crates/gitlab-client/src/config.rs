//! What a client is made from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::allow::EndpointRule;
use crate::auth::{Credential, CredentialId};
use crate::base_url::BaseUrl;
use crate::clock::{Clock, SystemClock};
use crate::gate_store::{GateStore, MemoryGateStore};
use crate::observer::{Observer, Unobserved};
use crate::retry::RetryPolicy;

/// What a client is made from. [`ClientConfig::new`] fills in everything but credentials and endpoints.
#[derive(Clone)]
pub struct ClientConfig {
    /// The server.
    pub base_url: BaseUrl,
    /// The tokens requests are spread over.
    pub credentials: Vec<Credential>,
    /// How many requests may be under way at once. Fewer are, where the server slows down.
    pub concurrency: usize,
    /// How the client introduces itself.
    pub user_agent: String,
    /// The way out.
    pub proxy: Proxy,
    /// A PEM file with certificates of authorities to trust beside the machine's own.
    pub ca_file: Option<PathBuf>,
    /// Headers sent with every request. Their values count as secret.
    pub headers: Vec<(String, String)>,
    /// How long one attempt may take, body included.
    pub timeout: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// When a failed request is tried again.
    pub retry: RetryPolicy,
    /// How limits and blocks are waited out.
    pub wait: WaitPolicy,
    /// The largest body that is read.
    pub body_limit: usize,
    /// What may be asked. Everything else is refused before it is sent.
    pub allowed: Vec<EndpointRule>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Where budgets are shared with other clients.
    pub gate_store: Arc<dyn GateStore>,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
}

impl ClientConfig {
    /// A configuration with defaults, without credentials and without endpoints.
    pub fn new(base_url: BaseUrl) -> Self {
        ClientConfig {
            base_url,
            credentials: Vec::new(),
            concurrency: 16,
            user_agent: user_agent(None),
            proxy: Proxy::FromEnvironment,
            ca_file: None,
            headers: Vec::new(),
            timeout: Duration::from_secs(90),
            connect_timeout: Duration::from_secs(10),
            retry: RetryPolicy::default(),
            wait: WaitPolicy::default(),
            body_limit: 64 * 1024 * 1024,
            allowed: Vec::new(),
            clock: Arc::new(SystemClock),
            gate_store: Arc::new(MemoryGateStore::default()),
            observer: Arc::new(Unobserved),
        }
    }

    /// Adds an address (of mail or web) to the user agent, for the people who run the server.
    pub fn contact(mut self, contact: &str) -> Self {
        self.user_agent = user_agent(Some(contact));
        self
    }
}

fn user_agent(contact: Option<&str>) -> String {
    let name = concat!("weir/", env!("CARGO_PKG_VERSION"));
    contact.map_or_else(|| name.to_owned(), |contact| format!("{name} (+{contact})"))
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("ClientConfig")
            .field("base_url", &self.base_url)
            .field("credentials", &self.credentials)
            .field("concurrency", &self.concurrency)
            .field("user_agent", &self.user_agent)
            .field("proxy", &self.proxy)
            .field("ca_file", &self.ca_file)
            .field("headers", &headers)
            .field("retry", &self.retry)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// The way out.
#[derive(Debug, Clone, Default)]
pub enum Proxy {
    /// As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    FromEnvironment,
    /// No proxy, whatever the environment says.
    Direct,
    /// This one, except for the hosts in `NO_PROXY`. It may hold a password.
    Url(SecretString),
}

/// How limits and blocks are waited out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitPolicy {
    /// The first wait after a 429 that does not say how long; it doubles from there.
    pub limit_base: Duration,
    /// The longest such wait.
    pub limit_max: Duration,
    /// After so many 403 in a row that are not GitLab's, the address counts as blocked.
    pub block_after: u32,
    /// The first pause when the address is blocked; it doubles from there.
    pub block_base: Duration,
    /// The longest such pause.
    pub block_max: Duration,
    /// How long one request may wait in all before the caller is told.
    pub patience: Duration,
}

impl Default for WaitPolicy {
    fn default() -> Self {
        WaitPolicy {
            limit_base: Duration::from_secs(1),
            limit_max: Duration::from_secs(60),
            block_after: 5,
            block_base: Duration::from_secs(60),
            block_max: Duration::from_secs(15 * 60),
            patience: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// Why no client can be made from a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The token cannot be sent.
    #[error("credential {0}: the token is empty or has characters in it that no token has; copy it again")]
    Token(CredentialId),
    /// Two credentials of one name.
    #[error("credential {0} is given twice; each needs a name of its own")]
    DuplicateCredential(CredentialId),
    /// Nothing could ever be sent.
    #[error("the concurrency is 0; give at least 1")]
    Concurrency,
    /// An extra header cannot be sent.
    #[error("the header {0:?} cannot be sent; check its name and value")]
    Header(String),
    /// The user agent cannot be sent.
    #[error("the user agent has characters in it that no header can carry")]
    UserAgent,
    /// The proxy's address cannot be used.
    #[error("the address of the proxy cannot be used; give it as http://host:port")]
    Proxy,
    /// The file with certificates cannot be read.
    #[error("the certificates in {path} cannot be read: {reason}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS cannot be set up.
    #[error(
        "TLS cannot be set up ({0}); install the certificates of your system (ca-certificates) or use --ca-file"
    )]
    Tls(String),
}
