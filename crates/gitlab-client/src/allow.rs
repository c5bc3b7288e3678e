//! The allow-list: what may be asked at all.

use std::fmt;
use std::sync::Arc;

/// How an endpoint is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// GraphQL queries; with any other rule it makes something.
    Post,
    /// Changes.
    Put,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
        })
    }
}

/// One endpoint that may be asked, such as `GET projects/{id}/merge_requests`.
/// GraphQL is one rule: `POST graphql`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EndpointRule {
    /// How it is asked.
    pub method: Method,
    /// Its path below `/api/v4`, with `{name}` for each part that varies.
    pub template: Arc<str>,
}

impl EndpointRule {
    /// A REST endpoint that may be read.
    pub fn get(template: &str) -> Self {
        EndpointRule { method: Method::Get, template: template.trim_matches('/').into() }
    }

    /// GraphQL queries.
    pub fn graphql() -> Self {
        EndpointRule { method: Method::Post, template: GRAPHQL.into() }
    }

    /// A REST endpoint at which something may be made. Clients that read have no such rule.
    pub fn post(template: &str) -> Self {
        EndpointRule { method: Method::Post, template: template.trim_matches('/').into() }
    }

    /// A REST endpoint at which something may be changed. Clients that read have no such rule.
    pub fn put(template: &str) -> Self {
        EndpointRule { method: Method::Put, template: template.trim_matches('/').into() }
    }

    /// Whether anything can be made or changed with it.
    pub fn writes(&self) -> bool {
        self.method != Method::Get && *self.template != *GRAPHQL
    }

    fn matches(&self, method: Method, path: &str) -> bool {
        let (mut rule, mut path) = (self.template.split('/'), path.split('/'));
        self.method == method
            && loop {
                match (rule.next(), path.next()) {
                    (None, None) => break true,
                    (Some(wanted), Some(given)) if segment_matches(wanted, given) => {}
                    _ => break false,
                }
            }
    }
}

/// The template of the rule for GraphQL.
pub(crate) const GRAPHQL: &str = "graphql";

/// Whether a part of a template varies.
pub(crate) fn is_placeholder(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

fn segment_matches(wanted: &str, given: &str) -> bool {
    if is_placeholder(wanted) { !given.is_empty() } else { wanted == given }
}

/// The rules of a client.
#[derive(Debug)]
pub(crate) struct AllowList(Vec<EndpointRule>);

impl AllowList {
    pub(crate) fn new(rules: Vec<EndpointRule>) -> Self {
        AllowList(rules)
    }

    /// The template of the rule that allows this path. A rule without placeholders goes first, so
    /// that `projects/{id}` does not give its name to `projects/shared`.
    pub(crate) fn find(&self, method: Method, path: &str) -> Option<Arc<str>> {
        let matching = || self.0.iter().filter(|rule| rule.matches(method, path));
        let literal = matching().find(|rule| !rule.template.contains('{'));
        literal.or_else(|| matching().next()).map(|rule| rule.template.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_allowed_only_segment_by_segment() {
        let list = AllowList::new(vec![EndpointRule::get("projects/{id}/merge_requests")]);
        let allowed = |path| list.find(Method::Get, path).is_some();
        assert!(allowed("projects/7/merge_requests"));
        assert!(allowed("projects/group%2Fshop/merge_requests"));
        for path in [
            "projects/7",
            "projects//merge_requests",
            "projects/7/merge_requests/",
            "projects/7/merge_requests/1",
        ] {
            assert!(!allowed(path), "{path}");
        }
        assert_eq!(list.find(Method::Post, "projects/7/merge_requests"), None);
    }
}
