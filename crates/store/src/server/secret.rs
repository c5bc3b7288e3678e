//! The passwords of the two roles, each in a file that only the owner of the data directory can read.

use std::fs;
use std::io;
use std::path::Path;

use super::error::{At, ServerError};
use super::home::Home;

/// Reads a password; None when there is no such file.
pub(super) fn find(path: &Path) -> Result<Option<String>, ServerError> {
    match fs::read_to_string(path) {
        Ok(password) => Ok(Some(password.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).at("reading", path),
    }
}

/// Makes a new password and keeps it in the file. Letters and digits only, so it needs no quoting anywhere.
pub(super) fn create(home: &Home, path: &Path) -> Result<String, ServerError> {
    let bytes: [u8; 24] = rand::random();
    let password: String = bytes.iter().map(|it| format!("{it:02x}")).collect();
    home.write(path, 0o600, &password)?;
    Ok(password)
}
