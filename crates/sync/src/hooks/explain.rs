//! Why webhooks did not tell of what moved.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use store::{GapRow, RefusalCount, WebhookRow};

use super::check::CheckedHook;
use super::events::plain;
use super::gaps::Gaps;
use super::places::{Kind, Place};

/// A delivery that failed within this time before something moved may have been about it.
const AROUND: TimeDelta = TimeDelta::hours(1);

/// What moved in a project and was not named, and why.
#[derive(Debug, Clone, Serialize)]
pub struct Gap {
    /// The project.
    pub project: String,
    /// merge_request, issue or pipeline.
    pub kind: String,
    /// How many moved.
    pub changed: i64,
    /// How many of them no webhook named.
    pub unnamed: i64,
    /// The number of one of them.
    pub example: Option<i64>,
    /// When the last of them moved.
    pub last_changed_at: Option<DateTime<Utc>>,
    /// Why, as far as that can be told.
    pub reasons: Vec<String>,
    /// Whether somebody should do something about it.
    pub attention: bool,
}

/// The events that name a thing of this kind.
fn events(kind: &str) -> &'static [&'static str] {
    match kind {
        "merge_request" => &["merge_requests_events", "note_events"],
        "issue" => &["issues_events", "note_events"],
        _ => &["pipeline_events"],
    }
}

/// A kind in plain words.
fn things(kind: &str) -> &'static str {
    match kind {
        "merge_request" => "merge requests",
        "issue" => "issues",
        _ => "pipelines",
    }
}

/// Explains gaps by the hooks as they were last seen, without asking GitLab.
pub fn known_gaps(gaps: &Gaps, hooks: &[WebhookRow], refused: &[RefusalCount]) -> Vec<Gap> {
    let seen: Vec<(Place, CheckedHook)> = hooks.iter().filter_map(seen).collect();
    let seen: Vec<(&Place, &CheckedHook)> = seen.iter().map(|(place, hook)| (place, hook)).collect();
    all(gaps, &seen, refused)
}

/// All gaps, what needs attention first and most of it first.
pub(super) fn all(gaps: &Gaps, hooks: &[(&Place, &CheckedHook)], refused: &[RefusalCount]) -> Vec<Gap> {
    let covered = gaps.rows.iter().filter(|it| it.covered);
    let mut all: Vec<Gap> = covered.map(|it| explain(it, hooks, refused)).collect();
    all.sort_by_key(|it| (!it.attention, -it.unnamed));
    all
}

fn seen(row: &WebhookRow) -> Option<(Place, CheckedHook)> {
    let kind = Kind::of_word(&row.place)?;
    let hook = CheckedHook {
        hook_id: row.hook_id,
        url: row.url.clone(),
        alert_status: row.alert_status.clone(),
        disabled_until: row.disabled_until,
        events: row.events.clone(),
        problems: row.problems.clone(),
        ..CheckedHook::default()
    };
    Some((Place { kind, id: row.place_id, path: row.path.clone() }, hook))
}

/// Explains what was not named, by the hooks that tell of the project.
fn explain(row: &GapRow, hooks: &[(&Place, &CheckedHook)], refused: &[RefusalCount]) -> Gap {
    let covering: Vec<_> = hooks.iter().filter(|it| it.0.covers(&row.path)).copied().collect();
    let mut gap = Gap {
        project: row.path.clone(),
        kind: row.kind.clone(),
        changed: row.changed,
        unnamed: row.unnamed,
        example: row.example,
        last_changed_at: row.last_changed_at,
        reasons: Vec::new(),
        attention: false,
    };
    if covering.is_empty() {
        gap.reasons.push("The hook that tells of it was not looked at.".to_owned());
        return gap;
    }
    let (system, own): (Vec<_>, Vec<_>) = covering.into_iter().partition(|it| it.0.kind == Kind::System);
    if own.is_empty() && !system.is_empty() {
        gap.by_system_hooks_alone(&system);
        return gap;
    }
    for (place, hook) in &own {
        gap.not_ticked(place, hook);
    }
    for (place, hook) in own.iter().chain(&system) {
        gap.not_delivered(place, hook);
    }
    gap.confidential(row, &own);
    gap.refused(refused);
    gap.otherwise();
    gap
}

impl Gap {
    fn by_system_hooks_alone(&mut self, system: &[(&Place, &CheckedHook)]) {
        if self.kind == "merge_request" {
            for (place, hook) in system {
                self.not_ticked(place, hook);
                self.not_delivered(place, hook);
            }
            self.reasons.push(
                "System hooks carry no comments, and a comment moves what it is on: those come with the next sync.".to_owned(),
            );
        } else {
            let things = things(&self.kind);
            self.reasons.push(format!("System hooks carry no {things}: those come with the next sync."));
        }
    }

    fn not_ticked(&mut self, place: &Place, hook: &CheckedHook) {
        let carried = |it: &&&str| place.kind != Kind::System || **it == "merge_requests_events";
        let off =
            events(&self.kind).iter().filter(carried).filter(|it| !hook.events.iter().any(|on| on == *it));
        let off: Vec<String> = off.map(|it| plain(it)).collect();
        if !off.is_empty() {
            let at = place.words();
            self.alarm(format!("Hook {} ({at}) is not told of: {}.", hook.hook_id, off.join(", ")));
        }
    }

