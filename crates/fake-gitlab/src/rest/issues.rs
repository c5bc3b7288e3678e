//! Issues of a project.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::json;

use super::entities::issue::issue as view;
use super::paging::page_size;
use super::params::{Declared, given, or, path};
use super::{Answer, Ask, Problem, Reply};
use crate::world::issue::Issue;
use crate::world::model::{Id, Project, Time};

const LIST: &[Declared] = &[
    path("id", "id"),
    given("assignee_id"),
    given("author_id"),
    given("confidential"),
    given("created_after"),
    given("created_before"),
    given("cursor"),
    given("iids"),
    given("issue_type"),
    given("labels"),
    or("order_by", "created_at"),
    given("pagination"),
    given("scope"),
    or("sort", "desc"),
    or("state", "all"),
    given("updated_after"),
    given("updated_before"),
    or("with_labels_details", "false"),
];

/// `GET /projects/:id/issues`, by offset or, from 18.3 on, by keyset. Where issues are switched off the list is empty.
pub fn list(ask: &Ask<'_>) -> Answer {
    let project = ask.project()?;
    if project.issues_access_level == "disabled" && ask.settings.switched_off_is_forbidden {
        return Err(Problem::Forbidden);
    }
    let mut rows: Vec<&Issue> = ask.world.visible_issues(ask.viewer, project).collect();
    let filter = Filter::of(ask)?;
    rows.retain(|issue| filter.includes(ask, issue));
    let order = Order::of(ask)?;
    rows.sort_unstable_by_key(|issue| order.key(issue));
    if ask.query.get("pagination") == Some("keyset") && ask.settings.is_at_least(18, 3) {
        return by_keyset(ask, project, order, &rows);
    }
    let (path, details) = (ask.world.project_full_path(project), with_details(ask)?);
    ask.paged(LIST, ask.page(rows.len())?, &rows, |issue| view(ask.world, issue, &path, details))
}

fn with_details(ask: &Ask<'_>) -> Result<bool, Problem> {
    ask.query.switch("with_labels_details", false)
}

/// The order of a list; of equal ones the highest id comes first, whichever way it sorts.
#[derive(Clone, Copy)]
struct Order {
    by: &'static str,
    descending: bool,
}

/// Where an issue stands: keys of later elements are greater.
type Key = (i64, Id);

impl Order {
    fn of(ask: &Ask<'_>) -> Result<Self, Problem> {
        let by = ask.query.word("order_by", &["created_at", "updated_at"])?;
        Ok(Self { by, descending: ask.query.word("sort", &["desc", "asc"])? == "desc" })
    }

    fn key(self, issue: &Issue) -> Key {
        let time = if self.by == "updated_at" { issue.updated_at } else { issue.created_at };
        let micros = time.timestamp_micros();
        (if self.descending { -micros } else { micros }, -issue.id)
    }
}

/// The filters of the list. Bounds are inclusive and compared on microseconds.
struct Filter<'a> {
    state: &'static str,
    issue_type: &'static str,
    updated: (Option<Time>, Option<Time>),
    created: (Option<Time>, Option<Time>),
    iids: Vec<i64>,
    labels: Vec<&'a str>,
    author_id: Option<i64>,
    assignee_id: Option<i64>,
    confidential: Option<bool>,
}

impl<'a> Filter<'a> {
    fn of(ask: &'a Ask<'_>) -> Result<Self, Problem> {
        let query = &ask.query;
        let confidential = query.get("confidential").map(|_| query.switch("confidential", false));
        Ok(Self {
            state: query.word("state", &["all", "opened", "closed"])?,
            issue_type: query
                .word("issue_type", &["", "issue", "incident", "test_case", "task", "ticket"])?,
            updated: (query.time("updated_after")?, query.time("updated_before")?),
            created: (query.time("created_after")?, query.time("created_before")?),
            iids: query.list("iids").iter().filter_map(|iid| iid.parse().ok()).collect(),
            labels: query.list("labels"),
            author_id: query.number("author_id")?,
            assignee_id: query.number("assignee_id")?,
            confidential: confidential.transpose()?,
        })
    }

    fn includes(&self, ask: &Ask<'_>, issue: &Issue) -> bool {
        let carries = |title: &&str| {
            issue.label_ids.iter().any(|id| ask.world.labels.get(id).is_some_and(|it| it.title == **title))
        };
        (self.state == "all" || issue.state() == self.state)
            && (self.issue_type.is_empty() || issue.issue_type.word() == self.issue_type)
            && within(issue.updated_at, self.updated)
            && within(issue.created_at, self.created)
            && (self.iids.is_empty() || self.iids.contains(&issue.iid))
            && self.labels.iter().all(carries)
            && self.author_id.is_none_or(|id| issue.author_id == id)
            && self.assignee_id.is_none_or(|id| issue.assignee_ids.contains(&id))
            && self.confidential.is_none_or(|confidential| issue.confidential == confidential)
    }
}

fn within(time: Time, (after, before): (Option<Time>, Option<Time>)) -> bool {
    after.is_none_or(|after| time >= after) && before.is_none_or(|before| time <= before)
}

/// Only a `next` link, on every page that is not empty. The cursor names the last issue by the order's own value, so
/// that it holds though that issue moves.
fn by_keyset(ask: &Ask<'_>, project: &Project, order: Order, rows: &[&Issue]) -> Answer {
    let after = ask.query.get("cursor").map(decode).transpose()?;
    let begin = after.map_or(0, |after| rows.partition_point(|issue| order.key(issue) <= after));
    let size = page_size(ask)?;
    let page = &rows[begin..rows.len().min(begin + size)];
    let (path, details) = (ask.world.project_full_path(project), with_details(ask)?);
    let mut reply =
        Reply::object(&page.iter().map(|it| view(ask.world, it, &path, details)).collect::<Vec<_>>());
    reply.items = page.len();
    let Some(last) = page.last() else { return Ok(reply) };
    let own = [("cursor", encode(order.key(last))), ("per_page", size.to_string())];
    Ok(reply.with_header("link", format!("<{}>; rel=\"next\"", ask.link(LIST, &own))))
}

fn encode(key: Key) -> String {
    URL_SAFE.encode(json!(key).to_string())
}

fn decode(cursor: &str) -> Result<Key, Problem> {
    let bytes = URL_SAFE.decode(cursor).ok();
    let key = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    key.ok_or_else(|| Problem::BadRequest("cursor is invalid".to_owned()))
}

/// `GET /projects/:id/issues/:iid`
pub fn show(ask: &Ask<'_>) -> Answer {
    let project = ask.project()?;
    let iid = ask.part("iid").parse::<i64>().ok();
    let found = ask.world.visible_issues(ask.viewer, project).find(|issue| Some(issue.iid) == iid);
    let issue = found.ok_or(Problem::NotFound("404 Not found"))?;
    let mut body = view(ask.world, issue, &ask.world.project_full_path(project), with_details(ask)?);
    body["subscribed"] = json!(false);
    Ok(Reply::object(&body))
}
