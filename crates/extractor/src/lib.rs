//! How an extractor reaches the Weir outside its network: it calls out, over HTTPS and through a proxy, and nothing calls in.
//!
//! Nothing is kept on disk: how far a GitLab is read, the Weir outside knows.

mod answer;
mod clock;
mod connect;
mod course;
mod outside;
mod route;

pub use clock::Aligned;
pub use connect::{Connected, Wanted, check, connect};
pub use outside::Outside;
pub use route::{Route, RouteError};

/// Why the Weir outside will not work with this extractor: waiting does not help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// One word.
    pub code: String,
    /// A sentence: what is wrong, and what to do.
    pub message: String,
}
