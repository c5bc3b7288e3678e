//! Links of the Markdown pages to each other.

use std::path::{Component, Path, PathBuf};

use super::tree::{File, Tree};
use crate::root::root;

/// Relative links that lead to no file, or to no heading in it.
pub fn dead(tree: &Tree) -> Vec<String> {
    let pages = tree.below("", ".md");
    let links = pages.flat_map(|page| links(&page.text).into_iter().map(move |link| (page, link)));
    links
        .filter(|(page, link)| !leads_somewhere(tree, page, link))
        .map(|(page, link)| format!("{}: {link}", page.path))
        .collect()
}

fn leads_somewhere(tree: &Tree, page: &File, link: &str) -> bool {
    if link.contains("://") || link.starts_with("mailto:") {
        return true;
    }
    let (path, heading) = link.split_once('#').map_or((link, None), |(path, heading)| (path, Some(heading)));
    let target = if path.is_empty() { page.path.clone() } else { join(&page.path, path) };
    match heading {
        None => tree.file(&target).is_some() || root().join(&target).is_dir(),
        Some(heading) => {
            tree.file(&target).is_some_and(|it| anchors(&it.text).any(|anchor| anchor == heading))
        }
    }
}

/// The path of a link, seen from the repository's folder.
fn join(page: &str, link: &str) -> String {
    let mut path = PathBuf::from(page);
    path.pop();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path.to_string_lossy().into_owned()
}

/// Targets of the links in a page, outside of code.
fn links(page: &str) -> Vec<&str> {
    let starts = prose(page).flat_map(|line| line.split("](").skip(1));
    starts.filter_map(|rest| rest.split(')').next()).collect()
}

/// Headings as links name them.
fn anchors(page: &str) -> impl Iterator<Item = String> {
    let headings = prose(page).filter(|it| it.starts_with('#'));
    headings.map(|it| {
        let text = it.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
        kept.map(|it| if it == ' ' { '-' } else { it }).collect()
    })
}

/// Lines outside of code blocks.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_from_their_page() {
        assert_eq!(join("docs/a.md", "../README.md"), "README.md");
        assert_eq!(links("see [a](b.md#c) and\n```\n[x](y)\n```\n[d](e)"), ["b.md#c", "e"]);
        assert_eq!(anchors("# A `b`, c\n").collect::<Vec<_>>(), ["a-b-c"]);
    }
}
