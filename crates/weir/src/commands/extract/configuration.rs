//! What an extractor is told, by the environment alone. Every problem is listed at once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use catalogue::Connector;
use extractor::Route;
use secrecy::SecretString;
use serde_json::json;
use sync::connection::{AuthKind, Network, Settings, Token};
use url::Url;

use crate::problem::Problem;

/// What an extractor is told.
#[derive(Debug)]
pub struct Configuration {
    /// Its EXTRACTOR_ID.
    pub name: String,
    /// The way to the Weir outside.
    pub route: Route,
    /// The GitLab inside, as a connection has it.
    pub gitlab: Settings,
    /// Its tokens.
    pub tokens: Vec<Token>,
    /// How it is reached.
    pub network: Network,
    /// The connectors to run.
    pub connectors: Vec<Connector>,
    /// Whether the log is JSON.
    pub json_log: bool,
}

type Environment = BTreeMap<String, String>;

impl Configuration {
    /// Reads the environment.
    pub fn read() -> Result<Configuration, Problem> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(_, value)| !value.trim().is_empty())
            .collect();
        compose(&environment).map_err(|problems| {
            Problem::usage(format!("The extractor cannot start:\n  {}", problems.join("\n  ")))
        })
    }
}

fn compose(environment: &Environment) -> Result<Configuration, Vec<String>> {
    let mut problems = Vec::new();
    let told = |name: &str| environment.get(name).map(|it| it.trim().to_owned());
    let mut wanted = |name: &str, what: &str| {
        told(name).unwrap_or_else(|| {
            problems.push(format!("{name} is not set: {what}"));
            String::new()
        })
    };
    let name = wanted("EXTRACTOR_ID", "the name of this extractor, unlike that of every other");
    let outside = wanted("DATACLOUD_URL", "the address of the Weir outside");
    let key = wanted("DATACLOUD_KEY", "an API key of the Weir outside (weir api-key create --extractor ID)");
    let inside = wanted("GITLAB_URL", "the address of the GitLab inside");
    let secrets = wanted("GITLAB_TOKEN", "a token of the GitLab inside with the scope read_api");
    if let Some(kind) = told("EXTRACTION_TYPE").filter(|it| it != "gitlab") {
        problems.push(format!("EXTRACTION_TYPE: {kind:?} cannot be extracted; there is gitlab"));
    }
    let address = address(&outside, &mut problems);
    let gitlab = gitlab(&inside, &mut problems);
    let connectors = connectors(told("EXTRACTOR_CONNECTORS").as_deref(), &mut problems);
    let proxy = proxy(environment, &mut problems);
    let file = |name: &str, problems: &mut Vec<String>| {
        let path = told(name).map(PathBuf::from);
        problems.extend(
            path.iter()
                .filter(|it| !it.exists())
                .map(|it| format!("{name}: there is no file {}", it.display())),
        );
        path
    };
    let (ca_outside, ca_inside) =
        (file("EXTRACTOR_CA_FILE", &mut problems), file("WEIR_CA_FILE", &mut problems));
    let json_log = matches!(told("WEIR_JSON_LOG").as_deref(), Some("1" | "true" | "yes" | "on"));
    match (address, gitlab) {
        (Some(address), Some(gitlab)) if problems.is_empty() => Ok(Configuration {
            name,
            route: Route { address, key: key.into(), proxy, ca_file: ca_outside },
            gitlab,
            tokens: tokens(&secrets),
            network: Network {
                proxy: told("WEIR_PROXY").map(SecretString::from),
                direct: true,
                ca_file: ca_inside,
                contact: told("WEIR_CONTACT"),
                // It is the only process that asks with its token.
                gates: None,
            },
            connectors,
            json_log,
        }),
        _ => Err(problems),
    }
}

fn address(text: &str, problems: &mut Vec<String>) -> Option<Url> {
    if text.is_empty() {
        return None;
    }
    Route::parse_address(text).map_err(|it| problems.push(format!("DATACLOUD_URL: {}", it.0))).ok()
}

fn gitlab(text: &str, problems: &mut Vec<String>) -> Option<Settings> {
    if text.is_empty() {
        return None;
    }
    let settings = Settings::parse(&json!({ "base_url": text }));
    settings.map_err(|it| problems.push(format!("GITLAB_URL: {}", it.reason))).ok()
}

fn tokens(text: &str) -> Vec<Token> {
    let secrets = text.split([',', '\n']).map(str::trim).filter(|it| !it.is_empty());
    let token = |(number, secret): (usize, &str)| Token {
        id: (number + 1).to_string(),
        label: "GITLAB_TOKEN".to_owned(),
        kind: AuthKind::Private,
        secret: secret.to_owned().into(),
    };
    secrets.enumerate().map(token).collect()
}

