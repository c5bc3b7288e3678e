//! What an unattended Weir is told: `weir.toml`, and `WEIR_*` before it. Every problem is listed at once.

mod file;
mod serving;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::SecretString;
use server::{Tls, TrustedProxies};
use sync::connection::Network;

use crate::problem::Problem;
use file::File;

/// Where the file is looked for unless one is named: here, then for the whole machine.
const PLACES: [&str; 2] = ["weir.toml", "/etc/weir/weir.toml"];

/// Loopback only, until somebody decides otherwise. On a telephone, 9347 spells WEIR.
const LISTEN: &str = "127.0.0.1:9347";

/// The options that name the configuration.
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigurationArguments {
    /// File with the configuration [env: WEIR_CONFIG; default: ./weir.toml, else /etc/weir/weir.toml]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What an unattended Weir is told.
#[derive(Debug)]
pub struct Configuration {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where its figures are served, if not where everything else is.
    pub metrics_listen: Option<SocketAddr>,
    /// The certificate it serves with; none for plain HTTP.
    pub tls: Option<Tls>,
    /// The proxies whose word on where a request came from is taken.
    pub trusted_proxies: TrustedProxies,
    /// Whether every error of a caller is a 422.
    pub compatible_statuses: bool,
    /// Its database; none for Weir's own.
    pub database_url: Option<String>,
    /// The database with the rights of a reader.
    pub reader_database_url: Option<String>,
    /// How GitLab is reached.
    pub network: Network,
    /// Where the key comes from that tokens are sealed with.
    pub encryption: Encryption,
    /// Whether the log is JSON.
    pub json_log: bool,
}

/// Where the keys come from that tokens are sealed with.
#[derive(Debug, Default, Clone)]
pub struct Encryption {
    /// The key in use.
    pub current: Source,
    /// The one before it, for as long as there are tokens that it sealed.
    pub previous: Source,
}

/// Places a secret may come from.
#[derive(Debug, Default, Clone)]
pub struct Source {
    /// The secret itself, from the environment.
    pub value: Option<SecretString>,
    /// A file that holds it.
    pub file: Option<PathBuf>,
    /// A program that prints it.
    pub command: Option<String>,
}

/// What was set for a name, and where.
type Environment = BTreeMap<String, String>;

impl ConfigurationArguments {
    /// Reads the configuration. All that is wrong with it is told together.
    pub fn read(&self) -> Result<Configuration, Problem> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, value)| name.starts_with("WEIR_") && !value.trim().is_empty())
            .collect();
        let mut problems = Vec::new();
        let file = match self.place(&environment) {
            Some(path) => file::read(&path, &mut problems),
            None => File::default(),
        };
        let configuration = compose(file, &environment, &mut problems);
        if problems.is_empty() {
            return Ok(configuration);
        }
        Err(Problem::usage(format!("The configuration cannot be used:\n  {}", problems.join("\n  "))))
    }

    fn place(&self, environment: &Environment) -> Option<PathBuf> {
        let named = self.config.clone().or_else(|| environment.get("WEIR_CONFIG").map(PathBuf::from));
        named.or_else(|| PLACES.iter().map(PathBuf::from).find(|it| it.exists()))
    }
}

