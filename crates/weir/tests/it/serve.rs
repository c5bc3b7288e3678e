//! `weir serve`, `weir worker`, `weir api-key` and `weir key` as people run them.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::bench::{Bench, finished};

/// A key for tests: nothing is sealed with it that matters.
pub const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_KEY: &str = "HwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4=";

/// A server that runs.
pub struct Serving {
    child: Child,
    pub address: String,
    pub key: String,
    /// What it has said so far.
    pub said: Arc<Mutex<String>>,
}

pub fn with_key(bench: &Bench, line: &str, key: &str) -> Command {
    let mut command = bench.weir(line);
    command.env("WEIR_ENCRYPTION_KEY", key).env("WEIR_LISTEN", "127.0.0.1:0");
    command
}

async fn api_key(bench: &Bench) -> String {
    let made = finished(with_key(bench, "api-key create --name test", KEY)).await.ended_with(0);
    made.stdout.trim().to_owned()
}

pub async fn serve(bench: &Bench, line: &str) -> Serving {
    serve_with(bench, line, |it| it).await
}

/// The same, with something else in its environment.
pub async fn serve_with(bench: &Bench, line: &str, change: impl Fn(&mut Command) -> &mut Command) -> Serving {
    let key = api_key(bench).await;
    let mut command = with_key(bench, line, KEY);
    let mut child = change(&mut command).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = Arc::new(Mutex::new(String::new()));
    let (heard, (tell, told)) = (said.clone(), tokio::sync::oneshot::channel());
    tokio::spawn(async move {
        let mut tell = Some(tell);
        while let Ok(Some(line)) = lines.next_line().await {
            heard.lock().unwrap().push_str(&format!("{line}\n"));
            let address =
                line.split_once("Weir listens at http://").and_then(|it| it.1.split_whitespace().next());
            if let Some((address, tell)) = address.and_then(|it| Some((it, tell.take()?))) {
                tell.send(address.trim_end_matches('.').to_owned()).unwrap();
            }
        }
    });
    let address = told.await.expect("the server says where it listens");
    Serving { child, address, key, said }
}

impl Serving {
    pub async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.ask_as(&format!("Authorization: Bearer {}", self.key), method, path, body).await
    }

    /// The same with another header in the place of the key.
    pub async fn ask_as(&self, header: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\n{header}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or_default();
        (status, serde_json::from_str(body).unwrap_or(Value::String(body.to_owned())))
    }

    /// A connection that works.
    pub async fn connect(&self, bench: &Bench) -> i64 {
        let body = json!({ "type": "gitlab", "settings": { "base_url": bench.fake.url() } });
        let (status, made) = self.ask("POST", "/api/connections.create", body).await;
        assert_eq!(status, 201, "{made}");
        let id = made["connection"]["id"].as_i64().unwrap();
        let body = json!({ "secrets": { "api_token": bench.fake.token() } });
        let (status, made) =
            self.ask("POST", &format!("/api/connections/{id}/credentials.create"), body).await;
        assert_eq!(status, 201, "{made}");
        id
    }

    pub async fn until_synced(&self, id: i64) {
        for _ in 0..600 {
            let (_, shown) = self.ask("GET", &format!("/api/connections.info/{id}"), Value::Null).await;
            if shown["connection"]["last_synced_at"].is_string() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the connection was not synced in 30 s");
    }

    /// Kills it, as `kill -9` does.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to end, as a service manager does; its exit code.
    pub async fn terminate(mut self) -> i32 {
        let pid = Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        ended.expect("it ends in time").unwrap().code().unwrap_or(-1)
    }
}

#[tokio::test]
async fn a_server_imports_what_it_is_told_and_ends_when_asked() {
    let bench = Bench::new().await;
    let serving = serve(&bench, "serve").await;
    assert_eq!(serving.ask("GET", "/healthz", Value::Null).await.0, 200);
    assert_eq!(serving.ask("GET", "/readyz", Value::Null).await.0, 200);
    let id = serving.connect(&bench).await;
    serving.until_synced(id).await;
    assert!(bench.value("select count(*) from gitlab_merge_requests").await.as_i64() > Some(0));
    assert_eq!(serving.terminate().await, 0);
}

