//! Tables as the readers see them.

/// A table that readers fill.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Name in the database, as in `gitlab_labels`.
    pub name: &'static str,
    /// Columns of the primary key.
    pub key: &'static [&'static str],
    /// GitLab's own clock of the row, where it has one: an older row never replaces a newer one.
    pub version: Option<&'static str>,
    /// Columns in which null means that the reader does not know: it never erases.
    pub fill: &'static [&'static str],
}
