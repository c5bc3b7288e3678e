//! Each disturbance, seen from the client.

use std::time::{Duration, Instant};

use fake_gitlab::faults::{ALL_FAULTS, Fault, FaultPlan};
use fake_gitlab::{FakeGitlab, Settings};

use crate::client::{Answer, all, first_project, get, start, tiny, try_get};

const TOKEN: &[&str] = &["PRIVATE-TOKEN: glpat-fake-token"];

async fn disturbed(fault: Fault) -> std::io::Result<Answer> {
    let fake = tiny().await;
    fake.faults().fault_next(fault);
    let answer = try_get(&fake, "/groups", TOKEN).await;
    assert_eq!(get(&fake, "/groups").await.status, 200, "the next one is undisturbed");
    answer
}

#[tokio::test]
async fn errors_of_the_server_and_of_proxies_look_like_theirs() {
    for (fault, status, kind) in [
        (Fault::InternalError, 500, "application/json"),
        (Fault::BadGateway, 502, "text/html; charset=UTF-8"),
        (Fault::Unavailable, 503, "text/html; charset=UTF-8"),
        (Fault::HtmlWithOk, 200, "text/html; charset=UTF-8"),
    ] {
        let answer = disturbed(fault).await.unwrap();
        assert_eq!((answer.status, answer.header("content-type")), (status, Some(kind)));
    }
}

#[tokio::test]
async fn broken_json_comes_with_200() {
    let answer = disturbed(Fault::BrokenJson).await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&answer.body).is_err());
}

#[tokio::test]
async fn a_cut_body_is_shorter_than_promised() {
    let error = disturbed(Fault::CutBody).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_reset_connection_gives_no_answer() {
    let error = disturbed(Fault::Reset).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_hanging_request_hangs() {
    let fake = tiny().await;
    fake.faults().fault_next(Fault::Hang);
    let waited = tokio::time::timeout(Duration::from_millis(200), try_get(&fake, "/groups", TOKEN)).await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn random_faults_are_the_same_for_the_same_seed() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let kinds = [Fault::InternalError, Fault::BadGateway];
        let fake = start(FakeGitlab::builder().faults(FaultPlan::new(0.5, &kinds, 7))).await;
        let mut seen = Vec::new();
        for _ in 0..20 {
            seen.push(get(&fake, "/version").await.status);
        }
        runs.push(seen);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&200) && runs[0].contains(&500) && runs[0].contains(&502));
    assert_eq!(ALL_FAULTS.len(), 8);
}

#[tokio::test]
async fn scripted_answers_come_in_their_order() {
    let fake = tiny().await;
    fake.faults().too_many_requests_next(17);
    fake.faults().answer_next_with(418, r#"{"message":"teapot"}"#);
    let first = get(&fake, "/version").await;
    assert_eq!((first.status, first.header("retry-after")), (429, Some("17")));
    let second = get(&fake, "/version").await;
    assert_eq!((second.status, second.body.as_str()), (418, r#"{"message":"teapot"}"#));
    assert_eq!(get(&fake, "/version").await.status, 200);
}

#[tokio::test]
async fn a_blocked_address_is_forbidden_everything() {
    let fake = tiny().await;
    fake.faults().block_address(true);
    assert_eq!(get(&fake, "/version").await.status, 403);
    fake.faults().block_address(false);
    assert_eq!(get(&fake, "/version").await.status, 200);
}

#[tokio::test]
async fn the_world_changes_while_it_is_paged() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let path = format!("/projects/{id}/merge_requests?order_by=updated_at&sort=asc&per_page=50");
    let before = all(&fake, &path).await.len();
    let moved = fake.world().merge_requests.values().find(|mr| mr.project_id == id).unwrap().id;
    fake.counters().reset();
    fake.faults().on_request(2, move |world| {
        let author = world.merge_requests[&moved].author_id;
        world.comment(moved, author, "moved");
    });
    let rows = all(&fake, &path).await;
    let met = rows.iter().filter(|row| row["id"] == moved).count();
    // It was on the first page and moves to the last: it is read twice, and another row is never read.
    assert_eq!((rows.len(), met), (before, 2));
}

#[tokio::test]
async fn latency_is_waited_and_counted() {
    let fixed = Duration::from_millis(40);
    let fake = start(FakeGitlab::builder().latency(fixed, Duration::from_millis(1))).await;
    let begun = Instant::now();
    let rows = get(&fake, "/groups").await.list().len();
    assert!(begun.elapsed() >= fixed + Duration::from_millis(rows as u64));
    let counted = fake.counters().counts().service_seconds;
    assert!((counted - 0.045).abs() < 0.000_1, "{counted}");
}

#[tokio::test]
async fn workers_bound_what_is_served_at_once() {
    let settings = Settings { latency: Duration::from_millis(50), workers: Some(1), ..Settings::default() };
    let fake = start(FakeGitlab::builder().settings(settings)).await;
    let begun = Instant::now();
    tokio::join!(get(&fake, "/version"), get(&fake, "/version"), get(&fake, "/version"));
    assert!(begun.elapsed() >= Duration::from_millis(150));
}