#[tokio::test]
async fn a_killed_server_goes_on_where_it_stood_and_workers_share_its_work() {
    let bench = Bench::new().await;
    let serving = serve(&bench, "serve --no-workers").await;
    let id = serving.connect(&bench).await;
    serving.kill().await;
    let serving = serve(&bench, "serve --no-workers").await;
    let mut worker = with_key(&bench, "worker", KEY).stderr(Stdio::null()).spawn().unwrap();
    serving.until_synced(id).await;
    worker.kill().await.unwrap();
    assert_eq!(serving.terminate().await, 0);
}

#[tokio::test]
async fn a_server_with_the_wrong_key_does_not_start() {
    let bench = Bench::new().await;
    let serving = serve(&bench, "serve").await;
    serving.connect(&bench).await;
    assert_eq!(serving.terminate().await, 0);
    let run = finished(with_key(&bench, "serve", OTHER_KEY)).await.ended_with(1);
    assert!(
        run.stderr.contains("was not given") && run.stderr.contains("nothing was changed"),
        "{}",
        run.stderr
    );
    for (key, message) in [("short", "32 random bytes"), ("", "openssl rand -base64 32")] {
        let run = finished(with_key(&bench, "serve", key)).await.ended_with(2);
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
}

#[tokio::test]
async fn the_key_is_changed_by_command() {
    let bench = Bench::new().await;
    let serving = serve(&bench, "serve").await;
    serving.connect(&bench).await;
    assert_eq!(serving.terminate().await, 0);
    let both = |line: &str| {
        let mut command = with_key(&bench, line, OTHER_KEY);
        command.env("WEIR_ENCRYPTION_KEY_PREVIOUS", KEY);
        command
    };
    assert!(finished(both("key check")).await.ended_with(0).stderr.contains("1 token"));
    assert!(finished(both("key rotate")).await.ended_with(0).stderr.contains("Sealed 1 token"));
    assert!(finished(with_key(&bench, "key check", OTHER_KEY)).await.ended_with(0).stderr.contains("opens"));
    finished(with_key(&bench, "key check", KEY)).await.ended_with(1);
    let generated = finished(bench.weir("key generate")).await.ended_with(0).stdout;
    finished(with_key(&bench, "key check", generated.trim())).await.ended_with(1);
}

#[tokio::test]
async fn api_keys_are_made_listed_and_revoked() {
    let bench = Bench::new().await;
    let serving = serve(&bench, "serve --no-workers").await;
    assert_eq!(serving.ask("GET", "/api/connections.list", Value::Null).await.0, 200);
    let list = bench.run("api-key list").await.ended_with(0);
    assert!(list.stdout.contains("test") && !list.said().contains(&serving.key), "{}", list.stdout);
    bench.run("api-key revoke 1").await.ended_with(0);
    assert_eq!(serving.ask("GET", "/api/connections.list", Value::Null).await.0, 401);
    bench.run("api-key revoke 1").await.ended_with(2);
    let run = bench.run("api-key create --name x --scope everything").await.ended_with(2);
    assert!(run.stderr.contains("connections:read"), "{}", run.stderr);
}

#[tokio::test]
async fn every_problem_of_the_configuration_is_told_at_once() {
    let bench = Bench::new().await;
    let mut command = with_key(&bench, "serve", KEY);
    command.env("WEIR_LISTEN", "nowhere").env("WEIR_CA_FILE", "/no/such.pem").env("WEIR_JSON_LOG", "perhaps");
    let run = finished(command).await.ended_with(2);
    for part in ["nowhere", "/no/such.pem", "WEIR_JSON_LOG"] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
    let run = bench.run("serve --config /no/such.toml").await.ended_with(2);
    assert!(run.stderr.contains("/no/such.toml"), "{}", run.stderr);
}

#[tokio::test]
async fn an_address_in_use_is_told() {
    let bench = Bench::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = with_key(&bench, "serve", KEY);
    command.env("WEIR_LISTEN", taken.local_addr().unwrap().to_string());
    let run = finished(command).await.ended_with(1);
    assert!(run.stderr.contains("WEIR_LISTEN"), "{}", run.stderr);
}

#[tokio::test]
async fn a_reader_that_could_read_tokens_is_refused() {
    let bench = Bench::new().await;
    let mut command = with_key(&bench, "serve", KEY);
    command.env("WEIR_READER_DATABASE_URL", bench.database.url());
    let run = finished(command).await.ended_with(2);
    assert!(run.stderr.contains("sealed tokens"), "{}", run.stderr);
}

/// Sends deliveries one after the other until the server is gone; how many were answered with 200.
async fn deliver(address: String, token: String, lane: usize) -> Vec<String> {
    let mut answered = Vec::new();
    for number in 0.. {
        let id = format!("{lane}-{number}");
        let body = r#"{"object_kind":"wiki_page","project":{"id":1}}"#;
        let request = format!(
            "POST /webhooks/gitlab HTTP/1.1\r\nHost: x\r\nX-Gitlab-Token: {token}\r\nIdempotency-Key: {id}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let Ok(mut stream) = TcpStream::connect(&address).await else { break };
        let mut answer = String::new();
        if stream.write_all(request.as_bytes()).await.is_err()
            || stream.read_to_string(&mut answer).await.is_err()
        {
            break;
        }
        if !answer.starts_with("HTTP/1.1 200") {
            assert!(answer.is_empty(), "{answer}");
            break;
        }
        answered.push(id);
    }
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_under_load_loses_no_delivery_that_was_answered() {
    let bench = Bench::new().await;
    let serving = serve(&bench, "serve").await;
    let secret = finished(with_key(&bench, "webhooks secret --json", KEY)).await.ended_with(0).json();
    let token = secret["token"].as_str().unwrap().to_owned();
    let lanes: Vec<_> =
        (0..16).map(|lane| tokio::spawn(deliver(serving.address.clone(), token.clone(), lane))).collect();
    tokio::time::sleep(Duration::from_millis(700)).await;
    serving.kill().await;
    let mut answered = 0;
    for lane in lanes {
        answered += lane.await.unwrap().len();
    }
    assert!(answered > 100, "{answered} were answered before the kill");
    // One more than was answered may have been kept for each of those who were cut off.
    let kept = bench.value("select count(*) from weir.inbox").await.as_u64().unwrap() as usize;
    assert!((answered..=answered + 16).contains(&kept), "{answered} answered, {kept} kept");
}

#[tokio::test]
async fn the_secrets_of_webhooks_are_shown_and_changed() {
    let bench = Bench::new().await;
    let show = async |line: &str| finished(with_key(&bench, line, KEY)).await.ended_with(0).json();
    let first = show("webhooks secret --json").await;
    assert_eq!(show("webhooks secret --json").await, first);
    assert!(first["signing_token"].as_str().unwrap().starts_with("whsec_"));
    let second = show("webhooks secret --rotate --json").await;
    assert_ne!(first["token"], second["token"]);
    let told = finished(with_key(&bench, "webhooks secret", KEY)).await.ended_with(0);
    assert!(
        told.stdout.contains(second["token"].as_str().unwrap()) && told.stderr.contains("Older ones"),
        "{}",
        told.said()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_idle_connections_keep_nobody_waiting() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    // As many as this machine lets one process have.
    let wanted = usize::try_from(hard.saturating_sub(500)).unwrap().min(10_000);
    let bench = Bench::new().await;
    let serving = serve(&bench, "serve --no-workers").await;
    let mut idle = Vec::new();
    for number in 0..wanted {
        let mut stream = TcpStream::connect(&serving.address).await.unwrap();
        if number % 2 == 0 {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nx-half: ").await.unwrap();
        }
        idle.push(stream);
    }
    for _ in 0..10 {
        let asked = serving.ask("GET", "/api/connections.list", Value::Null);
        let (status, _) =
            tokio::time::timeout(Duration::from_secs(5), asked).await.expect("an answer in time");
        assert_eq!(status, 200);
    }
    assert_eq!(idle.len(), wanted);
}