fn connectors(text: Option<&str>, problems: &mut Vec<String>) -> Vec<Connector> {
    let Some(text) = text else { return Connector::ALL.to_vec() };
    let mut all = Vec::new();
    for name in text.split(',').map(str::trim).filter(|it| !it.is_empty()) {
        match Connector::named(name) {
            Some(connector) if !all.contains(&connector) => all.push(connector),
            Some(_) => {}
            None => {
                let known: Vec<&str> = Connector::ALL.iter().map(|it| it.name()).collect();
                problems.push(format!(
                    "EXTRACTOR_CONNECTORS: there is no {name:?}; there are {}",
                    known.join(", ")
                ));
            }
        }
    }
    all
}

/// The proxy on the way out, with user and password in its address.
fn proxy(environment: &Environment, problems: &mut Vec<String>) -> Option<SecretString> {
    let told = |name: &str| environment.get(name).map(|it| it.trim());
    let Some(text) = told("EXTRACTOR_PROXY_URL") else {
        for name in ["EXTRACTOR_PROXY_PORT", "EXTRACTOR_PROXY_USER", "EXTRACTOR_PROXY_PASS"] {
            if told(name).is_some() {
                problems.push(format!("{name} is set and EXTRACTOR_PROXY_URL is not"));
            }
        }
        return None;
    };
    match proxy_address(
        text,
        told("EXTRACTOR_PROXY_PORT"),
        told("EXTRACTOR_PROXY_USER"),
        told("EXTRACTOR_PROXY_PASS"),
    ) {
        Some(url) => Some(url),
        None => {
            problems.push(
                "EXTRACTOR_PROXY_URL and EXTRACTOR_PROXY_PORT: they look like http://proxy.internal and 3128"
                    .to_owned(),
            );
            None
        }
    }
}

fn proxy_address(
    text: &str,
    port: Option<&str>,
    user: Option<&str>,
    password: Option<&str>,
) -> Option<SecretString> {
    let spelt = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let mut url = Url::parse(&spelt).ok().filter(Url::has_host)?;
    if let Some(port) = port {
        url.set_port(Some(port.parse().ok()?)).ok()?;
    }
    if let Some(user) = user {
        url.set_username(user).ok()?;
    }
    if password.is_some() {
        url.set_password(password).ok()?;
    }
    Some(url.to_string().into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const WHOLE: [(&str, &str); 6] = [
        ("EXTRACTION_TYPE", "gitlab"),
        ("EXTRACTOR_ID", "berlin"),
        ("DATACLOUD_URL", "https://weir.example.com/api"),
        ("DATACLOUD_KEY", "weir_x"),
        ("GITLAB_URL", "gitlab.internal/"),
        ("GITLAB_TOKEN", "glpat-a, glpat-b"),
    ];

    fn composed(more: &[(&str, &str)]) -> Result<Configuration, Vec<String>> {
        let all = WHOLE.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        compose(&all.collect())
    }

    #[test]
    fn what_is_told_is_understood() {
        let told = composed(&[("EXTRACTOR_CONNECTORS", "gitlab,gitlab_pipelines")]).unwrap();
        assert_eq!((told.tokens.len(), told.connectors.len()), (2, 2));
        assert_eq!(told.gitlab.base_url.as_str(), "https://gitlab.internal");
        assert!(told.network.direct && told.network.proxy.is_none());
        assert!(!format!("{told:?}").contains("glpat"));
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let problems = compose(&Environment::new()).unwrap_err();
        assert_eq!(problems.len(), 5, "{problems:?}");
        let problems = composed(&[
            ("EXTRACTION_TYPE", "github"),
            ("DATACLOUD_URL", "ftp://x"),
            ("EXTRACTOR_CONNECTORS", "gitlab_wiki"),
            ("EXTRACTOR_CA_FILE", "/no/such/file"),
            ("EXTRACTOR_PROXY_PORT", "3128"),
        ]);
        assert_eq!(problems.unwrap_err().len(), 5);
    }

    #[test]
    fn the_proxy_is_put_together_of_its_parts() {
        let parts = [
            ("EXTRACTOR_PROXY_URL", "http://proxy.internal"),
            ("EXTRACTOR_PROXY_PORT", "3128"),
            ("EXTRACTOR_PROXY_USER", "me"),
            ("EXTRACTOR_PROXY_PASS", "p@ss"),
        ];
        let proxy = composed(&parts).unwrap().route.proxy.unwrap();
        assert_eq!(proxy.expose_secret(), "http://me:p%40ss@proxy.internal:3128/");
        let wrong = [("EXTRACTOR_PROXY_URL", "http://proxy"), ("EXTRACTOR_PROXY_PORT", "many")];
        assert_eq!(composed(&wrong).unwrap_err().len(), 1);
    }
}
