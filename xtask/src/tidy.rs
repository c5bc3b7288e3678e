//! `cargo xtask tidy`: rules of the repository that no compiler and no other tool knows.

mod catalogue;
mod layers;
mod links;
mod manifest;
mod size;
mod tree;
mod words;

use anyhow::bail;

use tree::Tree;

/// A rule. What breaks it is told as `path: what`.
struct Rule {
    sentence: &'static str,
    broken: fn(&Tree) -> Vec<String>,
}

const RULES: &[Rule] = &[
    Rule {
        sentence: "A file of the catalogue that declares a resource is in RESOURCES, and every entry has its file.",
        broken: catalogue::unregistered,
    },
    Rule {
        sentence: "The catalogue is pure: it depends on nothing that waits, reads a clock or does I/O.",
        broken: catalogue::impure_dependencies,
    },
    Rule {
        sentence: "The catalogue is pure: its sources neither wait, nor read a clock, nor do I/O.",
        broken: catalogue::impure_sources,
    },
    Rule {
        sentence: "Every list in a GraphQL query asks for pageInfo, so that an overflow is seen.",
        broken: catalogue::lists_without_page_info,
    },
    Rule {
        sentence: "Every reader has a sample with something in it, and every sample has its reader.",
        broken: catalogue::samples,
    },
    Rule {
        sentence: "The fake's truth is written without the catalogue, or both could be wrong alike.",
        broken: layers::truth,
    },
    Rule {
        sentence: "A library that one crate wraps is named by that crate alone.",
        broken: layers::wrapped,
    },
    Rule {
        sentence: "Every crate takes the workspace's lints and is never published.",
        broken: layers::workspace_settings,
    },
    Rule { sentence: "Migrations are numbered from 1 without gaps.", broken: layers::migrations },
    Rule {
        sentence: "A file of more than 600 lines before its tests holds two subjects.",
        broken: size::long,
    },
    Rule { sentence: "No file is larger than 1 MB.", broken: size::large },
    Rule {
        sentence: "Nothing half done is committed, and no test is switched off.",
        broken: words::leftovers,
    },
    Rule {
        sentence: "The project speaks of itself, not of how it is written or where.",
        broken: words::workplace,
    },
    Rule { sentence: "A module begins by saying what is in it.", broken: words::undescribed },
    Rule { sentence: "Links between pages lead somewhere.", broken: links::dead },
];

/// Checks every rule and tells everything that breaks one.
pub fn run() -> anyhow::Result<()> {
    let tree = Tree::read()?;
    for line in size::longish(&tree) {
        println!("look for a second subject: {line}");
    }
    let mut count = 0;
    for rule in RULES {
        let broken = (rule.broken)(&tree);
        if !broken.is_empty() {
            println!("{}", rule.sentence);
        }
        broken.iter().for_each(|it| println!("  {it}"));
        count += broken.len();
    }
    if count > 0 {
        bail!("tidy found {count} {}", if count == 1 { "fault" } else { "faults" });
    }
    println!("tidy: {} files keep {} rules", tree.files.len(), RULES.len());
    Ok(())
}
