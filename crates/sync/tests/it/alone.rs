//! Each connector by itself, with a token that can read what it imports and as little else as GitLab can tell apart.

use std::sync::Arc;

use catalogue::{Connector, RESOURCES};
use fake_gitlab::truth::{Reading, differences, truth};
use fake_gitlab::world::access::Viewer;
use fake_gitlab::world::generate::Scale;
use fake_gitlab::world::model::{Id, Namespace, UserType, World};
use fake_gitlab::{FakeGitlab, TokenKind, TokenSpec};
use sync::{Progress, Stop};

use crate::harness::{Bench, options};

const TOKEN: &str = "glpat-of-one-connector";

/// What the token's user may do, and what is switched off or closed in the one project.
struct Case {
    connector: Connector,
    kind: TokenKind,
    level: i32,
    close: fn(&mut World, Id),
    /// Tables in which there is something.
    filled: &'static [&'static str],
}

const CASES: [Case; 5] = [
    Case {
        connector: Connector::Gitlab,
        kind: TokenKind::Project,
        level: 20,
        close: |world, project| world.set_builds_access(project, "disabled"),
        filled: &["gitlab_merge_requests", "gitlab_merge_request_notes", "gitlab_labels"],
    },
    Case {
        connector: Connector::GitlabPipelines,
        kind: TokenKind::Personal,
        // A Guest reads jobs that are public, and no merge request.
        level: 10,
        close: |world, project| world.set_issues_access(project, "disabled"),
        filled: &["gitlab_pipelines", "gitlab_jobs"],
    },
    Case {
        connector: Connector::GitlabCommits,
        kind: TokenKind::Project,
        level: 20,
        close: |world, project| {
            world.set_builds_access(project, "disabled");
            world.set_issues_access(project, "disabled");
        },
        filled: &["gitlab_merge_request_commits"],
    },
    Case {
        connector: Connector::GitlabCommitsTrunk,
        kind: TokenKind::Personal,
        level: 20,
        close: |world, project| {
            world.set_builds_access(project, "disabled");
            world.set_issues_access(project, "disabled");
            world.set_merge_requests_access(project, "disabled");
        },
        filled: &["gitlab_commits"],
    },
    Case {
        connector: Connector::GitlabDeployments,
        kind: TokenKind::Project,
        level: 20,
        close: |world, project| {
            world.set_issues_access(project, "disabled");
            world.set_merge_requests_access(project, "disabled");
        },
        filled: &["gitlab_deployments", "gitlab_environments"],
    },
];

/// A private project in which there is everything, and a token that sees it alone. Gives the token's user.
fn prepare(bench: &Bench, case: &Case) -> Id {
    let mut world = bench.fake.world_mut();
    let project = fullest(&world);
    let bot = case.kind == TokenKind::Project;
    let kind = if bot { UserType::ProjectBot } else { UserType::Human };
    let user = world.create_user("of-one-connector", "One", kind);
    for group in world.project_groups(&world.projects[&project]) {
        world.groups.get_mut(&group).expect("the group is there").visibility = "private".to_owned();
    }
    world.projects.get_mut(&project).expect("it is there").visibility = "private".to_owned();
    world.set_project_member(project, user, case.level, None);
    (case.close)(&mut world, project);
    drop(world);
    bench.fake.state().add_token(TokenSpec { kind: case.kind, ..TokenSpec::personal(TOKEN, user) });
    user
}

/// The project of a group with merge requests that has most deployments.
fn fullest(world: &World) -> Id {
    let used = |it: Id| world.merge_requests.values().any(|mr| mr.project_id == it);
    let grouped = world.projects.values().filter(|it| matches!(it.namespace, Namespace::Group(_)));
    let open = grouped.filter(|it| !it.archived && it.builds_access_level == "enabled" && used(it.id));
    let deployments = |id: Id| world.ci.deployments.values().filter(|it| it.project_id == id).count();
    open.map(|it| it.id).max_by_key(|it| deployments(*it)).expect("a project has everything")
}

/// Its own tables. People whom others than `gitlab` meet are not all there are.
fn tables(connector: Connector) -> Vec<&'static str> {
    let own = RESOURCES.iter().filter(|it| it.connector == connector);
    let mut tables: Vec<&str> = own.flat_map(|it| it.tables.iter().map(|table| table.name)).collect();
    tables.retain(|it| connector == Connector::Gitlab || *it != "gitlab_users");
    tables.sort_unstable();
    tables.dedup();
    tables
}

async fn check(case: &Case, graphql: bool) {
    let scale = Scale { deployments_per_project: 6, ..Scale::tiny() };
    let bench = Bench::new(FakeGitlab::builder().scale(scale).seed(1201)).await;
    let user = prepare(&bench, case);
    let mut options = options();
    (options.connectors, options.rest_only) = (vec![case.connector], !graphql);
    let (client, store) = (bench.client_with(&[TOKEN]), bench.store.clone());
    let outcome = sync::run(client, store, options, Arc::<Progress>::default(), Stop::default()).await;
    assert!(outcome.ok, "{:?}: {outcome:?}", case.connector);
    let reading = Reading::new(graphql, false).with(case.connector.name()).with_issues();
    let wanted = truth(&bench.fake.world(), &Viewer::of(user), reading);
    for table in tables(case.connector).into_iter().filter(|it| wanted.contains_key(it)) {
        let stored = bench.store.live_rows(table).await.expect("the table can be read");
        let wrong = differences(table, &wanted[table], &stored);
        assert_eq!(
            wrong,
            Vec::<String>::new(),
            "{:?} by {}",
            case.connector,
            if graphql { "GraphQL" } else { "REST" }
        );
        assert!(!case.filled.contains(&table) || !stored.is_empty(), "{table} is empty");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_connector_reads_all_that_is_its_own_with_a_token_for_it_alone() {
    for case in &CASES {
        check(case, true).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_connector_reads_all_that_is_its_own_by_rest_alone() {
    for case in &CASES {
        check(case, false).await;
    }
}
