//! An extractor that asks for what is not its own.

use std::io::Write;

use axum::body::Body;
use serde_json::{Map, Value, json};
use store::remote::{Operation, protocol};
use sync::{Clock, SystemClock};

use super::bench::{Inside, key_of};
use crate::harness::{Bench, Reply};

const SPAN: i64 = 1 << 44;
const SESSION: &str = "00112233445566778899aabbccddeeff";
const AT: &str = "2026-01-01T00:00:00Z";

/// A Weir with a victim (the first GitLab, extracted) and an extractor of another GitLab that is up to no good.
struct Scene {
    bench: Bench,
    /// Connection, sync and owner of the victim, and of the hostile one.
    victim: Ids,
    own: Ids,
}

#[derive(Clone)]
struct Ids {
    instance: i64,
    connection: i64,
    sync: i64,
    owner: String,
    delivery: i64,
    base_url: String,
}

impl Scene {
    async fn new() -> Scene {
        let mut bench = Bench::new().await;
        let key = key_of(&bench, "victim").await;
        let listening = bench.listen().await;
        let inside = Inside::start(&bench, &listening.url, &key, "victim").await;
        for connection in inside.connections().to_vec() {
            bench.until(connection, |it| !it["last_synced_at"].is_null()).await;
        }
        let connection = inside.connections()[0];
        inside.stop().await;
        bench.key = key_of(&bench, "hostile").await;
        let greeting = json!({ "extractor": "hostile", "session": SESSION, "protocol": protocol(), "version": "0.1.0",
                               "base_url": "https://hostile.example.com", "connectors": ["gitlab"] });
        let connected = bench.post("extractors.connect", greeting).await.ok(200);
        let sql = "insert into weir.syncs (instance, connectors, scope, state, owner, started_at, connection_id)
                   select instance, array[type], 'test', 'running', 'x', now(), id from weir.connections where type = 'gitlab'";
        bench.database.execute(sql).await;
        let inbox = "insert into weir.inbox (key, received_at, event, body, due_at, extractor_id)
                     select n::text::bytea, now(), 'push', '{}', now(), n from generate_series(1, 2) as n";
        bench.database.execute(inbox).await;
        let own = Ids {
            instance: 1,
            connection: connected["connections"][0].as_i64().expect("a number"),
            sync: 0,
            owner: format!("{}x", connected["owner"].as_str().expect("an owner")),
            delivery: 2,
            base_url: "https://hostile.example.com".to_owned(),
        };
        let base_url = bench.gitlab.url().to_owned();
        let victim = Ids {
            instance: 0,
            connection,
            sync: 0,
            owner: "extractor-1-x/".to_owned(),
            delivery: 1,
            base_url,
        };
        let mut scene = Scene { bench, victim, own };
        scene.victim.sync = scene.sync_of(0).await;
        scene.own.sync = scene.sync_of(1).await;
        scene
    }

    async fn sync_of(&self, instance: i64) -> i64 {
        let sql = format!("select max(id) from weir.syncs where instance = {instance} and scope = 'test'");
        self.bench.store.query(&sql).await.expect("a sync").rows[0][0].as_i64().expect("a number")
    }

    async fn call(&self, body: Value) -> Reply {
        self.send(body.to_string().into(), "identity").await
    }

    async fn send(&self, body: Body, encoding: &str) -> Reply {
        let request = self.bench.request("POST", "extractors.call").header("content-encoding", encoding);
        let request = request.header("weir-session", SESSION).header("weir-protocol", protocol());
        self.bench.send(request.body(body).expect("a request")).await
    }

    /// What the victim has, apart from what others may change.
    async fn victims(&self) -> String {
        self.bench.database.execute("delete from weir.group_labels where group_id >= 17592186044416").await;
        let mut all = format!("{:?}", super::bench::tables(&self.bench.store).await);
        for sql in [
            "select to_jsonb(t) from weir.partitions t where instance = 0 order by 1",
            "select to_jsonb(t) from weir.pending t where instance = 0 order by 1",
            "select to_jsonb(t) from weir.tasks t join weir.connections c on c.id = connection_id where instance = 0 order by 1",
            "select to_jsonb(t) from weir.connections t where instance = 0 order by 1",
            "select to_jsonb(t) from weir.syncs t where instance = 0 order by 1",
            "select to_jsonb(t) from weir.inbox t where extractor_id = 1 order by 1",
            "select to_jsonb(t) from weir.instances t where number = 0",
            "select to_jsonb(t) from weir.trunks t where project_id < 17592186044416 order by 1",
            "select to_jsonb(t) from weir.skips t where instance = 0 order by 1",
            "select to_jsonb(t) from weir.proofs t where instance = 0 order by 1",
            "select to_jsonb(t) from weir.webhook_hints t where project_id < 17592186044416 order by 1",
        ] {
            all.push_str(&format!("{:?}", self.bench.store.query(sql).await.expect(sql).rows));
        }
        all
    }
}

