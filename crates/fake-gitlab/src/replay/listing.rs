//! Filters and orders of lists.

use std::cmp::Ordering;

use serde_json::Value;

use super::library::{parse_time, time};

/// The parameters of a request, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameters(pub Vec<(String, String)>);

impl Parameters {
    pub(super) fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The last value given; an empty one counts as not given.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(it, _)| it == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The values of a list parameter: `iids[]=1&iids[]=2`, `iids=1,2`.
    fn list(&self, name: &str) -> Vec<&str> {
        let ours = self.0.iter().filter(|(it, _)| it.trim_end_matches("[]") == name);
        ours.flat_map(|(_, value)| value.split(',')).collect()
    }
}

/// What a list does when nothing is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habit {
    pub order_by: &'static str,
    pub descending: bool,
    /// Whether totals are told.
    pub totals: bool,
    /// Parameters that GitLab repeats in its links although nobody gave them.
    pub defaults: &'static [(&'static str, &'static str)],
}

/// The habit of the list at this path.
pub(super) fn habit(list: &str) -> Habit {
    let habit = |order_by, descending, defaults| Habit { order_by, descending, totals: true, defaults };
    match list.rsplit('/').next().unwrap_or_default() {
        "projects" => habit("created_at", true, &[("order_by", "created_at"), ("sort", "desc")]),
        "groups" => habit("name", false, &[("order_by", "name"), ("sort", "asc")]),
        "merge_requests" => habit("created_at", true, &MERGE_REQUESTS),
        "notes" => habit("created_at", true, &NOTES),
        "pipelines" | "jobs" => habit("id", true, &[("order_by", "id"), ("sort", "desc")]),
        // Newest first, as recorded.
        "commits" => Habit { order_by: "", descending: false, totals: false, defaults: &[] },
        "labels" => habit("name", false, &[]),
        _ => habit("id", false, &[]),
    }
}

const MERGE_REQUESTS: [(&str, &str); 5] = [
    ("order_by", "created_at"),
    ("sort", "desc"),
    ("state", "all"),
    ("with_labels_details", "false"),
    ("with_merge_status_recheck", "false"),
];

const NOTES: [(&str, &str); 3] =
    [("activity_filter", "all_notes"), ("order_by", "created_at"), ("sort", "desc")];

/// The elements a request wants, in the order it wants them.
pub(super) fn select<'a>(list: &str, mut elements: Vec<&'a Value>, asked: &Parameters) -> Vec<&'a Value> {
    let habit = habit(list);
    elements.retain(|element| wanted(element, asked));
    let order_by = asked.get("order_by").unwrap_or(habit.order_by);
    if !order_by.is_empty() {
        elements.sort_by(|a, b| compare(a, b, order_by));
    }
    if asked.get("sort").map_or(habit.descending, |sort| sort == "desc") {
        elements.reverse();
    }
    elements
}

fn compare(a: &Value, b: &Value, field: &str) -> Ordering {
    let by_time = time(a, field).cmp(&time(b, field));
    let by_number = a[field].as_i64().cmp(&b[field].as_i64());
    let by_text = || a[field].as_str().map(str::to_lowercase).cmp(&b[field].as_str().map(str::to_lowercase));
    by_time.then(by_number).then_with(by_text).then_with(|| a["id"].as_i64().cmp(&b["id"].as_i64()))
}

/// Parameters that hold when the element's field of that name is equal.
const EQUAL: [&str; 10] = [
    "status",
    "ref",
    "sha",
    "source",
    "username",
    "visibility",
    "archived",
    "source_branch",
    "target_branch",
    "environment",
];

fn wanted(element: &Value, asked: &Parameters) -> bool {
    in_time(element, asked)
        && EQUAL.iter().all(|field| asked.get(field).is_none_or(|value| equals(element, field, value)))
        && asked.get("state").is_none_or(|state| state == "all" || equals(element, "state", state))
        && in_list(element, "iid", &asked.list("iids"))
        && activity(element, asked.get("activity_filter").unwrap_or_default())
        && asked.get("search").is_none_or(|text| contains(element, text))
        && asked.get("id_after").is_none_or(|id| element["id"].as_i64() > id.parse().ok())
        && asked.get("id_before").is_none_or(|id| element["id"].as_i64() < id.parse().ok())
        && asked.get("top_level_only").is_none_or(|flag| flag != "true" || element["parent_id"].is_null())
}

/// `updated_after`, `created_before`, `last_activity_after` and their like, ends included. Old recordings of projects
/// lack `updated_at`; what has no such field at all is not filtered by it.
fn in_time(element: &Value, asked: &Parameters) -> bool {
    let fields = ["updated", "created", "finished", "last_activity"];
    fields.iter().all(|name| {
        let field = format!("{name}_at");
        let bound = |side: &str| asked.get(&format!("{name}_{side}")).and_then(parse_time);
        if element.get(&field).is_none() {
            return true;
        }
        let at = time(element, &field);
        bound("after").is_none_or(|after| at >= Some(after))
            && bound("before").is_none_or(|before| at <= Some(before))
    })
}

fn equals(element: &Value, field: &str, wanted: &str) -> bool {
    match element.get(field) {
        Some(Value::String(text)) => text.eq_ignore_ascii_case(wanted),
        Some(Value::Object(object)) => object.get("name").and_then(Value::as_str) == Some(wanted),
        Some(Value::Bool(flag)) => wanted.parse() == Ok(*flag),
        Some(value) => value.as_i64() == wanted.parse().ok(),
        None => true,
    }
}

fn in_list(element: &Value, field: &str, wanted: &[&str]) -> bool {
    wanted.is_empty() || element.get(field).is_none_or(|value| wanted.contains(&value.to_string().as_str()))
}

fn activity(note: &Value, filter: &str) -> bool {
    match (filter, note["system"].as_bool()) {
        ("only_comments", Some(system)) => !system,
        ("only_activity", Some(system)) => system,
        _ => true,
    }
}

fn contains(element: &Value, text: &str) -> bool {
    let text = text.to_lowercase();
    let holds = |field: &str| element[field].as_str().is_some_and(|it| it.to_lowercase().contains(&text));
    ["name", "path", "full_path", "title", "username"].iter().any(|field| holds(field))
}
