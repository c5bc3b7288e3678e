//! docs/connectors/: a page per connector, from what is written about it and what the catalogue declares.

use catalogue::{Connector, RESOURCES, Reader, Resource, Source};

const SETUP: &str = "
## Set-up

1. Make a token with the scope `read_api`; [which kind and where](../tokens.md). Its user needs the roles above.
2. `export GITLAB_TOKEN=...`
";

const CODES: &str = "
## When verification fails

| exit code | code | reasons | what to do |
|---|---|---|---|
| 3 | `invalid_credentials` | `expired`, `revoked`, `unknown_token`, `user_blocked`, `no_token` | make a new token |
| 4 | `invalid_permissions` | `scope_missing` | make a token with `read_api` |
| 4 | `invalid_permissions` | `role_too_low` | give the token's user the role above |
| 5 | `no_resources` | `empty` | add the token's user to a group or project |
| 5 | `no_resources` | `feature_disabled` | switch on in a project what is to be read |
| 1 | `failed` | `not_gitlab`, `unreachable`, `tls` | check `--url`, the network, `--ca-file` |

In a sync, what single projects refuse does not stop the rest: it is listed as a [skip](../sync.md#what-is-left-out-and-said).
";

/// The pages, by path.
pub fn pages() -> impl Iterator<Item = (String, String)> {
    Connector::ALL.into_iter().map(|it| (format!("docs/connectors/{}.md", it.name()), page(it)))
}

fn page(connector: Connector) -> String {
    let name = connector.name();
    let steps = format!(
        "3. `weir verify --url gitlab.example.com --connector {name}` reads groups, a group's projects, then {}.\n\
         4. `weir sync --url gitlab.example.com --connector {name}`\n",
        what(connector)
    );
    format!(
        "{}\n# {name}\n\n{}{SETUP}{steps}{}{}{CODES}",
        super::MADE,
        text(connector),
        by_hand(connector),
        endpoints(connector)
    )
}

fn text(connector: Connector) -> &'static str {
    match connector {
        Connector::Gitlab => include_str!("connectors/gitlab.md"),
        Connector::GitlabPipelines => include_str!("connectors/gitlab_pipelines.md"),
        Connector::GitlabCommits => include_str!("connectors/gitlab_commits.md"),
        Connector::GitlabCommitsTrunk => include_str!("connectors/gitlab_commits_trunk.md"),
        Connector::GitlabDeployments => include_str!("connectors/gitlab_deployments.md"),
    }
}

/// What verification reads last.
fn what(connector: Connector) -> &'static str {
    match connector {
        Connector::Gitlab => "merge requests",
        Connector::GitlabPipelines => "pipelines",
        Connector::GitlabCommits => "merge requests and the commits of one",
        Connector::GitlabCommitsTrunk => "commits",
        Connector::GitlabDeployments => "deployments",
    }
}

/// The same reads with curl.
fn by_hand(connector: Connector) -> String {
    let last = match connector {
        Connector::Gitlab => "projects/PROJECT_ID/merge_requests?order_by=created_at&sort=desc&per_page=1",
        Connector::GitlabPipelines => "projects/PROJECT_ID/pipelines?per_page=1",
        Connector::GitlabCommits => "projects/PROJECT_ID/merge_requests/IID/commits?per_page=1",
        Connector::GitlabCommitsTrunk => "projects/PROJECT_ID/repository/commits?per_page=1",
        Connector::GitlabDeployments => "projects/PROJECT_ID/deployments?per_page=1",
    };
    let paths = ["groups?min_access_level=10", "groups/GROUP_ID/projects?include_subgroups=true", last];
    let curl = |path: &str| {
        format!("curl -H 'PRIVATE-TOKEN: YOUR_ACCESS_TOKEN' 'https://gitlab.example.com/api/v4/{path}'\n")
    };
    format!("\n## By hand\n\n```sh\n{}```\n", paths.map(curl).concat())
}

fn endpoints(connector: Connector) -> String {
    let own = RESOURCES.iter().filter(|it| it.connector == connector);
    let rows: String = own.flat_map(|it| it.readers.iter().map(move |reader| row(it, reader))).collect();
    format!(
        "\n## What it asks\n\nThe client refuses everything that is not in [endpoints.md](../endpoints.md).\n\n\
         | resource | fills | asks |\n|---|---|---|\n{rows}"
    )
}

fn row(resource: &Resource, reader: &Reader) -> String {
    let tables: Vec<String> = resource.tables.iter().map(|it| format!("`{}`", it.name)).collect();
    let asks = match &reader.source {
        Source::Rest { path, .. } => format!("`GET {path}`"),
        Source::Graphql { document, .. } => {
            format!("GraphQL [`{}`](../endpoints.md#{})", document.name, document.name.to_lowercase())
        }
    };
    format!("| {} | {} | {asks} |\n", resource.name, tables.join(", "))
}
