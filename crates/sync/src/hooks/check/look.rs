//! Looking at places: which there are, their hooks, and what moved below them.

use catalogue::Instance;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use gitlab_client::Client;
use store::{Store, StoreError, WebhookRow};

use super::{Asked, CheckedHook, CheckedPlace, Report, inbox};
use crate::hooks::address::may_be_weirs;
use crate::hooks::deliveries::deliveries;
use crate::hooks::explain;
use crate::hooks::findings::{Judge, disabled};
use crate::hooks::gaps::Gaps;
use crate::hooks::hook::{Hook, place_id};
use crate::hooks::install::{NO_COMMENTS, is_at};
use crate::hooks::places::{Kind, Named, Place};

/// Places that are looked at at once.
const AT_ONCE: usize = 4;
/// Top-level groups that are looked at where nobody names a place.
const GROUPS: i64 = 50;
/// Projects without a known hook that are looked at because something moved in them.
const PROJECTS: usize = 20;

/// What looking at places takes.
pub(super) struct Look<'l> {
    pub(super) client: &'l Client,
    pub(super) store: &'l Store,
    pub(super) asked: &'l Asked,
    pub(super) instance: Instance,
    pub(super) known: Vec<WebhookRow>,
    pub(super) now: DateTime<Utc>,
}

impl Look<'_> {
    /// The places that are to be looked at, as they are.
    pub(super) async fn places(&self, notes: &mut Vec<String>) -> Result<Vec<CheckedPlace>, StoreError> {
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
        if self.known.is_empty() && self.asked.address.is_none() {
            notes.push("It is taken for Weir's because of its path; --address makes sure.".to_owned());
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
    pub(super) async fn uncovered(&self, found: &Gaps, report: &mut Report) -> Result<bool, StoreError> {
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

    /// Adds what was not named, and why.
    pub(super) async fn gaps(&self, mut found: Gaps, report: &mut Report) -> Result<(), StoreError> {
        if !self.asked.places.is_empty() {
            let places: Vec<&Place> = report.places.iter().filter_map(|it| it.place.as_ref()).collect();
            found.rows.retain(|row| places.iter().any(|it| it.covers(&row.path)));
        }
        let refused = inbox::refusals(self.store, found.since).await?;
        let hooks: Vec<(&Place, &CheckedHook)> = report
            .places
            .iter()
            .filter_map(|it| Some((it.place.as_ref()?, &it.hooks)))
            .flat_map(|(place, hooks)| hooks.iter().map(move |hook| (place, hook)))
            .collect();
        let gaps = explain::all(&found, &hooks, &refused);
        if hooks.is_empty() && report.places.iter().all(|it| it.problems.is_empty() && it.error.is_none()) {
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
