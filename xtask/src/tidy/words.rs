//! Words that do not belong here. They are put together from halves, so that this file keeps its own rules.

use super::tree::{File, Tree};

const LEFTOVERS: &[&str] = &[
    concat!("todo", "!("),
    concat!("dbg", "!("),
    concat!("unimplemented", "!("),
    concat!("#[ign", "ore"),
    concat!("FIX", "ME"),
    concat!("<<<<", "<<<"),
];

const WORKPLACE: &[&str] = &[
    concat!("sub", "agent"),
    concat!("/wo", "rk/"),
    concat!("this ses", "sion"),
    concat!("language ", "model"),
    concat!("../sha", "red/reference"),
];

/// How a module says what is in it; a crate may do so by its README.
const OPENINGS: &[&str] = &["//!", "#![doc = include_str!(\"../README.md\")]"];

/// Work that was left.
pub fn leftovers(tree: &Tree) -> Vec<String> {
    find(tree.sources(), LEFTOVERS)
}

/// Words about how and where the project is written.
pub fn workplace(tree: &Tree) -> Vec<String> {
    find(tree.files.iter(), WORKPLACE)
}

fn find<'a>(files: impl Iterator<Item = &'a File>, words: &[&str]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            let found = words.iter().filter(|it| line.contains(**it));
            broken.extend(found.map(|word| format!("{}:{}: {word}", file.path, index + 1)));
        }
    }
    broken
}

/// Modules that begin without saying what they are. Files of tests are described by their tests.
pub fn undescribed(tree: &Tree) -> Vec<String> {
    let modules = tree.sources().filter(|it| it.path.contains("src/") && !it.path.ends_with("/tests.rs"));
    modules
        .filter(|it| !OPENINGS.iter().any(|opening| it.text.starts_with(opening)))
        .map(|it| it.path.clone())
        .collect()
}
