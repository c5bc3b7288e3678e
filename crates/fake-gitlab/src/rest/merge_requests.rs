//! Merge requests of a project.

use serde_json::{Map, Value, json};

use super::ci::deployments;
use super::entities::Millis;
use super::entities::merge_request::merge_request as view;
use super::params::{Declared, given, or, path};
use super::{Answer, Ask, Problem, Reply};
use crate::world::hash::{hex40, kind};
use crate::world::index::Entry;
use crate::world::model::{Id, MergeRequest, MergeRequestState, Time};

const LIST: &[Declared] = &[
    path("id", "id"),
    given("approved"),
    given("assignee_id"),
    given("author_id"),
    given("author_username"),
    given("created_after"),
    given("created_before"),
    given("deployed_after"),
    given("deployed_before"),
    given("environment"),
    given("iids"),
    given("labels"),
    given("milestone"),
    or("order_by", "created_at"),
    given("reviewer_id"),
    given("scope"),
    given("search"),
    or("sort", "desc"),
    given("source_branch"),
    or("state", "all"),
    given("target_branch"),
    given("updated_after"),
    given("updated_before"),
    given("view"),
    given("wip"),
    or("with_labels_details", "false"),
    or("with_merge_status_recheck", "false"),
];

/// `GET /projects/:id/merge_requests`
pub fn list(ask: &Ask<'_>) -> Answer {
    let project = ask.project_with_merge_requests()?;
    let rows = wanted(ask, project.id)?;
    let details = ask.query.switch("with_labels_details", false)?;
    let simple = ask.query.word("view", &["", "simple"])? == "simple";
    let path = ask.world.project_full_path(project);
    let page = ask.page(rows.len())?;
    if simple {
        return ask
            .paged(LIST, page, &rows, |entry| simple_view(ask, &ask.world.merge_requests[&entry.id], &path));
    }
    ask.paged(LIST, page, &rows, |entry| {
        view(ask.world, &ask.world.merge_requests[&entry.id], &path, details)
    })
}

fn wanted(ask: &Ask<'_>, project_id: Id) -> Result<Vec<Entry>, Problem> {
    let Some(index) = ask.index.projects.get(&project_id) else { return Ok(Vec::new()) };
    let filter = Filter::of(ask)?;
    let order = ask.query.word("order_by", ORDERS)?;
    let source = if order == "updated_at" { &index.by_updated } else { &index.by_created };
    let mut rows: Vec<Entry> = source.iter().filter(|entry| filter.includes(ask, entry)).copied().collect();
    if let Some(shipped) = deployments::shipped(ask, project_id)? {
        rows.retain(|entry| shipped.contains(&entry.id));
    }
    reorder(ask, &mut rows, order)?;
    Ok(rows)
}

const ORDERS: &[&str] = &[
    "created_at",
    "updated_at",
    "merged_at",
    "title",
    "priority",
    "label_priority",
    "milestone_due",
    "popularity",
];

/// GitLab breaks ties by the highest id first, whichever way it sorts; the index is made that way.
fn reorder(ask: &Ask<'_>, rows: &mut [Entry], order: &str) -> Result<(), Problem> {
    let descending = ask.query.word("sort", &["desc", "asc"])? == "desc";
    let row = |entry: &Entry| &ask.world.merge_requests[&entry.id];
    match (order, descending) {
        ("updated_at", true) => rows.sort_by_key(|entry| std::cmp::Reverse((entry.updated_at, entry.id))),
        ("updated_at", false) => {}
        ("merged_at", _) => rows.sort_by_key(|entry| (row(entry).merged_at, -entry.id)),
        ("title", _) => rows.sort_by_key(|entry| (row(entry).title.clone(), -entry.id)),
        (_, true) => rows.sort_by_key(|entry| std::cmp::Reverse((entry.created_at, entry.id))),
        (_, false) => {}
    }
    if descending && matches!(order, "merged_at" | "title") {
        rows.reverse();
    }
    Ok(())
}

/// The filters of the list. Bounds are inclusive and compared on microseconds.
struct Filter<'a> {
    state: &'static str,
    updated: (Option<Time>, Option<Time>),
    created: (Option<Time>, Option<Time>),
    iids: Vec<i64>,
    labels: Vec<&'a str>,
    author_id: Option<i64>,
    reviewer_id: Option<i64>,
    mine: &'static str,
    branches: (Option<&'a str>, Option<&'a str>),
}

