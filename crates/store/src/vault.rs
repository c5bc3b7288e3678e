//! Secrets at rest: sealed with a key that the database never sees.
//!
//! XChaCha20-Poly1305 with a random nonce, and with the place of the secret as associated data: a sealed token that is
//! moved into another row does not open there.

mod keyring;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::{Digest, Sha256};

pub use keyring::Keyring;

/// Bytes of a key.
const KEY: usize = 32;
/// Bytes of a nonce.
const NONCE: usize = 24;
/// Bytes of a key's id within a sealed secret.
const ID: usize = 8;
/// The first byte of every sealed secret: how it is sealed.
const VERSION: u8 = 1;

/// Why a key cannot be used, or a secret not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The text is no key.
    #[error(
        "The encryption key cannot be used: it has to be 32 random bytes in base64, as `openssl rand -base64 32` prints"
    )]
    Key,
    /// No key that is known sealed this.
    #[error(
        "A secret was sealed with the encryption key {0}, which was not given. Give that key; nothing was changed"
    )]
    OtherKey(String),
    /// The secret was changed, or belongs elsewhere.
    #[error("A sealed secret is damaged or was moved from elsewhere: it does not open")]
    Damaged,
}

/// A key that secrets are sealed with.
pub struct Key {
    id: [u8; ID],
    cipher: XChaCha20Poly1305,
    prints: SecretBox<[u8; KEY]>,
}

impl Key {
    /// Reads a key: 32 bytes in base64, of either alphabet.
    pub fn parse(text: &SecretString) -> Result<Key, VaultError> {
        let text = text.expose_secret().trim();
        let bytes = STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')));
        let bytes: [u8; KEY] = bytes.ok().and_then(|it| it.try_into().ok()).ok_or(VaultError::Key)?;
        // Thirty-two equal letters are a placeholder that somebody forgot to replace.
        if bytes.iter().all(|it| *it == bytes[0]) {
            return Err(VaultError::Key);
        }
        Ok(Key::new(&bytes))
    }

    /// A new key, and its text.
    pub fn generate() -> (Key, SecretString) {
        let bytes: [u8; KEY] = rand::random();
        (Key::new(&bytes), STANDARD.encode(bytes).into())
    }

    fn new(bytes: &[u8; KEY]) -> Key {
        let mut id = [0; ID];
        id.copy_from_slice(&derive(bytes, "id")[..ID]);
        // The cipher and the fingerprints use keys of their own, so that neither tells about the other.
        let cipher = XChaCha20Poly1305::new(&derive(bytes, "seal").into());
        Key { id, cipher, prints: SecretBox::new(Box::new(derive(bytes, "fingerprint"))) }
    }

    /// What tells the key from others, and nothing about it.
    pub fn id(&self) -> String {
        hex(&self.id)
    }

    /// Seals a secret for one place, such as `credential 7`.
    fn seal(&self, secret: &str, place: &str) -> Vec<u8> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: secret.as_bytes(), aad: place.as_bytes() };
        // The cipher refuses only texts of more than 256 GiB.
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).unwrap_or_default();
        [&[VERSION][..], &self.id, &nonce, &sealed].concat()
    }

    fn open(&self, sealed: &Sealed<'_>, place: &str) -> Result<SecretString, VaultError> {
        let payload = Payload { msg: sealed.text, aad: place.as_bytes() };
        let bytes = self.cipher.decrypt(&XNonce::from(sealed.nonce), payload);
        let text = String::from_utf8(bytes.map_err(|_| VaultError::Damaged)?);
        Ok(text.map_err(|_| VaultError::Damaged)?.into())
    }

    /// A digest that nobody without the key can compute: equal for equal secrets.
    fn fingerprint(&self, secret: &SecretString) -> Vec<u8> {
        mac(self.prints.expose_secret(), secret.expose_secret().as_bytes()).to_vec()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id()).finish_non_exhaustive()
    }
}

/// The parts of a sealed secret.
struct Sealed<'s> {
    key: [u8; ID],
    nonce: [u8; NONCE],
    text: &'s [u8],
}

