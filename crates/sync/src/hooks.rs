//! Webhooks in GitLab: which hooks lead to Weir, whether they are as Weir needs them, and making them so.
//!
//! This is the only part of Weir that changes anything in GitLab, with a client of its own: those that read have no rule
//! that would let them.

mod address;
mod check;
mod deliveries;
mod endpoints;
mod events;
mod explain;
mod findings;
mod gaps;
mod hook;
mod install;
mod places;
mod plan;
mod trial;
mod words;

pub use address::Address;
pub use check::{Asked, CheckedHook, CheckedPlace, Report, check};
pub use deliveries::{Deliveries, Failed};
pub use endpoints::allowed_endpoints;
pub use explain::{Gap, known_gaps};
pub use gaps::{GapCount, Gaps, gaps};
pub use install::{Done, Secrets, install};
pub use places::{Kind, Named, Place};
pub use plan::{Secret, Step, Wish};

use gitlab_client::{Client, ClientConfig};

use crate::Failure;
use crate::connection::{Network, Settings, Token, config, refused};

/// The same client, but one that may handle webhooks and read nothing else.
pub fn client(config: ClientConfig) -> Result<Client, Failure> {
    Client::new(ClientConfig { allowed: allowed_endpoints(), ..config }).map_err(refused)
}

/// Such a client for a stored connection.
pub fn client_of(settings: &Settings, tokens: &[Token], network: &Network) -> Result<Client, Failure> {
    client(config(settings, tokens, network))
}
