//! GraphQL queries, fitted to the schema of the GitLab at hand.
//!
//! Editions and versions differ: one field that a GitLab does not know breaks a whole query. A line that ends in
//! `#? Type.field` is left out where the schema lacks that field.

/// A GraphQL query as the catalogue holds it.
#[derive(Debug, PartialEq, Eq)]
pub struct Document {
    /// Name of the operation.
    pub name: &'static str,
    /// Its text, with marks on the lines that not every GitLab understands.
    pub text: &'static str,
}

const MARK: &str = "#?";

impl Document {
    /// The query for a GitLab whose schema has a field where `has` says so.
    pub fn fitted(&self, has: impl Fn(&str, &str) -> bool) -> String {
        let lines = self.text.lines().filter_map(|line| match line.split_once(MARK) {
            None => Some(line),
            Some((query, mark)) => {
                type_and_field(mark).is_some_and(|(ty, field)| has(ty, field)).then_some(query)
            }
        });
        lines.map(str::trim).filter(|it| !it.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// The whole query.
    pub fn whole(&self) -> String {
        self.fitted(|_, _| true)
    }

    /// The fields that the query can do without, as (type, field).
    pub fn optional(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.text.lines().filter_map(|line| type_and_field(line.split_once(MARK)?.1))
    }
}

fn type_and_field(mark: &str) -> Option<(&str, &str)> {
    mark.trim().split_once('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_the_schema_lacks_is_left_out() {
        let document = Document { name: "q", text: "{\n  a\n  b { c } #? Thing.b\n}" };
        assert_eq!(document.fitted(|_, _| false), "{\na\n}");
        assert_eq!(document.whole(), "{\na\nb { c }\n}");
        assert_eq!(document.optional().collect::<Vec<_>>(), [("Thing", "b")]);
    }
}
