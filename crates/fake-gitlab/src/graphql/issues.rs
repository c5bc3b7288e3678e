//! A project's issues: filters, order and pages.

use super::connection::{self, Page};
use super::cursor::Cursor;
use super::executor::Run;
use super::index::micros;
use super::json::{self, Out};
use super::merge_requests::Between;
use super::plan::Node;
use super::{issue, merge_requests};
use crate::world::issue::Issue;
use crate::world::model::{Id, Project};

/// Whether the user may read them and the feature is on.
pub(super) fn readable(run: &Run<'_>, project: &Project) -> bool {
    project.issues_access_level != "disabled" && run.sight.sees_issues(project.id)
}

/// How many are open; none where they cannot be read.
pub(super) fn open(run: &Run<'_>, project: &Project) -> Option<i64> {
    let open = visible(run, project).filter(|it| it.is_open()).count();
    readable(run, project).then_some(open as i64)
}

/// The issue with the number that is asked for.
pub(super) fn numbered(run: &Run<'_>, node: &Node, project: &Project) -> Option<Id> {
    let iid: i64 = node.text("iid")?.parse().ok()?;
    visible(run, project).find(|it| it.iid == iid).map(|it| it.id)
}

/// Confidential issues are for those who read internal notes, Reporters and above, and for those who have a part in them.
fn visible<'a>(run: &'a Run<'_>, project: &'a Project) -> impl Iterator<Item = &'a Issue> {
    let readable = readable(run, project);
    let all = run.sight.sees_internal_notes(project.id);
    let ours = |it: &Issue| {
        let user = run.sight.user_id();
        user == Some(it.author_id) || user.is_some_and(|user| it.assignee_ids.contains(&user))
    };
    let ids = project.issue_ids.iter().filter(move |_| readable);
    let issues = ids.filter_map(|id| run.world.issues.get(id));
    let hidden = |it: &Issue| run.world.is_hidden(run.sight.user_id().unwrap_or_default(), it.author_id);
    issues.filter(move |it| (all || !it.confidential || ours(it)) && !hidden(it))
}

/// Writes the connection. Where issues are switched off or not to be read, GitLab gives an empty list.
pub(super) fn write(run: &Run<'_>, node: &Node, out: &mut Out, project: &Project) {
    let Some(filter) = Filter::of(run, node) else { return json::null(out) };
    let sort = node.text("sort").unwrap_or("created_desc").to_ascii_lowercase();
    let (updated, ascending) = (sort.starts_with("updated"), sort.ends_with("_asc"));
    let at = |it: &Issue| {
        let value = micros(if updated { it.updated_at } else { it.created_at });
        // Among equal times the highest id comes first, whatever the direction.
        Cursor { value: if ascending { value } else { -value }, id: -it.id }
    };
    let found = visible(run, project).filter(|it| filter.holds(run, it));
    let mut all: Vec<_> = found.map(|it| (at(it), it.id)).collect();
    all.sort_unstable();
    let count = all.len();
    let page = Page::cut(run, node, merge_requests::column_name(updated), all);
    connection::write(
        run,
        node,
        out,
        page,
        || count,
        |node, out, id| issue::write(run, node, out, Some(*id)),
    );
}

struct Filter<'a> {
    node: &'a Node,
    iids: Option<Vec<i64>>,
    updated: Between,
    created: Between,
}

impl<'a> Filter<'a> {
    fn of(run: &Run<'_>, node: &'a Node) -> Option<Self> {
        let texts = node.texts("iids").or_else(|| node.text("iid").map(|iid| vec![iid]));
        Some(Self {
            node,
            iids: texts.map(|texts| texts.iter().filter_map(|text| text.parse().ok()).collect()),
            updated: Between::of(run, node, "updatedAfter", "updatedBefore")?,
            created: Between::of(run, node, "createdAfter", "createdBefore")?,
        })
    }

    fn holds(&self, run: &Run<'_>, it: &Issue) -> bool {
        let node = self.node;
        let author = || run.world.users.get(&it.author_id).map(|user| user.username.as_str());
        let kind =
            |kinds: Vec<&str>| kinds.iter().any(|kind| kind.eq_ignore_ascii_case(it.issue_type.word()));
        self.updated.holds(micros(it.updated_at))
            && self.created.holds(micros(it.created_at))
            && self.iids.as_ref().is_none_or(|iids| iids.contains(&it.iid))
            && node.text("state").is_none_or(|state| state == "all" || state == it.state())
            && node.texts("types").is_none_or(kind)
            && node.flag("confidential").is_none_or(|confidential| confidential == it.confidential)
            && node.text("authorUsername").is_none_or(|name| author() == Some(name))
    }
}
