//! GraphQL's global ids: `gid://gitlab/DiffNote/2559908669`.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A global id with a number: the kind of object and GitLab's id of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gid {
    /// `DiffNote` in the example above.
    pub kind: String,
    /// 2559908669 in the example above.
    pub id: i64,
}

impl<'de> Deserialize<'de> for Gid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Gid, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let parsed =
            split(&text).and_then(|(kind, id)| Some(Gid { kind: kind.to_owned(), id: id.parse().ok()? }));
        parsed.ok_or_else(|| D::Error::custom(format!("{text:?} is not a global id with a number")))
    }
}

/// Kind and last part of a global id, where the last part need not be a number (discussions).
pub(crate) fn split(gid: &str) -> Option<(&str, &str)> {
    gid.strip_prefix("gid://gitlab/")?.rsplit_once('/')
}

/// `gid://gitlab/Project/7`.
pub fn gid(kind: &str, id: i64) -> String {
    format!("gid://gitlab/{kind}/{id}")
}

/// An object of which only the id is read.
#[derive(Debug, Deserialize)]
pub(crate) struct Only {
    pub(crate) id: Gid,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_global_id_gives_its_kind_and_number() {
        let gid: Gid = serde_json::from_str("\"gid://gitlab/DiffNote/2559908669\"").unwrap();
        assert_eq!((gid.kind.as_str(), gid.id), ("DiffNote", 2_559_908_669));
    }

    #[test]
    fn what_is_no_global_id_is_an_error() {
        assert!(serde_json::from_str::<Gid>("\"gid://gitlab/Note/x\"").is_err());
        assert!(serde_json::from_str::<Gid>("\"7\"").is_err());
    }
}
