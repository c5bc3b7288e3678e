//! The client.

use std::sync::Arc;

use reqwest::header::ETAG;
use serde_json::Value;

use crate::allow::{AllowList, Method};
use crate::answer::{Answer, GraphqlAnswer};
use crate::auth::CredentialId;
use crate::base_url::BaseUrl;
use crate::call::Call;
use crate::clock::Clock;
use crate::config::{ClientConfig, ConfigError, WaitPolicy};
use crate::course::Outcome;
use crate::error::{Error, ErrorKind};
use crate::gate_store::GateStore;
use crate::graphql;
use crate::observer::Observer;
use crate::pace::Pace;
use crate::paging::Next;
use crate::pool::Pool;
use crate::redact::Redactor;
use crate::request::Request;
use crate::retry::RetryPolicy;
use crate::seal::Sealer;
use crate::slot::CredentialState;
use crate::transport;
use crate::usage::{Counters, Usage};

/// Reads from one GitLab server. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    attempts: Option<u32>,
    credential: Option<CredentialId>,
}

pub(crate) struct Inner {
    pub(crate) base: BaseUrl,
    /// The base URL, as the gate store knows it.
    pub(crate) instance: Arc<str>,
    /// The server's name, for sentences.
    pub(crate) host: String,
    pub(crate) allowed: AllowList,
    pub(crate) http: reqwest::Client,
    pub(crate) pool: Arc<Pool>,
    pub(crate) pace: Pace,
    pub(crate) counters: Counters,
    pub(crate) redactor: Redactor,
    sealer: Sealer,
    pub(crate) retry: RetryPolicy,
    pub(crate) wait: WaitPolicy,
    pub(crate) body_limit: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) gate_store: Arc<dyn GateStore>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) leasing: tokio::sync::Mutex<()>,
    /// What the gate store tells this client from others by.
    pub(crate) holder: u64,
}

impl Client {
    /// Makes a client. Nothing is sent yet.
    pub fn new(config: ClientConfig) -> Result<Client, ConfigError> {
        if config.concurrency == 0 {
            return Err(ConfigError::Concurrency);
        }
        let http = transport::build(&config)?;
        let redactor = Redactor::new(&config.credentials);
        let sealer = Sealer::new(&config.credentials);
        let inner = Arc::new(Inner {
            host: host(&config.base_url),
            instance: config.base_url.as_str().into(),
            base: config.base_url,
            allowed: AllowList::new(config.allowed),
            http,
            pool: Arc::new(Pool::new(config.credentials, config.wait)?),
            pace: Pace::new(config.concurrency),
            counters: Counters::default(),
            redactor,
            sealer,
            retry: config.retry,
            wait: config.wait,
            body_limit: config.body_limit,
            clock: config.clock,
            gate_store: config.gate_store,
            observer: config.observer,
            leasing: tokio::sync::Mutex::new(()),
            holder: rand::random(),
        });
        Ok(Client { inner, attempts: None, credential: None })
    }

    /// The same client, except that a failed request is sent so many times at most. For queries that may be
    /// too large for the server: better to ask for less than to ask again.
    pub fn with_attempts(&self, attempts: u32) -> Client {
        Client { attempts: Some(attempts), ..self.clone() }
    }

    /// The same client, except that it uses this credential and no other.
    pub fn with_credential(&self, id: impl Into<CredentialId>) -> Client {
        Client { credential: Some(id.into()), ..self.clone() }
    }

    /// The same client, using whichever credential may be used.
    pub fn with_any_credential(&self) -> Client {
        Client { credential: None, ..self.clone() }
    }

    /// For each user whose tokens it has a client with one of them; this one alone where it uses one already.
    pub fn of_each_user(&self) -> Vec<Client> {
        match self.inner.pool.of_each_user() {
            users if self.credential.is_none() && users.len() > 1 => {
                users.into_iter().map(|id| self.with_credential(id)).collect()
            }
            _ => vec![self.clone()],
        }
    }

    /// The same client with the token of a user to whom none of these credentials belongs. None where there is no other,
    /// and where it uses one credential alone.
    pub fn of_another_user(&self, tried: &[CredentialId]) -> Option<Client> {
        let other = self.inner.pool.of_another_user(tried).filter(|_| self.credential.is_none());
        other.map(|id| self.with_credential(id))
    }

