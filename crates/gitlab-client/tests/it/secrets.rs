//! Tokens stay where they belong.

use std::io;
use std::sync::{Arc, Mutex};

use gitlab_client::{Client, ErrorKind, Request};

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

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_at_any_level_holds_a_token() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = Server::start(|hit| match hit.number {
        0 => reply(200, r#"["token-of-a"]"#),
        1 => reply(429, "Retry later"),
        _ => reply(401, r#"{"error":"invalid_token","error_description":"token-of-a is expired"}"#),
    })
    .await;
    let client = server.client_with(|config| config.headers.push(("x-door".into(), "open sesame".into())));
    client.get(&labels(1)).await.unwrap();
    client.get(&Request::new("groups")).await.unwrap_err();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("asked GitLab") && text.contains("is not used any more"), "{text}");
    assert!(!text.contains(TOKEN) && !text.contains("sesame"), "{text}");
}
