//! Bodies as they travel.

use std::io::{Read, Write};

use axum::http::{HeaderMap, header};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::api::ApiError;
use crate::api::error::Code;

/// The most that a body may be once it is unpacked: a small one could hold anything.
const UNPACKED: u64 = 256 * 1024 * 1024;
/// Below this, packing costs more than it saves.
const WORTH_IT: usize = 1024;

/// The body as it was before it was sent.
pub(super) fn unpacked(headers: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    match headers.get(header::CONTENT_ENCODING).map(|it| it.as_bytes()) {
        None | Some(b"identity") => Ok(body.to_vec()),
        Some(b"gzip") => gunzip(body),
        Some(_) => {
            Err(ApiError::new(Code::UnsupportedMediaType, "Bodies are sent as they are, or with gzip."))
        }
    }
}

fn gunzip(body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let mut whole = Vec::new();
    let read = GzDecoder::new(body).take(UNPACKED + 1).read_to_end(&mut whole);
    read.map_err(|_| ApiError::new(Code::InvalidJson, "The body is no gzip, or was cut short."))?;
    if whole.len() as u64 > UNPACKED {
        let message =
            format!("The body is larger than {UNPACKED} bytes once it is unpacked, the most that is taken.");
        return Err(ApiError::new(Code::RequestTooLarge, message));
    }
    Ok(whole)
}

/// The answer packed, where that is worth it.
pub(super) fn packed(answer: &[u8]) -> Option<Vec<u8>> {
    if answer.len() < WORTH_IT {
        return None;
    }
    let mut packing = GzEncoder::new(Vec::with_capacity(answer.len() / 4), Compression::fast());
    packing.write_all(answer).ok()?;
    packing.finish().ok()
}
