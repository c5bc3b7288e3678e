//! The key that is in use, and those before it.

use secrecy::{ExposeSecret, SecretString};

use super::{Key, Sealed, VaultError, hex};

/// The key that seals, with older ones that only open.
#[derive(Debug)]
pub struct Keyring {
    current: Key,
    older: Vec<Key>,
}

impl Keyring {
    /// A ring of these keys.
    pub fn new(current: Key, older: Vec<Key>) -> Keyring {
        Keyring { current, older }
    }

    /// The key in use.
    pub fn current(&self) -> &Key {
        &self.current
    }

    /// Seals a secret for one place, such as `credential 7`.
    pub fn seal(&self, secret: &SecretString, place: &str) -> Vec<u8> {
        self.current.seal(secret.expose_secret(), place)
    }

    /// Opens what was sealed for this place.
    pub fn open(&self, sealed: &[u8], place: &str) -> Result<SecretString, VaultError> {
        let sealed = Sealed::parse(sealed)?;
        let key = std::iter::once(&self.current).chain(&self.older).find(|it| it.id == sealed.key);
        key.ok_or_else(|| VaultError::OtherKey(hex(&sealed.key)))?.open(&sealed, place)
    }

    /// Whether this was sealed with the key in use.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        Sealed::parse(sealed).is_ok_and(|it| it.key == self.current.id)
    }

    /// A digest that only the key in use gives: equal for equal secrets.
    pub fn fingerprint(&self, secret: &SecretString) -> Vec<u8> {
        self.current.fingerprint(secret)
    }
}
