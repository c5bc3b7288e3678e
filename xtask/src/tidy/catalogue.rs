//! Rules of the catalogue.

use std::collections::BTreeSet;

use catalogue::{RESOURCES, documents};

use super::manifest::own_dependencies;
use super::tree::{File, Tree};
use crate::record;

const SOURCES: &str = "crates/catalogue/src/";
const SAMPLES: &str = "crates/catalogue/samples/";
/// What the catalogue may depend on; chrono without asking it for the time.
const PURE: &[&str] = &["chrono", "memchr", "serde", "serde_json"];
const IMPURE: &[&str] = &[
    "async ",
    ".await",
    "tokio",
    "std::fs",
    "std::net",
    "std::process",
    "Utc::now",
    "SystemTime",
    "Instant",
];

/// Declared resources against the list.
pub fn unregistered(tree: &Tree) -> Vec<String> {
    let list = tree.file("crates/catalogue/src/lib.rs").map_or("", |it| &it.text);
    let list =
        list.split_once("RESOURCES:").map_or("", |(_, list)| list.split("];").next().unwrap_or_default());
    let listed: BTreeSet<String> = list
        .lines()
        .filter_map(|it| it.trim().strip_prefix('&')?.strip_suffix(',').map(str::to_owned))
        .collect();
    let declared: BTreeSet<String> = tree.below(SOURCES, ".rs").flat_map(declared).collect();
    let missing = declared.difference(&listed).map(|it| format!("{it} is declared and not in RESOURCES"));
    let surplus = listed
        .difference(&declared)
        .map(|it| format!("{it} is in RESOURCES and declared in no file of its name"));
    missing.chain(surplus).collect()
}

/// Paths of the resources that a file declares, such as `labels::LABELS`.
fn declared(file: &File) -> Vec<String> {
    let module = file.path[SOURCES.len()..].trim_end_matches(".rs").replace('/', "::");
    let names = file.text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("pub static ")?.split_once(':')?;
        rest.trim_start().starts_with("Resource ").then(|| format!("{module}::{name}"))
    });
    names.collect()
}

/// Dependencies beyond the pure ones.
pub fn impure_dependencies(tree: &Tree) -> Vec<String> {
    let manifest = tree.file("crates/catalogue/Cargo.toml").map_or("", |it| &it.text);
    let impure = own_dependencies(manifest).into_iter().filter(|it| !PURE.contains(it));
    impure.map(|it| format!("crates/catalogue/Cargo.toml: {it}")).collect()
}

/// Sources that say what only an impure program says.
pub fn impure_sources(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.below(SOURCES, ".rs") {
        for (number, line) in file.code() {
            let words = IMPURE.iter().filter(|it| line.contains(**it));
            broken.extend(words.map(|word| format!("{}:{number}: {}", file.path, word.trim())));
        }
    }
    broken
}

/// Connections whose `nodes` are read without their `pageInfo`.
pub fn lists_without_page_info(_: &Tree) -> Vec<String> {
    let broken = documents()
        .into_iter()
        .flat_map(|it| without_page_info(&it.whole()).into_iter().map(move |list| (it, list)));
    broken.map(|(document, list)| format!("{}: {list}", document.name)).collect()
}

/// Names of the fields in whose braces stand `nodes` or `edges`, and no `pageInfo`.
fn without_page_info(query: &str) -> Vec<String> {
    let mut open: Vec<(String, Vec<String>)> = Vec::new();
    let (mut found, mut last) = (Vec::new(), String::new());
    for word in words(query) {
        match word.as_str() {
            "{" => open.push((std::mem::take(&mut last), Vec::new())),
            "}" => {
                let (name, fields) = open.pop().unwrap_or_default();
                let has = |field: &str| fields.iter().any(|it| it == field);
                if (has("nodes") || has("edges")) && !has("pageInfo") {
                    found.push(name);
                }
            }
            field => {
                last = field.to_owned();
                if let Some((_, fields)) = open.last_mut() {
                    fields.push(last.clone());
                }
            }
        }
    }
    found
}

/// Braces and names of a query, without what stands in round brackets.
fn words(query: &str) -> Vec<String> {
    let (mut words, mut word, mut depth) = (Vec::new(), String::new(), 0_usize);
    for letter in query.chars().chain(Some(' ')) {
        if depth == 0 && (letter.is_alphanumeric() || letter == '_') {
            word.push(letter);
            continue;
        }
        words.extend(Some(std::mem::take(&mut word)).filter(|it| !it.is_empty()));
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '{' | '}' if depth == 0 => words.push(letter.to_string()),
            _ => {}
        }
    }
    words
}

/// Samples against readers.
pub fn samples(tree: &Tree) -> Vec<String> {
    let readers = RESOURCES
        .iter()
        .flat_map(|resource| resource.readers.iter().map(move |it| record::path(resource, it)));
    let wanted: BTreeSet<String> = readers.chain([format!("{SAMPLES}origins.json")]).collect();
    let empty =
        wanted.iter().filter(|path| tree.file(path).is_none_or(|it| it.text.trim().len() <= "[]".len()));
    let empty = empty.map(|it| format!("{it} is missing or empty; run cargo xtask record"));
    let surplus = tree.below(SAMPLES, "").filter(|it| !wanted.contains(&it.path));
    empty.chain(surplus.map(|it| format!("{} is no reader's", it.path))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_page_info_is_found_at_any_depth() {
        let query = "query q($a: [ID!]) { projects(ids: $a) { pageInfo { hasNextPage } nodes { labels(first: 1) { nodes { id } } } } }";
        assert_eq!(without_page_info(query), ["labels"]);
        assert!(without_page_info("{ a { pageInfo { hasNextPage } nodes { id } } }").is_empty());
    }
}
