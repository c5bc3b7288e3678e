//! GraphQL queries, fitted to the schema of the GitLab at hand.
//!
//! Editions and versions differ: one field that a GitLab does not know breaks a whole query. A line that ends in
//! `#? Type.field` is left out where the schema lacks that field; of several every one is needed. The lines between
//! `#@ connector` and `#@ end` are left out of a run without that connector; of several one is enough.

use crate::Connector;

/// A GraphQL query as the catalogue holds it.
#[derive(Debug, PartialEq, Eq)]
pub struct Document {
    /// Name of the operation.
    pub name: &'static str,
    /// Its text, with marks on the lines that not every GitLab understands.
    pub text: &'static str,
}

const MARK: &str = "#?";
const BLOCK: &str = "#@";

impl Document {
    /// The query for a GitLab whose schema has a field where `has` says so, and a run that has a connector where `runs`
    /// says so.
    pub fn fitted(&self, has: impl Fn(&str, &str) -> bool, runs: impl Fn(Connector) -> bool) -> String {
        let mut wanted = true;
        let mut lines = Vec::new();
        for line in self.text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix(BLOCK) {
                let mut named = name.split_whitespace().filter_map(Connector::named).peekable();
                wanted = named.peek().is_none() || named.any(&runs);
                continue;
            }
            let line = match line.split_once(MARK) {
                None => Some(line),
                Some((query, mark)) => fields(mark).all(|(ty, field)| has(ty, field)).then_some(query),
            };
            lines.extend(line.map(str::trim).filter(|it| wanted && !it.is_empty()));
        }
        lines.join("\n")
    }

    /// The whole query.
    pub fn whole(&self) -> String {
        self.fitted(|_, _| true, |_| true)
    }

    /// The fields that the query can do without, as (type, field).
    pub fn optional(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.text.lines().filter_map(|line| line.split_once(MARK)).flat_map(|(_, mark)| fields(mark))
    }
}

fn fields(mark: &str) -> impl Iterator<Item = (&str, &str)> {
    mark.split_whitespace().filter_map(|it| it.split_once('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_the_schema_lacks_is_left_out() {
        let document = Document { name: "q", text: "{\n  a\n  b { c } #? Thing.b\n}" };
        assert_eq!(document.fitted(|_, _| false, |_| true), "{\na\n}");
        assert_eq!(document.whole(), "{\na\nb { c }\n}");
        assert_eq!(document.optional().collect::<Vec<_>>(), [("Thing", "b")]);
    }

    #[test]
    fn a_block_of_a_connector_that_does_not_run_is_left_out() {
        let document = Document { name: "q", text: "{\n  a\n  #@ gitlab_pipelines\n  b\n  #@ end\n  c\n}" };
        assert_eq!(document.fitted(|_, _| true, |_| false), "{\na\nc\n}");
        assert_eq!(document.whole(), "{\na\nb\nc\n}");
    }

    #[test]
    fn a_block_of_several_connectors_stays_for_each_of_them() {
        let text =
            "{\n  #@ gitlab_pipelines gitlab_deployments\n  b\n  #@ gitlab_pipelines\n  c\n  #@ end\n}";
        let document = Document { name: "q", text };
        assert_eq!(document.fitted(|_, _| true, |it| it == Connector::GitlabDeployments), "{\nb\n}");
        assert_eq!(document.fitted(|_, _| true, |it| it == Connector::Gitlab), "{\n}");
    }

    #[test]
    fn a_block_of_several_connectors_is_wanted_by_each() {
        let text = "{\n  a\n  #@ gitlab gitlab_commits\n  b\n  #@ end\n  c\n}";
        let document = Document { name: "q", text };
        let fitted = |of| document.fitted(|_, _| true, |it| it == of);
        assert_eq!(fitted(Connector::Gitlab), "{\na\nb\nc\n}");
        assert_eq!(fitted(Connector::GitlabCommits), "{\na\nb\nc\n}");
        assert_eq!(fitted(Connector::GitlabPipelines), "{\na\nc\n}");
    }

    #[test]
    fn a_line_that_needs_two_fields_is_left_out_without_either() {
        let document = Document { name: "q", text: "{\n  a\n  b { c } #? Thing.b Other.c\n}" };
        assert_eq!(document.fitted(|ty, _| ty == "Thing", |_| true), "{\na\n}");
        assert_eq!(document.optional().collect::<Vec<_>>(), [("Thing", "b"), ("Other", "c")]);
    }
}
