//! The address of a GitLab server, normalised.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The address of a GitLab server: host in lower case, no default port, no trailing slash.
/// A relative root (`https://example.com/gitlab`) is kept.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(String);

/// Why an address cannot be used, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadUrl {
    /// Nothing was given.
    #[error(
        "The address is empty. Give the address of the GitLab server, such as https://gitlab.example.com."
    )]
    Empty,
    /// It is not a URL.
    #[error(
        "This is not an address ({0}). Give the address of the GitLab server, such as https://gitlab.example.com."
    )]
    Malformed(url::ParseError),
    /// Neither http nor https.
    #[error("{0}:// cannot be used. Start the address with https:// (or http://).")]
    Scheme(String),
    /// `https://user:password@host`.
    #[error("The address has a user name or password in it. Take it out; the token is given separately.")]
    UserInfo,
    /// A query or a fragment.
    #[error("The address has a `?` or `#` in it. Give only the part before it.")]
    Extra,
    /// A link-local address or a cloud's metadata service.
    #[error(
        "{0} is a link-local or metadata address, which is never a GitLab server. Give the server's own name."
    )]
    Metadata(String),
}

/// Something worth telling the person who typed the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// No scheme was given, https is used.
    AssumedHttps,
    /// `/api/v4` or `/api/graphql` was taken off.
    ApiPathRemoved,
    /// Tokens will travel unencrypted.
    PlainHttp,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hint::AssumedHttps => "No scheme was given, so https:// is used.",
            Hint::ApiPathRemoved => "The path of the API was taken off; the address of the server is enough.",
            Hint::PlainHttp => {
                "This address is plain http: the token travels unencrypted. Use https:// if you can."
            }
        })
    }
}

impl BaseUrl {
    /// The hosted GitLab.
    pub fn gitlab_com() -> BaseUrl {
        BaseUrl("https://gitlab.com".to_owned())
    }

    /// Reads and normalises an address.
    pub fn parse(text: &str) -> Result<BaseUrl, BadUrl> {
        Ok(Self::parse_with_hints(text)?.0)
    }

    /// As [`BaseUrl::parse`], with what should be said about the address.
    pub fn parse_with_hints(text: &str) -> Result<(BaseUrl, Vec<Hint>), BadUrl> {
        let text = text.trim();
        let mut hints = Vec::new();
        let url = if text.is_empty() {
            return Err(BadUrl::Empty);
        } else if text.contains("://") {
            Url::parse(text).map_err(BadUrl::Malformed)?
        } else {
            hints.push(Hint::AssumedHttps);
            Url::parse(&format!("https://{text}")).map_err(BadUrl::Malformed)?
        };
        check(&url)?;
        let path = without_api(url.path(), &mut hints);
        if url.scheme() == "http" {
            hints.push(Hint::PlainHttp);
        }
        Ok((BaseUrl(format!("{}{path}", url.origin().ascii_serialization())), hints))
    }

    /// The normalised address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether tokens travel unencrypted.
    pub fn is_plain_http(&self) -> bool {
        self.0.starts_with("http://")
    }

    /// The address of a path of the REST API, such as `projects/7`.
    pub(crate) fn api(&self, path: &str) -> Result<Url, url::ParseError> {
        Url::parse(&format!("{}/api/v4/{path}", self.0))
    }

    /// The address of GraphQL.
    pub(crate) fn graphql(&self) -> Result<Url, url::ParseError> {
        Url::parse(&format!("{}/api/graphql", self.0))
    }

    /// The part of `url` behind `/api/v4/`, if it lies on this server.
    pub(crate) fn api_path<'u>(&self, url: &'u Url) -> Option<&'u str> {
        let own = Url::parse(&self.0).ok()?;
        let root = own.path().trim_end_matches('/');
        let path = url.path().strip_prefix(root)?.strip_prefix("/api/v4/")?;
        (own.origin() == url.origin()).then_some(path)
    }
}

fn check(url: &Url) -> Result<(), BadUrl> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(BadUrl::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadUrl::UserInfo);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(BadUrl::Extra);
    }
    match url.host() {
        Some(host) if is_metadata_host(&host) => Err(BadUrl::Metadata(host.to_string())),
        _ => Ok(()),
    }
}

fn without_api(path: &str, hints: &mut Vec<Hint>) -> String {
    let path = path.trim_end_matches('/');
    let Some(root) = path.strip_suffix("/api/v4").or_else(|| path.strip_suffix("/api/graphql")) else {
        return path.to_owned();
    };
    hints.push(Hint::ApiPathRemoved);
    root.trim_end_matches('/').to_owned()
}

fn is_metadata_host(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            ["metadata.google.internal", "metadata.goog", "metadata", "instance-data.ec2.internal"]
                .contains(&name.as_str())
        }
        Host::Ipv4(address) => is_metadata_address(IpAddr::V4(*address)),
        Host::Ipv6(address) => is_metadata_address(IpAddr::V6(*address)),
    }
}

/// Whether an address is link-local or a cloud's metadata service. Loopback and private networks are not.
pub(crate) fn is_metadata_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4 == Ipv4Addr::new(100, 100, 100, 200),
        IpAddr::V6(v6) => is_metadata_v6(v6),
    }
}

fn is_metadata_v6(v6: Ipv6Addr) -> bool {
    const AWS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    const GOOGLE: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);
    v6 == AWS
        || v6 == GOOGLE
        || (v6.segments()[0] & 0xffc0) == 0xfe80
        || embedded_v4(v6).is_some_and(|v4| is_metadata_address(IpAddr::V4(v4)))
}

/// The IPv4 address in `::ffff:a.b.c.d` and in NAT64's `64:ff9b::a.b.c.d`.
fn embedded_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = v6.segments();
    let nat64 = [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0];
    let [h1, h2] = high.to_be_bytes();
    let [l1, l2] = low.to_be_bytes();
    v6.to_ipv4_mapped().or_else(|| nat64.then(|| Ipv4Addr::new(h1, h2, l1, l2)))
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({})", self.0)
    }
}

impl FromStr for BaseUrl {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        BaseUrl::parse(text)
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = BadUrl;

    fn try_from(text: String) -> Result<Self, BadUrl> {
        BaseUrl::parse(&text)
    }
}

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> String {
        url.0
    }
}
