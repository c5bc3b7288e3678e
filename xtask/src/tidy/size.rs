//! How large files may be.

use super::tree::{File, Tree};

const LONG: usize = 600;
const LONGISH: usize = 400;
const LARGE: u64 = 1_000_000;

/// Sources that are too long.
pub fn long(tree: &Tree) -> Vec<String> {
    tree.sources().filter(|it| it.length() > LONG).map(lines).collect()
}

/// Sources that are on the way there.
pub fn longish(tree: &Tree) -> Vec<String> {
    tree.sources().filter(|it| (LONGISH + 1..=LONG).contains(&it.length())).map(lines).collect()
}

fn lines(file: &File) -> String {
    format!("{}: {} lines", file.path, file.length())
}

/// Files that do not belong into a repository.
pub fn large(tree: &Tree) -> Vec<String> {
    let large = tree.files.iter().filter(|it| it.size > LARGE);
    large.map(|it| format!("{}: {} bytes", it.path, it.size)).collect()
}
