//! TLS by certificate files.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use server::Tls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::harness::Bench;

/// Files with a certificate for localhost.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Files {
        let files = Files { folder: tempfile::tempdir().expect("a folder") };
        files.renew();
        files
    }

    /// Writes another certificate.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        std::fs::write(self.certificate(), made.cert.pem()).expect("it is written");
        std::fs::write(self.key(), made.signing_key.serialize_pem()).expect("it is written");
        made.cert.der().clone()
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    fn tls(&self) -> Tls {
        Tls::load(&self.certificate(), &self.key()).expect("the files can be used")
    }
}

async fn connect(
    address: &str,
    trusted: &CertificateDer<'static>,
    protocols: &[&str],
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).expect("versions");
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("localhost").expect("a name"), stream)
        .await
}

async fn health(stream: &mut TlsStream<TcpStream>) -> String {
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    answer
}

const BOTH: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

#[tokio::test]
async fn requests_are_answered_over_tls_and_a_renewed_certificate_is_used_without_a_restart() {
    let (bench, files) = (Bench::new().await, Files::new());
    let first = files.renew();
    let tls = files.tls();
    let listening = bench.listen_with(tls.clone()).await;
    let address = listening.url.trim_start_matches("http://");
    for versions in [BOTH, &[&rustls::version::TLS12]] {
        let mut stream = connect(address, &first, &["http/1.1"], versions).await.expect("a handshake");
        assert!(health(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(tls.reload(), Ok(false));
    let second = files.renew();
    assert_eq!(tls.reload(), Ok(true));
    connect(address, &first, &[], BOTH).await.expect_err("the old certificate is not presented any more");
    let mut stream = connect(address, &second, &[], BOTH).await.expect("the new one is");
    assert!(health(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn http_2_is_agreed_on_where_the_client_knows_it() {
    let (bench, files) = (Bench::new().await, Files::new());
    let certificate = files.renew();
    let listening = bench.listen_with(files.tls()).await;
    let address = listening.url.trim_start_matches("http://");
    let mut stream = connect(address, &certificate, &["h2", "http/1.1"], BOTH).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    // The preface of HTTP/2 and empty settings; the server answers with its settings.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("sent");
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.expect("a frame");
    assert_eq!(frame[3], 4, "settings");
}

#[tokio::test]
async fn silent_clients_hold_up_nobody() {
    let (bench, files) = (Bench::new().await, Files::new());
    let certificate = files.renew();
    let listening = bench.listen_with(files.tls()).await;
    let address = listening.url.trim_start_matches("http://");
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(address).await.expect("a connection"));
    }
    let mut plain = TcpStream::connect(address).await.expect("a connection");
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut stream = connect(address, &certificate, &["http/1.1"], BOTH).await.expect("a handshake");
    assert!(health(&mut stream).await.starts_with("HTTP/1.1 200"));
    let mut answer = Vec::new();
    // Without TLS there is no answer of HTTP.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[test]
fn files_that_cannot_be_used_are_explained_and_the_old_certificate_stays() {
    let (files, other) = (Files::new(), Files::new());
    let load =
        |certificate: &PathBuf, key: &PathBuf| Tls::load(certificate, key).expect_err("it cannot be used");
    assert!(load(&files.certificate(), &other.key()).contains("not the key of the certificate"));
    assert!(load(&files.folder.path().join("none"), &files.key()).contains("No such file"));
    assert!(
        load(&files.key(), &files.key()).contains("no certificate"),
        "{}",
        load(&files.key(), &files.key())
    );
    assert!(load(&files.certificate(), &files.certificate()).contains("no key"));
    let tls = files.tls();
    std::fs::write(files.key(), "cut short").expect("it is written");
    assert!(tls.reload().is_err());
    assert!(!format!("{tls:?}").contains("PRIVATE"));
}
