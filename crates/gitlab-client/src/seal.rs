//! Digests that tell what one token was told from what another was, and never tell the token.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::auth::{Credential, CredentialId};

/// Bytes of a digest that are kept: two of them never meet by chance.
const KEPT: usize = 16;

/// The tokens of a client, for digests alone.
pub(crate) struct Sealer(Vec<(CredentialId, SecretString)>);

impl Sealer {
    pub(crate) fn new(credentials: &[Credential]) -> Self {
        Sealer(credentials.iter().map(|it| (it.id.clone(), it.secret.clone())).collect())
    }

    pub(crate) fn seals(&self, text: &str) -> Vec<(CredentialId, String)> {
        self.0.iter().map(|(id, secret)| (id.clone(), seal(secret, text))).collect()
    }
}

/// The name of the budget of a token whose user is not known.
pub(crate) fn budget(secret: &SecretString) -> Arc<str> {
    format!("token {}", seal(secret, "budget")).into()
}

fn seal(secret: &SecretString, text: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(secret.expose_secret().trim());
    digest.update([0]);
    digest.update(text);
    digest.finalize()[..KEPT].iter().map(|byte| format!("{byte:02x}")).collect()
}
