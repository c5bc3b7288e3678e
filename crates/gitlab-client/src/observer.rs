//! Whoever wants to know what is asked of GitLab, and how it went.

use std::time::Duration;

use crate::auth::CredentialId;

/// Something that happened to a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'e> {
    /// It was answered with this status; 0 where no answer came.
    Answered {
        /// Whether it was a query of GraphQL.
        graphql: bool,
        /// The status.
        status: u16,
    },
    /// It failed and is sent again.
    Retried,
    /// It waited for a limit.
    Waited(Duration),
    /// GitLab told how many requests a credential has left in its window.
    Remaining(&'e CredentialId, u32),
    /// A credential sends nothing for so long, because GitLab asked for it.
    Paused(&'e CredentialId, Duration),
}

/// Is told what happens, at once and often: it may not wait.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn note(&self, event: Event<'_>);
}

/// Nobody wants to know.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn note(&self, _: Event<'_>) {}
}
