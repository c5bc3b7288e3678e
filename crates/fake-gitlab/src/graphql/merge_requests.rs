//! A project's merge requests: filters, order and pages, read off the index so that only the page is looked at.

use std::ops::{Bound, RangeBounds};

use chrono::DateTime;

use super::connection::{self, Page, Window};
use super::cursor::Cursor;
use super::executor::Run;
use super::index::{Order, Ordered, micros};
use super::json::{self, Out};
use super::merge_request;
use super::plan::Node;
use crate::world::model::{Id, MergeRequest, MergeRequestState, Project, Time};

/// Whether the user may read them and the feature is on.
pub(super) fn readable(run: &Run<'_>, project: &Project) -> bool {
    project.merge_requests_access_level != "disabled" && run.sight.sees_merge_requests(project.id)
}

/// Writes the connection. Where merge requests are switched off or not to be read, GitLab gives an empty list.
pub(super) fn write(run: &Run<'_>, node: &Node, out: &mut Out, project: &Project) {
    let Some(filter) = Filter::of(run, node) else { return json::null(out) };
    let list = List { run, node, project, filter, readable: readable(run, project), order: order(node) };
    connection::write(
        run,
        node,
        out,
        list.page(),
        || list.count(),
        |node, out, id| {
            if run.out_of_time() {
                run.fail::<()>(node, "Timeout on MergeRequestConnection.nodes");
                return json::null(out);
            }
            merge_request::write(run, node, out, Some(*id).filter(|id| !lost(run, *id)));
        },
    );
}

/// Whether this request loses the element, for the misbehaviour `null_nodes`.
pub(super) fn lost(run: &Run<'_>, id: Id) -> bool {
    let odds = run.options.null_nodes;
    odds > 0.0 && draw(run.options.seed, id) < odds
}

/// A number from 0 to 1 that only the seed and the id decide (splitmix64).
fn draw(seed: u64, id: Id) -> f64 {
    let mut bits = seed.wrapping_add((id as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

fn order(node: &Node) -> Order {
    let sort = node.text("sort").unwrap_or("created_desc").to_ascii_lowercase();
    Order { updated: sort.starts_with("updated"), ascending: sort.ends_with("_asc") }
}

fn column(order: Order) -> &'static str {
    column_name(order.updated)
}

/// The column that cursors of an order name.
pub(super) fn column_name(updated: bool) -> &'static str {
    if updated { "updated_at" } else { "created_at" }
}

/// A time filter, both ends included, in microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Between {
    after: Option<i64>,
    before: Option<i64>,
}

impl Between {
    pub(super) fn of(run: &Run<'_>, node: &Node, after: &str, before: &str) -> Option<Self> {
        Some(Self { after: instant(run, node, after)?, before: instant(run, node, before)? })
    }

    fn is_open(self) -> bool {
        self.after.is_none() && self.before.is_none()
    }

    pub(super) fn holds(self, at: i64) -> bool {
        self.after.is_none_or(|after| at >= after) && self.before.is_none_or(|before| at <= before)
    }
}

/// Some(None) where the argument is not given, None with an error where it is no time.
fn instant(run: &Run<'_>, node: &Node, name: &str) -> Option<Option<i64>> {
    let Some(text) = node.text(name) else { return Some(None) };
    match parse_time(text) {
        Some(time) => Some(Some(micros(time))),
        None => run.fail(node, &format!("\"{text}\" is not a valid time")),
    }
}

fn parse_time(text: &str) -> Option<Time> {
    let midnight = || Some(text.parse::<chrono::NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc());
    DateTime::parse_from_rfc3339(text).ok().map(|it| it.to_utc()).or_else(midnight)
}

#[derive(Clone)]
struct Filter<'a> {
    node: &'a Node,
    iids: Option<Vec<i64>>,
    updated: Between,
    created: Between,
    merged: Between,
    state: Option<MergeRequestState>,
    /// Whether nothing but `updated` is asked for.
    only_updated: bool,
}

impl<'a> Filter<'a> {
    fn of(run: &Run<'_>, node: &'a Node) -> Option<Self> {
        let created = Between::of(run, node, "createdAfter", "createdBefore")?;
        let merged = Between::of(run, node, "mergedAfter", "mergedBefore")?;
        let state = node.text("state").and_then(state);
        let others = ["draft", "authorUsername", "sourceBranches", "targetBranches", "iids"];
        Some(Self {
            node,
            iids: node.texts("iids").map(|texts| texts.iter().filter_map(|text| text.parse().ok()).collect()),
            updated: Between::of(run, node, "updatedAfter", "updatedBefore")?,
            created,
            merged,
            state,
            only_updated: created.is_open()
                && merged.is_open()
                && state.is_none()
                && !others.iter().any(|name| node.has(name)),
        })
    }

    fn holds(&self, run: &Run<'_>, it: &MergeRequest) -> bool {
        self.updated.holds(micros(it.updated_at))
            && self.created.holds(micros(it.created_at))
            && (self.merged.is_open() || it.merged_at.is_some_and(|at| self.merged.holds(micros(at))))
            && self.state.is_none_or(|state| it.state == state)
            && (self.only_updated || self.rare_holds(run, it))
    }

