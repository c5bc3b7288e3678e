//! Running it in production: metrics, TLS, health checks, service managers, and a database whose password changes.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use store::server::{Options, Server};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::bench::{Bench, finished, weir, words};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A process that runs unattended.
struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
}

fn configured(mut command: Command) -> Command {
    command.env("WEIR_ENCRYPTION_KEY", KEY).env("WEIR_LISTEN", "127.0.0.1:0");
    command
}

impl Running {
    fn start(mut command: Command) -> Running {
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (mut lines, heard) = (BufReader::new(child.stderr.take().unwrap()).lines(), said.clone());
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                *heard.lock().unwrap() += &format!("{line}\n");
            }
        });
        Running { child, said }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// The address that is said after these words.
    async fn address(&self, after: &str) -> String {
        until(async || self.said().contains(after)).await;
        let said = self.said();
        let (_, rest) = said.split_once(after).unwrap();
        rest.split(|it: char| it.is_whitespace() || it == '/')
            .next()
            .unwrap()
            .trim_end_matches('.')
            .to_owned()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()), signal).unwrap();
    }
}

async fn until(is: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not become so in 30 s");
}

/// Status line and body of an answer; empty where there is none.
async fn get(address: &str, path: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(address).await else { return String::new() };
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    if stream.write_all(request.as_bytes()).await.is_ok() {
        let _ = stream.read_to_string(&mut answer).await;
    }
    answer
}

/// An address with another role, password and database.
fn as_role(url: &str, role: &str, password: &str, database: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, place) = rest.split_once('@').unwrap();
    let (host, path) = place.split_once('/').unwrap();
    let query = path.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{role}:{password}@{host}/{database}{query}")
}

async fn psql(url: &str, sql: &str) {
    let mut command = Command::new("psql");
    let output = command.args([url, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql]).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_changed_password_of_the_database_is_told_and_taken_over_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::open(&Options::new(folder.path().join("data"))).await.unwrap();
    let owner = server.url();
    psql(&owner, "create role app superuser login password 'first'").await;
    psql(&owner, "create database app owner app").await;
    let file = folder.path().join("url");
    std::fs::write(&file, as_role(&owner, "app", "first", "app")).unwrap();
    let mut command = configured(weir(&words("serve")));
    command.env("WEIR_DATABASE_URL_FILE", &file).env("WEIR_METRICS_LISTEN", "127.0.0.1:0");
    let running = Running::start(command);
    let address = running.address("listens at http://").await;
    let metrics = running.address("Metrics are at http://").await;
    until(async || get(&address, "/readyz").await.starts_with("HTTP/1.1 200")).await;

    psql(&owner, "alter role app password 'second'").await;
    psql(&owner, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'").await;
    until(async || get(&address, "/readyz").await.contains("refuses Weir's role or password")).await;
    assert!(get(&address, "/healthz").await.starts_with("HTTP/1.1 200"));
    until(async || get(&metrics, "/metrics").await.contains("weir_database_up 0")).await;
    assert!(
        running.said().contains("not ready: the database refuses Weir's role or password"),
        "{}",
        running.said()
    );
    for password in ["first", "second"] {
        assert!(!running.said().contains(&format!(":{password}@")), "{}", running.said());
    }

    std::fs::write(&file, as_role(&owner, "app", "second", "app")).unwrap();
    running.signal(Signal::SIGHUP);
    until(async || get(&address, "/readyz").await.starts_with("HTTP/1.1 200")).await;
    until(async || get(&metrics, "/metrics").await.contains("weir_database_up 1")).await;
    assert!(running.said().contains("ready again"), "{}", running.said());

    std::fs::write(&file, as_role(&owner, "app", "second", "postgres")).unwrap();
    running.signal(Signal::SIGHUP);
    until(async || running.said().contains("Restart Weir to change to it")).await;
    assert!(get(&address, "/readyz").await.starts_with("HTTP/1.1 200"));
    drop((running, server));
    Server::stop(&folder.path().join("data")).await.unwrap();
}

fn certificate(folder: &Path) -> rustls::pki_types::CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
    made.cert.der().clone()
}

async fn trusts(address: &str, certificate: &rustls::pki_types::CertificateDer<'static>) -> bool {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.is_ok()
}

