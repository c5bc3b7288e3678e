//! Looks whether webhooks do their work: whether the hooks are there and as they have to be, whether GitLab delivers, and
//! whether what moved was told of.

use catalogue::Instance;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use gitlab_client::Client;
use serde::Serialize;
use store::{Store, StoreError, WebhookRow};

use super::address::{Address, may_be_weirs};
use super::deliveries::{Deliveries, deliveries};
use super::explain::{self, Gap};
use super::findings::{Judge, disabled};
use super::gaps::{Gaps, gaps};
use super::hook::{Hook, place_id};
use super::install::{NO_COMMENTS, is_at};
use super::places::{Kind, Named, Place};
use crate::Failure;

mod inbox;

/// Places that are looked at at once.
const AT_ONCE: usize = 4;
/// Top-level groups that are looked at where nobody names a place.
const GROUPS: i64 = 50;
/// Projects without a known hook that are looked at because something moved in them.
const PROJECTS: usize = 20;

/// What is to be looked at.
#[derive(Debug, Clone)]
pub struct Asked {
    /// These places; where there are none, those that are known and the top-level groups.
    pub places: Vec<Named>,
    /// Where hooks are to lead; none for where they lead.
    pub address: Option<Address>,
    /// How far back is looked for gaps.
    pub hours: i64,
    /// The number of the secret token in use.
    pub token_id: i64,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The GitLab.
    pub url: String,
    /// The places with their hooks.
    pub places: Vec<CheckedPlace>,
    /// What concerns all of them and needs attention.
    pub problems: Vec<String>,
    /// What should be known.
    pub notes: Vec<String>,
    /// From when on it was looked for gaps,
    pub since: Option<DateTime<Utc>>,
    /// and until when.
    pub until: Option<DateTime<Utc>>,
    /// What moved in projects under a hook, and how much of it was not named.
    pub counts: Vec<super::GapCount>,
    /// Projects in which something moved and of which no known hook tells.
    pub uncovered_projects: i64,
    /// What was not named, and why.
    pub gaps: Vec<Gap>,
}

/// A place and what leads from it to Weir.
#[derive(Debug, Clone, Serialize)]
pub struct CheckedPlace {
    /// The place, where GitLab knows it.
    pub place: Option<Place>,
    /// What people call it.
    pub name: String,
    /// Its hooks that lead to Weir.
    pub hooks: Vec<CheckedHook>,
    /// What is wrong with the place itself.
    pub problems: Vec<String>,
    /// Why it could not be looked at.
    pub error: Option<Failure>,
}

/// A hook that leads to Weir.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CheckedHook {
    /// GitLab's id.
    pub hook_id: i64,
    /// Where it leads.
    pub url: String,
    /// executable, temporarily_disabled or disabled, where GitLab tells.
    pub alert_status: Option<String>,
    /// When GitLab delivers again.
    pub disabled_until: Option<DateTime<Utc>>,
    /// What it is told of.
    pub events: Vec<String>,
    /// What is wrong with it, each as a sentence.
    pub problems: Vec<String>,
    /// What should be known of it.
    pub notes: Vec<String>,
    /// Its last deliveries, where GitLab tells.
    pub deliveries: Option<Deliveries>,
}

impl CheckedHook {
    pub(super) fn is_disabled(&self) -> bool {
        self.alert_status.as_deref().is_some_and(|it| it != "executable")
    }
}

impl Report {
    /// Whether somebody should do something.
    pub fn needs_attention(&self) -> bool {
        let place = |it: &CheckedPlace| {
            it.error.is_some()
                || !it.problems.is_empty()
                || it.hooks.iter().any(|hook| !hook.problems.is_empty())
        };
        !self.problems.is_empty() || self.places.iter().any(place) || self.gaps.iter().any(|it| it.attention)
    }
}

/// What looking at places takes.
struct Look<'l> {
    client: &'l Client,
    store: &'l Store,
    asked: &'l Asked,
    instance: Instance,
    known: Vec<WebhookRow>,
    now: DateTime<Utc>,
}

