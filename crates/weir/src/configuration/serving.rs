//! What stands in other files or needs more than a word: certificates, proxies, addresses of databases.

use std::path::PathBuf;

use server::{Tls, TrustedProxies};

/// The certificate to serve with, where files are named.
pub(super) fn tls(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    problems: &mut Vec<String>,
) -> Option<Tls> {
    let (certificate, key) = match (certificate, key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => return None,
        (Some(_), None) => {
            problems.push("server.tls_key_file: it is wanted beside server.tls_certificate_file".to_owned());
            return None;
        }
        (None, Some(_)) => {
            problems.push("server.tls_certificate_file: it is wanted beside server.tls_key_file".to_owned());
            return None;
        }
    };
    Tls::load(&certificate, &key).map_err(|it| problems.push(format!("TLS: {it}"))).ok()
}

/// The proxies that are trusted: of the environment with commas between, else of the file.
pub(super) fn proxies(
    environment: Option<&String>,
    filed: &[String],
    problems: &mut Vec<String>,
) -> TrustedProxies {
    let parsed = match environment {
        Some(text) => TrustedProxies::parse(text.split(',').filter(|it| !it.trim().is_empty())),
        None => TrustedProxies::parse(filed.iter().map(String::as_str)),
    };
    parsed.unwrap_or_else(|bad| {
        problems.push(format!(
            "server.trusted_proxies: {bad:?} is neither an address nor a network, such as 10.0.0.0/8"
        ));
        TrustedProxies::default()
    })
}

/// What a file holds, where one is named.
pub(super) fn contents(file: Option<PathBuf>, problems: &mut Vec<String>) -> Option<String> {
    let file = file?;
    match std::fs::read_to_string(&file) {
        Ok(text) => Some(text.trim().to_owned()),
        Err(error) => {
            problems.push(format!("{}: {error}", file.display()));
            None
        }
    }
}
