//! What a connection imports and how, as the API takes it.

use chrono::NaiveDate;
use gitlab_client::BaseUrl;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::Exclude;

/// Requests under way at once, unless told otherwise, and at most.
const CONCURRENCY: usize = 8;
const MOST: usize = 64;

/// Seconds between two syncs, and the least.
const SYNC_EVERY: u32 = 300;
const SYNC_LEAST: u32 = 10;
/// Hours between two sweeps.
const SWEEP_EVERY: u32 = 24;

/// What a connection imports and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The GitLab.
    pub base_url: BaseUrl,
    /// Only these groups and what is below them: ids or paths.
    #[serde(deserialize_with = "names")]
    pub groups: Vec<String>,
    /// Only these projects: ids or paths.
    #[serde(deserialize_with = "names")]
    pub projects: Vec<String>,
    /// What is left out: patterns of paths, or forks, archived, personal.
    pub exclude: Vec<String>,
    /// Nothing that GitLab last moved before this day.
    pub since: Option<NaiveDate>,
    /// Whether issues are read.
    pub issues: bool,
    /// Whether texts of notes and issues are kept.
    pub keep_bodies: bool,
    /// Whether approval rules are read too: a request per merge request.
    pub approval_rules: bool,
    /// Whether the merge requests of deployments are read too: a request per successful deployment.
    pub deployment_merge_requests: bool,
    /// Whether the size of each commit of default branches is asked for.
    pub commit_statistics: bool,
    /// Whether every user of the instance is listed, with the token of an administrator.
    pub all_users: bool,
    /// Whether all reading is done by REST.
    pub rest_only: bool,
    /// How many requests may be under way at once.
    pub concurrency: usize,
    /// Seconds from the start of one sync to the start of the next.
    pub sync_every_seconds: u32,
    /// Seconds between two looks at what changes unseen in what is open: approvals and reviewer states of merge requests, jobs of
    /// running pipelines. 0 for a look in every sync.
    pub open_set_every_seconds: u32,
    /// Hours between two sweeps, which also find what was deleted; 0 for none.
    pub sweep_every_hours: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            base_url: BaseUrl::gitlab_com(),
            groups: Vec::new(),
            projects: Vec::new(),
            exclude: Vec::new(),
            since: None,
            issues: true,
            keep_bodies: false,
            approval_rules: false,
            deployment_merge_requests: false,
            commit_statistics: false,
            all_users: false,
            rest_only: false,
            concurrency: CONCURRENCY,
            sync_every_seconds: SYNC_EVERY,
            open_set_every_seconds: 0,
            sweep_every_hours: SWEEP_EVERY,
        }
    }
}

/// What is wrong with settings, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("settings.{field}: {reason}")]
pub struct Bad {
    /// The setting.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Settings {
    /// Reads settings; what is not named is as usual.
    pub fn parse(value: &Value) -> Result<Settings, Bad> {
        let settings: Settings = serde_path_to_error::deserialize(value)
            .map_err(|it| bad(&it.path().to_string(), it.inner().to_string()))?;
        settings.check()?;
        Ok(settings)
    }

    /// These settings with some of them changed.
    pub fn changed(&self, changes: &Value) -> Result<Settings, Bad> {
        let mut all = self.to_value();
        match (all.as_object_mut(), changes.as_object()) {
            (Some(all), Some(changes)) => {
                all.extend(changes.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
            _ => return Err(bad("", "an object of settings is wanted".to_owned())),
        }
        Settings::parse(&all)
    }

    /// As the database and the API show them: all of them.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// What is left out.
    pub fn exclude(&self) -> Exclude {
        Exclude::parse(&self.exclude).unwrap_or_default()
    }

    fn check(&self) -> Result<(), Bad> {
        Exclude::parse(&self.exclude).map_err(|it| bad("exclude", it.to_string()))?;
        if !(1..=MOST).contains(&self.concurrency) {
            return Err(bad("concurrency", format!("{} is not between 1 and {MOST}", self.concurrency)));
        }
        if self.sync_every_seconds < SYNC_LEAST {
            return Err(bad("sync_every_seconds", format!("it is less than {SYNC_LEAST}")));
        }
        for (field, names) in [("groups", &self.groups), ("projects", &self.projects)] {
            if names.iter().any(|it| it.trim().is_empty()) {
                return Err(bad(field, "one of them is empty; give ids or paths".to_owned()));
            }
        }
        Ok(())
    }
}

fn bad(field: &str, reason: String) -> Bad {
    let field = if field == "." { "" } else { field };
    Bad { field: field.to_owned(), reason }
}

/// Ids as numbers or texts, and paths.
fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "an id or a path")]
    enum Name {
        Id(u64),
        Path(String),
    }
    let names = Vec::<Name>::deserialize(deserializer)?;
    Ok(names
        .into_iter()
        .map(|it| match it {
            Name::Id(id) => id.to_string(),
            Name::Path(path) => path,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_named_is_as_usual() {
        let settings =
            Settings::parse(&json!({"base_url": "gitlab.example.com/", "groups": [7, "shop"]})).unwrap();
        assert_eq!(settings.base_url.as_str(), "https://gitlab.example.com");
        assert_eq!(settings.groups, ["7", "shop"]);
        assert!(settings.issues && !settings.keep_bodies);
        assert_eq!(Settings::parse(&settings.to_value()).unwrap(), settings);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let told = |value: Value| Settings::parse(&value).unwrap_err();
        assert_eq!(told(json!({"groups": [true]})).field, "groups[0]");
        assert_eq!(told(json!({"exclude": ["a["]})).field, "exclude");
        assert_eq!(told(json!({"concurrency": 0})).field, "concurrency");
        assert_eq!(told(json!({"base_url": "http://169.254.169.254"})).field, "base_url");
        assert!(told(json!({"colour": 1})).to_string().contains("colour"));
        assert!(told(json!("x")).to_string().contains("expected"));
    }

    #[test]
    fn a_change_leaves_the_rest_as_it_was() {
        let before = Settings::parse(&json!({"groups": ["shop"], "issues": false})).unwrap();
        let after = before.changed(&json!({"issues": true})).unwrap();
        assert_eq!((after.groups, after.issues), (vec!["shop".to_owned()], true));
        assert!(before.changed(&json!({"since": "yesterday"})).is_err());
        assert!(before.changed(&json!(3)).is_err());
    }
}
