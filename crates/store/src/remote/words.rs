//! Words that are fixed in the program, read back from text.

use catalogue::{List, RESOURCES};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A word that is fixed in the program. Named, because a plain reference would be read by borrowing it.
pub(crate) type Word = &'static str;

/// How something ended.
pub(crate) fn state<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    one_of(deserializer, ["complete", "stopped", "failed"].into_iter())
}

/// A way to read.
pub(crate) fn reader<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    one_of(deserializer, ["graphql", "rest"].into_iter())
}

/// A kind of thing that a webhook names.
pub(crate) fn hint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    one_of(deserializer, ["merge_request", "issue", "pipeline"].into_iter())
}

/// The name of a resource, or of a list that is read on its own.
pub(crate) fn resource<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    let lists = List::ALL.into_iter().map(List::name);
    one_of(deserializer, RESOURCES.iter().map(|it| it.name).chain(lists))
}

fn one_of<'de, D: Deserializer<'de>>(
    deserializer: D,
    mut known: impl Iterator<Item = &'static str>,
) -> Result<&'static str, D::Error> {
    let word = String::deserialize(deserializer)?;
    known.find(|it| *it == word).ok_or_else(|| D::Error::custom("an unknown word"))
}
