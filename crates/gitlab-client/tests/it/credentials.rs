//! Headers of tokens, and which credential is used.

use gitlab_client::{
    Client, Credential, Error, ErrorKind, ForbiddenReason, Request, TokenKind, UnauthorizedReason,
};

use crate::server::{Hit, Reply, Server, config, credential, labels, ok, reply};

const REVOKED: &str = r#"{"error":"invalid_token","error_description":"Token was revoked. You have to re-authorize from the user."}"#;
const UNAUTHORIZED: &str = r#"{"message":"401 Unauthorized"}"#;
const NO_SCOPE: &str = r#"{"error":"insufficient_scope","error_description":"…","scope":"api read_api"}"#;

fn two(server: &Server) -> Client {
    server.client_with(|config| config.credentials = vec![credential("a"), credential("b")])
}

fn bad_a(body: &'static str) -> impl Fn(&Hit) -> Reply {
    move |hit| if hit.token() == "token-of-a" { reply(401, body) } else { ok() }
}

fn disabled(client: &Client) -> Vec<Option<UnauthorizedReason>> {
    client.credentials().into_iter().map(|it| it.disabled).collect()
}

#[tokio::test]
async fn each_kind_of_token_has_its_header() {
    let server = Server::start(|_| ok()).await;
    for (kind, header, value) in [
        (TokenKind::Private, "private-token", "secret-token"),
        (TokenKind::Bearer, "authorization", "Bearer secret-token"),
        (TokenKind::Job, "job-token", "secret-token"),
    ] {
        let client = server
            .client_with(|config| config.credentials = vec![Credential::new("x", kind, "secret-token")]);
        client.get(&labels(1)).await.unwrap();
        let hit = server.hits().pop().unwrap();
        assert_eq!(hit.header(header), value);
        assert_eq!(hit.header("user-agent"), concat!("weir/", env!("CARGO_PKG_VERSION")));
        let sent = ["private-token", "authorization", "job-token"]
            .iter()
            .filter(|it| hit.headers.contains_key(**it));
        assert_eq!(sent.count(), 1);
    }
}

#[tokio::test]
async fn requests_are_spread_evenly_while_nothing_is_known() {
    let server = Server::start(|_| ok()).await;
    let client = two(&server);
    for project in 0..10 {
        client.get(&labels(project)).await.unwrap();
    }
    assert_eq!(client.usage().credentials.iter().map(|it| it.requests).collect::<Vec<_>>(), [5, 5]);
}

#[tokio::test]
async fn requests_go_to_the_credential_with_the_most_headroom() {
    let server = Server::start(|hit| {
        let remaining = if hit.token() == "token-of-a" { 10 } else { 1000 };
        ok().header("ratelimit-limit", 2000)
            .header("ratelimit-remaining", remaining)
            .header("ratelimit-reset", "4102444800")
            .header("date", "Thu, 31 Dec 2099 23:59:30 GMT")
    })
    .await;
    let client = two(&server);
    for project in 0..10 {
        client.get(&labels(project)).await.unwrap();
    }
    assert_eq!(client.usage().credentials.iter().map(|it| it.requests).collect::<Vec<_>>(), [1, 9]);
    let remaining: Vec<_> = client.credentials().into_iter().map(|it| it.remaining).collect();
    assert_eq!(remaining, [Some(10), Some(1000)]);
}

#[tokio::test]
async fn a_revoked_token_is_disabled_and_the_request_goes_on_with_another() {
    let server = Server::start(bad_a(REVOKED)).await;
    let client = two(&server);
    for project in 0..4 {
        assert_eq!(client.get(&labels(project)).await.unwrap().credential.as_str(), "b");
    }
    assert_eq!(disabled(&client), [Some(UnauthorizedReason::Revoked), None]);
    assert_eq!(server.count(), 5);
}

