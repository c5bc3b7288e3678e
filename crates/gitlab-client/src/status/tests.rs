use super::*;

fn check(status: u16, body: &str, expected: Meaning) {
    let found = meaning(status, &HeaderMap::new(), body.as_bytes(), TokenKind::Private, "projects/{id}");
    assert_eq!(found, expected, "{status} {body}");
}

fn kind(status: u16, body: &str) -> ErrorKind {
    match meaning(status, &HeaderMap::new(), body.as_bytes(), TokenKind::Private, "projects/{id}") {
        Meaning::Final(kind, _) => kind,
        other => panic!("{status} {body}: {other:?}"),
    }
}

#[test]
fn a_401_names_what_is_wrong_with_the_token() {
    use UnauthorizedReason::*;
    let invalid = |text: &str| format!(r#"{{"error":"invalid_token","error_description":"{text}"}}"#);
    let expired = "Token is expired. You can either do re-authorization or token refresh.";
    check(401, &invalid(expired), Meaning::BadToken(Expired));
    check(
        401,
        &invalid("Token was revoked. You have to re-authorize from the user."),
        Meaning::BadToken(Revoked),
    );
    check(401, &invalid("Bad Access Token."), Meaning::BadToken(Unknown));
    check(401, r#"{"errors":[{"message":"Invalid token"}]}"#, Meaning::BadToken(Unknown));
    check(
        401,
        r#"{"error":"dpop_error","error_description":"DPoP header is missing"}"#,
        Meaning::BadToken(ProofRequired),
    );
    check(401, r#"{"message":"401 Unauthorized"}"#, Meaning::Unauthenticated);
}

#[test]
fn a_403_tells_scope_block_and_feature_apart() {
    let scope = r#"{"error":"insufficient_scope","error_description":"…","scope":"api read_api"}"#;
    check(403, scope, Meaning::LacksScope("api read_api".into()));
    check(
        403,
        r#"{"message":"403 Forbidden - Your account has been blocked."}"#,
        Meaning::BadToken(UnauthorizedReason::UserBlocked),
    );
    check(403, "<html>Access denied</html>", Meaning::ForeignForbidden);
    let reason = |body| match kind(403, body) {
        ErrorKind::Forbidden { reason } => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(r#"{"message":"403 Forbidden"}"#), ForbiddenReason::Other);
    assert_eq!(reason(r#"{"message":"403 Forbidden - Issues are disabled"}"#), ForbiddenReason::FeatureOff);
}

#[test]
fn a_404_of_the_router_is_told_from_one_of_a_record() {
    assert!(unknown_endpoint(404, br#"{"error":"404 Not Found"}"#));
    for body in
        [r#"{"message":"404 Not found"}"#, r#"{"message":"404 Project Not Found"}"#, "<html></html>", ""]
    {
        assert!(!unknown_endpoint(404, body.as_bytes()), "{body}");
    }
    assert!(!unknown_endpoint(403, br#"{"error":"404 Not Found"}"#));
}

#[test]
fn only_gitlabs_own_404_means_not_found() {
    assert_eq!(kind(404, r#"{"message":"404 Project Not Found"}"#), ErrorKind::NotFound);
    assert_eq!(kind(404, r#"{"error":"404 Not Found"}"#), ErrorKind::NotFound);
    assert!(matches!(
        meaning(404, &HeaderMap::new(), b"<html></html>", TokenKind::Private, "x"),
        Meaning::Unreadable(_)
    ));
}

#[test]
fn a_refusal_says_what_gitlab_said() {
    let body = br#"{"message":{"per_page":["is too large"]}}"#;
    match meaning(400, &HeaderMap::new(), body, TokenKind::Private, "x") {
        Meaning::Final(ErrorKind::Refused, message) => assert!(message.contains("is too large"), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_429_says_whether_it_counts_the_endpoint_or_the_token() {
    let json = r#"{"message":{"error":"This endpoint has been requested too many times. Try again later."}}"#;
    check(429, json, Meaning::Limited { endpoint_only: true });
    check(429, "Retry later\n", Meaning::Limited { endpoint_only: false });
}

#[test]
fn a_job_token_that_may_not_read_is_no_bad_token() {
    let body = br#"{"message":"401 Unauthorized"}"#;
    assert_eq!(meaning(401, &HeaderMap::new(), body, TokenKind::Job, "x"), Meaning::JobTokenRefused);
}