/// The value of an argument, of somebody's own.
fn argument(operation: &str, name: &str, of: &Ids) -> Value {
    let id = of.instance * SPAN + 1;
    let unit = json!({ "resource": "labels", "parent_id": id, "priority": 0 });
    let key = json!({ "instance": of.instance, "resource": "labels", "reader": "rest", "parent_id": id });
    match (operation, name) {
        (_, "instance" | "number") => json!(of.instance),
        ("end_deliveries" | "put_off_deliveries" | "release_deliveries" | "renew_deliveries", "ids") => {
            json!([of.delivery])
        }
        ("connection" | "connection_synced", "id") | (_, "connection") => json!(of.connection),
        ("claim_pending" | "pending_left", "project") => Value::Null,
        (_, "project" | "group" | "parent_id" | "id") => json!(id),
        ("note_namespaces", "projects") | (_, "totals") => json!([[id, id]]),
        (_, "projects" | "users" | "parents" | "ids" | "merge_requests" | "seen") => json!([id]),
        (_, "sync_id") => json!(of.sync),
        (_, "off") => json!({ "due_at": AT, "note": "", "read_by": [of.connection], "counts": false }),
        (_, "hints") => json!([{ "project_id": id, "kind": "issue", "number": 1 }]),
        (_, "owner" | "owner_prefix") => json!(of.owner),
        (_, "units") => json!([unit]),
        (_, "lease") => json!({ "sync_id": of.sync, "unit": unit, "owner": of.owner }),
        (_, "key") => key,
        (_, "keys") => json!([key]),
        // Lists are named by GitLab's ids: those of another instance begin above all of them.
        (_, "pending") => pending(of),
        (_, "row") => json!({ "pending": pending(of), "attempts": 0, "wish": 0 }),
        (_, "proofs") => {
            json!([{ "project_id": id, "project": "", "resource": "labels", "state": "proved", "theirs": 1, "ours": 1,
                                  "detail": "", "proved_at": null }])
        }
        (_, "skips") => {
            json!([{ "connector": "gitlab", "resource": "labels", "parent_id": id, "parent": "", "reason": "x", "detail": "" }])
        }
        (_, "signs") => {
            json!([{ "project_id": id, "default_branch": null, "commit_count": null, "last_activity_at": null }])
        }
        (_, "task") => {
            json!({ "connection_id": of.connection, "activity": "sync", "due_at": AT, "owner": of.owner, "until": null,
                               "started_at": null, "ended_at": null, "outcome": null, "failures": 0, "error": null,
                               "progress_at": null, "succeeded_at": null, "failing_since": null, "taken_over": false })
        }
        (_, "run") => {
            json!({ "instance": of.instance, "connectors": ["gitlab"], "scope": "again", "connection": of.connection, "owner": of.owner })
        }
        (_, "running") => json!([of.owner]),
        (_, "leading") => json!([of.sync]),
        (_, "base_url") => json!(of.base_url),
        (_, "entry") => json!({ "action": "sync", "connection_id": of.connection }),
        (_, "page") => page(of),
        _ => plain(operation, name),
    }
}

fn pending(of: &Ids) -> Value {
    let parent = if of.instance == 1 { 5 } else { SPAN + 5 };
    json!({ "list": "notes", "project": 1, "parent": parent, "iid": 1 })
}

