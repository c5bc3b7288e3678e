//! A request as the caller words it, and its URL.

use url::Url;
use url::form_urlencoded::Serializer;

use crate::allow::is_placeholder;
use crate::auth::CredentialId;
use crate::base_url::BaseUrl;
use crate::error::Error;

/// A read of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The endpoint's path below `/api/v4`, with `{name}` for each part that varies.
    pub template: String,
    /// The parts that vary, in order.
    pub values: Vec<String>,
    /// The query.
    pub query: Vec<(String, String)>,
    /// Answer only if the content is no longer this (`If-None-Match`).
    pub etag: Option<String>,
    /// The same, but only where this credential asks: another may be told something else.
    pub etags: Vec<(CredentialId, String)>,
    /// Use this credential and no other.
    pub credential: Option<CredentialId>,
}

impl Request {
    /// A read of the endpoint with this template.
    pub fn new(template: impl Into<String>) -> Self {
        Request {
            template: template.into(),
            values: Vec::new(),
            query: Vec::new(),
            etag: None,
            etags: Vec::new(),
            credential: None,
        }
    }

    /// Fills in the next part that varies.
    pub fn value(mut self, value: impl ToString) -> Self {
        self.values.push(value.to_string());
        self
    }

    /// Adds a parameter.
    pub fn query(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Asks only for what is no longer this.
    pub fn etag(mut self, etag: impl Into<String>) -> Self {
        self.etag = Some(etag.into());
        self
    }

    /// The same, where this credential asks. May be given for several.
    pub fn etag_for(mut self, credential: impl Into<CredentialId>, etag: impl Into<String>) -> Self {
        self.etags.push((credential.into(), etag.into()));
        self
    }

    /// Uses this credential and no other.
    pub fn credential(mut self, id: impl Into<CredentialId>) -> Self {
        self.credential = Some(id.into());
        self
    }

    /// The path below `/api/v4`.
    fn path(&self) -> Result<String, Error> {
        let mut values = self.values.iter();
        let parts: Option<Vec<String>> = self
            .template
            .trim_matches('/')
            .split('/')
            .map(|part| {
                if is_placeholder(part) {
                    values.next().and_then(|it| encode(it))
                } else {
                    Some(part.to_owned())
                }
            })
            .collect();
        parts.filter(|_| values.next().is_none()).map(|parts| parts.join("/")).ok_or_else(|| {
            Error::refused(format!("the values {:?} do not fit the endpoint {}.", self.values, self.template))
        })
    }

    pub(crate) fn url(&self, base: &BaseUrl) -> Result<Url, Error> {
        let mut url =
            base.api(&self.path()?).map_err(|error| Error::refused(format!("not an address: {error}.")))?;
        if !self.query.is_empty() {
            url.set_query(Some(&Serializer::new(String::new()).extend_pairs(&self.query).finish()));
        }
        Ok(url)
    }
}

/// One part of a path, so encoded that it stays one. `None` for what could climb out of its place.
fn encode(value: &str) -> Option<String> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let text = value
        .bytes()
        .map(|byte| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    Some(text.collect()).filter(|_| !matches!(value, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(request: Request) -> Option<String> {
        request.url(&BaseUrl::parse("https://x/gitlab").unwrap()).ok().map(String::from)
    }

    #[test]
    fn values_stay_in_their_place() {
        let request = Request::new("projects/{id}/members")
            .value("group/shop+1?")
            .query("updated_after", "2026-01-01T00:00:00+01:00");
        let expected = "https://x/gitlab/api/v4/projects/group%2Fshop%2B1%3F/members?updated_after=2026-01-01T00%3A00%3A00%2B01%3A00";
        assert_eq!(url(request).as_deref(), Some(expected));
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        for value in ["", ".", ".."] {
            assert_eq!(url(Request::new("projects/{id}/members").value(value)), None);
        }
        assert_eq!(url(Request::new("projects/{id}/members")), None);
        assert_eq!(url(Request::new("projects").value(7)), None);
    }
}