    fn not_delivered(&mut self, place: &Place, hook: &CheckedHook) {
        let at = place.words();
        if hook.is_disabled() {
            self.alarm(format!("GitLab has disabled hook {} ({at}).", hook.hook_id));
        }
        let last = hook.deliveries.as_ref().and_then(|it| it.last_failed.as_ref());
        // One that failed long before explains nothing.
        let explains = |at: DateTime<Utc>| self.last_changed_at.is_none_or(|it| at >= it - AROUND);
        if let Some(last) = last.filter(|it| explains(it.at)) {
            self.alarm(format!("Deliveries of hook {} ({at}) failed. {}", hook.hook_id, last.reason));
        }
    }

    fn confidential(&mut self, row: &GapRow, own: &[(&Place, &CheckedHook)]) {
        let told = own.iter().any(|it| it.1.events.iter().any(|on| on == "confidential_issues_events"));
        if row.confidential > 0 && !told {
            self.reasons.push(format!(
                "{} of them are confidential issues, of which hooks tell only where that is turned on (weir webhooks install \
                 --confidential).",
                row.confidential
            ));
            self.unnamed_rest(row);
        }
    }

    /// Whether what is left is worth a thought.
    fn unnamed_rest(&mut self, row: &GapRow) {
        if row.confidential < row.unnamed && self.reasons.len() == 1 && !self.attention {
            self.otherwise_of(row.unnamed - row.confidential);
        }
    }

    fn refused(&mut self, refused: &[RefusalCount]) {
        let count: i64 = refused.iter().map(|it| it.count).sum();
        if count > 0 && self.reasons.is_empty() {
            self.alarm(format!(
                "Weir did not take {count} deliveries in this time; these may be among them."
            ));
        }
    }

    fn otherwise(&mut self) {
        if self.reasons.is_empty() {
            self.otherwise_of(self.unnamed);
        }
    }

    /// GitLab itself moves things without a word, when it writes a note about them: a few are nothing to worry about.
    fn otherwise_of(&mut self, unnamed: i64) {
        if unnamed * 2 > self.changed && unnamed > 2 {
            self.alarm(
                "Nothing tells why. GitLab drops deliveries above its rate limit, and those that fail are not repeated.".to_owned(),
            );
        } else {
            self.reasons.push(
                "GitLab moves a few without an event, when it writes a note about them itself.".to_owned(),
            );
        }
    }

    fn alarm(&mut self, reason: String) {
        self.attention = true;
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &str, changed: i64, unnamed: i64) -> GapRow {
        GapRow {
            project_id: Some(1),
            path: "acme/shop".to_owned(),
            kind: kind.to_owned(),
            covered: true,
            projects: 1,
            changed,
            unnamed,
            confidential: 0,
            example: Some(7),
            last_changed_at: None,
        }
    }

    fn place(kind: Kind) -> Place {
        Place { kind, id: 1, path: if kind == Kind::System { String::new() } else { "acme".to_owned() } }
    }

    fn hook(events: &[&str]) -> CheckedHook {
        CheckedHook { events: events.iter().map(|it| (*it).to_owned()).collect(), ..CheckedHook::default() }
    }

    const ALL: &[&str] = &["merge_requests_events", "note_events", "issues_events", "pipeline_events"];

    #[test]
    fn a_system_hook_says_that_it_has_no_comments() {
        let (system, hook) = (place(Kind::System), hook(&["merge_requests_events", "push_events"]));
        let gap = explain(&row("merge_request", 3, 3), &[(&system, &hook)], &[]);
        assert!(gap.reasons[0].contains("no comments") && !gap.attention, "{gap:?}");
        let gap = explain(&row("pipeline", 3, 3), &[(&system, &hook)], &[]);
        assert!(gap.reasons[0].contains("no pipelines") && !gap.attention, "{gap:?}");
    }

    #[test]
    fn an_event_that_is_not_ticked_is_told() {
        let (group, hook) = (place(Kind::Group), hook(&["note_events"]));
        let gap = explain(&row("issue", 3, 1), &[(&group, &hook)], &[]);
        assert!(gap.attention && gap.reasons[0].contains("issues"), "{gap:?}");
    }

    #[test]
    fn a_disabled_hook_is_told() {
        let group = place(Kind::Group);
        let hook = CheckedHook { alert_status: Some("disabled".to_owned()), ..hook(ALL) };
        let gap = explain(&row("merge_request", 3, 1), &[(&group, &hook)], &[]);
        assert!(gap.attention && gap.reasons[0].contains("disabled"), "{gap:?}");
    }

    #[test]
    fn a_hook_that_was_not_looked_at_is_not_judged() {
        let gap = explain(&row("merge_request", 9, 9), &[], &[]);
        assert!(!gap.attention && gap.reasons[0].contains("not looked at"), "{gap:?}");
    }

    #[test]
    fn a_few_without_a_reason_are_nothing_to_worry_about_and_many_are() {
        let (group, hook) = (place(Kind::Group), hook(ALL));
        assert!(!explain(&row("merge_request", 10, 2), &[(&group, &hook)], &[]).attention);
        assert!(explain(&row("merge_request", 10, 9), &[(&group, &hook)], &[]).attention);
    }
}
