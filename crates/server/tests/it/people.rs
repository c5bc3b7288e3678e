//! One person is erased, and does not come back.

use serde_json::{Value, json};

use crate::harness::Bench;

/// Somebody who has written merge requests and commits: number, username, name and an address.
async fn somebody(bench: &Bench) -> (i64, String, String, String) {
    let sql = "select u.id, u.username, u.name, c.author_email
                 from gitlab_users u
                 join gitlab_merge_request_commits c on c.author_name = u.name and u.name like '% %'
                where u.type_rule = 'bot_flag' and exists (select from gitlab_merge_requests m where m.user_id = u.id)
                order by u.id limit 1";
    let row = bench.store.query(sql).await.expect("it runs").rows.first().cloned().expect("somebody");
    let text = |at: usize| row[at].as_str().expect("a text").to_owned();
    (row[0].as_i64().expect("a number"), text(1), text(2), text(3))
}

async fn synced(bench: &Bench, kind: &str) -> i64 {
    let connection = bench.connection(kind).await;
    let settings = json!({ "keep_bodies": true });
    bench.post("connections.update", json!({ "id": connection, "settings": settings })).await.ok(200);
    let body = json!({ "secrets": { "api_token": bench.gitlab.token() } });
    bench.post(&format!("connections/{connection}/credentials.create"), body).await.ok(201);
    bench.until(connection, |it| it["last_synced_at"].is_string()).await;
    connection
}

