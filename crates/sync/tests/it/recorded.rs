//! Recorded answers of gitlab.com, served again by the fake: the rows hold what a person reads in the recording.

use std::path::PathBuf;
use std::time::Duration;

use catalogue::Connector;
use gitlab_client::{BaseUrl, Client, ClientConfig, Credential, RetryPolicy, TokenKind};
use serde_json::{Value, json};
use store::Store;
use store::testing::TestDatabase;
use sync::{Outcome, Scope};

use crate::harness::options;

/// The folder of recordings; none in a clone that has none.
pub fn recordings() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fixtures/gitlab");
    let folder = PathBuf::from(std::env::var("WEIR_FIXTURES").unwrap_or_else(|_| default.to_owned()));
    if folder.join("rest").is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no recorded data at {}", folder.display());
    None
}

async fn import(folder: PathBuf, store: &Store, project: &str) -> Outcome {
    import_by(folder, store, project, Connector::Gitlab).await
}

/// Imports what one connector reads of a project.
pub async fn import_by(folder: PathBuf, store: &Store, project: &str, connector: Connector) -> Outcome {
    let router = fake_gitlab::replay::router(folder).expect("the recordings can be read");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut config = ClientConfig::new(BaseUrl::parse(&url).expect("a URL"));
    config.credentials = vec![Credential::new("0", TokenKind::Private, "glpat-any")];
    config.allowed = sync::allowed_endpoints();
    config.retry = RetryPolicy { attempts: 2, base: Duration::from_millis(5), ..RetryPolicy::default() };
    let client = Client::new(config).expect("the client is made");
    let mut options = options();
    options.connectors = vec![connector];
    options.scope = Scope { projects: vec![project.to_owned()], ..Scope::default() };
    let outcome = sync::run(client, store.clone(), options, Default::default(), Default::default()).await;
    server.abort();
    outcome
}

pub async fn rows(store: &Store, sql: &str) -> Value {
    json!(store.query(sql).await.expect("the query is right").rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_project_with_merge_requests_notes_and_members_is_imported() {
    let Some(folder) = recordings() else { return };
    let database = TestDatabase::new().await;
    let store = database.store().await;
    let outcome = import(folder, &store, "packit-service/ogr-tests").await;
    assert!(outcome.ok, "{:?}", outcome.error);
    let project = "select id, path_with_namespace, visibility, archived from gitlab_projects";
    assert_eq!(rows(&store, project).await, json!([[14233409, "packit-service/ogr-tests", "public", false]]));
    assert_eq!(rows(&store, "select count(*) from gitlab_merge_requests").await, json!([[65]]));
    // Nullable head, nullable fork, closed a few milliseconds after the last move.
    let closed = "select id, title, state, draft, user_id, closed_by_user_id, merged_by_user_id, sha, source_project_id
                       , to_char(closed_at, 'YYYY-MM-DD HH24:MI:SS.MS'), user_notes_count
                    from gitlab_merge_requests where iid = 46";
    assert_eq!(
        rows(&store, closed).await,
        json!([[
            68533146,
            "test PR: fork -> upstream",
            "closed",
            false,
            4626962,
            4626962,
            null,
            null,
            null,
            "2020-08-24 08:44:22.849",
            0
        ]])
    );
    let merged =
        "select id, state, merged_by_user_id, merge_commit_sha, open_to_merge, source_branch, target_branch
                    from gitlab_merge_requests where iid = 19";
    assert_eq!(
        rows(&store, merged).await,
        json!([[
            43305101,
            "merged",
            375555,
            "b8e18207cfdad954f1b3a96db34d0706b272e6cf",
            108,
            "test_branch",
            "master"
        ]])
    );
    let notes = "select m.iid, n.system, count(*) from gitlab_merge_request_notes n
                   join gitlab_merge_requests m on m.project_id = n.project_id and m.id = n.merge_request_id
                  group by 1, 2 order by 1, 2";
    assert_eq!(
        rows(&store, notes).await,
        json!([[1, false, 3], [1, true, 47], [19, false, 2], [19, true, 2]])
    );
    let title = "select action, user_id, to_char(created_at, 'YYYY-MM-DD HH24:MI:SS.MS'), body
                   from gitlab_merge_request_notes where id = 263325107";
    assert_eq!(rows(&store, title).await, json!([["title", 375555, "2019-12-19 20:19:28.353", null]]));
    let members = "select user_id, access_level, expires_at from gitlab_project_members where user_id in (433670, 5647360)
                    order by user_id";
    assert_eq!(rows(&store, members).await, json!([[433670, 50, "2019-11-01"], [5647360, 20, "2019-11-01"]]));
    let labels = "select name from gitlab_merge_request_labels l join gitlab_merge_requests m
                      on m.project_id = l.project_id and m.id = l.merge_request_id where m.iid = 1 order by name";
    assert_eq!(rows(&store, labels).await, json!([["test_lb1"], ["test_lb2"]]));
    let not_recorded: Vec<&str> = outcome.skips.iter().map(|it| it.resource.as_str()).collect();
    for resource in ["labels", "milestones", "approvals", "reviewers", "diff_statistics"] {
        assert!(not_recorded.contains(&resource), "{resource} was not recorded: {not_recorded:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_merge_requests_of_a_project_that_was_not_recorded_are_imported() {
    let Some(folder) = recordings() else { return };
    let database = TestDatabase::new().await;
    let store = database.store().await;
    let outcome = import(folder, &store, "12345678").await;
    assert!(outcome.ok, "{:?}", outcome.error);
    assert!(outcome.skips.iter().any(|it| it.resource == "projects"), "{:?}", outcome.skips);
    let all = "select count(*), count(*) filter (where state = 'merged') from gitlab_merge_requests";
    let counted = rows(&store, all).await;
    assert_eq!(counted[0][0], 18);
    let first = "select id, title, state, user_id, merged_by_user_id, open_to_merge
                   from gitlab_merge_requests where iid = 1";
    assert_eq!(
        rows(&store, first).await,
        json!([[
            32348491,
            "Resolve \"Add documentation to snowflake spend package\"",
            "merged",
            2295562,
            1942272,
            33023
        ]])
    );
    let labels = "select name, label_id < 0 from gitlab_merge_request_labels l join gitlab_merge_requests m
                      on m.project_id = l.project_id and m.id = l.merge_request_id where m.iid = 4 order by name collate \"C\"";
    assert_eq!(
        rows(&store, labels).await,
        json!([["Analytics", true], ["Data Team", true], ["Refactor", true], ["dbt", true]])
    );
}
