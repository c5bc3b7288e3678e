//! How GitLab is read: discovery, partitions and cursors, what to do about errors, and verification of credentials.
//!
//! The crate joins the catalogue (what is read), the client (how GitLab is asked) and the store (where it goes).

mod approval_rules;
mod budget;
mod capabilities;
mod commits;
mod conditional;
pub mod connection;
mod deployments;
mod details;
mod discovery;
mod ending;
mod endpoints;
mod engine;
mod estimate;
mod fetch;
mod gates;
pub mod hooks;
pub mod inbox;
mod issues;
mod listing;
mod merge_requests;
mod open_set;
mod outage;
mod outcome;
mod pending;
mod pipelines;
mod plan;
mod policy;
mod progress;
mod proof;
mod refresh;
mod refusals;
mod resource_states;
mod run;
mod scope;
mod sight;
mod standing;
mod sweep;
mod tally;
pub mod tasks;
mod trunk;
mod users;
pub mod verify;
mod work;

pub use endpoints::allowed_endpoints;
pub use engine::{DATABASE_PATIENCE, Options, PATIENCE, Stop};
pub use estimate::{Estimate, dry_run};
/// Time is handed in, to the server too.
pub use gates::SharedGates;
pub use gitlab_client::{Clock, SystemClock};
pub use outcome::{Failure, Outcome, TableCounts};
pub use progress::Progress;
pub use proof::prove;
pub use refresh::{Change, Part, Target, refresh};
pub use run::run;
pub use scope::{Exclude, Scope, ScopeError};
