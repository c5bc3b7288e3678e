//! Clients that mean harm, or are broken: over a real connection, byte by byte.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use serde_json::Value;
use server::Limits;
use sync::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{Bench, Listening};

/// Heads may take a second here.
const HASTY: Limits = Limits { connections: 200, head: Duration::from_secs(1) };

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("the server takes connections")
}

/// Sends this and reads until the server closes, or is silent for ten seconds.
async fn exchange(address: SocketAddr, sent: &[u8]) -> String {
    let mut stream = connect(address).await;
    // The server may have closed already: what it said counts.
    let _ = stream.write_all(sent).await;
    read(&mut stream).await
}

async fn read(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(Ok(size @ 1..)) = timeout(Duration::from_secs(10), stream.read(&mut piece)).await {
        answer.extend_from_slice(&piece[..size]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Fails unless the server still answers somebody new, at once.
async fn assert_well(listening: &Listening) {
    let asked = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let began = Instant::now();
    let answer = exchange(listening.address, asked).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
}

/// Whether the server ends the connection within this time.
async fn is_ended(stream: &mut TcpStream, within: Duration) -> bool {
    let mut rest = Vec::new();
    timeout(within, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_trickle_and_connections_without_a_request_are_closed() {
    let bench = Bench::new().await;
    let listening = bench.listen_within(HASTY).await;
    let mut silent = connect(listening.address).await;
    let mut trickling = connect(listening.address).await;
    let mut kept = connect(listening.address).await;
    kept.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let began = Instant::now();
    for byte in b"GET /healthz HTTP/1.1\r\nx-slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" {
        if trickling.write_all(&[*byte]).await.is_err() || began.elapsed() > Duration::from_secs(8) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for (stream, which) in [(&mut silent, "silent"), (&mut trickling, "trickling"), (&mut kept, "kept")] {
        assert!(is_ended(stream, Duration::from_secs(5)).await, "{which}");
    }
    assert_well(&listening).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_give_way_to_new_ones() {
    let bench = Bench::new().await;
    let listening = bench.listen_within(Limits { connections: 50, head: Duration::from_secs(600) }).await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        let mut stream = connect(listening.address).await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nx-half: ").await.unwrap();
        idle.push(stream);
    }
    for _ in 0..20 {
        assert_well(&listening).await;
    }
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_payloads_that_never_come_do_not_hold_up_those_that_do() {
    let bench = Bench::new().await;
    let listening = bench.listen().await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = connect(listening.address).await;
        let head = "POST /webhooks/gitlab HTTP/1.1\r\nhost: x\r\nwebhook-signature: v1,AA==\r\nwebhook-id: a\r\nwebhook-timestamp: 1\r\ncontent-length: 26214400\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let secrets = bench.store.webhook_secrets(&bench.ring, SystemClock.now()).await.unwrap();
    let token = secrets.iter().find(|it| !it.signing).unwrap().secret.expose_secret().to_owned();
    let body = r#"{"object_kind":"push","project":{"id":1}}"#;
    for proof in [format!("x-gitlab-token: {token}"), "webhook-signature: v1,AA==".to_owned()] {
        let began = Instant::now();
        let request = format!(
            "POST /webhooks/gitlab HTTP/1.1\r\nhost: x\r\n{proof}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = exchange(listening.address, request.as_bytes()).await;
        let wanted = if proof.starts_with("x-") { "HTTP/1.1 200" } else { "HTTP/1.1 401" };
        assert!(answer.starts_with(wanted), "{answer}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
    drop(slow);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_refused_at_its_limit() {
    let bench = Bench::new().await;
    let listening = bench.listen().await;
    let mut stream = connect(listening.address).await;
    let head = format!(
        "POST /api/connections.create HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
        bench.key
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(65536));
    let mut sent = 0;
    // Some megabytes fit into the buffers of the system on both sides.
    while sent < 512 && stream.write_all(chunk.as_bytes()).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 512, "32 megabytes were taken");
    assert_well(&listening).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_refused_and_the_server_lives() {
    let bench = Bench::new().await;
    let listening = bench.listen_within(HASTY).await;
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-a: b\r\n".repeat(5000));
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx-a: {}\r\n\r\n", "y".repeat(200_000));
    let address = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "z".repeat(200_000));
    for bad in [
        &b"\0\0\0\0"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /webhooks/gitlab HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST /api/queries.run HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
        many.as_bytes(),
        long.as_bytes(),
        address.as_bytes(),
    ] {
        let answer = exchange(listening.address, bad).await;
        let shown = String::from_utf8_lossy(&bad[..bad.len().min(40)]).into_owned();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{shown:?}: {answer:?}");
    }
    assert_well(&listening).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_and_hurried_clients_are_answered() {
    let bench = Bench::new().await;
    let listening = bench.listen_within(HASTY).await;
    let old = exchange(listening.address, b"GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200"), "{old:?}");
    let pipelined = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20);
    let answers = exchange(listening.address, pipelined.as_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 20, "{answers}");
    let mut half = connect(listening.address).await;
    half.write_all(b"GET /api/connections.list HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    half.shutdown().await.unwrap();
    assert!(is_ended(&mut half, Duration::from_secs(5)).await, "a half-closed connection ends");
    assert_well(&listening).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outside_of_the_methods_is_reached() {
    let bench = Bench::new().await;
    let listening = bench.listen().await;
    for path in [
        "/api/../../etc/passwd",
        "/api/..%2f..%2fetc/passwd",
        "/api/%2e%2e/%2e%2e/etc/passwd",
        "/../../../../etc/passwd",
        "/webhooks/gitlab/..%2f",
        "/webhooks/gitlab/../../etc/passwd",
        "/webhooks/..%5c..%5cetc",
        "//etc/passwd",
        "/api/connections/..%2f1/credentials.list",
        "/api/connections.info/..%2f..%2fetc%2fpasswd",
        "/api/connections.info/1%00",
        "http://other.example.com/etc/passwd",
        "/api/connections/1;drop/credentials.list",
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
            bench.key
        );
        let answer = exchange(listening.address, request.as_bytes()).await;
        let status = answer.get(9..12).unwrap_or_default();
        assert!(matches!(status, "400" | "404" | "405" | "422"), "{path}: {answer}");
        assert!(!answer.contains("root:"), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_bodies_are_not_unpacked() {
    let bench = Bench::new().await;
    let path = "connections.create";
    for encoding in ["gzip", "br", "zstd", "deflate, gzip"] {
        let request = bench
            .request("POST", path)
            .header("content-type", "application/json")
            .header("content-encoding", encoding)
            .body(axum::body::Body::from(vec![0x1f, 0x8b, 8, 0]))
            .unwrap();
        let reply = bench.send(request).await;
        assert_eq!(reply.error(), (415, "unsupported_media_type"), "{encoding}");
    }
    let identity = bench
        .request("POST", path)
        .header("content-type", "application/json")
        .header("content-encoding", "identity")
        .body(axum::body::Body::from(r#"{"type":"gitlab"}"#));
    assert_ne!(bench.send(identity.unwrap()).await.body["error"], Value::from("unsupported_media_type"));
}
