//! What a resource is: a value that says from where, into what, and how one becomes the other.

use crate::{Document, Origin, Rows, Table};

/// A kind of thing read from GitLab. One file of the catalogue each.
#[derive(Debug)]
pub struct Resource {
    /// GitLab's plural noun.
    pub name: &'static str,
    /// What a connection must enable to have it read.
    pub connector: Connector,
    /// What one listing of it covers.
    pub scope: Scope,
    /// How a later sync asks for less.
    pub cursor: Cursor,
    /// The tables it fills.
    pub tables: &'static [&'static Table],
    /// The ways to read it. They agree on the rows, but for columns that only one of them brings.
    pub readers: &'static [Reader],
    /// GitLab's own page about it.
    pub documentation: &'static str,
}

/// What a connection imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Connector {
    /// Repositories, people, merge requests and reviews.
    Gitlab,
    /// Pipelines and their jobs.
    GitlabPipelines,
    /// Commits of merge requests.
    GitlabCommits,
    /// Commits of default branches.
    GitlabCommitsTrunk,
    /// Environments and deployments.
    GitlabDeployments,
}

impl Connector {
    /// Every connector this version has.
    pub const ALL: [Connector; 5] = [
        Connector::Gitlab,
        Connector::GitlabPipelines,
        Connector::GitlabCommits,
        Connector::GitlabCommitsTrunk,
        Connector::GitlabDeployments,
    ];

    /// Its name on the command line and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Connector::Gitlab => "gitlab",
            Connector::GitlabPipelines => "gitlab_pipelines",
            Connector::GitlabCommits => "gitlab_commits",
            Connector::GitlabCommitsTrunk => "gitlab_commits_trunk",
            Connector::GitlabDeployments => "gitlab_deployments",
        }
    }

    /// The connector of that name.
    pub fn named(name: &str) -> Option<Connector> {
        Connector::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// What one listing covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole instance, as far as the credentials see.
    Instance,
    /// One group.
    Group,
    /// One project.
    Project,
    /// One merge request.
    MergeRequest,
    /// One pipeline.
    Pipeline,
    /// One deployment.
    Deployment,
}

/// How a later sync asks for less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// By GitLab's `updated_at`.
    UpdatedAt,
    /// By the graph of commits: what is stored is not read again.
    Ancestry,
    /// Not at all: the listing is complete every time, and what is missing from it is gone.
    Complete,
    /// It is read when its parent is.
    Parent,
    /// It is read when it is first seen in other data.
    Seen,
}

/// One way to read a resource.
#[derive(Debug)]
pub struct Reader {
    /// `rest` or `graphql`.
    pub name: &'static str,
    /// Where it reads.
    pub source: Source,
    /// One element of the answer becomes rows.
    pub read: Read,
    /// A list of elements as the fake GitLab answers them, below the parents of `samples/origins.json`.
    pub sample: &'static str,
}

/// The pure middle of the road: one element of a page becomes rows.
pub type Read = fn(&Origin, &str, &mut Rows) -> serde_json::Result<()>;

/// Where a reader reads.
#[derive(Debug)]
pub enum Source {
    /// A REST listing or object below `/api/v4/`.
    Rest {
        /// Path with placeholders: `projects/{project}/labels`.
        path: &'static str,
        /// Parameters that are always sent.
        params: &'static [(&'static str, &'static str)],
    },
    /// A GraphQL query, and the connection in it that holds the elements.
    Graphql {
        /// The query; several resources may share one.
        document: &'static Document,
        /// Name of the connection.
        connection: &'static str,
    },
}

impl Resource {
    /// Its reader of that name.
    pub fn reader(&self, name: &str) -> Option<&'static Reader> {
        self.readers.iter().find(|it| it.name == name)
    }
}
