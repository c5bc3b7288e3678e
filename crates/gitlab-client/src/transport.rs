//! The HTTP client underneath: TLS, proxy, connections.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, ClientBuilder, NoProxy, redirect};
use secrecy::ExposeSecret;

use crate::base_url::is_metadata_address;
use crate::config::{ClientConfig, ConfigError, Proxy};
use crate::network::MetadataAddress;

/// Builds the HTTP client.
pub(crate) fn build(config: &ClientConfig) -> Result<reqwest::Client, ConfigError> {
    // Whoever was first wins, and any provider will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let user_agent = HeaderValue::from_str(&config.user_agent).map_err(|_| ConfigError::UserAgent)?;
    let builder = reqwest::Client::builder()
        .user_agent(user_agent)
        .default_headers(headers(config)?)
        .redirect(redirect::Policy::none())
        .referer(false)
        .timeout(config.timeout)
        .connect_timeout(config.connect_timeout)
        .pool_max_idle_per_host(config.concurrency)
        .pool_idle_timeout(Duration::from_secs(60))
        .tcp_keepalive(Duration::from_secs(30))
        .tcp_nodelay(true)
        .gzip(true)
        .dns_resolver(SafeResolver);
    let builder = with_certificates(with_proxy(builder, &config.proxy)?, config)?;
    builder.build().map_err(|error| ConfigError::Tls(crate::network::innermost(&error)))
}

fn headers(config: &ClientConfig) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    for (name, value) in &config.headers {
        let bad = || ConfigError::Header(name.clone());
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

fn with_proxy(builder: ClientBuilder, proxy: &Proxy) -> Result<ClientBuilder, ConfigError> {
    Ok(match proxy {
        Proxy::FromEnvironment => builder,
        Proxy::Direct => builder.no_proxy(),
        Proxy::Url(url) => {
            let proxy = reqwest::Proxy::all(url.expose_secret()).map_err(|_| ConfigError::Proxy)?;
            builder.proxy(proxy.no_proxy(NoProxy::from_env()))
        }
    })
}

fn with_certificates(builder: ClientBuilder, config: &ClientConfig) -> Result<ClientBuilder, ConfigError> {
    Ok(match &config.ca_file {
        Some(path) => builder.tls_certs_merge(certificates(path)?),
        // Without TLS a machine that has no certificates at all will do.
        None if config.base_url.is_plain_http() => builder.tls_certs_only([]),
        None => builder,
    })
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, ConfigError> {
    let bad = |reason: String| ConfigError::CaFile { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| bad(error.to_string()))?;
    if certificates.is_empty() {
        return Err(bad("there is no certificate in it; give a PEM file".to_owned()));
    }
    Ok(certificates)
}

/// The system's resolver, except that a name may not lead to a metadata address.
struct SafeResolver;

impl Resolve for SafeResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let safe: Vec<_> = found.iter().copied().filter(|it| !is_metadata_address(it.ip())).collect();
            if safe.is_empty() && !found.is_empty() {
                return Err(MetadataAddress.into());
            }
            Ok(Box::new(safe.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_never_leads_to_a_metadata_address() {
        let resolve = |name: &str| SafeResolver.resolve(name.parse().unwrap());
        assert!(resolve("169.254.169.254").await.err().is_some_and(|error| error.is::<MetadataAddress>()));
        assert!(resolve("127.0.0.1").await.is_ok());
    }
}