impl<'a> Filter<'a> {
    fn of(ask: &'a Ask<'_>) -> Result<Self, Problem> {
        let query = &ask.query;
        Ok(Self {
            state: query.word("state", &["all", "opened", "closed", "locked", "merged"])?,
            updated: (query.time("updated_after")?, query.time("updated_before")?),
            created: (query.time("created_after")?, query.time("created_before")?),
            iids: query.list("iids").iter().filter_map(|iid| iid.parse().ok()).collect(),
            labels: query.list("labels"),
            author_id: query.number("author_id")?,
            reviewer_id: query.number("reviewer_id")?,
            mine: query.word(
                "scope",
                &["all", "created_by_me", "created-by-me", "assigned_to_me", "assigned-to-me"],
            )?,
            branches: (query.get("source_branch"), query.get("target_branch")),
        })
    }

    fn includes(&self, ask: &Ask<'_>, entry: &Entry) -> bool {
        let state = match self.state {
            "opened" => entry.state == MergeRequestState::Opened,
            "closed" => entry.state == MergeRequestState::Closed,
            "locked" => entry.state == MergeRequestState::Locked,
            "merged" => entry.state == MergeRequestState::Merged,
            _ => true,
        };
        state
            && within(entry.updated_at, self.updated)
            && within(entry.created_at, self.created)
            && (self.iids.is_empty() || self.iids.contains(&entry.iid))
            && (self.is_plain() || self.matches(ask, &ask.world.merge_requests[&entry.id]))
    }

    fn is_plain(&self) -> bool {
        self.labels.is_empty()
            && self.author_id.is_none()
            && self.reviewer_id.is_none()
            && self.mine == "all"
            && self.branches == (None, None)
    }

    fn matches(&self, ask: &Ask<'_>, mr: &MergeRequest) -> bool {
        let carries = |title: &&str| {
            mr.label_ids.iter().any(|id| ask.world.labels.get(id).is_some_and(|label| label.title == **title))
        };
        let mine = match self.mine {
            "all" => true,
            "created_by_me" | "created-by-me" => mr.author_id == ask.viewer.user_id,
            _ => mr.assignee_ids.contains(&ask.viewer.user_id),
        };
        mine && self.labels.iter().all(carries)
            && self.author_id.is_none_or(|id| mr.author_id == id)
            && self.reviewer_id.is_none_or(|id| mr.reviewers.iter().any(|it| it.user_id == id))
            && self.branches.0.is_none_or(|branch| mr.source_branch == branch)
            && self.branches.1.is_none_or(|branch| mr.target_branch == branch)
    }
}

fn within(time: Time, (after, before): (Option<Time>, Option<Time>)) -> bool {
    after.is_none_or(|after| time >= after) && before.is_none_or(|before| time <= before)
}

fn simple_view(ask: &Ask<'_>, mr: &MergeRequest, path: &str) -> Value {
    json!({
        "id": mr.id,
        "iid": mr.iid,
        "project_id": mr.project_id,
        "title": mr.title,
        "description": mr.description,
        "state": super::entities::merge_request::state(mr.state),
        "created_at": Millis(mr.created_at),
        "updated_at": Millis(mr.updated_at),
        "web_url": format!("{}/{path}/-/merge_requests/{}", ask.world.url, mr.iid),
    })
}

/// `GET /projects/:id/merge_requests/:iid`
pub fn show(ask: &Ask<'_>) -> Answer {
    let mr = ask.merge_request()?;
    let path = ask.world.project_full_path(&ask.world.projects[&mr.project_id]);
    let details = ask.query.switch("with_labels_details", false)?;
    let mut body = json!(view(ask.world, mr, &path, details));
    if let Value::Object(body) = &mut body {
        body.extend(only_in_single(mr));
    }
    Ok(Reply::object(&body))
}

/// What the list does not show.
fn only_in_single(mr: &MergeRequest) -> Map<String, Value> {
    let base = hex40(kind::BASE, mr.id as u64);
    let refs = mr.sha.as_ref().map(|head| json!({ "base_sha": base, "head_sha": head, "start_sha": base }));
    let more = json!({
        "subscribed": false,
        "changes_count": mr.diff_stats.map(|stats| stats.file_count.to_string()),
        "latest_build_started_at": null,
        "latest_build_finished_at": null,
        "first_deployed_to_production_at": null,
        "pipeline": null,
        "head_pipeline": null,
        "diff_refs": refs,
        "merge_error": null,
        "first_contribution": false,
        "user": { "can_merge": false },
    });
    if let Value::Object(more) = more { more } else { Map::new() }
}
