//! The options that name a GitLab and how to reach it, and the client made from them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use gitlab_client::{BaseUrl, Client, ClientConfig, ConfigError, Proxy};
use store::Store;
use sync::SharedGates;

use crate::address;
use crate::problem::{Problem, sentence};
use crate::settings::Found;
use crate::tokens::{self, Tokens};

/// Which GitLab, and how to reach it.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "GitLab")]
pub struct ConnectionArguments {
    /// Address of the GitLab [env: GITLAB_HOST, in a CI job CI_SERVER_URL; default: https://gitlab.com]
    #[arg(long)]
    pub url: Option<String>,
    /// File with one token per line, instead of GITLAB_TOKEN, GITLAB_ACCESS_TOKEN, GITLAB_PAT or CI_JOB_TOKEN
    #[arg(long, value_name = "FILE", conflicts_with = "token_command")]
    pub token_file: Option<PathBuf>,
    /// Command that prints one token per line, such as 'pass show gitlab'
    #[arg(long, value_name = "COMMAND")]
    pub token_command: Option<String>,
    /// Send the token as `Authorization: Bearer`, as OAuth tokens need it
    #[arg(long)]
    pub bearer: bool,
    /// Proxy to go through [default: as HTTPS_PROXY and NO_PROXY say]
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub proxy: Option<String>,
    /// PEM file with certificates to trust beside the system's
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Header to send with every request, for a gateway before GitLab; repeatable
    #[arg(long = "header", value_name = "'NAME: VALUE'")]
    pub headers: Vec<String>,
}

/// A client with what was learnt while making it.
pub struct Connection {
    pub client: Client,
    /// What the client was made from.
    pub config: ClientConfig,
    pub url: Found<BaseUrl>,
    /// Where the tokens were found.
    pub token_source: &'static str,
    pub job_token: bool,
}

impl ConnectionArguments {
    /// Finds address and tokens, and makes the client. Nothing is sent yet.
    pub async fn connect(&self, concurrency: Option<usize>) -> Result<Connection, Problem> {
        // What can be refused without a token is refused before one is asked for.
        let headers = self.headers()?;
        let tokens = tokens::find(self).await?;
        let url = address::find(self.url.as_deref(), tokens.are_job_tokens())?;
        self.connect_to(url, tokens, headers, concurrency)
    }

    fn connect_to(
        &self,
        url: Found<BaseUrl>,
        tokens: Tokens,
        headers: Vec<(String, String)>,
        concurrency: Option<usize>,
    ) -> Result<Connection, Problem> {
        let (job_token, token_source) = (tokens.are_job_tokens(), tokens.source);
        let mut config = config(url.value.clone(), tokens, concurrency);
        if concurrency.is_none() {
            be_quick(&mut config);
        }
        config.headers = headers;
        config.ca_file.clone_from(&self.ca_file);
        if let Some(proxy) = &self.proxy {
            config.proxy = Proxy::Url(proxy.as_str().into());
        }
        let client = Client::new(config.clone()).map_err(refused)?;
        Ok(Connection { client, config, url, token_source, job_token })
    }

    fn headers(&self) -> Result<Vec<(String, String)>, Problem> {
        let header = |text: &String| {
            let (name, value) = text.split_once(':').ok_or_else(|| {
                Problem::usage("A header is written as --header 'Name: value'; the colon is missing.")
            })?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        };
        self.headers.iter().map(header).collect()
    }
}

impl Connection {
    /// The same, keeping to rate limits together with every other process on the database.
    pub async fn sharing(self, store: &Store) -> Result<Connection, Problem> {
        let gates = SharedGates::start(store, self.config.clock.clone());
        let config = ClientConfig { gate_store: gates.clone(), ..self.config };
        let client = Client::new(config.clone()).map_err(refused)?;
        gates.recognise(&client).await;
        Ok(Connection { client, config, ..self })
    }
}

/// What every client of the command line has in common.
pub fn config(url: BaseUrl, tokens: Tokens, concurrency: Option<usize>) -> ClientConfig {
    let mut config = ClientConfig::new(url);
    config.credentials = tokens.credentials;
    config.allowed = sync::allowed_endpoints();
    config.concurrency = concurrency.unwrap_or(config.concurrency);
    config
}

/// Nothing is imported: a person waits for the answer, who can ask again.
fn be_quick(config: &mut ClientConfig) {
    config.timeout = Duration::from_secs(20);
    config.retry.attempts = 2;
    config.wait.patience = Duration::from_secs(20);
}

/// A configuration that cannot be used.
pub fn refused(error: ConfigError) -> Problem {
    match error {
        ConfigError::Token(_) => Problem::no_token(sentence(&error.to_string())),
        ConfigError::CaFile { .. }
        | ConfigError::Header(_)
        | ConfigError::Proxy
        | ConfigError::Concurrency => Problem::usage(sentence(&error.to_string())),
        _ => Problem::failed("client", sentence(&error.to_string())),
    }
}
