//! Parameters: the query as it came, and what an endpoint declares.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use super::Problem;
use crate::world::model::Time;

/// A decoded query, in the order it was sent.
#[derive(Debug, Clone, Default)]
pub struct Query(pub Vec<(String, String)>);

impl Query {
    /// Decodes the part after the question mark.
    pub fn parse(raw: &str) -> Self {
        Self(url::form_urlencoded::parse(raw.as_bytes()).into_owned().collect())
    }

    /// The last value given, as Rack takes it; an empty one counts as none.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    /// Every value of a list, sent as `name[]=a&name[]=b` or as `name=a,b`.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let array = format!("{name}[]");
        let values = self.0.iter().filter(|(key, _)| *key == array || key == name);
        values.flat_map(|(_, value)| value.split(',')).filter(|value| !value.is_empty()).collect()
    }

    /// A switch; the default where it is not given.
    pub fn switch(&self, name: &str, default: bool) -> Result<bool, Problem> {
        match self.get(name) {
            None => Ok(default),
            Some("true" | "1" | "t" | "on") => Ok(true),
            Some("false" | "0" | "f" | "off") => Ok(false),
            Some(_) => Err(Problem::BadRequest(format!("{name} is invalid"))),
        }
    }

    /// A number.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Problem> {
        let invalid = |_| Problem::BadRequest(format!("{name} is invalid"));
        self.get(name).map(|value| value.parse().map_err(invalid)).transpose()
    }

    /// One of a few words; the first of them where it is not given.
    pub fn word(&self, name: &str, allowed: &[&'static str]) -> Result<&'static str, Problem> {
        let Some(value) = self.get(name) else { return Ok(allowed[0]) };
        let known = allowed.iter().copied().find(|word| *word == value);
        known.ok_or_else(|| Problem::BadRequest(format!("{name} does not have a valid value")))
    }

    /// A time in ISO 8601; a day counts from its beginning.
    pub fn time(&self, name: &str) -> Result<Option<Time>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let full = DateTime::parse_from_rfc3339(value).map(|time| time.with_timezone(&Utc));
        let bare = |format| NaiveDateTime::parse_from_str(value, format).map(|time| time.and_utc());
        let day = || {
            NaiveDate::parse_from_str(value, "%Y-%m-%d").map(|day| day.and_time(Default::default()).and_utc())
        };
        let time = full.or_else(|_| bare("%Y-%m-%dT%H:%M:%S%.f")).or_else(|_| bare("%Y-%m-%d %H:%M:%S%.f"));
        let time = time.or_else(|_| bare("%Y-%m-%d %H:%M:%S UTC")).or_else(|_| day());
        time.map(Some).map_err(|_| Problem::BadRequest(format!("{name} is invalid")))
    }
}

/// A parameter an endpoint declares; the links to other pages repeat all of them.
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    /// Its name in the query.
    pub name: &'static str,
    /// Where its value comes from.
    pub value: Source,
}

/// Where the value of a declared parameter comes from.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// The query, or this.
    Or(&'static str),
    /// The query, or it is left out.
    Given,
    /// A value of the path.
    Path(&'static str),
}

/// A parameter with a default.
pub const fn or(name: &'static str, default: &'static str) -> Declared {
    Declared { name, value: Source::Or(default) }
}

/// A parameter without a default.
pub const fn given(name: &'static str) -> Declared {
    Declared { name, value: Source::Given }
}

/// A value of the path, which GitLab repeats in the query of its links.
pub const fn path(name: &'static str, part: &'static str) -> Declared {
    Declared { name, value: Source::Path(part) }
}
