//! Whose tokens they are: GitLab counts the requests of a user, not those of a token.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde::Deserialize;
use tokio::time::Instant;

use crate::auth::CredentialId;
use crate::client::Client;
use crate::request::Request;

#[derive(Deserialize)]
struct User {
    id: i64,
}

impl Client {
    /// Asks every credential for its user, so that those of one user share one budget; a single credential is not
    /// asked. One that cannot tell keeps a budget of its own.
    pub async fn recognise_users(&self) {
        let ids = self.inner.pool.tellers();
        if ids.len() < 2 {
            return;
        }
        let mut by_user: BTreeMap<i64, Vec<CredentialId>> = BTreeMap::new();
        for (id, user) in join_all(ids.into_iter().map(|id| self.ask_for_user(id))).await {
            if let Some(user) = user {
                by_user.entry(user).or_default().push(id);
            }
        }
        for tokens in by_user.values().filter(|it| it.len() > 1) {
            tracing::info!(tokens = tokens.len(), "tokens of one user share one budget");
            self.inner.pool.share(tokens, Instant::now());
        }
    }

    async fn ask_for_user(&self, id: CredentialId) -> (CredentialId, Option<i64>) {
        // What is wrong with a token or a server is told when it is needed.
        let client = self.with_attempts(1);
        let answer = client.get(&Request::new("user").credential(id.clone())).await.ok();
        let user = answer.and_then(|it| serde_json::from_slice::<User>(&it.body).ok());
        (id, user.map(|it| it.id))
    }
}