impl<'s> Sealed<'s> {
    fn parse(bytes: &'s [u8]) -> Result<Sealed<'s>, VaultError> {
        let (version, rest) = bytes.split_first().ok_or(VaultError::Damaged)?;
        let (key, rest) = rest.split_first_chunk::<ID>().ok_or(VaultError::Damaged)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or(VaultError::Damaged)?;
        if *version != VERSION {
            return Err(VaultError::Damaged);
        }
        Ok(Sealed { key: *key, nonce: *nonce, text })
    }
}

/// A key for one purpose.
fn derive(key: &[u8; KEY], purpose: &str) -> [u8; KEY] {
    mac(key, format!("weir {purpose}").as_bytes())
}

fn mac(key: &[u8; KEY], text: &[u8]) -> [u8; KEY] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key)
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// The digest by which a random secret of 256 bits is found: it needs no salt, as nobody can guess one.
pub(crate) fn digest(secret: &SecretString) -> [u8; 32] {
    Sha256::digest(secret.expose_secret().as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> SecretString {
        "glpat-abc".into()
    }

    #[test]
    fn a_secret_opens_with_its_key_in_its_place_and_nowhere_else() {
        let (key, _) = Key::generate();
        let ring = Keyring::new(key, Vec::new());
        let sealed = ring.seal(&token(), "credential 1");
        assert!(!sealed.windows(5).any(|it| it == b"glpat"), "the token is not in it");
        assert_eq!(ring.open(&sealed, "credential 1").unwrap().expose_secret(), "glpat-abc");
        assert_eq!(ring.open(&sealed, "credential 2").unwrap_err(), VaultError::Damaged);
        let mut bent = sealed.clone();
        *bent.last_mut().unwrap() ^= 1;
        assert_eq!(ring.open(&bent, "credential 1").unwrap_err(), VaultError::Damaged);
        assert_eq!(ring.open(&sealed[..20], "credential 1").unwrap_err(), VaultError::Damaged);
        assert_eq!(ring.open(&[], "credential 1").unwrap_err(), VaultError::Damaged);
    }

    #[test]
    fn a_secret_of_another_key_says_which() {
        let (old, _) = Key::generate();
        let id = old.id();
        let sealed = Keyring::new(old, Vec::new()).seal(&token(), "x");
        let ring = Keyring::new(Key::generate().0, Vec::new());
        assert_eq!(ring.open(&sealed, "x").unwrap_err(), VaultError::OtherKey(id));
    }

    #[test]
    fn an_older_key_still_opens_but_does_not_seal() {
        let (old, text) = Key::generate();
        let sealed = Keyring::new(old, Vec::new()).seal(&token(), "x");
        let ring = Keyring::new(Key::generate().0, vec![Key::parse(&text).unwrap()]);
        assert_eq!(ring.open(&sealed, "x").unwrap().expose_secret(), "glpat-abc");
        assert!(!ring.is_current(&sealed) && ring.is_current(&ring.seal(&token(), "x")));
    }

    #[test]
    fn two_seals_of_one_secret_differ_and_its_fingerprints_do_not() {
        let ring = Keyring::new(Key::generate().0, Vec::new());
        assert_ne!(ring.seal(&token(), "x"), ring.seal(&token(), "x"));
        assert_eq!(ring.fingerprint(&token()), ring.fingerprint(&token()));
        assert_ne!(ring.fingerprint(&token()), ring.fingerprint(&"glpat-other".into()));
        let other = Keyring::new(Key::generate().0, Vec::new());
        assert_ne!(ring.fingerprint(&token()), other.fingerprint(&token()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "short", "%%%", &STANDARD.encode([0_u8; 32]), &STANDARD.encode([7_u8; 31])] {
            assert_eq!(Key::parse(&text.into()).unwrap_err(), VaultError::Key, "{text}");
        }
        let (key, text) = Key::generate();
        assert_eq!(Key::parse(&text).unwrap().id(), key.id());
        assert!(!format!("{key:?}").contains(&text.expose_secret()[..8]));
    }
}
