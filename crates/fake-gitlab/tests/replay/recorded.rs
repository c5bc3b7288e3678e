//! Behaviour over real recordings.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::Server;

fn recordings() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/gitlab");
    let folder = std::env::var_os("WEIR_FIXTURES").map_or(beside, PathBuf::from).join("rest");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: recorded data not found at {}", folder.display());
    None
}

#[tokio::test]
async fn real_merge_requests_are_listed_whole_and_only_once() {
    let Some(folder) = recordings() else { return };
    let server = Server::start(&folder).await;
    for (project, at_least) in [(14_233_409, 60), (12_345_678, 18), (20_727_834, 1)] {
        let path = format!("/projects/{project}/merge_requests?order_by=updated_at&sort=asc&per_page=7");
        let all = server.walk(&path).await;
        let iids: BTreeSet<_> = all.iter().map(|it| it["iid"].as_i64().unwrap()).collect();
        assert_eq!(iids.len(), all.len(), "{project}");
        assert!(all.len() >= at_least, "{project}: {}", all.len());
        let times: Vec<_> = all.iter().map(|it| it["updated_at"].as_str().unwrap()).collect();
        assert!(times.is_sorted(), "{project}");
        println!("project {project}: {} merge requests", all.len());
    }
    assert_eq!(server.get("/projects/12345678").await.status, 404);
}

#[tokio::test]
async fn real_projects_groups_notes_and_members_are_found() {
    let Some(folder) = recordings() else { return };
    let server = Server::start(&folder).await;
    let projects = server.walk("/projects?membership=true&per_page=5").await;
    let keyset =
        server.walk("/projects?membership=true&pagination=keyset&order_by=id&sort=asc&per_page=5").await;
    assert_eq!(projects.len(), keyset.len());
    println!("{} projects, {} groups", projects.len(), server.walk("/groups").await.len());
    assert_eq!(server.get("/projects/packit-service%2Fogr-tests").await.body["id"], 14_233_409);
    assert_eq!(server.get("/groups/inkscape").await.body["id"], 470_642);
    assert!(server.walk("/groups/470642/projects?per_page=3").await.len() >= 10);
    assert!(server.walk("/projects/14233409/merge_requests/1/notes?per_page=9").await.len() >= 20);
    assert!(server.walk("/projects/2396494/members/all").await.len() >= 30);
    assert!(server.walk("/projects/50817395/pipelines").await.len() >= 20);
    assert!(server.walk("/projects/12345678/deployments?order_by=updated_at").await.len() == 8);
    assert!(server.get("/user").await.body["username"].is_string());
    for path in
        ["/version", "/projects/14233409/merge_requests/1/approvals", "/projects/mfocko%2Fno-such-thing"]
    {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}
