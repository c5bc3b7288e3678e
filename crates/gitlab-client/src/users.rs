//! Whose tokens they are: GitLab counts the requests of a user, not those of a token.

use std::collections::BTreeMap;
use std::sync::Arc;

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
        if self.inner.pool.tellers().len() > 1 {
            self.ask_for_users(&self.inner.pool.tellers()).await;
        }
    }

    /// Credentials that can tell their user, each with the name of the budget it counts against.
    pub fn budgets(&self) -> Vec<(CredentialId, Arc<str>)> {
        let tellers = self.inner.pool.tellers();
        self.inner.pool.budgets().into_iter().filter(|it| tellers.contains(&it.0)).collect()
    }

    /// Asks these credentials for their users, so that those of one user share one budget, with other clients too. Gives whose
    /// they are.
    pub async fn ask_for_users(&self, ids: &[CredentialId]) -> Vec<(CredentialId, i64)> {
        let asked = join_all(ids.iter().map(|id| self.ask_for_user(id.clone()))).await;
        let users: Vec<_> = asked.into_iter().filter_map(|(id, user)| Some((id, user?))).collect();
        self.belongs(&users);
        users
    }

    /// Says whose credentials are, where it is known already.
    pub fn belongs(&self, users: &[(CredentialId, i64)]) {
        let mut by_user: BTreeMap<i64, Vec<CredentialId>> = BTreeMap::new();
        for (id, user) in users {
            by_user.entry(*user).or_default().push(id.clone());
        }
        for (user, tokens) in by_user {
            if tokens.len() > 1 {
                tracing::info!(tokens = tokens.len(), "tokens of one user share one budget");
            }
            self.inner.pool.share(&tokens, user, Instant::now());
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
