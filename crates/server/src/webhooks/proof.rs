//! How a delivery proves that it comes from who knows the secret: by the secret itself, or by a signature made with it
//! (Standard Webhooks). All comparisons take as long whatever the difference.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How far the time of a signature may be from ours, in seconds.
const TOLERANCE: i64 = 300;

/// Why a delivery is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Missing,
    Wrong,
    BadSignature,
    Stale,
}

impl Refused {
    pub(super) fn message(self) -> &'static str {
        match self {
            Refused::Missing => {
                "The webhook has no secret token. weir webhooks secret shows the one it needs.\n"
            }
            Refused::Wrong => {
                "The secret token of the webhook is not Weir's. weir webhooks secret shows it.\n"
            }
            Refused::BadSignature => {
                "The signature does not fit the payload. weir webhooks secret shows the signing token.\n"
            }
            Refused::Stale => {
                "The signature is more than five minutes old, or from the future. Check the clocks.\n"
            }
        }
    }
}

/// Whether these are the same. Digests are compared, so that not even a length is told.
pub(super) fn same(presented: &str, secret: &SecretString) -> bool {
    let digest = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
    digest(presented).ct_eq(&digest(secret.expose_secret())).into()
}

/// What a signature is made of.
pub(super) struct Signed<'s> {
    pub(super) id: &'s str,
    pub(super) timestamp: &'s str,
    pub(super) body: &'s [u8],
    /// One or several, separated by spaces.
    pub(super) signatures: &'s str,
}

impl Signed<'_> {
    /// Whether one of the signatures was made with the secret.
    pub(super) fn fits(&self, secret: &SecretString) -> bool {
        let key = secret.expose_secret();
        let Ok(key) = STANDARD.decode(key.strip_prefix("whsec_").unwrap_or(key)) else { return false };
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&key) else { return false };
        mac.update(self.id.as_bytes());
        mac.update(b".");
        mac.update(self.timestamp.as_bytes());
        mac.update(b".");
        mac.update(self.body);
        let wanted = mac.finalize().into_bytes();
        let given = self.signatures.split(' ').filter_map(|it| STANDARD.decode(it.strip_prefix("v1,")?).ok());
        given.fold(false, |fits, it| fits | bool::from(it.ct_eq(&wanted[..])))
    }

    /// Whether the signature is of about now.
    pub(super) fn is_recent(&self, now: i64) -> bool {
        self.timestamp.parse::<i64>().is_ok_and(|it| now.abs_diff(it) <= TOLERANCE.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the Standard Webhooks specification.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SIGNED: Signed<'static> = Signed {
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp: "1614265330",
        body: br#"{"test": 2432232314}"#,
        signatures: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    };

    #[test]
    fn a_signature_fits_what_was_signed_and_nothing_else() {
        let secret = SecretString::from(SECRET);
        assert!(SIGNED.fits(&secret));
        assert!(
            Signed { signatures: "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", ..SIGNED }
                .fits(&secret)
        );
        assert!(!Signed { body: b"{}", ..SIGNED }.fits(&secret));
        assert!(!Signed { id: "msg", ..SIGNED }.fits(&secret));
        assert!(!Signed { timestamp: "1614265331", ..SIGNED }.fits(&secret));
        assert!(
            !Signed { signatures: "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", ..SIGNED }.fits(&secret)
        );
        assert!(!Signed { signatures: "", ..SIGNED }.fits(&secret) && !SIGNED.fits(&"whsec_%".into()));
    }

    #[test]
    fn an_old_signature_is_stale() {
        assert!(SIGNED.is_recent(1_614_265_330 + 300) && SIGNED.is_recent(1_614_265_330 - 300));
        assert!(
            !SIGNED.is_recent(1_614_265_330 + 301) && !Signed { timestamp: "now", ..SIGNED }.is_recent(0)
        );
    }

    #[test]
    fn secrets_are_the_same_or_not() {
        let secret = SecretString::from("abc");
        assert!(same("abc", &secret));
        assert!(!same("abx", &secret) && !same("ab", &secret) && !same("", &secret));
    }
}
