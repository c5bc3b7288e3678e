//! Talks to GitLab: authentication, a pool of credentials, rate gates, paging, GraphQL and errors
//! named by what happens next. Knows no database and no table.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use gitlab_client::{BaseUrl, Client, ClientConfig, Credential, EndpointRule, Request, TokenKind};
//!
//! let mut config = ClientConfig::new(BaseUrl::parse("gitlab.example.com")?);
//! config.credentials.push(Credential::new("main", TokenKind::Private, "glpat-..."));
//! config.allowed.push(EndpointRule::get("projects/{id}/merge_requests"));
//! let client = Client::new(config)?;
//!
//! let mut page = client.get(&Request::new("projects/{id}/merge_requests").value(7)).await?;
//! while let Some(next) = page.next.take() {
//!     page = client.get_next(&next).await?;
//! }
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

mod allow;
mod answer;
mod auth;
mod base_url;
mod blockade;
mod body;
mod budget;
mod call;
mod client;
mod clock;
mod config;
mod course;
mod error;
mod exchange;
mod gate;
mod gate_store;
mod graphql;
mod limits;
mod network;
mod observer;
mod pace;
mod paging;
mod pool;
mod quota;
mod redact;
mod redirect;
mod refusal;
mod request;
mod retry;
mod seal;
mod slot;
mod status;
pub mod tokens;
mod transport;
mod turn;
mod usage;
mod users;

pub use allow::{EndpointRule, Method};
pub use answer::{Answer, GraphqlAnswer, GraphqlError};
pub use auth::{Credential, CredentialId, TokenKind};
pub use base_url::{BadUrl, BaseUrl, Hint};
pub use budget::Budget;
pub use client::Client;
pub use clock::{Clock, SystemClock};
pub use config::{ClientConfig, ConfigError, Proxy, WaitPolicy};
pub use error::{Error, ErrorKind, ForbiddenReason, UnauthorizedReason};
pub use gate_store::{Ask, GateKey, GateStore, Lease, MemoryGateStore, Seen};
pub use network::NetworkFailure;
pub use observer::{Event, Observer, Unobserved};
pub use paging::Next;
pub use request::Request;
pub use retry::RetryPolicy;
pub use slot::CredentialState;
pub use usage::{CredentialUsage, Usage};
