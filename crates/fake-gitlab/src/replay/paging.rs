//! Pages and their headers, by number and, for projects, by key.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::listing::{Habit, Parameters};

/// Above this many rows GitLab tells no totals.
const MOST_COUNTED: usize = 10_000;

/// A page that can be sent.
pub(super) struct Page<'a> {
    pub elements: Vec<&'a Value>,
    pub headers: HeaderMap,
}

/// Where links point to, and what they repeat.
pub(super) struct Links {
    /// `http://host/api/v4/projects`, without parameters.
    pub url: String,
    /// Parameters of every link.
    pub parameters: BTreeMap<String, Vec<String>>,
}

impl Links {
    /// The parameters asked for, what the path says and what GitLab adds by itself.
    pub(super) fn new(url: String, asked: &Parameters, from_path: Vec<(&str, &str)>, habit: &Habit) -> Self {
        let mut parameters = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in &asked.0 {
            parameters.entry(name.clone()).or_default().push(value.clone());
        }
        for (name, value) in from_path.into_iter().chain(habit.defaults.iter().copied()) {
            parameters.entry(name.to_owned()).or_insert_with(|| vec![value.to_owned()]);
        }
        Self { url, parameters }
    }

    fn link(&self, changed: &[(&str, String)], rel: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let mut parameters = self.parameters.clone();
        for (name, value) in changed {
            parameters.insert((*name).to_owned(), vec![value.clone()]);
        }
        for (name, values) in &parameters {
            query.extend_pairs(values.iter().map(|value| (name, value)));
        }
        format!("<{}?{}>; rel=\"{rel}\"", self.url, query.finish())
    }
}

/// A page by its number.
pub(super) fn by_number<'a>(
    all: &[&'a Value],
    page: usize,
    per_page: usize,
    totals: bool,
    links: &Links,
) -> Page<'a> {
    let pages = all.len().div_ceil(per_page).max(1);
    let start = (page - 1).saturating_mul(per_page).min(all.len());
    let elements = all[start..(start + per_page).min(all.len())].to_vec();
    let totals = totals && all.len() <= MOST_COUNTED;
    let next = (page < pages).then_some(page + 1);
    let previous = (page > 1).then(|| page - 1);
    let number = |page: Option<usize>| page.map(|it| it.to_string()).unwrap_or_default();
    let mut headers = HeaderMap::new();
    set(&mut headers, "x-per-page", &per_page.to_string());
    set(&mut headers, "x-page", &page.to_string());
    set(&mut headers, "x-next-page", &number(next));
    set(&mut headers, "x-prev-page", &number(previous));
    if totals {
        set(&mut headers, "x-total", &all.len().to_string());
        set(&mut headers, "x-total-pages", &pages.to_string());
    }
    let rels = [("prev", previous), ("next", next), ("first", Some(1)), ("last", totals.then_some(pages))];
    let to = |page: usize| [("page", page.to_string()), ("per_page", per_page.to_string())];
    let links: Vec<_> =
        rels.iter().filter_map(|(rel, page)| page.map(|page| links.link(&to(page), rel))).collect();
    set(&mut headers, "link", &links.join(", "));
    Page { elements, headers }
}

/// A page by the last id before it. A full page announces a next one, even if that turns out to be empty.
pub(super) fn by_key<'a>(all: &[&'a Value], per_page: usize, descending: bool, links: &Links) -> Page<'a> {
    let elements = all[..per_page.min(all.len())].to_vec();
    let mut headers = HeaderMap::new();
    if let Some(last) = elements.last().filter(|_| elements.len() == per_page) {
        let name = if descending { "id_before" } else { "id_after" };
        let changed = [(name, last["id"].to_string()), ("per_page", per_page.to_string())];
        set(&mut headers, "link", &links.link(&changed, "next"));
    }
    Page { elements, headers }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
