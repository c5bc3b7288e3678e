//! Takes tokens out of what leaves this crate.

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;
use secrecy::{ExposeSecret, SecretString};

use crate::auth::Credential;

const REPLACEMENT: &str = "[token]";
/// Shorter strings would be found in bodies by chance.
const SHORTEST: usize = 8;

/// Knows the tokens of a client.
pub(crate) struct Redactor(Vec<SecretString>);

impl Redactor {
    pub(crate) fn new(credentials: &[Credential]) -> Self {
        let secrets = credentials.iter().map(|credential| credential.secret.expose_secret().trim());
        Redactor(secrets.filter(|it| !it.is_empty()).map(SecretString::from).collect())
    }

    /// A message without tokens.
    pub(crate) fn text(&self, text: &str) -> String {
        let replace = |text: String, token: &SecretString| text.replace(token.expose_secret(), REPLACEMENT);
        self.0.iter().fold(text.to_owned(), replace)
    }

    /// A body without tokens; the same one where there was none.
    pub(crate) fn body(&self, body: Bytes) -> Bytes {
        let long = self.0.iter().map(|it| it.expose_secret().as_bytes()).filter(|it| it.len() >= SHORTEST);
        long.fold(body, replace_bytes)
    }
}

fn replace_bytes(body: Bytes, token: &[u8]) -> Bytes {
    let finder = Finder::new(token);
    if finder.find(&body).is_none() {
        return body;
    }
    let (mut clean, mut from) = (BytesMut::with_capacity(body.len()), 0);
    for at in finder.find_iter(&body) {
        clean.extend_from_slice(&body[from..at]);
        clean.extend_from_slice(REPLACEMENT.as_bytes());
        from = at + token.len();
    }
    clean.extend_from_slice(&body[from..]);
    clean.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::TokenKind;

    #[test]
    fn a_token_is_replaced_wherever_it_stands() {
        let redactor = Redactor::new(&[Credential::new("a", TokenKind::Private, "glpat-secret")]);
        let body = Bytes::from_static(b"[\"glpat-secret\",\"x-glpat-secret\"]");
        assert_eq!(redactor.body(body), "[\"[token]\",\"x-[token]\"]");
        assert_eq!(redactor.text("bad glpat-secret"), "bad [token]");
    }
}
