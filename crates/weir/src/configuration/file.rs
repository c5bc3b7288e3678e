//! `weir.toml`.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use super::shown;

/// The file as a whole. What is not known is refused: a word misspelt would be ignored for ever.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) server: Server,
    pub(super) api: Api,
    pub(super) database: Database,
    pub(super) gitlab: Gitlab,
    pub(super) encryption: Encryption,
    pub(super) log: Log,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    pub(super) listen: Option<String>,
    pub(super) metrics_listen: Option<String>,
    pub(super) tls_certificate_file: Option<PathBuf>,
    pub(super) tls_key_file: Option<PathBuf>,
    pub(super) trusted_proxies: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Api {
    pub(super) compatible_statuses: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Database {
    pub(super) url: Option<String>,
    pub(super) url_file: Option<PathBuf>,
    pub(super) reader_url: Option<String>,
    pub(super) reader_url_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Gitlab {
    pub(super) proxy: Option<SecretString>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) contact: Option<String>,
}

/// The key itself is not to be in the file, which is copied and committed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Encryption {
    pub(super) key_file: Option<PathBuf>,
    pub(super) key_command: Option<String>,
    pub(super) previous_key_file: Option<PathBuf>,
    pub(super) previous_key_command: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    pub(super) json: bool,
}

/// Reads the file; one that cannot be read is a problem like any other.
pub(super) fn read(path: &Path, problems: &mut Vec<String>) -> File {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, &shown(path), problems),
        Err(error) => {
            problems.push(format!("{}: {error}", shown(path)));
            File::default()
        }
    }
}

/// Reads the text of the file.
pub(super) fn parse(text: &str, name: &str, problems: &mut Vec<String>) -> File {
    toml::from_str(text).unwrap_or_else(|error: toml::de::Error| {
        // The lines around it may hold a password: the place and the reason are enough.
        let line = error.span().map_or(1, |it| text[..it.start.min(text.len())].lines().count().max(1));
        problems.push(format!("{name}, line {line}: {}", error.message()));
        File::default()
    })
}