/// Looks at the webhooks of a GitLab.
pub async fn check(
    client: &Client,
    store: &Store,
    asked: &Asked,
    now: DateTime<Utc>,
) -> Result<Report, StoreError> {
    let url = client.base_url().as_str().to_owned();
    let mut report = Report {
        url,
        places: Vec::new(),
        problems: Vec::new(),
        notes: Vec::new(),
        since: None,
        until: None,
        counts: Vec::new(),
        uncovered_projects: 0,
        gaps: Vec::new(),
    };
    let Some(instance) = store.known_instance(&report.url).await? else {
        report
            .problems
            .push("Nothing was imported from this GitLab yet. Make a connection to it first.".to_owned());
        return Ok(report);
    };
    let known = store.webhooks(Some(instance.number), i64::MAX).await?;
    let look = Look { client, store, asked, instance: Instance(instance.number), known, now };
    report.places = look.places(&mut report.notes).await?;
    let mut found = gaps(store, instance.number, asked.hours, now).await?;
    if look.uncovered(&found, &mut report).await? {
        found = gaps(store, instance.number, asked.hours, now).await?;
    }
    inbox::judge(store, &mut report, found.since, now).await?;
    look.gaps(found, &mut report).await?;
    Ok(report)
}

impl Look<'_> {
    async fn places(&self, notes: &mut Vec<String>) -> Result<Vec<CheckedPlace>, StoreError> {
        let mut named = self.asked.places.clone();
        let everywhere = named.is_empty();
        if everywhere {
            named = self.usual().await?;
        }
        let looks = named.iter().map(|it| self.place(it));
        let all: Vec<_> = futures::stream::iter(looks).buffered(AT_ONCE).collect().await;
        let mut places = Vec::new();
        let mut unseen = 0;
        for place in all {
            let place = place?;
            // Nobody asked for these: where the token has no business, there is nothing to tell.
            match &place.error {
                Some(_) if everywhere && !self.is_known(&place) => unseen += 1,
                None if everywhere && place.hooks.is_empty() && place.problems.is_empty() => {}
                _ => places.push(place),
            }
        }
        if unseen > 0 {
            notes.push(format!(
                "The hooks of {unseen} other places cannot be seen with these tokens: groups take the role Owner, system hooks an \
                 administrator."
            ));
        }
        Ok(places)
    }

    fn is_known(&self, place: &CheckedPlace) -> bool {
        let found = place.place.as_ref();
        self.known.iter().any(|it| match found {
            Some(place) => is_at(it, self.instance, place),
            None => place.name.ends_with(&format!(" {}", self.instance.source_id(it.place_id))),
        })
    }

    /// Where hooks were seen, the top-level groups, and the whole instance.
    async fn usual(&self) -> Result<Vec<Named>, StoreError> {
        let mut all = vec![Named::System];
        let mut add = |named: Named| {
            if !all.contains(&named) {
                all.push(named);
            }
        };
        for row in &self.known {
            let id = self.instance.source_id(row.place_id).to_string();
            match Kind::of_word(&row.place) {
                Some(Kind::Project) => add(Named::Project(id)),
                Some(Kind::Group) => add(Named::Group(id)),
                _ => {}
            }
        }
        let (first, end) = (self.instance.id(0), self.instance.id(Instance::SPAN));
        for (id, _) in self.store.top_groups(first, end, GROUPS).await? {
            add(Named::Group(id.to_string()));
        }
        Ok(all)
    }

    async fn place(&self, named: &Named) -> Result<CheckedPlace, StoreError> {
        let name = match named {
            Named::Project(name) => format!("project {name}"),
            Named::Group(name) => format!("group {name}"),
            Named::System => "system hooks".to_owned(),
        };
        let mut checked =
            CheckedPlace { place: None, name, hooks: Vec::new(), problems: Vec::new(), error: None };
        let place = match named.find(self.client).await {
            Ok(place) => place,
            Err(failure) => return Ok(CheckedPlace { error: Some(failure), ..checked }),
        };
        checked.name = place.words();
        checked.place = Some(place.clone());
        match place.hooks(self.client).await {
            Ok(hooks) => self.hooks(&place, hooks, &mut checked).await?,
            Err(failure) => checked.error = Some(failure),
        }
        Ok(checked)
    }

    async fn hooks(
        &self,
        place: &Place,
        hooks: Vec<Hook>,
        checked: &mut CheckedPlace,
    ) -> Result<(), StoreError> {
        let known: Vec<&WebhookRow> =
            self.known.iter().filter(|it| is_at(it, self.instance, place)).collect();
        for row in known.iter().filter(|it| hooks.iter().all(|hook| hook.id != it.hook_id)) {
            checked.problems.push(format!(
                "Its hook {} to {} is gone. weir webhooks install makes another one.",
                row.hook_id, row.url
            ));
        }
        for hook in &hooks {
            let known = known.iter().copied().find(|it| it.hook_id == hook.id);
            if self.is_weirs(hook, known) {
                let judged = self.hook(place, hook, known).await;
                let row = WebhookRow {
                    problems: judged.problems.clone(),
                    ..hook.row(self.instance, place, self.now)
                };
                self.store.save_webhook(&row).await?;
                checked.hooks.push(judged);
            }
        }
        let live: Vec<i64> = checked.hooks.iter().map(|it| it.hook_id).collect();
        let (word, id) = (place.kind.word(), place_id(self.instance, place));
        self.store.forget_webhooks(self.instance.0, word, id, &live).await?;
        if checked.hooks.is_empty() && !self.asked.places.is_empty() && checked.problems.is_empty() {
            checked.problems.push("No hook of it leads to Weir. weir webhooks install makes one.".to_owned());
        }
        Ok(())
    }

    fn is_weirs(&self, hook: &Hook, known: Option<&WebhookRow>) -> bool {
        match &self.asked.address {
            Some(address) => address.is(&hook.url) || known.is_some_and(|it| it.token_id.is_some()),
            None if self.known.is_empty() => may_be_weirs(&hook.url),
            // What others lead to by the same path is none of ours.
            None => known.is_some() || self.known.iter().any(|it| it.url == hook.url),
        }
    }

    async fn hook(&self, place: &Place, hook: &Hook, known: Option<&WebhookRow>) -> CheckedHook {
        let judge =
            Judge { place, hook, known, address: self.asked.address.as_ref(), token_id: self.asked.token_id };
        let (mut problems, mut notes) = (judge.problems(), judge.notes());
        problems.extend(disabled(hook));
        let deliveries = deliveries(self.client, place, hook.id, &hook.url).await;
        if let Some(last) = deliveries.as_ref().and_then(|it| it.last_failed.as_ref()) {
            let at = last.at.format("%Y-%m-%d %H:%M UTC");
            match deliveries.as_ref().is_some_and(|it| it.failing) {
                true => problems.push(format!("Its last delivery ({at}) failed. {}", last.reason)),
                false => {
                    notes.push(format!("A delivery failed at {at}; later ones did not. {}", last.reason))
                }
            }
        }
        if place.kind == Kind::System {
            notes.push(NO_COMMENTS.to_owned());
        }
        CheckedHook {
            hook_id: hook.id,
            url: hook.url.clone(),
            alert_status: hook.alert_status.clone(),
            disabled_until: hook.disabled_until,
            events: hook.events(),
            problems,
            notes,
            deliveries,
        }
    }

    /// Looks at projects in which something moved and of which no known hook tells: they may have one of their own. Gives
    /// whether one was found.
    async fn uncovered(&self, found: &Gaps, report: &mut Report) -> Result<bool, StoreError> {
        if !self.asked.places.is_empty() {
            return Ok(false);
        }
        let mut projects: Vec<i64> =
            found.rows.iter().filter(|it| !it.covered).filter_map(|it| it.project_id).collect();
        projects.dedup();
        let named: Vec<Named> = projects
            .into_iter()
            .take(PROJECTS)
            .map(|it| Named::Project(self.instance.source_id(it).to_string()))
            .collect();
        let looks = named.iter().map(|it| self.place(it));
        let all: Vec<_> = futures::stream::iter(looks).buffered(AT_ONCE).collect().await;
        let before = report.places.len();
        for place in all {
            let place = place?;
            if !place.hooks.is_empty() {
                report.places.push(place);
            }
        }
        Ok(report.places.len() > before)
    }

    async fn gaps(&self, found: Gaps, report: &mut Report) -> Result<(), StoreError> {
        let refused = inbox::refusals(self.store, found.since).await?;
        let hooks: Vec<(&Place, &CheckedHook)> = report
            .places
            .iter()
            .filter_map(|it| Some((it.place.as_ref()?, &it.hooks)))
            .flat_map(|(place, hooks)| hooks.iter().map(move |hook| (place, hook)))
            .collect();
        let gaps = explain::all(&found, &hooks, &refused);
        if hooks.is_empty() && report.places.iter().all(|it| it.problems.is_empty()) {
            report.problems.push(
                "No webhook that leads to Weir was found. weir webhooks install makes them.".to_owned(),
            );
        }
        (report.since, report.until) = (Some(found.since), Some(found.until));
        (report.counts, report.uncovered_projects) = (found.counts, found.uncovered);
        report.gaps = gaps;
        Ok(())
    }
}
