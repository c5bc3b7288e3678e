//! The way out: address, key, proxy and certificates.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, redirect};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long one attempt may take, answer included: a large page on a slow line.
const ANSWER: Duration = Duration::from_secs(120);

/// The way to the Weir outside.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its address, without `/api`.
    pub address: Url,
    /// The API key.
    pub key: SecretString,
    /// The proxy to go through. It may hold a password.
    pub proxy: Option<SecretString>,
    /// PEM file with certificates to trust beside the machine's own.
    pub ca_file: Option<PathBuf>,
}

/// What is wrong with a way out.
#[derive(Debug, PartialEq, Eq)]
pub struct RouteError(pub String);

impl Route {
    /// The address of the Weir outside from what somebody wrote.
    pub fn parse_address(text: &str) -> Result<Url, RouteError> {
        let wrong = |why: &str| RouteError(format!("{text:?} is no address of a Weir: {why}"));
        let spelt = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let mut url = Url::parse(&spelt).map_err(|_| wrong("it looks like https://weir.example.com"))?;
        if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none() {
            return Err(wrong("it looks like https://weir.example.com"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(RouteError("the address of a Weir has neither user nor query".to_owned()));
        }
        let path = url.path().trim_end_matches('/').trim_end_matches("/api").to_owned();
        url.set_path(&path);
        url.set_fragment(None);
        Ok(url)
    }

    /// Whether the key would travel unencrypted to another machine.
    pub fn is_open(&self) -> bool {
        let local = |it: &str| it == "localhost" || it.starts_with("127.") || it == "[::1]";
        self.address.scheme() == "http" && !self.address.host_str().is_some_and(local)
    }

    /// The address of a method.
    pub(crate) fn method(&self, name: &str) -> String {
        format!("{}/api/{name}", self.address.as_str().trim_end_matches('/'))
    }

    /// The client that goes this way, and no other.
    pub(crate) fn client(&self) -> Result<Client, RouteError> {
        // Whoever was first wins, and any provider will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("weir-extractor/", env!("CARGO_PKG_VERSION")))
            .default_headers(self.headers()?)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .tcp_keepalive(Duration::from_secs(30))
            .tcp_nodelay(true)
            .gzip(true);
        if let Some(proxy) = &self.proxy {
            let bad =
                |_| RouteError("the address of the proxy cannot be used; give it as http://host".to_owned());
            builder = builder.proxy(reqwest::Proxy::all(proxy.expose_secret()).map_err(bad)?);
        }
        builder = match &self.ca_file {
            Some(path) => builder.tls_certs_merge(certificates(path)?),
            // Without TLS a machine that has no certificates at all will do.
            None if self.address.scheme() == "http" => builder.tls_certs_only([]),
            None => builder,
        };
        builder.build().map_err(|it| RouteError(format!("TLS cannot be set up: {it}")))
    }

    fn headers(&self) -> Result<HeaderMap, RouteError> {
        let key = format!("Bearer {}", self.key.expose_secret().trim());
        let bad =
            |_| RouteError("the API key has characters in it that no key has; copy it again".to_owned());
        let mut value = HeaderValue::from_str(&key).map_err(bad)?;
        value.set_sensitive(true);
        Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, RouteError> {
    let bad =
        |why: String| RouteError(format!("the certificates in {} cannot be read: {why}", path.display()));
    let pem = std::fs::read(path).map_err(|it| bad(it.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|it| bad(it.to_string()))?;
    if certificates.is_empty() {
        return Err(bad("there is no certificate in it; give a PEM file".to_owned()));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_written_in_several_ways() {
        let parsed = |text: &str| Route::parse_address(text).unwrap().to_string();
        for text in ["weir.example.com", "https://weir.example.com/api/", "https://weir.example.com#x"] {
            assert_eq!(parsed(text), "https://weir.example.com/");
        }
        assert_eq!(parsed("http://10.0.0.1:9347/weir/api"), "http://10.0.0.1:9347/weir");
        for wrong in ["", "ftp://x", "https://user:word@x", "https://x/?a=b"] {
            let error = Route::parse_address(wrong).unwrap_err();
            assert!(!error.0.contains("word"), "{error:?}");
        }
    }
}
