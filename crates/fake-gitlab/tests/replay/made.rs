//! Behaviour over a folder made for the purpose.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::Server;

fn exchange(url: &str, status: u16, body: Value) -> Value {
    json!({"request": {"method": "GET", "url": format!("https://gitlab.com/api/v4{url}")},
        "response": {"status": status, "headers": {}, "body": body}})
}

fn merge_request(iid: i64, updated_at: &str, title: &str) -> Value {
    json!({"id": 100 + iid, "iid": iid, "project_id": 7, "state": if iid % 2 == 0 { "opened" } else { "merged" },
        "title": title, "created_at": format!("2024-01-0{iid}T00:00:00.000Z"), "updated_at": updated_at})
}

fn project(id: i64, path: &str, name: &str) -> Value {
    json!({"id": id, "path_with_namespace": path, "name": name, "created_at": format!("2023-01-0{id}T00:00:00.000Z")})
}

fn folder(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(dir.join("bodies/projects/9/pipelines/4")).unwrap();
    let exchanges = json!([
        exchange("/projects/acme%2Fshop", 200, project(7, "acme/shop", "old")),
        exchange("/projects/acme%2Fshop", 200, project(7, "acme/shop", "new")),
        exchange("/groups/acme/projects", 200, json!([project(8, "acme/web/site", "site")])),
        exchange("/groups/acme", 200, json!({"id": 3, "full_path": "acme", "name": "Acme"})),
        exchange("/projects/7/merge_requests/1", 200, merge_request(1, "2024-03-01T00:00:00.000Z", "newest")),
        exchange(
            "/projects/7/merge_requests?state=all",
            200,
            json!([
                merge_request(1, "2024-02-01T00:00:00.000Z", "older"),
                merge_request(2, "2024-02-02T00:00:00.500Z", "two"),
                merge_request(3, "2024-02-03T00:00:00.000Z", "three"),
            ])
        ),
        exchange(
            "/projects/acme%2Fshop/merge_requests/1/notes",
            200,
            json!([{"id": 51, "system": false, "body": "a",
            "created_at": "2024-01-01T00:00:00.000Z"}])
        ),
        exchange(
            "/projects/7/merge_requests/1/notes/52",
            200,
            json!({"id": 52, "system": true, "body": "b",
            "created_at": "2024-01-02T00:00:00.000Z"})
        ),
        exchange("/projects/7/members/all", 200, json!([{"id": 1, "username": "ann", "access_level": 40}])),
        exchange("/projects/7/labels", 200, json!([])),
        exchange("/projects/acme%2Fsecret", 404, json!({"message": "404 Project Not Found"})),
        exchange("/user", 200, json!({"id": 1, "username": "ann"})),
    ]);
    fs::write(dir.join("exchanges.json"), exchanges.to_string()).unwrap();
    let row = merge_request(1, "2020-01-01T00:00:00.000Z", "elsewhere").to_string().replace(":7,", ":12,");
    let table = format!(
        "id,data,url\n1,\"{}\",https://x/api/v4/projects/12/merge_requests?page=1\n",
        row.replace('"', "\"\"")
    );
    fs::write(dir.join("rows.csv"), table).unwrap();
    let jobs = json!([{"id": 41, "name": "test"}, {"id": 42, "name": "build"}]);
    fs::write(dir.join("bodies/projects/9/pipelines/4/jobs.json"), jobs.to_string()).unwrap();
    dir
}

#[tokio::test]
async fn the_newest_recording_of_each_element_wins() {
    let server = Server::start(&folder("newest")).await;
    assert_eq!(server.get("/projects/7").await.body["name"], "new");
    assert_eq!(server.get("/projects/acme%2FShop").await.body["id"], 7);
    assert_eq!(server.get("/projects/7/merge_requests/1").await.body["title"], "newest");
    assert_eq!(server.get("/projects/acme%2Fshop/merge_requests").await.all("iid"), [3, 2, 1]);
    assert_eq!(server.get("/projects/9/pipelines/4/jobs").await.all("id"), [42, 41]);
    assert_eq!(server.get("/projects/9/jobs").await.all("id"), [42, 41]);
}

#[tokio::test]
async fn lists_are_filtered_and_ordered() {
    let server = Server::start(&folder("filters")).await;
    let iids = |query: &'static str| {
        let server = &server;
        async move { server.get(&format!("/projects/7/merge_requests?{query}")).await.all("iid") }
    };
    assert_eq!(iids("order_by=updated_at&sort=asc").await, [2, 3, 1]);
    assert_eq!(iids("updated_after=2024-02-02T00:00:00.500Z&sort=asc").await, [1, 2, 3]);
    assert_eq!(iids("updated_after=2024-02-02T00:00:00.501Z&sort=asc").await, [1, 3]);
    assert_eq!(iids("updated_before=2024-02-02T02:00:00.500%2B02:00").await, [2]);
    assert_eq!(iids("state=opened").await, [2]);
    assert_eq!(iids("state=all&iids[]=1&iids[]=3").await, [3, 1]);
    assert_eq!(server.get("/projects/7/merge_requests/1/notes").await.all("id"), [52, 51]);
    let notes = server.get("/projects/7/merge_requests/1/notes?sort=asc&activity_filter=only_comments").await;
    assert_eq!(notes.all("id"), [51]);
}

