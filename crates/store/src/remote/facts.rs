//! Kinds of things by their names: their tables and columns stay in this crate.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::counting::{CHILD_PIPELINES, Counted, DEPLOYMENTS, ISSUES, PIPELINES};
use crate::gone::{DEPLOYMENT, Fact, ISSUE, MERGE_REQUEST, PIPELINE};

const COUNTED: [(&str, Counted); 4] = [
    ("issues", ISSUES),
    ("pipelines", PIPELINES),
    ("child_pipelines", CHILD_PIPELINES),
    ("deployments", DEPLOYMENTS),
];

impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.table)
    }
}

impl<'de> Deserialize<'de> for Fact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fact, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = [MERGE_REQUEST, ISSUE, DEPLOYMENT, PIPELINE].into_iter().find(|it| it.table == name);
        known.ok_or_else(|| D::Error::custom("there is no such thing"))
    }
}

impl Serialize for Counted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = COUNTED.iter().find(|it| it.1 == *self).map(|it| it.0);
        serializer.serialize_str(name.ok_or_else(|| serde::ser::Error::custom("it has no name"))?)
    }
}

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Counted, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = COUNTED.into_iter().find(|it| it.0 == name);
        known.map(|it| it.1).ok_or_else(|| D::Error::custom("there is no such count"))
    }
}
