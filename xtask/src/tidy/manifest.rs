//! What a Cargo.toml depends on.

/// Names of the dependencies of any kind, those of tests included.
pub fn dependencies(manifest: &str) -> Vec<&str> {
    below(manifest, |section| section.ends_with("dependencies"))
}

/// Names of the dependencies of the program itself.
pub fn own_dependencies(manifest: &str) -> Vec<&str> {
    below(manifest, |section| section.ends_with("dependencies") && !section.ends_with("dev-dependencies"))
}

fn below(manifest: &str, wanted: impl Fn(&str) -> bool) -> Vec<&str> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            inside = wanted(section.trim_end_matches(']'));
        } else if inside && !line.starts_with('#') && line.contains('=') {
            names.extend(line.split(['.', ' ', '=']).next());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_dependency_is_named() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = \"1\"\n# c = \"1\"\n\
                        [dev-dependencies]\nd = { path = \"d\" }\n[lints]\nworkspace = true\n";
        assert_eq!(dependencies(manifest), ["a", "b", "d"]);
        assert_eq!(own_dependencies(manifest), ["a", "b"]);
    }
}
