//! What a sync is limited to.

use chrono::{DateTime, Utc};
use globset::{Glob, GlobSet, GlobSetBuilder};

/// What a sync covers.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Only these groups and what is below them: ids or paths.
    pub groups: Vec<String>,
    /// Only these projects: ids or paths.
    pub projects: Vec<String>,
    /// What is left out.
    pub exclude: Exclude,
    /// Nothing that GitLab last moved before this.
    pub since: Option<DateTime<Utc>>,
    /// Whether everything is read again, whatever the cursors say.
    pub full: bool,
}

/// Projects that are left out.
#[derive(Debug, Clone, Default)]
pub struct Exclude {
    /// Forks of other projects.
    pub forks: bool,
    /// Archived projects.
    pub archived: bool,
    /// Projects in a user's namespace.
    pub personal: bool,
    patterns: GlobSet,
    words: Vec<String>,
}

/// An exclusion that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "--exclude {pattern:?} is not a pattern ({reason}); write a path such as \"group/legacy-*\", or forks, archived or personal"
)]
pub struct ScopeError {
    pattern: String,
    reason: String,
}

impl Scope {
    /// Whether nothing but exclusions limits it: only then is a project that is not met out of sight.
    pub fn is_everything(&self) -> bool {
        self.groups.is_empty() && self.projects.is_empty()
    }

    /// The limits as one text: two syncs of equal text share their work.
    pub fn text(&self) -> String {
        let mut words: Vec<String> = self.groups.iter().map(|it| format!("group={it}")).collect();
        words.extend(self.projects.iter().map(|it| format!("project={it}")));
        words.extend(self.exclude.words.iter().map(|it| format!("exclude={it}")));
        words.extend(self.since.map(|it| format!("since={}", it.to_rfc3339())));
        words.extend(self.full.then(|| "full".to_owned()));
        words.join(" ")
    }
}

impl Exclude {
    /// From the words of the command line: patterns of paths, or `forks`, `archived`, `personal`.
    pub fn parse(words: &[String]) -> Result<Exclude, ScopeError> {
        let mut exclude = Exclude { words: words.to_vec(), ..Exclude::default() };
        let mut patterns = GlobSetBuilder::new();
        for word in words {
            match word.as_str() {
                "forks" => exclude.forks = true,
                "archived" => exclude.archived = true,
                "personal" => exclude.personal = true,
                "" => return Err(ScopeError { pattern: String::new(), reason: "it is empty".to_owned() }),
                pattern => {
                    let wrong = |it: globset::Error| ScopeError {
                        pattern: pattern.into(),
                        reason: it.kind().to_string(),
                    };
                    patterns.add(Glob::new(pattern).map_err(wrong)?);
                }
            }
        }
        let wrong =
            |it: globset::Error| ScopeError { pattern: words.join(" "), reason: it.kind().to_string() };
        exclude.patterns = patterns.build().map_err(wrong)?;
        Ok(exclude)
    }

    /// Whether a project is left out.
    pub(crate) fn covers(&self, path: &str, fork: bool, archived: bool, personal: bool) -> bool {
        self.patterns.is_match(path)
            || (self.forks && fork)
            || (self.archived && archived)
            || (self.personal && personal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusions_are_patterns_or_kinds() {
        let words = ["shop/legacy-*".to_owned(), "forks".to_owned()];
        let exclude = Exclude::parse(&words).unwrap();
        assert!(exclude.covers("shop/legacy-api", false, false, false));
        assert!(exclude.covers("shop/api", true, false, false));
        assert!(!exclude.covers("shop/api", false, true, true));
    }

    #[test]
    fn a_broken_pattern_is_explained() {
        let error = Exclude::parse(&["shop/[a".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("shop/[a"), "{error}");
    }
}
