//! How GitLab signs a request: Standard Webhooks, HMAC-SHA256 over id, time and body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// What a signing token begins with.
pub(crate) const PREFIX: &str = "whsec_";
/// Bytes that SHA-256 takes at once.
const BLOCK: usize = 64;

/// The key inside a signing token; none where it is not one.
pub(crate) fn key(signing_token: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(signing_token.strip_prefix(PREFIX)?).ok()?;
    (key.len() == 32).then_some(key)
}

/// The value of `webhook-signature`.
pub(super) fn signature(key: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    let head = format!("{id}.{timestamp}.");
    format!("v1,{}", STANDARD.encode(hmac(key, &[head.as_bytes(), body])))
}

/// HMAC with SHA-256; the key is not longer than a block.
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let pad = |byte: u8| {
        let mut block = [byte; BLOCK];
        block.iter_mut().zip(key).for_each(|(block, key)| *block ^= key);
        Sha256::new().chain_update(block)
    };
    let inner = parts.iter().fold(pad(0x36), |digest, part| digest.chain_update(part));
    pad(0x5c).chain_update(inner.finalize()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_standard_webhooks_is_signed_as_there() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signed = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_signing_token_holds_thirty_two_bytes() {
        let token = format!("{PREFIX}{}", STANDARD.encode([7; 32]));
        assert_eq!(key(&token), Some(vec![7; 32]));
        assert_eq!(key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), None);
        assert_eq!(key("secret"), None);
    }
}
