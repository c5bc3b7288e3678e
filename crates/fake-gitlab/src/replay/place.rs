//! Where a recorded body belongs: the list it is an element of, named by that list's path.

use serde_json::Value;

/// Words that name a list of elements at the end of a path.
const LISTS: [&str; 18] = [
    "projects",
    "groups",
    "users",
    "merge_requests",
    "notes",
    "discussions",
    "members",
    "labels",
    "milestones",
    "commits",
    "statuses",
    "pipelines",
    "jobs",
    "bridges",
    "deployments",
    "environments",
    "issues",
    "hooks",
];

/// A path under which something is listed or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A list.
    List(String),
    /// One element of a list.
    Element(String, String),
    /// Anything else, kept as it is.
    Plain(String),
}

/// The place a path means. `members/all` counts as `members`.
pub(super) fn of_path(path: &[String]) -> Place {
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let all = parts.windows(2).position(|pair| pair == ["members", "all"]).map(|at| at + 1);
    let parts: Vec<&str> =
        parts.into_iter().enumerate().filter(|(at, _)| Some(*at) != all).map(|(_, part)| part).collect();
    let is_list = |part: &&str| LISTS.contains(part);
    match parts.as_slice() {
        // A path that ends in a list's name is a list, unless that is the name of an element: /groups/jobs.
        [.., parent, last] if is_list(last) && !is_list(parent) => Place::List(parts.join("/")),
        [last] if is_list(last) => Place::List((*last).to_owned()),
        [list @ .., last] if list.last().is_some_and(is_list) => {
            Place::Element(list.join("/"), (*last).to_owned())
        }
        _ => Place::Plain(parts.join("/")),
    }
}

/// The list an element is kept in, when its request's list is `list`. Merge requests are kept by the project they name
/// themselves, projects and groups in one list each, wherever they were listed.
pub(super) fn home(list: &str, element: &Value) -> String {
    let parts: Vec<&str> = list.split('/').collect();
    match parts.as_slice() {
        [.., "merge_requests"] => match element.get("project_id").and_then(Value::as_i64) {
            Some(project) => format!("projects/{project}/merge_requests"),
            None => list.to_owned(),
        },
        [.., "projects"] => "projects".to_owned(),
        _ => list.to_owned(),
    }
}

/// What tells an element from the others of its list.
pub(super) fn key(list: &str, element: &Value) -> Option<String> {
    let field = if list.ends_with("merge_requests") || list.ends_with("/issues") { "iid" } else { "id" };
    match element.get(field).or_else(|| element.get("id"))? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The list a body without a request belongs to, as far as its shape tells.
pub(super) fn by_shape(element: &Value) -> Option<String> {
    let has = |name: &str| element.get(name).is_some_and(|value| !value.is_null());
    let project = || element.get("project_id").and_then(Value::as_i64);
    if has("path_with_namespace") {
        Some("projects".to_owned())
    } else if has("full_path") && has("id") {
        Some("groups".to_owned())
    } else if has("source_branch") && has("iid") {
        Some(format!("projects/{}/merge_requests", project()?))
    } else if has("noteable_iid") && element["noteable_type"] == "MergeRequest" {
        Some(format!("projects/{}/merge_requests/{}/notes", project()?, element["noteable_iid"].as_i64()?))
    } else if has("sha") && has("ref") && has("status") && has("iid") {
        Some(format!("projects/{}/pipelines", project()?))
    } else if has("username") && !has("access_level") {
        Some("users".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str) -> Place {
        of_path(&super::super::recordings::segments(path))
    }

    #[test]
    fn a_path_is_a_list_an_element_or_neither() {
        let list = |it: &str| Place::List(it.to_owned());
        let element = |list: &str, it: &str| Place::Element(list.to_owned(), it.to_owned());
        assert_eq!(place("projects"), list("projects"));
        assert_eq!(place("projects/a%2Fb"), element("projects", "a/b"));
        assert_eq!(place("projects/7/members/all"), list("projects/7/members"));
        assert_eq!(place("projects/7/members/all/3"), element("projects/7/members", "3"));
        assert_eq!(place("groups/jobs"), element("groups", "jobs"));
        assert_eq!(
            place("projects/7/repository/commits/abc"),
            element("projects/7/repository/commits", "abc")
        );
        assert_eq!(place("user"), Place::Plain("user".to_owned()));
    }
}
