//! Where the tokens of connections come from.

use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use store::vault::Keyring;
use store::{Store, StoreError};

use super::Worker;
use crate::connection::Token;

/// Where the tokens of connections come from.
#[derive(Clone)]
pub enum Tokens {
    /// They are in the database, sealed.
    Sealed {
        /// The database.
        store: Store,
        /// What opens them.
        ring: Arc<Keyring>,
    },
    /// They were given to this process, for every connection it works for, and are nowhere else.
    Given(Arc<[Token]>),
}

/// The tokens that one connection can work with.
pub(crate) struct Usable {
    pub(crate) tokens: Vec<Token>,
    /// Their credentials, where they are in the database, with when each was last changed.
    pub(crate) credentials: Vec<(i64, DateTime<Utc>)>,
    /// Whose they are, as far as it is known: credential and GitLab's id of the user.
    pub(crate) users: Vec<(i64, i64)>,
    /// It is another one once any of them has changed.
    pub(crate) version: String,
}

impl Tokens {
    /// The tokens that a connection can work with now.
    pub(crate) async fn usable(&self, connection: i64) -> Result<Usable, StoreError> {
        let (store, ring) = match self {
            Tokens::Sealed { store, ring } => (store, ring),
            Tokens::Given(tokens) => {
                let tokens = tokens.to_vec();
                let (credentials, users) = (Vec::new(), Vec::new());
                return Ok(Usable { tokens, credentials, users, version: String::new() });
            }
        };
        let usable = store.usable_credentials(ring, connection).await?;
        let version = |(id, at): (i64, DateTime<Utc>)| format!("{id} {at} ");
        Ok(Usable {
            credentials: usable.iter().map(|(it, _)| (it.id, it.updated_at)).collect(),
            users: usable.iter().filter_map(|(it, _)| Some((it.id, it.gitlab_user_id?))).collect(),
            version: usable.iter().map(|(it, _)| version((it.id, it.updated_at))).collect(),
            tokens: usable.into_iter().map(|(row, secret)| Token::stored(&row, secret)).collect(),
        })
    }

    /// Notes that credentials are worked with.
    pub(crate) async fn note_use(&self, credentials: &[i64], at: DateTime<Utc>) -> Result<(), StoreError> {
        match self {
            Tokens::Sealed { store, .. } => store.use_credentials(credentials, at).await,
            Tokens::Given(_) => Ok(()),
        }
    }
}

/// A worker that has the database, and the key to what is sealed in it. Upkeep of tokens and removal of data are its
/// alone: an extractor holds its own token, which is in no database, and removes nothing.
pub(crate) struct Keeper<'w> {
    pub(crate) store: &'w Store,
    pub(crate) ring: &'w Keyring,
    worker: &'w Worker,
}

impl Deref for Keeper<'_> {
    type Target = Worker;

    fn deref(&self) -> &Worker {
        self.worker
    }
}

impl Worker {
    /// None in an extractor.
    pub(crate) fn keeper(&self) -> Option<Keeper<'_>> {
        match &self.tokens {
            Tokens::Sealed { store, ring } => Some(Keeper { store, ring, worker: self }),
            Tokens::Given(_) => None,
        }
    }
}
