//! Where GitLab is to deliver to.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// Where Weir takes deliveries, below its own address.
const PATH: &str = "/webhooks/gitlab";

/// The address that hooks lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// Reads the address of Weir, with or without the path that takes deliveries. Fails with a sentence.
    pub fn parse(text: &str) -> Result<Address, String> {
        let text = text.trim();
        let wanted = "It is written as https://weir.example.com.";
        let mut url = Url::parse(text).map_err(|_| format!("{text:?} is not an address. {wanted}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(format!("GitLab delivers by http and https only, not to {text:?}. {wanted}"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("The address holds a password, which GitLab would show to whoever sees the hook. Give the gateway's \
                        password in a custom header of the hook."
                .to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("The address has something behind its path. {wanted}"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&if path.ends_with(PATH) { path } else { path + PATH });
        Ok(Address(url))
    }

    /// Whether a hook with this address leads here.
    pub fn is(&self, url: &str) -> bool {
        plain(url).is_some_and(|it| it == self.0)
    }

    /// Whether it is one that GitLab refuses unless its administrator allows addresses of its own network.
    pub fn is_local(&self) -> bool {
        is_local(&self.0)
    }

    /// Whether certificates play a part.
    pub(super) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// Whether a hook with this address may lead to some Weir.
pub(super) fn may_be_weirs(url: &str) -> bool {
    plain(url).is_some_and(|it| it.path().ends_with(PATH))
}

fn plain(url: &str) -> Option<Url> {
    let mut url = Url::parse(url.trim()).ok()?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Some(url)
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(it)) => is_local_ip(it.into()),
        Some(Host::Ipv6(it)) => is_local_ip(it.into()),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn is_local_ip(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(it) => it.is_loopback() || it.is_private() || it.is_link_local() || it.is_unspecified(),
        IpAddr::V6(it) => it.is_loopback() || it.is_unique_local() || it.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_may_be_left_out() {
        for text in [
            "https://Weir.example.com",
            "https://weir.example.com/",
            "https://weir.example.com:443/webhooks/gitlab",
            "https://weir.example.com/webhooks/gitlab/",
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.to_string(), "https://weir.example.com/webhooks/gitlab");
            assert!(
                address.is("https://weir.example.com/webhooks/gitlab/") && address.is(&address.to_string())
            );
            assert!(!address.is("http://weir.example.com/webhooks/gitlab"));
        }
        let below = Address::parse("https://gate.example.com/weir").unwrap();
        assert_eq!(below.to_string(), "https://gate.example.com/weir/webhooks/gitlab");
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_to_do() {
        for text in ["weir", "ftp://weir", "https://a:b@weir", "https://weir?x=1", "https://weir#x", ""] {
            let sentence = Address::parse(text).unwrap_err();
            assert!(sentence.ends_with('.') && sentence.len() > 40, "{sentence}");
        }
    }

    #[test]
    fn local_addresses_are_known() {
        let local = |text: &str| Address::parse(text).unwrap().is_local();
        assert!(local("http://10.0.0.7:9347") && local("http://localhost") && local("http://[::1]"));
        assert!(!local("https://weir.example.com") && !local("http://1.2.3.4"));
    }
}