/// Nothing of these stands anywhere in the database.
async fn assert_gone(bench: &Bench, words: &[&str], when: &str) {
    let dump = bench.store.dump().await.expect("it can be dumped").to_lowercase();
    for word in words {
        let word = word.to_lowercase();
        // Another one may be called the same and a number.
        let whole = |at: &usize| !dump[at + word.len()..].starts_with(char::is_alphanumeric);
        if let Some(at) = dump.match_indices(&word).map(|it| it.0).find(whole) {
            let mut from = at.saturating_sub(300);
            while !dump.is_char_boundary(from) {
                from -= 1;
            }
            panic!("{word} {when}: ...{}", dump[from..].chars().take(600).collect::<String>());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_stands_nowhere_and_does_not_come_back() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    let mut connections = Vec::new();
    for kind in ["gitlab", "gitlab_commits", "gitlab_commits_trunk"] {
        connections.push(synced(&bench, kind).await);
    }
    let (id, username, name, email) = somebody(&bench).await;
    let counts = "select (select count(*) from gitlab_merge_request_notes), (select count(*) from gitlab_users),
                         (select count(*) from gitlab_merge_request_commits), (select count(*) from gitlab_reviews)";
    let before = bench.store.query(counts).await.expect("it runs").rows;
    let reply = bench.post("people.erase", json!({ "id": id })).await.ok(200);
    assert!(reply["texts"].as_i64() > Some(1) && reply["emails"].as_i64() > Some(0), "{reply}");
    let words = [username.as_str(), name.as_str(), email.as_str()];
    assert_gone(&bench, &words, "after the erasure").await;
    assert_eq!(bench.store.query(counts).await.expect("it runs").rows, before, "rows stay");
    // A process that remembers nothing, and everything read again.
    bench.store.forget_seen_users();
    for table in ["weir.partitions", "weir.etags", "weir.trunks"] {
        bench.database.execute(&format!("delete from {table}")).await;
    }
    for table in [
        "gitlab_merge_requests",
        "gitlab_merge_request_notes",
        "gitlab_commits",
        "gitlab_merge_request_commits",
    ] {
        bench.database.execute(&format!("delete from {table}")).await;
    }
    for connection in connections {
        let first = bench.until(connection, |_| true).await["last_synced_at"].clone();
        bench.post("connections.sync", json!({ "id": connection, "sweep": true })).await.ok(200);
        bench
            .until(connection, |it| {
                let sweep = |it: &Value| it["activity"] == "sweep" && it["outcome"] == "complete";
                it["last_synced_at"] != first
                    && it["tasks"].as_array().is_some_and(|all| all.iter().any(sweep))
            })
            .await;
    }
    assert_gone(&bench, &words, "after another sync").await;
    assert_eq!(
        bench.store.query(counts).await.expect("it runs").rows[0][0],
        before[0][0],
        "all of it was read again"
    );
    // A webhook that names the person is kept without.
    let body = json!({ "object_kind": "note", "user": { "name": name, "username": username, "email": email }, "project": { "id": 1 } });
    let delivery = store::Delivery {
        key: vec![7; 16],
        sender: None,
        event: "note".to_owned(),
        body: body.to_string(),
        received_at: sync::Clock::now(&sync::SystemClock),
    };
    bench.store.receive(&[delivery]).await.expect("it is kept");
    assert_gone(&bench, &words, "after a webhook").await;
    assert_eq!(bench.post("people.erase", json!({ "id": 1 })).await.error(), (404, "person_not_found"));
    let bad = bench.post("people.erase", json!({ "id": id, "emails": ["nobody"] })).await;
    assert_eq!(bad.error(), (422, "invalid_arguments"));
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn things_and_people_that_are_only_called_the_same_keep_their_names() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    for kind in ["gitlab", "gitlab_pipelines"] {
        synced(&bench, kind).await;
    }
    working.stop().await;
    let author = "select min(user_id) from gitlab_merge_requests";
    let id = bench.store.query(author).await.expect("it runs").rows[0][0].as_i64().expect("a number");
    let same = "update gitlab_users set username = 'deploy', name = 'Max'";
    bench.database.execute(&format!("{same} where id = {id}")).await;
    // The name was free, and somebody else took it; there is another such user on another GitLab.
    let taken = "select max(id) from gitlab_users where username <> 'deploy'";
    let other = bench.store.query(taken).await.expect("it runs").rows[0][0].as_i64().expect("a number");
    bench
        .database
        .execute(&format!("{same}, source_url = 'https://x.example.com/deploy' where id = {other}"))
        .await;
    let elsewhere = (1_i64 << 44) + 9;
    for named in [
        &format!(
            "insert into gitlab_users (id, source_id, username, name, synced_at) values ({elsewhere}, 9, 'deploy', 'Max', now())"
        ),
        "update gitlab_jobs set name = 'deploy'",
        "update gitlab_labels set name = 'Max'",
        "update gitlab_projects set name = 'deploy', path = 'deploy'",
        "update gitlab_merge_requests set title = 'max deploy of @deploy'",
    ] {
        bench.database.execute(named).await;
    }
    bench.post("people.erase", json!({ "id": id })).await.ok(200);
    let left = "select (select count(*) from gitlab_users where username = 'deploy' and name = 'Max')
                     , (select count(*) from gitlab_jobs where name <> 'deploy') + (select count(*) from gitlab_labels where name <> 'Max')
                     + (select count(*) from gitlab_projects where name <> 'deploy')
                     , (select count(*) from gitlab_merge_requests where title <> 'max deploy of @erased-' || $id)
                     , (select username from gitlab_users where id = $id)";
    let left = bench.store.query(&left.replace("$id", &id.to_string())).await.expect("it runs").rows;
    assert_eq!(left[0], [json!(2), json!(0), json!(0), json!(format!("erased-{id}"))]);
}

/// Somebody who has written a merge request, called Erika Mustermann.
async fn erika(bench: &Bench) -> i64 {
    synced(bench, "gitlab").await;
    let id = number(bench, "select min(user_id) from gitlab_merge_requests").await;
    let named = "update gitlab_users set username = 'erika', name = 'Erika Mustermann'";
    bench.database.execute(&format!("{named} where id = {id}")).await;
    id
}

async fn number(bench: &Bench, sql: &str) -> i64 {
    bench.store.query(sql).await.expect("it runs").rows[0][0].as_i64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_known_by_name_alone_are_linked_after_an_erasure_as_before() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    let id = erika(&bench).await;
    working.stop().await;
    let project = number(&bench, "select min(project_id) from gitlab_labels where deleted_at is null").await;
    let label =
        number(&bench, &format!("select min(id) from gitlab_labels where project_id = {project}")).await;
    let merge_request =
        number(&bench, &format!("select min(id) from gitlab_merge_requests where project_id = {project}"))
            .await;
    let asks = format!("update gitlab_labels set name = 'asks Erika Mustermann' where id = {label}");
    bench.database.execute(&asks).await;
    let names = ["asks Erika Mustermann", "Erika Mustermann knows"];
    let rows = catalogue::Rows {
        named_labels: names.iter().map(|it| (project, merge_request, (*it).to_owned())).collect(),
        ..catalogue::Rows::default()
    };
    let links = format!(
        "select label_id, name from gitlab_merge_request_labels
          where merge_request_id = {merge_request} and deleted_at is null order by label_id > 0 desc"
    );
    write(&bench, &rows).await;
    assert_eq!(bench.store.query(&links).await.expect("it runs").rows[0][0], label);
    bench.post("people.erase", json!({ "id": id })).await.ok(200);
    let erased = bench.store.query(&links).await.expect("it runs").rows;
    assert_eq!(erased[0], [json!(label), json!(format!("asks erased-{id}"))]);
    assert_eq!(erased[1][1], format!("erased-{id} knows"));
    write(&bench, &rows).await;
    assert_eq!(bench.store.query(&links).await.expect("it runs").rows, erased);
    assert_gone(&bench, &["Erika Mustermann"], "after another page").await;
}

async fn write(bench: &Bench, rows: &catalogue::Rows) {
    let page = store::Page::new(0, rows, sync::Clock::now(&sync::SystemClock));
    bench.store.write_page(&page).await.expect("it is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_written_while_somebody_is_erased_is_erased_too() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    let id = erika(&bench).await;
    working.stop().await;
    let merge_request = number(&bench, "select max(id) from gitlab_merge_requests").await;
    let hook = "insert into weir.webhooks (instance, place, place_id, hook_id, path, url, events, problems, checked_at)
                values (0, 'project', 1, 1, 'erika/things', 'https://weir.example.com/erika', '{}', '{By Erika Mustermann.}', now())";
    bench.database.execute(hook).await;
    // A page that waits for longer than the list of words is fresh.
    let page = format!(
        "do $$ begin
           perform pg_advisory_xact_lock_shared(8319);
           perform pg_sleep(6);
           update gitlab_merge_requests set title = 'for Erika Mustermann' where id = {merge_request};
         end $$"
    );
    let erasing = async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        bench.post("people.erase", json!({ "id": id })).await.ok(200);
    };
    tokio::join!(bench.database.execute(&page), erasing);
    let title = format!("select title from gitlab_merge_requests where id = {merge_request}");
    let title = bench.store.query(&title).await.expect("it runs").rows;
    assert_eq!(title[0][0], format!("for erased-{id}"));
    let hook =
        bench.store.query("select path, url, problems from weir.webhooks").await.expect("it runs").rows;
    let expected = [
        json!(format!("erased-{id}/things")),
        json!("https://weir.example.com/erika"),
        json!([format!("By erased-{id}.")]),
    ];
    assert_eq!(hook[0], expected);
    bench.database.execute("update gitlab_merge_requests set title = 'for Erika Mustermann'").await;
    let again =
        format!("update gitlab_users set username = 'erika', name = 'Erika Mustermann' where id = {id}");
    bench.database.execute(&again).await;
    let moving = async {
        for _ in 0..150 {
            let moved = "update gitlab_merge_requests set synced_at = synced_at + interval '1 microsecond'";
            bench.database.execute(moved).await;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let erasing = async { bench.post("people.erase", json!({ "id": id })).await.ok(200) };
    tokio::join!(moving, erasing);
    assert_gone(&bench, &["Erika Mustermann"], "though rows moved").await;
}
