//! What goes wrong on the way.

use std::sync::Arc;
use std::time::Duration;

use gitlab_client::{Client, ClientConfig, Error, ErrorKind, NetworkFailure, Proxy};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::server::{Server, config, labels, ok, raw, read_request, write};

const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]";

async fn failure(config: ClientConfig) -> Error {
    Client::new(config).unwrap().get(&labels(1)).await.unwrap_err()
}

fn check(error: &Error, failure: NetworkFailure, words: &str) {
    assert_eq!((&error.kind, error.network), (&ErrorKind::Unavailable, Some(failure)), "{error:?}");
    assert!(error.message.contains(words), "{error}");
}

#[tokio::test]
async fn a_connection_that_is_reset_is_tried_again() {
    let url = raw(|stream, number| async move {
        match number {
            0 => drop(stream),
            _ => write(stream, WHOLE).await,
        }
    })
    .await;
    let client = Client::new(config(&url)).unwrap();
    assert_eq!(client.get(&labels(1)).await.unwrap().body, "[]");
    assert_eq!(client.usage().retries, 1);
}

#[tokio::test]
async fn a_connection_that_always_breaks_is_unavailable() {
    let url = raw(|stream, _| async move { drop(stream) }).await;
    check(&failure(config(&url)).await, NetworkFailure::Connection, "broke");
}

#[tokio::test]
async fn a_body_cut_in_half_is_read_again() {
    const CUT: [&str; 3] = [
        "HTTP/1.1 200 OK\r\nContent-Length: 200\r\nConnection: close\r\n\r\n[{\"id\":1},",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n[]\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[{\"id\":1},",
    ];
    for cut in CUT {
        let url = raw(move |stream, number| write(stream, if number == 0 { cut } else { WHOLE })).await;
        let client = Client::new(config(&url)).unwrap();
        assert_eq!(client.get(&labels(1)).await.unwrap().body, "[]", "{cut}");
        assert_eq!(client.usage().retries, 1, "{cut}");
    }
}

#[tokio::test]
async fn a_body_that_is_always_cut_is_unreadable() {
    let url = raw(|stream, _| write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n[")).await;
    let error = failure(config(&url)).await;
    assert_eq!((error.kind, error.network), (ErrorKind::Unreadable, Some(NetworkFailure::CutBody)));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable() {
    let server = Server::start(|_| ok().after(Duration::from_secs(60))).await;
    let mut config = config(&server.url);
    config.timeout = Duration::from_millis(50);
    check(&failure(config).await, NetworkFailure::Timeout, "in time");
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_port_nobody_listens_on_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    check(&failure(config(&url)).await, NetworkFailure::ConnectionRefused, "refused the connection");
}

#[tokio::test]
async fn a_name_without_an_address_is_named() {
    let error = failure(config("http://gitlab.invalid")).await;
    check(&error, NetworkFailure::Resolve, "could not resolve host gitlab.invalid");
}

/// A server with a certificate of its own for localhost; returns its address and the certificate.
async fn tls_server() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                stream.write_all(WHOLE.as_bytes()).await.unwrap();
                stream.shutdown().await.ok();
            }
        }
    });
    (format!("https://localhost:{port}"), made.cert.pem())
}

#[tokio::test]
async fn a_certificate_of_ones_own_needs_the_file_that_vouches_for_it() {
    let (url, pem) = tls_server().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem).unwrap();
    let mut trusting = config(&url);
    trusting.ca_file = Some(file.path().to_owned());
    let answer = Client::new(trusting).unwrap().get(&labels(1)).await;
    assert_eq!(answer.unwrap().body, "[]");
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_named_and_not_tried_again() {
    let (url, _) = tls_server().await;
    let other = rcgen::generate_simple_self_signed(["elsewhere".to_owned()]).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), other.cert.pem()).unwrap();
    let mut config = config(&url);
    config.ca_file = Some(file.path().to_owned());
    let client = Client::new(config).unwrap();
    let error = client.get(&labels(1)).await.unwrap_err();
    check(&error, NetworkFailure::Certificate, "--ca-file");
    assert_eq!(client.usage().requests, 1);
}

#[tokio::test]
async fn a_port_that_speaks_no_tls_is_named() {
    let server = Server::start(|_| ok()).await;
    let error = failure(config(&server.url.replace("http://", "https://"))).await;
    check(&error, NetworkFailure::Tls, "http://");
}

#[test]
fn a_file_without_certificates_is_named() {
    let mut config = config("https://x");
    for (content, words) in [
        ("", "no certificate"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "cannot be read"),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        config.ca_file = Some(file.path().to_owned());
        let error = Client::new(config.clone()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_packed_body_is_unpacked() {
    let url = raw(|stream, _| {
        let mut answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 22\r\n\r\n".to_vec();
        answer.extend_from_slice(
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x8b\x8e\x05\x00)\xbbL\r\x02\x00\x00\x00",
        );
        write(stream, answer)
    })
    .await;
    assert_eq!(Client::new(config(&url)).unwrap().get(&labels(1)).await.unwrap().body, "[]");
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_host_that_only_it_can_reach() {
    let proxy = Server::start(|_| ok()).await;
    let mut config = config("http://gitlab.invalid");
    config.proxy = Proxy::Url(proxy.url.clone().into());
    Client::new(config).unwrap().get(&labels(1)).await.unwrap();
    assert_eq!(proxy.hits()[0].header("host"), "gitlab.invalid");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        drop(listener);
        while read_request(&mut stream).await {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]").await.unwrap();
        }
    });
    let client = Client::new(config(&url)).unwrap();
    for project in 0..5 {
        client.get(&labels(project)).await.unwrap();
    }
    assert_eq!(client.usage().retries, 0);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named() {
    let proxy = raw(|stream, _| write(stream, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")).await;
    let mut config = config("https://gitlab.invalid");
    config.proxy = Proxy::Url(proxy.into());
    check(&failure(config).await, NetworkFailure::Proxy, "proxy");
}
