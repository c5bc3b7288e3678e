//! Tokens stay where they belong.

use gitlab_client::{Client, ErrorKind};

use crate::server::{Server, config, credential, labels, reply};

const TOKEN: &str = "token-of-a";

#[tokio::test]
async fn a_token_in_a_body_is_replaced() {
    let server = Server::start(|_| reply(200, r#"[{"runners_token":"token-of-a"}]"#)).await;
    let answer = server.client().get(&labels(1)).await.unwrap();
    assert_eq!(answer.body, r#"[{"runners_token":"[token]"}]"#);
}

#[tokio::test]
async fn a_token_in_an_error_is_replaced() {
    let server = Server::start(|_| reply(400, r#"{"message":"bad token-of-a"}"#)).await;
    let error = server.client().get(&labels(1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    for text in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
        assert!(!text.contains(TOKEN) && text.contains("[token]"), "{text}");
    }
}

#[test]
fn nothing_that_can_be_printed_holds_a_token() {
    let mut config = config("http://127.0.0.1:1");
    config.headers.push(("x-door".into(), "open sesame".into()));
    let printed = format!("{config:?} {:?} {:?}", credential("a"), Client::new(config.clone()).unwrap());
    assert!(!printed.contains(TOKEN) && !printed.contains("sesame"), "{printed}");
}

#[tokio::test]
async fn a_token_never_stands_in_an_address() {
    let server = Server::start(|_| reply(200, "[]")).await;
    server.client().get(&labels(1)).await.unwrap();
    let hit = server.hits().pop().unwrap();
    assert!(!hit.path.contains(TOKEN) && !hit.query.contains(TOKEN));
}
