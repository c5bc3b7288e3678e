//! Reading bodies: with a limit, and only if they are JSON.

use bytes::{Bytes, BytesMut};
use serde_json::value::RawValue;

use crate::network::Broken;

/// A body is larger than the limit.
#[derive(Debug, thiserror::Error)]
#[error("the answer is larger than {limit} bytes; ask for smaller pages")]
pub(crate) struct TooLarge {
    pub(crate) limit: usize,
}

/// Reads a body to its end, but never more than `limit` bytes of it.
pub(crate) async fn read(mut response: reqwest::Response, limit: usize) -> Result<Bytes, Broken> {
    let announced = response.content_length().unwrap_or(0).min(limit as u64);
    let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(TooLarge { limit }.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Whether this is one whole JSON value.
pub(crate) fn is_json(body: &[u8]) -> bool {
    looks_like_json(body) && serde_json::from_slice::<&RawValue>(body).is_ok()
}

/// Whether the first and the last byte are those of a JSON array or object. Scalars do not occur in lists
/// or records of GitLab.
fn looks_like_json(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    matches!((body.first(), body.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_json_value_is_json() {
        for good in ["[]", " {\"a\": [1]}\n", "[{}]"] {
            assert!(is_json(good.as_bytes()), "{good}");
        }
        for bad in ["", "<html></html>", "[{\"a\": }]", "[1, 2", "{}{}", "Retry later"] {
            assert!(!is_json(bad.as_bytes()), "{bad}");
        }
    }
}
