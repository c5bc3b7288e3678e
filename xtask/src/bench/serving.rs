//! `weir serve` and `weir worker` as processes that run beside the measurement.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::fake::{Fake, processor};
use super::http::{ask, request};
use super::import::{Place, TOKEN};

/// Longer is waited for nothing.
const PATIENCE: Duration = Duration::from_secs(600);

/// A process that runs; it ends when this is dropped.
pub struct Process {
    child: Child,
}

/// `weir serve` with a key that may do everything.
pub struct Serving {
    pub process: Process,
    pub address: String,
    pub key: String,
    /// What webhooks show.
    pub webhook_token: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// `weir worker`.
    pub fn worker(place: &Place<'_>) -> anyhow::Result<Process> {
        let child = place.command(&["worker"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Process { child })
    }

    /// Seconds of processor so far.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        processor(self.child.id())
    }

    /// Bytes of memory that are resident now, and at most so far; 0 where the system has no `/proc`.
    pub fn memory(&self) -> anyhow::Result<(f64, f64)> {
        let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())) else {
            return Ok((0.0, 0.0));
        };
        let figure = |name: &str| -> anyhow::Result<f64> {
            let line = status.lines().find(|it| it.starts_with(name)).context("/proc tells no memory")?;
            let kib: f64 = line.split_whitespace().nth(1).context("/proc tells no memory")?.parse()?;
            Ok(kib * 1024.0)
        };
        Ok((figure("VmRSS:")?, figure("VmHWM:")?))
    }
}

impl Serving {
    /// Starts it, with workers or without.
    pub fn start(place: &Place<'_>, options: &[&str]) -> anyhow::Result<Serving> {
        let key = place.said(&["api-key", "create", "--name", "bench"])?;
        let secret: Value = serde_json::from_str(&place.said(&["webhooks", "secret", "--json"])?)?;
        let webhook_token = secret["token"].as_str().context("no secret is shown")?.to_owned();
        let mut command = place.command(&["serve"]);
        command.args(options).env("WEIR_LISTEN", "127.0.0.1:0").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let mut log = BufReader::new(child.stderr.take().context("it says nothing")?);
        let address = address(&mut log)?;
        // It goes on writing, and would wait where nobody reads; it ends with the process.
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Ok(Serving { process: Process { child }, address, key, webhook_token })
    }

    /// A connection of this type to a fake, with a token; its number.
    pub fn connect(&self, fake: &Fake, kind: &str, settings: Value) -> anyhow::Result<i64> {
        let mut settings = settings;
        settings["base_url"] = json!(fake.url);
        let made = self.post("connections.create", &json!({ "type": kind, "settings": settings }))?;
        let id = made["connection"]["id"].as_i64().context("it has no number")?;
        self.post(
            &format!("connections/{id}/credentials.create"),
            &json!({ "secrets": { "api_token": TOKEN } }),
        )?;
        Ok(id)
    }

    /// Waits until a connection was synced; gives how many seconds it took.
    pub fn until_synced(&self, connection: i64) -> anyhow::Result<f64> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let shown =
                ask(&self.address, &self.request("GET", &format!("connections.info/{connection}"), ""))?;
            if shown["connection"]["last_synced_at"].is_string() {
                return Ok(began.elapsed().as_secs_f64());
            }
            thread::sleep(Duration::from_millis(25));
        }
        anyhow::bail!("connection {connection} was not synced")
    }

    /// A request of the API as bytes.
    pub fn request(&self, method: &str, path: &str, body: &str) -> Vec<u8> {
        let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", self.key);
        request(method, &format!("/api/{path}"), &headers, body)
    }

    /// A delivery of a webhook as bytes; no two numbers are the same delivery.
    pub fn delivery(&self, lane: &str, number: usize, body: &str) -> Vec<u8> {
        let headers =
            format!("X-Gitlab-Token: {}\r\nIdempotency-Key: {lane}-{number}\r\n", self.webhook_token);
        request("POST", "/webhooks/gitlab", &headers, body)
    }

    fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = ask(&self.address, &self.request("POST", path, &body.to_string()))?;
        ensure!(answer["ok"] == true, "{path}: {answer}");
        Ok(answer)
    }
}

/// Where it says that it listens.
fn address(log: &mut impl BufRead) -> anyhow::Result<String> {
    let (mut line, mut said) = (String::new(), String::new());
    while log.read_line(&mut line)? > 0 {
        if let Some((_, rest)) = line.split_once("http://") {
            let address = rest.split_whitespace().next().context("no address")?;
            return Ok(address.trim_end_matches('.').to_owned());
        }
        said.push_str(&line);
        line.clear();
    }
    anyhow::bail!("weir serve did not start:\n{said}")
}
