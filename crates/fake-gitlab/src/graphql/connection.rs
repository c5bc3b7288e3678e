//! Lists with pages, as every connection of GitLab's schema has them.

use super::MAX_PAGE;
use super::cursor::Cursor;
use super::executor::Run;
use super::json::{self, Out};
use super::plan::Node;

/// What `first`, `last`, `after` and `before` ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub after: Option<Cursor>,
    pub before: Option<Cursor>,
    /// How many elements at most.
    pub size: usize,
    /// Whether the page is cut from the list's end.
    pub from_end: bool,
}

impl Window {
    /// Reads the arguments; a cursor that belongs to another order is an error of the request.
    pub(super) fn of(run: &Run<'_>, node: &Node, column: &str) -> Option<Self> {
        let cursor = |name: &str| match node.text(name).filter(|text| !text.is_empty()) {
            Some(text) => Cursor::decode(text, column)
                .map(Some)
                .or_else(|| run.fail(node, "Please provide a valid cursor")),
            None => Some(None),
        };
        let size = |name: &str| node.integer(name).map(|it| usize::try_from(it).unwrap_or(0).min(MAX_PAGE));
        let from_end = node.has("last") && !node.has("first");
        Some(Self {
            after: cursor("after")?,
            before: cursor("before")?,
            size: [size("first"), size("last")].into_iter().flatten().min().unwrap_or(MAX_PAGE),
            from_end,
        })
    }
}

/// One page and how it lies in its list.
pub(super) struct Page<T> {
    /// The column its cursors name.
    pub column: &'static str,
    pub items: Vec<(Cursor, T)>,
    pub has_next: bool,
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// Cuts a page out of a whole list in ascending order of its cursors.
    pub(super) fn cut(
        run: &Run<'_>,
        node: &Node,
        column: &'static str,
        mut all: Vec<(Cursor, T)>,
    ) -> Option<Self> {
        let window = Window::of(run, node, column)?;
        let start = window.after.map_or(0, |after| all.partition_point(|(it, _)| *it <= after));
        let end =
            window.before.map_or(all.len(), |before| all.partition_point(|(it, _)| *it < before)).max(start);
        let size = window.size.min(end - start);
        let (from, to) = if window.from_end { (end - size, end) } else { (start, start + size) };
        let has_next = to < all.len();
        all.truncate(to);
        all.drain(..from);
        Some(Self { column, items: all, has_next, has_previous: from > 0 })
    }

    /// A page of a list without an order of its own: cursors are positions.
    pub(super) fn of_list(run: &Run<'_>, node: &Node, list: impl IntoIterator<Item = T>) -> Option<Self> {
        let at = |(position, item)| (Cursor { value: 0, id: position as i64 }, item);
        Self::cut(run, node, "position", list.into_iter().enumerate().map(at).collect())
    }
}

/// Writes a connection; null where the page could not be cut. `count` is asked only when the query asks it.
pub(super) fn write<T>(
    run: &Run<'_>,
    node: &Node,
    out: &mut Out,
    page: Option<Page<T>>,
    count: impl Fn() -> usize,
    item: impl Fn(&Node, &mut Out, &T),
) {
    let Some(page) = page else { return json::null(out) };
    json::child(out, node, |field, out| match field.name.as_str() {
        "nodes" => json::array(out, &page.items, |out, (_, it)| {
            run.wrote_item();
            item(field, out, it);
        }),
        "edges" => json::array(out, &page.items, |out, (cursor, it)| {
            run.wrote_item();
            json::child(out, field, |part, out| match part.name.as_str() {
                "cursor" => json::plain(out, &cursor.encode(page.column)),
                _ => item(part, out, it),
            });
        }),
        "pageInfo" => page_info(field, out, &page),
        _ => json::integer(out, count() as i64),
    });
}

fn page_info<T>(node: &Node, out: &mut Out, page: &Page<T>) {
    let cursor = |out: &mut Out, at: Option<&(Cursor, T)>| {
        json::option(out, at, |out, (cursor, _)| json::plain(out, &cursor.encode(page.column)));
    };
    json::child(out, node, |field, out| match field.name.as_str() {
        "hasNextPage" => json::boolean(out, page.has_next),
        "hasPreviousPage" => json::boolean(out, page.has_previous),
        "startCursor" => cursor(out, page.items.first()),
        _ => cursor(out, page.items.last()),
    });
}

/// Writes a connection over a list that is short enough to be held whole.
pub(super) fn list<T>(
    run: &Run<'_>,
    node: &Node,
    out: &mut Out,
    all: Vec<T>,
    item: impl Fn(&Node, &mut Out, &T),
) {
    let count = all.len();
    write(run, node, out, Page::of_list(run, node, all), || count, item);
}