    fn rare_holds(&self, run: &Run<'_>, it: &MergeRequest) -> bool {
        let node = self.node;
        let author = || run.world.users.get(&it.author_id).map(|user| user.username.as_str());
        node.flag("draft").is_none_or(|draft| it.draft == draft)
            && node.text("authorUsername").is_none_or(|name| author() == Some(name))
            && node.texts("sourceBranches").is_none_or(|names| names.contains(&it.source_branch.as_str()))
            && node.texts("targetBranches").is_none_or(|names| names.contains(&it.target_branch.as_str()))
            && self.iids.as_ref().is_none_or(|iids| iids.contains(&it.iid))
    }
}

fn state(text: &str) -> Option<MergeRequestState> {
    match text {
        "opened" => Some(MergeRequestState::Opened),
        "closed" => Some(MergeRequestState::Closed),
        "locked" => Some(MergeRequestState::Locked),
        "merged" => Some(MergeRequestState::Merged),
        _ => None,
    }
}

struct List<'a> {
    run: &'a Run<'a>,
    node: &'a Node,
    project: &'a Project,
    filter: Filter<'a>,
    readable: bool,
    order: Order,
}

impl List<'_> {
    fn page(&self) -> Option<Page<Id>> {
        let window = Window::of(self.run, self.node, column(self.order))?;
        let mut found = self.walk(window);
        let more = found.len() > window.size;
        found.truncate(window.size);
        if window.from_end {
            found.reverse();
        }
        let behind = if window.from_end { window.before.is_some() } else { window.after.is_some() };
        let (has_next, has_previous) = if window.from_end { (behind, more) } else { (more, behind) };
        Some(Page { column: column(self.order), items: found, has_next, has_previous })
    }

    /// One element more than the page holds, if there is one; from the list's end if that is where the page is cut.
    fn walk(&self, window: Window) -> Vec<(Cursor, Id)> {
        let ordered = self.run.index.ordered(self.project.id, self.order);
        let Some(ordered) = ordered.filter(|_| self.readable) else { return Vec::new() };
        let Some(range) = self.range(window) else { return Vec::new() };
        if self.filter.iids.is_some() {
            return self.by_iids(ordered, range, window);
        }
        let range = ordered.range(range);
        let keep = |key: &(i64, Id)| self.wants(-key.1).then(|| self.found(*key));
        if window.from_end {
            range.rev().filter_map(keep).take(window.size + 1).collect()
        } else {
            range.filter_map(keep).take(window.size + 1).collect()
        }
    }

    fn found(&self, (value, id): (i64, Id)) -> (Cursor, Id) {
        let value = if self.order.ascending { value } else { -value };
        (Cursor { value, id: -id }, -id)
    }

    /// Looks the few asked for up one by one instead of walking the project.
    fn by_iids(&self, ordered: &Ordered, range: Range, window: Window) -> Vec<(Cursor, Id)> {
        let iids = self.filter.iids.as_deref().unwrap_or(&[]);
        let ids = iids.iter().filter_map(|iid| self.run.index.merge_request(self.project.id, *iid));
        let key =
            |id: Id| Some(self.order.key(self.order.value(self.run.world.merge_requests.get(&id)?), id));
        let within = |key: &(i64, Id)| range.contains(key) && ordered.contains(key) && self.wants(-key.1);
        let mut keys: Vec<_> = ids.filter_map(key).filter(within).collect();
        keys.sort_unstable();
        keys.dedup();
        if window.from_end {
            keys.reverse();
        }
        keys.into_iter().map(|key| self.found(key)).collect()
    }

    fn wants(&self, id: Id) -> bool {
        self.run.world.merge_requests.get(&id).is_some_and(|it| self.filter.holds(self.run, it))
    }

    /// The part of the index between the cursors and the time filter of its column; None where nothing lies between.
    fn range(&self, window: Window) -> Option<Range> {
        let between = if self.order.updated { self.filter.updated } else { self.filter.created };
        let key = |cursor: Cursor| self.order.key(cursor.value, cursor.id);
        let (from, to) = match self.order.ascending {
            true => (between.after, between.before),
            false => (between.before.map(|at| -at), between.after.map(|at| -at)),
        };
        let after = window.after.map(|it| (key(it).0, key(it).1 + 1));
        let low = after.max(from.map(|at| (at, Id::MIN)));
        let high = [window.before.map(key), to.map(|at| (at + 1, Id::MIN))].into_iter().flatten().min();
        if low.zip(high).is_some_and(|(low, high)| low >= high) {
            return None;
        }
        Some((low.map_or(Bound::Unbounded, Bound::Included), high.map_or(Bound::Unbounded, Bound::Excluded)))
    }

    /// How many the filter holds, whatever the page.
    fn count(&self) -> usize {
        let order = Order { updated: true, ascending: true };
        let Some(ordered) = self.run.index.ordered(self.project.id, order).filter(|_| self.readable) else {
            return 0;
        };
        if self.filter.only_updated && self.filter.updated.is_open() {
            return ordered.len();
        }
        let whole = Window { after: None, before: None, size: usize::MAX - 1, from_end: false };
        let list = List { order, filter: self.filter.clone(), ..*self };
        match list.range(whole) {
            Some(range) if self.filter.only_updated => ordered.range(range).count(),
            _ => list.walk(whole).len(),
        }
    }
}

type Range = (Bound<(i64, Id)>, Bound<(i64, Id)>);
