//! The two limiters.

use std::time::Duration;

use fake_gitlab::limits::{LimitSettings, Throttle};
use fake_gitlab::{FakeGitlab, Settings, TokenSpec};
use serde_json::json;

use crate::client::{get, get_with, start, tiny};

fn throttle(limit: u64, seconds: u64) -> Throttle {
    Throttle { limit, period: Duration::from_secs(seconds) }
}

async fn limited(limits: LimitSettings) -> FakeGitlab {
    start(FakeGitlab::builder().limits(limits)).await
}

#[tokio::test]
async fn no_limit_shows_where_none_is_on() {
    let fake = tiny().await;
    let answer = get(&fake, "/version").await;
    assert!(!answer.headers.iter().any(|(name, _)| name.starts_with("ratelimit")));
}

#[tokio::test]
async fn every_answer_shows_where_the_user_stands() {
    let fake = limited(LimitSettings { per_user: Some(throttle(600, 600)), ..Default::default() }).await;
    get(&fake, "/version").await;
    let answer = get(&fake, "/version").await;
    assert_eq!(answer.header("ratelimit-limit"), Some("60"), "scaled to a minute");
    assert_eq!(answer.header("ratelimit-name"), Some("throttle_authenticated_api"));
    assert_eq!(answer.header("ratelimit-observed"), Some("2"));
    assert_eq!(answer.header("ratelimit-remaining"), Some("598"));
    let reset: i64 = answer.header("ratelimit-reset").unwrap().parse().unwrap();
    let now = fake.world().now.timestamp();
    assert!((now + 590..=now + 600).contains(&reset));
    assert_eq!(answer.header("retry-after"), None);
    assert_eq!(get_with(&fake, "/version", &[]).await.header("ratelimit-limit"), None, "none on a 401");
}

#[tokio::test]
async fn one_request_too_many_is_told_to_retry_later_and_the_next_window_is_free() {
    let fake = limited(LimitSettings { per_user: Some(throttle(3, 1)), ..Default::default() }).await;
    let mut refused = None;
    for _ in 0..8 {
        let answer = get(&fake, "/version").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.unwrap();
    assert_eq!(refused.body.trim(), "Retry later");
    assert_eq!(refused.header("content-type"), Some("text/plain"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("ratelimit-remaining"), Some("0"));
    assert!(refused.header("ratelimit-resettime").unwrap().ends_with("GMT"));
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert_eq!(get(&fake, "/version").await.status, 200);
}

#[tokio::test]
async fn tokens_of_one_user_share_a_quota_and_those_of_others_do_not() {
    let fake = limited(LimitSettings { per_user: Some(throttle(2, 600)), ..Default::default() }).await;
    let user = fake.viewer().user_id;
    let other = fake.world().users.values().find(|it| it.username == "renovate").unwrap().id;
    fake.state().add_token(TokenSpec::personal("second", user));
    fake.state().add_token(TokenSpec::personal("other", other));
    assert_eq!(get(&fake, "/version").await.status, 200);
    assert_eq!(get_with(&fake, "/version", &["PRIVATE-TOKEN: second"]).await.status, 200);
    assert_eq!(get_with(&fake, "/version", &["PRIVATE-TOKEN: second"]).await.status, 429);
    assert_eq!(get_with(&fake, "/version", &["PRIVATE-TOKEN: other"]).await.status, 200);
}

#[tokio::test]
async fn an_address_is_limited_whoever_asks() {
    let fake = limited(LimitSettings { per_address: Some(throttle(1, 600)), ..Default::default() }).await;
    assert_eq!(get(&fake, "/version").await.status, 200);
    assert_eq!(get_with(&fake, "/version", &[]).await.status, 429);
}

#[tokio::test]
async fn an_endpoints_own_limit_gives_no_warning() {
    for (says_when, retry_after) in [(true, Some("60")), (false, None)] {
        let application = [("groups_api".to_owned(), throttle(1, 60))].into();
        let settings = Settings { application_limits_say_when: says_when, ..Settings::default() };
        let limits = LimitSettings { application, ..Default::default() };
        let fake = start(FakeGitlab::builder().settings(settings).limits(limits)).await;
        let first = get(&fake, "/groups").await;
        assert!(!first.headers.iter().any(|(name, _)| name.starts_with("ratelimit")));
        let second = get(&fake, "/groups").await;
        let error = "This endpoint has been requested too many times. Try again later.";
        assert_eq!((second.status, second.json()), (429, json!({ "message": { "error": error } })));
        assert_eq!(second.header("retry-after"), retry_after);
        assert_eq!(get(&fake, "/projects").await.status, 200, "others are free");
    }
}