    /// Reads an endpoint.
    pub async fn get(&self, request: &Request) -> Result<Answer, Error> {
        let call = Call::read(request, &self.inner.base, &self.inner.allowed)?;
        self.answer(call).await
    }

    /// Reads the next page of a list.
    pub async fn get_next(&self, next: &Next) -> Result<Answer, Error> {
        self.answer(Call::next(next)?).await
    }

    /// Makes something. Refused unless the client has a rule for it; sent once, whatever becomes of it.
    pub async fn post(&self, request: &Request, body: &Value) -> Result<Answer, Error> {
        self.answer(Call::write(Method::Post, request, body, &self.inner.base, &self.inner.allowed)?).await
    }

    /// Changes something. Refused unless the client has a rule for it; sent once, whatever becomes of it.
    pub async fn put(&self, request: &Request, body: &Value) -> Result<Answer, Error> {
        self.answer(Call::write(Method::Put, request, body, &self.inner.base, &self.inner.allowed)?).await
    }

    /// Sends a GraphQL query. Documents that change something are refused.
    pub async fn graphql(&self, query: &str, variables: &Value) -> Result<GraphqlAnswer, Error> {
        let mut call = Call::query(query, variables, &self.inner.base, &self.inner.allowed)?;
        let Outcome { received, limits, credential, .. } = self.run(&mut call).await?;
        let outline = graphql::outline(&received.body).ok_or_else(|| no_outline(received.status, &call))?;
        Ok(GraphqlAnswer {
            status: received.status,
            body: received.body,
            has_data: outline.has_data,
            errors: outline.errors,
            sent_at: received.sent_at,
            date: limits.date,
            credential,
        })
    }

    /// For each credential a digest of its token and this text: it names what that token was told, and does not tell
    /// the token.
    pub fn seals(&self, text: &str) -> Vec<(CredentialId, String)> {
        self.inner.sealer.seals(text)
    }

    /// What was done so far.
    pub fn usage(&self) -> Usage {
        self.inner.counters.usage(self.inner.pool.usage())
    }

    /// How the credentials stand.
    pub fn credentials(&self) -> Vec<CredentialState> {
        self.inner.pool.states(tokio::time::Instant::now(), self.inner.clock.now())
    }

    /// How many requests may be under way at once now.
    pub fn concurrency(&self) -> usize {
        self.inner.pace.limit()
    }

    /// The server.
    pub fn base_url(&self) -> &BaseUrl {
        &self.inner.base
    }

    async fn run(&self, call: &mut Call) -> Result<Outcome, Error> {
        let attempts = self.attempts.unwrap_or(self.inner.retry.attempts);
        call.attempts = if call.writes() { 1 } else { attempts };
        call.credential = call.credential.take().or_else(|| self.credential.clone());
        self.inner.run(call).await
    }

    async fn answer(&self, mut call: Call) -> Result<Answer, Error> {
        let outcome = self.run(&mut call).await?;
        let (received, header) =
            (&outcome.received, |name: &str| outcome.received.headers.get(name)?.to_str().ok());
        let next = Next::find(&received.headers, &call.url, &self.inner.base, &self.inner.allowed);
        let etag = header(ETAG.as_str()).map(str::to_owned);
        let total = header("x-total").and_then(|it| it.parse().ok());
        Ok(Answer {
            status: received.status,
            next: next.map(|next| Next { credential: call.credential, ..next }),
            etag,
            not_modified: received.status == 304,
            total,
            sent_at: received.sent_at,
            date: outcome.limits.date,
            final_url: outcome.moved.then_some(call.url),
            body: outcome.received.body,
            credential: outcome.credential,
        })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base_url", &self.inner.base).finish_non_exhaustive()
    }
}

fn host(base: &BaseUrl) -> String {
    base.as_str().split_once("://").map_or(base.as_str(), |(_, rest)| rest).to_owned()
}

fn no_outline(status: u16, call: &Call) -> Error {
    let error =
        Error::new(ErrorKind::Unreadable, "the answer has neither data nor errors, so it is not GraphQL's.");
    Error { status: Some(status), endpoint: Some(call.endpoint.clone()), ..error }
}
