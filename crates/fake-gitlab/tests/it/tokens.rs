//! Tokens: how they are carried and refused.

use chrono::NaiveDate;
use fake_gitlab::{FakeGitlab, TokenKind, TokenSpec, TokenState};
use serde_json::{Value, json};

use crate::client::{Answer, first_project, get_with, tiny};

fn error(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.json())
}

async fn fake_with(change: impl FnOnce(&mut TokenSpec)) -> FakeGitlab {
    let fake = tiny().await;
    let mut spec = TokenSpec::personal("secret", fake.viewer().user_id);
    change(&mut spec);
    fake.state().add_token(spec);
    fake
}

#[tokio::test]
async fn a_token_is_taken_from_either_header() {
    let fake = tiny().await;
    for header in ["PRIVATE-TOKEN: glpat-fake-token", "Authorization: Bearer glpat-fake-token"] {
        assert_eq!(get_with(&fake, "/version", &[header]).await.status, 200);
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_read() {
    let fake = tiny().await;
    let plain = (401, json!({ "message": "401 Unauthorized" }));
    assert_eq!(error(&get_with(&fake, "/user", &[]).await), plain);
    assert_eq!(error(&get_with(&fake, "/user", &["PRIVATE-TOKEN: wrong"]).await), plain);
}

#[tokio::test]
async fn a_refused_token_is_told_why() {
    let told =
        |description: &str| (401, json!({ "error": "invalid_token", "error_description": description }));
    let fake = fake_with(|spec| spec.state = TokenState::Revoked).await;
    let answer = get_with(&fake, "/user", &["PRIVATE-TOKEN: secret"]).await;
    assert_eq!(error(&answer), told("Token was revoked. You have to re-authorize from the user."));
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer realm="));
    let today = NaiveDate::from_ymd_opt(2026, 6, 1);
    let fake = fake_with(|spec| spec.expires_at = today).await;
    let expired = told("Token is expired. You can either do re-authorization or token refresh.");
    assert_eq!(error(&get_with(&fake, "/user", &["PRIVATE-TOKEN: secret"]).await), expired);
    let unknown = get_with(&fake, "/user", &["Authorization: Bearer unknown"]).await;
    assert_eq!(error(&unknown), told("Bad Access Token."));
}

#[tokio::test]
async fn a_token_dies_at_the_beginning_of_its_day() {
    let tomorrow = NaiveDate::from_ymd_opt(2026, 6, 2);
    let fake = fake_with(|spec| spec.expires_at = tomorrow).await;
    assert_eq!(get_with(&fake, "/user", &["PRIVATE-TOKEN: secret"]).await.status, 200);
    fake.state().advance_clock(chrono::TimeDelta::hours(12));
    assert_eq!(get_with(&fake, "/user", &["PRIVATE-TOKEN: secret"]).await.status, 401);
}

#[tokio::test]
async fn a_scope_that_is_not_enough_is_named() {
    let fake = fake_with(|spec| spec.scopes = vec!["read_user".to_owned()]).await;
    let header = ["PRIVATE-TOKEN: secret"];
    assert_eq!(get_with(&fake, "/user", &header).await.status, 200);
    assert_eq!(get_with(&fake, "/personal_access_tokens/self", &header).await.status, 200);
    let answer = get_with(&fake, "/projects", &header).await;
    assert_eq!((answer.status, answer.json()["scope"].as_str()), (403, Some("api read_api")));
    assert_eq!(answer.json()["error"], "insufficient_scope");
    assert_eq!(answer.header("www-authenticate"), None);
}

#[tokio::test]
async fn a_blocked_user_is_forbidden() {
    let fake = fake_with(|spec| spec.state = TokenState::Blocked).await;
    let answer = get_with(&fake, "/user", &["PRIVATE-TOKEN: secret"]).await;
    assert_eq!(answer.status, 403);
    assert!(answer.json()["message"].as_str().unwrap().starts_with("403 Forbidden - "));
}

#[tokio::test]
async fn a_job_token_reads_merge_requests_of_its_project_and_little_else() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let user = fake.viewer().user_id;
    fake.state().add_token(TokenSpec::job("job", user, id));
    let header = ["JOB-TOKEN: job"];
    for path in ["merge_requests", "merge_requests/1", "merge_requests/1/notes"] {
        assert_eq!(get_with(&fake, &format!("/projects/{id}/{path}"), &header).await.status, 200, "{path}");
    }
    let elsewhere = format!("/projects/{}/merge_requests", id + 1);
    assert_eq!(get_with(&fake, &elsewhere, &header).await.status, 404);
    for path in [
        "/groups",
        "/user",
        &format!("/projects/{id}/labels"),
        &format!("/projects/{id}/merge_requests/1/approvals"),
    ] {
        assert_eq!(get_with(&fake, path, &header).await.status, 401, "{path}");
    }
    assert_eq!(get_with(&fake, "/version", &["PRIVATE-TOKEN: job"]).await.status, 401);
}

#[tokio::test]
async fn an_oauth_token_is_a_bearer_and_has_no_self() {
    let fake = fake_with(|spec| spec.kind = TokenKind::OAuth).await;
    assert_eq!(get_with(&fake, "/user", &["PRIVATE-TOKEN: secret"]).await.status, 401);
    assert_eq!(get_with(&fake, "/user", &["Authorization: Bearer secret"]).await.status, 200);
    let own = get_with(&fake, "/personal_access_tokens/self", &["Authorization: Bearer secret"]).await;
    assert_eq!(own.status, 404);
}

#[tokio::test]
async fn a_token_is_revoked_in_the_middle() {
    let fake = tiny().await;
    fake.faults().revoke_token_at(3, "glpat-fake-token");
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(get_with(&fake, "/version", &["PRIVATE-TOKEN: glpat-fake-token"]).await.status);
    }
    assert_eq!(seen, [200, 200, 401]);
}