#[tokio::test]
async fn a_renewed_certificate_is_presented_after_a_hangup_and_a_broken_one_is_not() {
    let (bench, folder) = (Bench::new().await, tempfile::tempdir().unwrap());
    let first = certificate(folder.path());
    let with_tls = |line: &str| {
        let mut command = configured(bench.weir(line));
        command.env("WEIR_TLS_CERTIFICATE_FILE", folder.path().join("certificate.pem"));
        command.env("WEIR_TLS_KEY_FILE", folder.path().join("key.pem"));
        command
    };
    let running = Running::start(with_tls("serve --no-workers"));
    let address = running.address("listens at https://").await;
    assert!(trusts(&address, &first).await);
    let second = certificate(folder.path());
    running.signal(Signal::SIGHUP);
    until(async || trusts(&address, &second).await).await;
    std::fs::write(folder.path().join("key.pem"), "no key").unwrap();
    running.signal(Signal::SIGHUP);
    until(async || running.said().contains("stays in use")).await;
    assert!(trusts(&address, &second).await);
    let mut broken = with_tls("serve");
    broken.env("WEIR_JSON_LOG", "perhaps").env("WEIR_TRUSTED_PROXIES", "10.0.0.0/8,nobody");
    let run = finished(broken).await.ended_with(2);
    for part in ["key.pem", "WEIR_JSON_LOG", "nobody"] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
}

#[tokio::test]
async fn a_worker_tells_its_own_figures_and_whether_it_is_well() {
    let bench = Bench::new().await;
    let mut running = Running::start(configured(bench.weir("worker --metrics-listen 127.0.0.1:0")));
    let address = running.address("Metrics are at http://").await;
    let text = get(&address, "/metrics").await;
    assert!(text.contains("weir_build_info{") && !text.contains("weir_inbox_waiting"), "{text}");
    assert!(get(&address, "/readyz").await.starts_with("HTTP/1.1 200"));
    let health = async || {
        let mut command = weir(&words("health --ready"));
        command.env("WEIR_METRICS_LISTEN", &address);
        finished(command).await
    };
    assert_eq!(health().await.ended_with(0).stdout.trim(), "ok");
    running.child.kill().await.unwrap();
    assert!(health().await.ended_with(1).stderr.contains(&address));
}

#[tokio::test]
async fn a_service_manager_hears_that_it_is_ready_lives_and_ends() {
    let (bench, folder) = (Bench::new().await, tempfile::tempdir().unwrap());
    let socket = tokio::net::UnixDatagram::bind(folder.path().join("notify")).unwrap();
    let mut command = configured(bench.weir("serve --no-workers"));
    command.env("NOTIFY_SOCKET", folder.path().join("notify")).env("WATCHDOG_USEC", "300000");
    let running = Running::start(command);
    let heard = async || {
        let mut text = [0; 256];
        let heard = tokio::time::timeout(Duration::from_secs(30), socket.recv(&mut text)).await;
        String::from_utf8_lossy(&text[..heard.expect("something is said").unwrap()]).trim().to_owned()
    };
    assert_eq!((heard().await, heard().await), ("READY=1".to_owned(), "WATCHDOG=1".to_owned()));
    running.signal(Signal::SIGTERM);
    while heard().await != "STOPPING=1" {}
}

#[tokio::test]
async fn status_shows_what_needs_somebody() {
    let bench = Bench::new().await;
    bench
        .database
        .execute(
            "with i as (insert into weir.instances (number, base_url) values (0, 'https://gitlab.example.com') returning number)
                , c as (insert into weir.connections (type, name, instance, settings, state, created_at, updated_at, last_synced_at)
                        select 'gitlab', 'main', number, '{}', 'verified', now(), now(), now() - interval '1 hour' from i returning id)
                , k as (insert into weir.credentials (connection_id, label, settings, created_at, updated_at, disabled_at, disabled_reason, expiration_date)
                        select id, l, '{}', now(), now(), d, r, e from c, (values
                          ('old', now(), 'GitLab says that it was revoked.', null), ('ends', null, null, current_date + 9)) as v(l, d, r, e))
             insert into weir.tasks (connection_id, activity, due_at, failures, failing_since, outcome, error)
             select id, 'sync', now(), 3, now(), 'failed', '{\"message\": \"GitLab is away.\"}' from c",
        )
        .await;
    bench
        .database
        .execute(
            "with k as (insert into weir.encryption_keys (id, witness, created_at) values ('ab12cd34', '', now()))
             insert into weir.extractors (name, instance, version, connected_at, heard_at, created_at)
             values ('berlin', 0, '0.1.0', now(), now() - interval '2 minutes', now())",
        )
        .await;
    let shown = bench.run("status").await.ended_with(0).stdout;
    for part in [
        "failing",
        "1 h 0 min",
        "GitLab is away.",
        "that it was revoked.",
        "in 9 days",
        "1 of 2",
        "berlin",
        "2 min",
        "key ab12cd34",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let json = bench.run("status --json").await.ended_with(0).json();
    assert_eq!(json["serve"]["connections"][0]["tasks"][0]["failures"], 3, "{json}");
}
