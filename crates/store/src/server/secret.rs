//! The passwords of the two roles, each in a file that only the owner of the data directory can read.

use std::fs;
use std::io;
use std::path::Path;

use super::error::{At, ServerError};

/// Reads a password; None when there is no such file.
pub(super) fn find(path: &Path) -> Result<Option<String>, ServerError> {
    match fs::read_to_string(path) {
        Ok(password) => Ok(Some(password.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).at("reading", path),
    }
}

/// A new password: letters and digits only, so it needs no quoting anywhere.
pub(super) fn generate() -> String {
    let bytes: [u8; 24] = rand::random();
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}