#[tokio::test]
async fn pages_are_announced_as_gitlab_does() {
    let server = Server::start(&folder("pages")).await;
    let first = server.get("/projects/7/merge_requests?per_page=2").await;
    let told = ["x-page", "x-per-page", "x-next-page", "x-prev-page", "x-total", "x-total-pages"];
    assert_eq!(told.map(|name| first.header(name).unwrap()), ["1", "2", "2", "", "3", "2"]);
    assert!(first.header("link").unwrap().starts_with(
        "<http://git.example/api/v4/projects/7/merge_requests?id=7&order_by=created_at&page=2&per_page=2&sort=desc&"
    ));
    assert_eq!(server.walk("/projects/7/merge_requests?per_page=2").await.len(), 3);

    let empty = server.get("/projects/7/labels").await;
    assert_eq!(
        (empty.status, empty.header("x-total"), empty.header("x-total-pages")),
        (200, Some("0"), Some("1"))
    );
    assert_eq!((empty.link("next"), empty.link("last").is_some()), (None, true));
    assert_eq!(server.get("/projects/7/labels?per_page=none").await.status, 400);
}

#[tokio::test]
async fn projects_are_paged_by_key_too() {
    let server = Server::start(&folder("keyset")).await;
    let path = "/projects?membership=true&pagination=keyset&order_by=id&sort=asc&per_page=1";
    let page = server.get(path).await;
    assert_eq!((page.all("id"), page.header("x-total")), (vec![7], None));
    let ids: Vec<_> = server.walk(path).await.iter().map(|it| it["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [7, 8]);
    assert_eq!(server.get("/projects?membership=true").await.all("id"), [8, 7]);
    // These recordings are from before projects had `updated_at`.
    assert_eq!(server.get("/projects?updated_after=2030-01-01").await.all("id"), [8, 7]);
    assert_eq!(server.get("/projects/7/merge_requests?pagination=keyset").await.status, 405);
}

#[tokio::test]
async fn groups_show_what_was_recorded_below_them() {
    let server = Server::start(&folder("groups")).await;
    assert_eq!(server.get("/groups?min_access_level=10").await.all("id"), [3]);
    assert_eq!(server.get("/groups/acme").await.body["name"], "Acme");
    assert_eq!(server.get("/groups/3/projects").await.all("id"), [7]);
    assert_eq!(server.get("/groups/acme/projects?include_subgroups=true").await.all("id"), [8, 7]);
    assert_eq!(server.get("/groups/3/descendant_groups").await.body, json!([]));
    assert_eq!(server.get("/groups/4/descendant_groups").await.status, 404);
}

#[tokio::test]
async fn what_was_never_recorded_is_not_found() {
    let server = Server::start(&folder("unknown")).await;
    let unknown = [
        "/projects/12",
        "/projects/acme%2Fsecret",
        "/projects/7/merge_requests/1/approvals",
        "/version",
        "/projects/99/labels",
        "/projects/7/merge_requests/1/discussions",
        "/projects/7/merge_requests/1/reviewers",
        "/projects/7/merge_requests/9",
    ];
    for path in unknown {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.body), (404, json!({"error": "404 Not Found"})), "{path}");
    }
    assert_eq!(server.send("POST /api/graphql", "PRIVATE-TOKEN: any\r\n").await.status, 404);
    // Known by its merge requests alone, a project still has these.
    assert_eq!(server.get("/projects/12/merge_requests").await.all("iid"), [1]);
}

#[tokio::test]
async fn any_token_is_accepted_and_none_is_not() {
    let server = Server::start(&folder("tokens")).await;
    assert_eq!(server.get("/user").await.body["username"], "ann");
    assert_eq!(server.send("GET /api/v4/user", "Authorization: Bearer x\r\n").await.status, 200);
    let answer = server.send("GET /api/v4/user", "").await;
    assert_eq!((answer.status, answer.body), (401, json!({"message": "401 Unauthorized"})));
}

#[tokio::test]
async fn inherited_members_count_as_members() {
    let server = Server::start(&folder("members")).await;
    assert_eq!(server.get("/projects/7/members").await.all("id"), [1]);
    assert_eq!(server.get("/projects/acme%2Fshop/members/all").await.all("id"), [1]);
    assert_eq!(server.get("/projects/7/members/all/1").await.body["access_level"], 40);
}
