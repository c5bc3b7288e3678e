//! The bodies: what GitLab shows of each kind of row.

pub mod ci;
pub mod commit;
pub mod group;
pub mod hook;
pub mod issue;
pub mod member;
pub mod merge_request;
pub mod note;
pub mod project;
pub mod user;

use std::fmt::{self, Display};

use serde::{Serialize, Serializer};

use crate::world::model::Time;

/// A time as REST shows it: milliseconds, cut off from the database's microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Millis(pub Time);

impl Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.timestamp_subsec_millis();
        write!(f, "{}.{millis:03}Z", self.0.format("%Y-%m-%dT%H:%M:%S"))
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
