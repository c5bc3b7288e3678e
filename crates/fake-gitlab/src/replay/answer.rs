//! Answers a request from the library.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::library::Library;
use super::listing::{self, Parameters};
use super::paging::{self, Links};
use super::place::{self, Place};
use super::recordings::segments;

/// Every request comes here.
pub(super) async fn answer(
    State(library): State<Arc<Library>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if !has_token(&headers) {
        return (StatusCode::UNAUTHORIZED, Json(json!({"message": "401 Unauthorized"}))).into_response();
    }
    let path = uri.path().strip_prefix("/api/v4/").map(segments);
    let Some(path) = path.filter(|_| method == Method::GET || method == Method::HEAD) else {
        return not_found();
    };
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok()).unwrap_or("localhost");
    let asked = Parameters::parse(uri.query().unwrap_or_default());
    Request {
        library: &library,
        url: format!("http://{host}{}", uri.path()),
        path: library.by_ids(path),
        asked,
    }
    .answer()
}

/// Any token will do, as a header of its own or as a bearer.
fn has_token(headers: &HeaderMap) -> bool {
    ["private-token", "job-token", "authorization"]
        .iter()
        .any(|name| headers.get(*name).is_some_and(|it| !it.is_empty()))
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"error": "404 Not Found"}))).into_response()
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"error": error}))).into_response()
}

struct Request<'a> {
    library: &'a Library,
    url: String,
    path: Vec<String>,
    asked: Parameters,
}

impl Request<'_> {
    fn answer(&self) -> Response {
        let parts: Vec<&str> = self.path.iter().map(String::as_str).collect();
        if let ["groups", group, below @ ("projects" | "subgroups" | "descendant_groups")] = parts.as_slice()
        {
            return self.below_group(group, below);
        }
        match place::of_path(&self.path) {
            Place::List(list) => match self.library.list(&list) {
                Some(elements) => self.list(&list, elements),
                None => not_found(),
            },
            Place::Element(list, key) => found(self.library.element(&list, &key)),
            Place::Plain(path) => match self.library.plain(&path) {
                Some(Value::Array(elements)) => self.list(&path, elements.iter().collect()),
                body => found(body),
            },
        }
    }

    /// A group's projects or subgroups, by the paths of what was recorded; only of a group that was.
    fn below_group(&self, group: &str, what: &str) -> Response {
        let Some(group) = self.library.element("groups", group) else { return not_found() };
        let above = group["full_path"].as_str().unwrap_or_default().to_lowercase();
        let deep = what == "descendant_groups" || self.asked.get("include_subgroups") == Some("true");
        let (list, path) = match what {
            "projects" => ("projects", "path_with_namespace"),
            _ => ("groups", "full_path"),
        };
        let inside = |element: &&Value| {
            let parent = element[path]
                .as_str()
                .and_then(|it| it.rsplit_once('/'))
                .map(|(parent, _)| parent.to_lowercase());
            parent.is_some_and(|parent| parent == above || (deep && parent.starts_with(&format!("{above}/"))))
        };
        let elements = self.library.list(list).unwrap_or_default();
        self.list(list, elements.into_iter().filter(inside).collect())
    }

    fn list(&self, list: &str, elements: Vec<&Value>) -> Response {
        let (Some(page), Some(per_page)) = (self.number("page", 1), self.number("per_page", 20)) else {
            return refused(StatusCode::BAD_REQUEST, "per_page does not have a valid value");
        };
        let per_page = per_page.min(100);
        let habit = listing::habit(list);
        let all = listing::select(list, elements, &self.asked);
        let links = Links::new(self.url.clone(), &self.asked, self.told_by_path(), &habit);
        let keyset = self.asked.get("pagination") == Some("keyset");
        let page = match keyset {
            true if list != "projects" || self.asked.get("order_by") != Some("id") => {
                let error = "Keyset pagination is not yet available for this type of request";
                return refused(StatusCode::METHOD_NOT_ALLOWED, error);
            }
            true => paging::by_key(&all, per_page, self.asked.get("sort") != Some("asc"), &links),
            false => paging::by_number(&all, page, per_page, habit.totals, &links),
        };
        (page.headers, Json(page.elements)).into_response()
    }

    /// None where the value is no positive number.
    fn number(&self, name: &str, default: usize) -> Option<usize> {
        self.asked.get(name).map_or(Some(default), |text| text.parse().ok().filter(|it| *it > 0))
    }

    /// What GitLab repeats from the path as parameters of its links.
    fn told_by_path(&self) -> Vec<(&'static str, &str)> {
        let parts: Vec<&str> = self.path.iter().map(String::as_str).collect();
        match parts.as_slice() {
            [_, id, "merge_requests", iid, "notes"] => vec![("id", *id), ("noteable_id", *iid)],
            [_, id, _, ..] => vec![("id", *id)],
            _ => Vec::new(),
        }
    }
}

fn found(body: Option<&Value>) -> Response {
    body.map_or_else(not_found, |body| Json(body).into_response())
}
