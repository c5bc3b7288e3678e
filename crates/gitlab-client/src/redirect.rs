//! Where a redirect may lead.

use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

use crate::allow::{AllowList, Method};
use crate::base_url::BaseUrl;

/// Where a redirect leads.
#[derive(Debug, PartialEq)]
pub(crate) enum Redirect {
    /// To an endpoint we may ask, on the same server.
    Follow(Url),
    /// To GitLab's own sign-in page.
    SignIn,
    /// Elsewhere; the sentence says where.
    Refused(String),
}

/// Judges a redirect that answered `asked`.
pub(crate) fn judge(headers: &HeaderMap, asked: &Url, base: &BaseUrl, allowed: &AllowList) -> Redirect {
    let location = headers.get(LOCATION).and_then(|it| it.to_str().ok());
    let Some(target) = location.and_then(|it| asked.join(it).ok()) else {
        return Redirect::Refused("the server answers with a redirect that leads nowhere.".to_owned());
    };
    if target.origin() != asked.origin() {
        return Redirect::Refused(elsewhere(&target, asked));
    }
    if target.path().ends_with("/users/sign_in") {
        return Redirect::SignIn;
    }
    match base.api_path(&target).and_then(|path| allowed.find(Method::Get, path)) {
        Some(_) => Redirect::Follow(target),
        None => Redirect::Refused(
            "the server redirects to something that is not an endpoint this client may ask.".to_owned(),
        ),
    }
}

/// Only the origin is told: the rest of such an address may hold secrets.
fn elsewhere(target: &Url, asked: &Url) -> String {
    let origin = target.origin().ascii_serialization();
    if target.host() == asked.host() {
        format!("the server redirects to {origin}: use that as its address.")
    } else {
        format!(
            "the server redirects to {origin}, which is another host: is a sign-in or another server in front of GitLab?"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allow::EndpointRule;

    fn to(location: &str) -> Redirect {
        let base = BaseUrl::parse("https://x").unwrap();
        let headers = HeaderMap::from_iter([(LOCATION, location.parse().unwrap())]);
        let allowed = AllowList::new(vec![EndpointRule::get("projects/{id}")]);
        judge(&headers, &base.api("projects/a%2Fb").unwrap(), &base, &allowed)
    }

    #[test]
    fn a_redirect_is_followed_only_on_the_same_server_and_to_what_is_allowed() {
        let moved = Url::parse("https://x/api/v4/projects/81").unwrap();
        assert_eq!(to("https://x/api/v4/projects/81"), Redirect::Follow(moved.clone()));
        assert_eq!(to("/api/v4/projects/81"), Redirect::Follow(moved));
        assert_eq!(to("/users/sign_in"), Redirect::SignIn);
        for elsewhere in
            ["https://y/api/v4/projects/81", "http://x/api/v4/projects/81", "https://x/api/v4/user"]
        {
            assert!(matches!(to(elsewhere), Redirect::Refused(_)), "{elsewhere}");
        }
    }
}