/// Arguments that are nobody's.
fn plain(operation: &str, name: &str) -> Value {
    match (operation, name) {
        ("stored_within", "span") => json!([AT, AT]),
        ("unknown_users", "after") => json!(0),
        ("end_sync", "end") => {
            json!({ "state": "stopped", "requests": 0, "bytes": 0, "not_modified": 0, "waited_seconds": 0.0,
                                       "resources": {}, "error": null })
        }
        ("end_task", "end") => json!({ "outcome": "stopped", "error": null, "due_at": AT }),
        ("end_deliveries", "state") => json!("done"),
        (_, "at" | "now" | "since" | "asked_at" | "sent_at" | "due_at" | "began" | "until" | "after") => {
            json!(AT)
        }
        (_, "read") => json!([{ "resource": "labels", "readers": ["rest"] }]),
        (_, "received_at" | "started") => json!(AT),
        (_, "idle") => json!({ "secs": 1, "nanos": 0 }),
        (_, "fact") => json!("gitlab_merge_requests"),
        (_, "counted") => json!("issues"),
        (_, "table") => json!("gitlab_labels"),
        (_, "lists") => json!(["notes"]),
        (_, "resources" | "seals" | "shas") => json!(["labels"]),
        (_, "repeated") => json!([]),
        (_, "fields") => json!({}),
        (_, "graphql" | "children" | "open_set") => json!(true),
        (_, "iid" | "most" | "limit" | "priority") => json!(1),
        _ => json!("labels"),
    }
}

fn page(of: &Ids) -> Value {
    let id = of.instance * SPAN + 1;
    let rows = json!({ "batches": [{ "table": "weir.group_labels", "columns": ["group_id", "label_id"],
                                     "rows": [{ "group_id": id, "label_id": id }] }],
                       "complete": [], "pending": [], "named_labels": [], "named_issue_labels": [], "touched": [], "touched_pipelines": [] });
    json!({ "instance": of.instance, "rows": rows, "sent_at": AT, "progress": null, "stood": null, "lease": null, "rejects": [], "done": [],
            "label_projects": [], "milestone_projects": [], "trunk": null, "listed": null })
}