#[tokio::test]
async fn when_no_credential_is_left_the_request_is_unauthorized() {
    let server = Server::start(|_| reply(401, REVOKED)).await;
    let client = two(&server);
    for _ in 0..2 {
        let error = client.get(&labels(1)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unauthorized { reason: UnauthorizedReason::Revoked });
        assert!(error.message.contains("revoked"), "{error}");
    }
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_token_gitlab_never_knew_is_disabled_by_a_plain_401() {
    let server = Server::start(bad_a(UNAUTHORIZED)).await;
    let client = two(&server);
    client.get(&labels(1)).await.unwrap();
    assert_eq!(disabled(&client), [Some(UnauthorizedReason::Unknown), None]);
}

#[tokio::test]
async fn an_endpoint_that_always_answers_401_does_not_condemn_a_token_that_works() {
    let server =
        Server::start(|hit| if hit.path.ends_with("/groups") { reply(401, UNAUTHORIZED) } else { ok() })
            .await;
    let client = server.client();
    for _ in 0..4 {
        client.get(&labels(1)).await.unwrap();
        let error = client.get(&Request::new("groups")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unauthorized { reason: UnauthorizedReason::Unknown });
    }
    assert_eq!(disabled(&client), [None]);
}

#[tokio::test]
async fn a_token_that_worked_is_condemned_by_401_on_two_endpoints() {
    let server = Server::start(|hit| if hit.number == 0 { ok() } else { reply(401, UNAUTHORIZED) }).await;
    let client = server.client();
    client.get(&labels(1)).await.unwrap();
    client.get(&labels(1)).await.unwrap_err();
    assert_eq!(disabled(&client), [None]);
    client.get(&Request::new("groups")).await.unwrap_err();
    assert_eq!(disabled(&client), [Some(UnauthorizedReason::Unknown)]);
}

#[tokio::test]
async fn a_missing_scope_is_reported_and_the_token_stays_in_use_elsewhere() {
    let server =
        Server::start(|hit| if hit.path.ends_with("/groups") { reply(403, NO_SCOPE) } else { ok() }).await;
    let client = server.client();
    for _ in 0..2 {
        let error = client.get(&Request::new("groups")).await.unwrap_err();
        let needed = "api read_api".into();
        assert_eq!(
            error.kind,
            ErrorKind::Forbidden { reason: ForbiddenReason::InsufficientScope { needed } }
        );
    }
    client.get(&labels(1)).await.unwrap();
    assert_eq!(server.count(), 2, "the endpoint the token has no scope for is not asked twice");
}

#[tokio::test]
async fn a_missing_scope_lets_another_credential_try() {
    let server =
        Server::start(|hit| if hit.token() == "token-of-a" { reply(403, NO_SCOPE) } else { ok() }).await;
    let client = two(&server);
    for project in 0..4 {
        client.get(&labels(project)).await.unwrap();
    }
    assert_eq!(client.usage().credentials[0].requests, 1);
}

#[tokio::test]
async fn a_blocked_user_is_forbidden_everything() {
    let body = r#"{"message":"403 Forbidden - Your account has been blocked."}"#;
    let server = Server::start(move |_| reply(403, body)).await;
    let client = server.client();
    for _ in 0..2 {
        let error = client.get(&labels(1)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden { reason: ForbiddenReason::Blocked });
    }
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_job_token_may_not_read_everything_and_is_no_worse_for_it() {
    let server =
        Server::start(|hit| if hit.path.ends_with("/groups") { reply(401, UNAUTHORIZED) } else { ok() })
            .await;
    let client = server.client_with(|config| {
        config.credentials = vec![Credential::new("ci", TokenKind::Job, "secret-token")]
    });
    let kind = |error: Error| error.kind;
    let asked = client.get(&Request::new("groups")).await.map_err(kind).unwrap_err();
    assert_eq!(asked, ErrorKind::Unauthorized { reason: UnauthorizedReason::Unknown });
    client.get(&labels(1)).await.unwrap();
    for _ in 0..5 {
        let asked = client.get(&Request::new("groups")).await.map_err(kind).unwrap_err();
        assert_eq!(asked, ErrorKind::Forbidden { reason: ForbiddenReason::JobToken });
    }
    assert_eq!(disabled(&client), [None]);
}

#[tokio::test]
async fn a_request_may_name_its_credential() {
    let server = Server::start(|_| ok()).await;
    let client = two(&server);
    for _ in 0..3 {
        let answer = client.get(&labels(1).credential("b")).await.unwrap();
        assert_eq!(answer.credential.as_str(), "b");
    }
    assert_eq!(client.with_credential("a").get(&labels(1)).await.unwrap().credential.as_str(), "a");
    let error = client.get(&labels(1).credential("c")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized { reason: UnauthorizedReason::NoCredential });
}

#[test]
fn tokens_and_names_that_cannot_be_used_are_named() {
    let error = |credentials: Vec<Credential>| {
        let mut config = config("http://x");
        config.credentials = credentials;
        Client::new(config).unwrap_err().to_string()
    };
    assert!(error(vec![Credential::new("x", TokenKind::Private, "line\nbreak")]).contains("credential x"));
    assert!(error(vec![Credential::new("x", TokenKind::Private, " ")]).contains("credential x"));
    assert!(error(vec![credential("x"), credential("x")]).contains("twice"));
}

#[tokio::test]
async fn what_one_user_may_not_see_is_asked_for_as_the_other() {
    for status in [403, 404] {
        let hidden = move |hit: &Hit| match hit.token() {
            "token-of-a" => reply(status, r#"{"message":"no"}"#),
            _ => ok(),
        };
        let server = Server::start(hidden).await;
        let client = two(&server);
        for project in 0..4 {
            assert_eq!(client.get(&labels(project)).await.unwrap().credential.as_str(), "b");
        }
        assert_eq!(disabled(&client), [None, None]);
    }
}

#[tokio::test]
async fn only_what_nobody_sees_is_not_there_and_a_refusal_says_more() {
    let server = Server::start(|_| reply(404, r#"{"message":"404 Not found"}"#)).await;
    let error = two(&server).get(&labels(1)).await.unwrap_err();
    assert_eq!((error.kind, server.hits().len()), (ErrorKind::NotFound, 2));
    for refused in ["token-of-a", "token-of-b"] {
        let status = move |hit: &Hit| if hit.token() == refused { 403 } else { 404 };
        let server = Server::start(move |hit| reply(status(hit), r#"{"message":"no"}"#)).await;
        let error = two(&server).get(&labels(1)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden { reason: ForbiddenReason::Other });
    }
}

#[tokio::test]
async fn a_request_of_one_credential_is_asked_as_nobody_else() {
    let server = Server::start(|_| reply(404, r#"{"message":"404 Not found"}"#)).await;
    let client = two(&server);
    assert_eq!(client.get(&labels(1).credential("a")).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(server.hits().len(), 1);
    assert_eq!(client.of_each_user().len(), 2);
    assert_eq!(client.with_credential("a").of_each_user().len(), 1);
}
