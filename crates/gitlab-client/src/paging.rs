//! The next page.

use std::sync::Arc;

use reqwest::header::{HeaderMap, LINK};
use url::Url;

use crate::allow::{AllowList, Method};
use crate::auth::CredentialId;
use crate::base_url::BaseUrl;

/// The next page of a list. Follow it with [`Client::get_next`](crate::Client::get_next).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    pub(crate) target: Result<Target, String>,
    pub(crate) credential: Option<CredentialId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) endpoint: Arc<str>,
}

impl Next {
    /// Finds the next page in the headers of the answer to `asked`.
    pub(crate) fn find(
        headers: &HeaderMap,
        asked: &Url,
        base: &BaseUrl,
        allowed: &AllowList,
    ) -> Option<Next> {
        let links = headers.get_all(LINK).iter().filter_map(|line| line.to_str().ok());
        let target = match links.filter_map(next_link).next() {
            Some(link) => on_our_server(link, asked, base, allowed),
            None => on_our_server(&numbered(headers, asked)?, asked, base, allowed),
        };
        Some(Next { target, credential: None })
    }

    /// Its address.
    pub fn url(&self) -> Option<&Url> {
        self.target.as_ref().ok().map(|target| &target.url)
    }

    /// A parameter of its query, such as `page` or `cursor`.
    pub fn query(&self, name: &str) -> Option<String> {
        self.url()?.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// The server's own name in a link may differ from the one we use, behind a proxy.
fn on_our_server(link: &str, asked: &Url, base: &BaseUrl, allowed: &AllowList) -> Result<Target, String> {
    let refused = || "the server names a next page that is not an endpoint this client may ask".to_owned();
    let link = asked.join(link).map_err(|_| refused())?;
    let path = link.path().split_once("/api/v4/").map(|(_, path)| path).ok_or_else(refused)?;
    let mut url = base.api(path).map_err(|_| refused())?;
    url.set_query(link.query());
    let endpoint =
        base.api_path(&url).and_then(|path| allowed.find(Method::Get, path)).ok_or_else(refused)?;
    Ok(Target { url, endpoint })
}

/// Some proxies drop `Link`; GitLab tells the number of the next page too.
fn numbered(headers: &HeaderMap, asked: &Url) -> Option<String> {
    let page: u64 = headers.get("x-next-page")?.to_str().ok()?.trim().parse().ok()?;
    let mut url = asked.clone();
    let others: Vec<_> = asked.query_pairs().into_owned().filter(|(key, _)| key != "page").collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair("page", &page.to_string());
    Some(url.into())
}

/// The target of `rel="next"` in a Link header. Its URLs may hold commas and semicolons.
fn next_link(line: &str) -> Option<&str> {
    let mut rest = line;
    while let Some((_, from)) = rest.split_once('<') {
        let (target, after) = from.split_once('>')?;
        let parameters = after.split_once('<').map_or(after, |(parameters, _)| parameters);
        if parameters.split([';', ',']).any(is_rel_next) {
            return Some(target);
        }
        rest = after;
    }
    None
}

fn is_rel_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
    name.trim().eq_ignore_ascii_case("rel") && relations.any(|it| it.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allow::EndpointRule;

    fn next(headers: &[(&'static str, &str)]) -> Option<Result<String, String>> {
        let headers = headers
            .iter()
            .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()));
        let base = BaseUrl::parse("https://proxy.example/gitlab").unwrap();
        let asked = base.api("projects/7/labels?per_page=2").unwrap();
        let allowed = AllowList::new(vec![EndpointRule::get("projects/{id}/labels")]);
        let next = Next::find(&headers.collect(), &asked, &base, &allowed)?;
        Some(next.target.map(|target| target.url.into()))
    }

    #[test]
    fn a_link_is_followed_on_our_address_whatever_host_it_names() {
        let link = r#"<http://inner:8080/api/v4/projects/7/labels?a=1,2;3&page=1>; rel="prev", <http://inner:8080/api/v4/projects/7/labels?a=1,2&page=3>; rel="next", <x>; rel="last""#;
        let expected = "https://proxy.example/gitlab/api/v4/projects/7/labels?a=1,2&page=3";
        assert_eq!(next(&[("link", link)]), Some(Ok(expected.to_owned())));
    }

    #[test]
    fn a_link_to_somewhere_else_is_refused() {
        for path in ["/api/v4/user", "/api/v4/projects/7/labels/../../../admin", "/labels"] {
            let link = format!("<http://inner{path}>; rel=next");
            assert!(next(&[("link", &link)]).unwrap().is_err(), "{path}");
        }
    }

    #[test]
    fn the_end_is_where_nothing_is_announced() {
        assert_eq!(next(&[("link", r#"<http://x/api/v4/projects/7/labels>; rel="first""#)]), None);
        assert_eq!(next(&[("x-next-page", "")]), None);
        let numbered = next(&[("x-next-page", "4")]).unwrap().unwrap();
        assert!(numbered.ends_with("labels?per_page=2&page=4"), "{numbered}");
    }
}
