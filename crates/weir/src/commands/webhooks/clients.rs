//! With whose tokens webhooks are handled: those that are given, or those of stored connections.

use std::collections::BTreeMap;

use clap::Args;
use gitlab_client::{BaseUrl, Client};
use secrecy::ExposeSecret;
use store::ConnectionRow;
use sync::connection::{Settings, Token};

use super::Opened;
use crate::connection::ConnectionArguments;
use crate::problem::Problem;
use crate::tokens;

/// Somebody waits for the answer.
const ATTEMPTS: u32 = 2;

/// Whose tokens are used.
#[derive(Args, Clone, Debug)]
pub struct Tokens {
    /// Use the tokens of this connection of weir serve, instead of GITLAB_TOKEN and the like
    #[arg(long = "connection", value_name = "ID")]
    stored: Option<i64>,
    #[command(flatten)]
    gitlab: ConnectionArguments,
}

impl Tokens {
    /// A client for one GitLab: that of the connection that is named, else the one that is given.
    pub async fn one(&self, opened: &Opened) -> Result<Client, Problem> {
        if let Some(id) = self.stored {
            let row = opened.database.store.connection(id).await?;
            let row = row.ok_or_else(|| Problem::usage(format!("There is no connection {id}.")))?;
            return of_connections(opened, &[row]).await?.ok_or_else(|| no_token(id));
        }
        let config = self.gitlab.connect(None).await?.config;
        sync::hooks::client(config).map_err(Problem)
    }

    /// A client for each GitLab: the one that is given, else all to which there are connections.
    pub async fn all(&self, opened: &Opened) -> Result<Vec<Client>, Problem> {
        if self.stored.is_some() || tokens::are_given(&self.gitlab) {
            return Ok(vec![self.one(opened).await?]);
        }
        let wanted = self.gitlab.url.as_deref().and_then(|it| BaseUrl::parse(it).ok());
        let mut instances: BTreeMap<i64, Vec<ConnectionRow>> = BTreeMap::new();
        for row in opened.database.store.connections(None, i64::MAX).await? {
            let address = row.settings["base_url"].as_str().and_then(|it| BaseUrl::parse(it).ok());
            if wanted.is_none() || wanted == address {
                instances.entry(row.instance).or_default().push(row);
            }
        }
        let mut clients = Vec::new();
        for rows in instances.values() {
            clients.extend(of_connections(opened, rows).await?);
        }
        if clients.is_empty() {
            // Asks for a token, or says where one is looked for.
            clients.push(self.one(opened).await?);
        }
        Ok(clients)
    }
}

/// A client with the tokens of connections to one GitLab; none where they have none that works.
async fn of_connections(opened: &Opened, rows: &[ConnectionRow]) -> Result<Option<Client>, Problem> {
    let Some(first) = rows.first() else { return Ok(None) };
    let settings =
        Settings::parse(&first.settings).map_err(|it| Problem::failed("settings", format!("{it}.")))?;
    let mut all: Vec<Token> = Vec::new();
    for row in rows {
        for (credential, secret) in opened.database.store.usable_credentials(&opened.ring, row.id).await? {
            // One token may serve several connections.
            if all.iter().all(|it| it.secret.expose_secret() != secret.expose_secret()) {
                all.push(Token::stored(&credential, secret));
            }
        }
    }
    if all.is_empty() {
        return Ok(None);
    }
    let client = sync::hooks::client_of(&settings, &all, &opened.configuration.network).map_err(Problem)?;
    Ok(Some(client.with_attempts(ATTEMPTS)))
}

fn no_token(id: i64) -> Problem {
    Problem::no_token(format!(
        "Connection {id} has no token that works. Give one in GITLAB_TOKEN, or leave --connection out."
    ))
}
