//! Where the repository is, and what it tracks.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

/// The repository's folder.
pub fn root() -> PathBuf {
    // Cargo says where the package is at run time too, which counts if the repository was moved after building.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(package).join("..").canonicalize().unwrap_or_default()
}

/// Paths below [`root`] that git tracks or would track, without those that are deleted.
pub fn tracked() -> anyhow::Result<Vec<String>> {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .context("git is needed to list the files of the repository")?;
    ensure!(listing.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&listing.stderr));
    let text = String::from_utf8(listing.stdout)?;
    let mut paths: Vec<String> = text.split('\0').filter(|it| !it.is_empty()).map(str::to_owned).collect();
    paths.sort();
    paths.dedup();
    paths.retain(|it| root().join(it).is_file());
    Ok(paths)
}
