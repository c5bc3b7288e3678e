//! Times as the API tells them: ISO 8601 with milliseconds and `Z`.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serializer;

/// A time.
pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// A time, or null.
pub mod option {
    use super::{DateTime, Serializer, Utc};

    /// A time, or null.
    pub fn serialize<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }
}