/// The file, with what the environment says before it.
fn compose(file: File, environment: &Environment, problems: &mut Vec<String>) -> Configuration {
    let text = |name: &str, filed: Option<String>| environment.get(name).cloned().or(filed);
    let path = |name: &str, filed: Option<PathBuf>| environment.get(name).map(PathBuf::from).or(filed);
    let secret = |name: &str| environment.get(name).map(|it| SecretString::from(it.clone()));
    let listen = text("WEIR_LISTEN", file.server.listen).unwrap_or_else(|| LISTEN.to_owned());
    let metrics_listen = text("WEIR_METRICS_LISTEN", file.server.metrics_listen);
    let certificate = path("WEIR_TLS_CERTIFICATE_FILE", file.server.tls_certificate_file);
    let tls = serving::tls(certificate, path("WEIR_TLS_KEY_FILE", file.server.tls_key_file), problems);
    let proxies = environment.get("WEIR_TRUSTED_PROXIES");
    let trusted_proxies = serving::proxies(proxies, &file.server.trusted_proxies, problems);
    let database_url = serving::contents(path("WEIR_DATABASE_URL_FILE", file.database.url_file), problems)
        .or_else(|| text("WEIR_DATABASE_URL", file.database.url));
    let reader_file = path("WEIR_READER_DATABASE_URL_FILE", file.database.reader_url_file);
    let reader_database_url = serving::contents(reader_file, problems)
        .or_else(|| text("WEIR_READER_DATABASE_URL", file.database.reader_url));
    let ca_file = path("WEIR_CA_FILE", file.gitlab.ca_file);
    if let Some(missing) = ca_file.as_deref().filter(|it| !it.exists()) {
        problems.push(format!("gitlab.ca_file: there is no file {}", missing.display()));
    }
    Configuration {
        listen: address("server.listen", &listen, problems),
        metrics_listen: metrics_listen.map(|it| address("server.metrics_listen", &it, problems)),
        tls,
        trusted_proxies,
        compatible_statuses: flag(
            environment,
            "WEIR_COMPATIBLE_STATUSES",
            file.api.compatible_statuses,
            problems,
        ),
        database_url,
        reader_database_url,
        network: Network {
            proxy: secret("WEIR_PROXY").or(file.gitlab.proxy),
            direct: false,
            ca_file,
            contact: text("WEIR_CONTACT", file.gitlab.contact),
            gates: None,
        },
        encryption: Encryption {
            current: Source {
                value: secret("WEIR_ENCRYPTION_KEY"),
                file: path("WEIR_ENCRYPTION_KEY_FILE", file.encryption.key_file),
                command: text("WEIR_ENCRYPTION_KEY_COMMAND", file.encryption.key_command),
            },
            previous: Source {
                value: secret("WEIR_ENCRYPTION_KEY_PREVIOUS"),
                file: path("WEIR_ENCRYPTION_KEY_PREVIOUS_FILE", file.encryption.previous_key_file),
                command: text("WEIR_ENCRYPTION_KEY_PREVIOUS_COMMAND", file.encryption.previous_key_command),
            },
        },
        json_log: flag(environment, "WEIR_JSON_LOG", file.log.json, problems),
    }
}

fn address(name: &str, text: &str, problems: &mut Vec<String>) -> SocketAddr {
    text.parse().unwrap_or_else(|_| {
        problems.push(format!("{name}: {text:?} is not an address and a port, such as {LISTEN}"));
        SocketAddr::from(([127, 0, 0, 1], 0))
    })
}

fn flag(environment: &Environment, name: &str, filed: bool, problems: &mut Vec<String>) -> bool {
    match environment.get(name).map(|it| it.trim().to_ascii_lowercase()).as_deref() {
        None => filed,
        Some("1" | "true" | "yes" | "on") => true,
        Some("0" | "false" | "no" | "off") => false,
        Some(_) => {
            problems.push(format!("{name}: give true or false"));
            filed
        }
    }
}

/// A path as people read it.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(file: &str, environment: &[(&str, &str)]) -> (Configuration, Vec<String>) {
        let mut problems = Vec::new();
        let file = file::parse(file, "weir.toml", &mut problems);
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        (compose(file, &environment.collect(), &mut problems), problems)
    }

    #[test]
    fn the_environment_goes_before_the_file_and_the_file_before_what_is_usual() {
        assert_eq!(composed("", &[]).0.listen.to_string(), LISTEN);
        let file = "[server]\nlisten = '0.0.0.0:80'\n";
        assert_eq!(composed(file, &[]).0.listen.to_string(), "0.0.0.0:80");
        let (configuration, problems) = composed(file, &[("WEIR_LISTEN", "0.0.0.0:81")]);
        assert_eq!((configuration.listen.port(), problems), (81, Vec::new()));
    }

    #[test]
    fn every_problem_is_listed() {
        let file = "[server]\nlisten = 'here'\n[gitlab]\nca_file = '/no/such/file'\n";
        let (_, problems) = composed(file, &[("WEIR_JSON_LOG", "perhaps")]);
        assert_eq!(problems.len(), 3, "{problems:?}");
        let file = "[server]\nmetrics_listen = 'there'\ntls_key_file = '/no/key'\ntrusted_proxies = ['10.0.0.0/8', 'it']\n";
        let (_, problems) = composed(file, &[]);
        assert_eq!(problems.len(), 3, "{problems:?}");
        let file = "[server]\ntls_certificate_file = '/no/certificate'\ntls_key_file = '/no/key'\n";
        let (_, problems) = composed(file, &[]);
        assert!(problems.len() == 1 && problems[0].contains("/no/certificate"), "{problems:?}");
        let (_, problems) = composed("[server]\nlsten = 'x'\n", &[]);
        assert!(problems[0].contains("lsten"), "{problems:?}");
    }
}
