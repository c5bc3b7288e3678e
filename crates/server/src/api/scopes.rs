//! What an API key may do.

use std::fmt;

/// A permission of an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// See connections and how they stand.
    ConnectionsRead,
    /// Make, change, pause, verify and delete connections.
    ConnectionsWrite,
    /// See credentials, without their tokens.
    CredentialsRead,
    /// Add, rotate and delete credentials.
    CredentialsWrite,
    /// See syncs.
    SyncsRead,
    /// Start syncs.
    SyncsWrite,
    /// See tables and columns.
    SchemaRead,
    /// Ask questions in SQL of everything that was imported.
    QueriesRun,
    /// See how webhooks stand.
    WebhooksRead,
    /// Erase people.
    PeopleErase,
    /// Be an extractor: read one GitLab from within its network, and nothing else.
    ExtractorsRun,
}

/// Every scope there is.
pub const SCOPES: [Scope; 11] = [
    Scope::ConnectionsRead,
    Scope::ConnectionsWrite,
    Scope::CredentialsRead,
    Scope::CredentialsWrite,
    Scope::SyncsRead,
    Scope::SyncsWrite,
    Scope::SchemaRead,
    Scope::QueriesRun,
    Scope::WebhooksRead,
    Scope::PeopleErase,
    Scope::ExtractorsRun,
];

impl Scope {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Scope::ConnectionsRead => "connections:read",
            Scope::ConnectionsWrite => "connections:write",
            Scope::CredentialsRead => "credentials:read",
            Scope::CredentialsWrite => "credentials:write",
            Scope::SyncsRead => "syncs:read",
            Scope::SyncsWrite => "syncs:write",
            Scope::SchemaRead => "schema:read",
            Scope::QueriesRun => "queries:run",
            Scope::WebhooksRead => "webhooks:read",
            Scope::PeopleErase => "people:erase",
            Scope::ExtractorsRun => "extractors:run",
        }
    }

    /// The scope of that name.
    pub fn named(name: &str) -> Option<Scope> {
        SCOPES.into_iter().find(|it| it.name() == name)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