fn call(operation: &str, arguments: &Map<String, Value>) -> Value {
    json!({ operation: arguments })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_operation_reaches_what_is_another_extractors() {
    let scene = Scene::new().await;
    let before = scene.victims().await;
    let mut tried = 0;
    for (operation, names) in Operation::ALL {
        let own: Map<String, Value> =
            names.iter().map(|it| ((*it).to_owned(), argument(operation, it, &scene.own))).collect();
        for name in *names {
            let foreign = argument(operation, name, &scene.victim);
            if foreign == own[*name] {
                continue;
            }
            let mut arguments = own.clone();
            arguments.insert((*name).to_owned(), foreign);
            let reply = scene.call(call(operation, &arguments)).await;
            assert_eq!(reply.error(), (403, "not_yours"), "{operation}, {name}: {}", reply.text);
            tried += 1;
        }
    }
    assert!(tried > 90, "{tried} arguments were tried");
    assert_eq!(scene.victims().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_nobody_tells_nothing_of_others() {
    let scene = Scene::new().await;
    let before = scene.victims().await;
    for (operation, names) in Operation::ALL {
        let own = names.iter().map(|it| ((*it).to_owned(), argument(operation, it, &scene.own))).collect();
        let reply = scene.call(call(operation, &own)).await;
        assert_eq!(reply.status, 200, "{operation}: {}", reply.text);
        assert!(!reply.text.contains(&scene.victim.base_url), "{operation}: {}", reply.text);
    }
    let connections = scene.call(json!({ "connections": {} })).await.ok(200);
    let numbers: Vec<&Value> =
        connections["result"].as_array().expect("a list").iter().map(|it| &it["id"]).collect();
    assert_eq!(numbers, [&json!(scene.own.connection)]);
    assert_eq!(scene.victims().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_part_of_a_page_reaches_what_is_another_extractors() {
    let scene = Scene::new().await;
    let before = scene.victims().await;
    let (own, victim) = (&scene.own, 1);
    let key = |instance: i64, parent: i64| {
        json!({ "key": { "instance": instance, "resource": "labels", "reader": "rest", "parent_id": parent }, "complete_to": null,
                "complete_from": null, "whole": true, "backfill_cursor": null, "total": null })
    };
    let signs = json!({ "project_id": victim, "default_branch": null, "commit_count": null, "last_activity_at": null });
    let trunk = json!({ "signs": signs, "due": false, "head": "x", "read_at": null, "read_from": null, "statistics": false, "walk": null });
    let unit = json!({ "resource": "labels", "parent_id": SPAN + 1, "priority": 0 });
    let list = json!({ "list": "notes", "project": 1, "parent": -5, "iid": 1 });
    let row = |group: Value| json!([{ "group_id": group, "label_id": SPAN + 1 }]);
    for (place, value) in [
        ("/instance", json!(0)),
        ("/rows/batches/0/rows", row(json!(victim))),
        ("/rows/batches/0/rows", row(json!("1"))),
        ("/rows/batches/0/rows", row(json!(1.5))),
        ("/rows/batches/0/rows", row(json!(-1))),
        (
            "/rows/complete",
            json!([{ "table": "gitlab_labels", "parent": ["project_id"], "values": [victim], "counted": null }]),
        ),
        ("/rows/pending", json!([list])),
        ("/done", json!([{ "pending": list, "attempts": 0, "wish": 0 }])),
        ("/rows/named_labels", json!([[victim, 2, "x"]])),
        ("/rows/named_issue_labels", json!([[SPAN + 1, 2, "x"]])),
        ("/rows/touched", json!([[victim, 2]])),
        ("/rows/touched_pipelines", json!([[victim, 2]])),
        ("/progress", key(0, SPAN + 1)),
        ("/progress", key(1, victim)),
        ("/stood", key(0, SPAN + 1)),
        ("/lease", json!({ "sync_id": scene.victim.sync, "unit": unit, "owner": own.owner })),
        ("/lease", json!({ "sync_id": own.sync, "unit": unit, "owner": "somebody" })),
        (
            "/rejects",
            json!([{ "resource": "labels", "reader": "rest", "parent_id": victim, "error": "", "raw": "" }]),
        ),
        ("/label_projects", json!([victim])),
        ("/milestone_projects", json!([victim])),
        ("/trunk", json!({ "trunk": trunk, "prune": { "listed_from": null } })),
        ("/listed", json!({ "table": "gitlab_labels", "parent_id": victim, "told": "Unnamed" })),
    ] {
        let mut page = page(own);
        *page.pointer_mut(place).expect("a place") = value.clone();
        let reply = scene.call(json!({ "write_page": { "page": page } })).await;
        assert_eq!(reply.error(), (403, "not_yours"), "{place} {value}: {}", reply.text);
    }
    scene.call(json!({ "write_page": { "page": page(own) } })).await.ok(200);
    assert_eq!(scene.victims().await, before, "only what is its own was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_call_is_refused() {
    let scene = Scene::new().await;
    for text in [
        "",
        "{",
        "7",
        "[]",
        "{}",
        r#"{"query":{"sql":"select 1"}}"#,
        r#"{"token":{"id":1}}"#,
        r#"{"api_keys":{}}"#,
    ] {
        let reply = scene.send(text.into(), "identity").await;
        assert_eq!(reply.error(), (422, "invalid_arguments"), "{text}");
    }
    let mut page = page(&scene.own);
    page["rows"]["batches"][0]["table"] = json!("weir.api_keys");
    let reply = scene.call(json!({ "write_page": { "page": page } })).await;
    assert_eq!(reply.error(), (422, "invalid_arguments"));
    // What counts as newer than all that is to come would never be written over.
    let ahead = json!({ "instance": scene.own.instance, "sent_at": "9999-01-01T00:00:00Z" });
    let reply = scene.call(json!({ "assign_label_groups": ahead })).await;
    assert_eq!(reply.error(), (422, "invalid_arguments"));
    let reply = scene.send("not packed".into(), "gzip").await;
    assert_eq!(reply.error(), (400, "invalid_json"));
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![b' '; 1024 * 1024];
    for _ in 0..260 {
        bomb.write_all(&zeros).expect("it is packed");
    }
    let reply = scene.send(bomb.finish().expect("it is packed").into(), "gzip").await;
    assert_eq!(reply.error(), (413, "request_too_large"));
    // Another process of it, or none.
    let request = scene.bench.request("POST", "extractors.call").header("weir-protocol", protocol());
    let reply =
        scene.bench.send(request.header("weir-session", "x").body("{}".into()).expect("a request")).await;
    assert_eq!(reply.error(), (409, "extractor_replaced"));
    // A key that may do everything else.
    let scopes: Vec<String> =
        server::SCOPES.iter().map(|it| it.name().to_owned()).filter(|it| it != "extractors:run").collect();
    let (_, key) = scene.bench.store.create_api_key("all", &scopes, SystemClock.now()).await.expect("a key");
    let request = axum::http::Request::builder().method("POST").uri("/api/extractors.call");
    let request =
        request.header("authorization", format!("Bearer {}", secrecy::ExposeSecret::expose_secret(&key)));
    let reply = scene.bench.send(request.body("{}".into()).expect("a request")).await;
    assert_eq!(reply.error(), (403, "missing_scope"));
}
