//! The fake GitLab as a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::Value;

/// A running fake; it ends when this is dropped.
pub struct Fake {
    child: Child,
    pub url: String,
    /// What making the world has cost.
    cpu_at_start: f64,
    /// Kept open: the fake goes on printing.
    _output: BufReader<ChildStdout>,
}

impl Fake {
    /// Starts it with these options on a free port.
    pub fn start(program: &Path, options: &[&str]) -> anyhow::Result<Fake> {
        let mut command = Command::new(program);
        command.args(["--port", "0"]).args(options).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{} cannot be run", program.display()))?;
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().context("the fake has no output")?);
        output.read_line(&mut line)?;
        let url = line.trim().strip_prefix("listening on ").map(str::to_owned);
        let cpu_at_start = processor(child.id())?;
        let mut fake = Fake { child, url: url.unwrap_or_default(), cpu_at_start, _output: output };
        ensure!(!fake.url.is_empty(), "the fake did not start: {:?}", fake.child.try_wait());
        Ok(fake)
    }

    /// What was asked of it so far.
    pub fn asked(&self) -> anyhow::Result<Asked> {
        let counts = self.control("GET", "/fake/requests")?;
        Ok(Asked {
            total: counts["total"].as_f64().context("the fake does not tell how often it was asked")?,
            service_seconds: counts["service_seconds"].as_f64().context("the fake tells no service time")?,
            counts,
        })
    }

    /// Lets a day pass; returns how many merge requests and pipelines moved.
    pub fn pass_a_day(&self, day: Day) -> anyhow::Result<f64> {
        let Day { merge_requests, pipelines, clustered } = day;
        let path =
            format!("/fake/day?merge_requests={merge_requests}&pipelines={pipelines}&clustered={clustered}");
        let moved = self.control("POST", &path)?;
        let count = |name: &str| moved[name].as_f64().context("the fake does not tell what moved");
        Ok(count("merge_requests")? + count("pipelines")?)
    }

    /// Seconds of processor it has used since it serves, where the system tells.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        Ok(processor(self.child.id())? - self.cpu_at_start)
    }

    fn control(&self, method: &str, path: &str) -> anyhow::Result<Value> {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address)?;
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).context("the fake gave no answer")?;
        Ok(serde_json::from_str(body)?)
    }
}

/// Seconds of processor of a process so far; 0 where the system has no `/proc`.
pub fn processor(process: u32) -> anyhow::Result<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { return Ok(0.0) };
    // The name, in brackets, may hold anything; times in user and system mode are the 12th and 13th after it.
    let after = stat.rsplit_once(')').map(|(_, after)| after).context("/proc tells no times")?;
    let ticks: Vec<f64> =
        after.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
}

/// How many move in a day, and whether they are in few projects.
pub struct Day {
    pub merge_requests: usize,
    pub pipelines: usize,
    pub clustered: bool,
}

/// What was asked of a fake.
pub struct Asked {
    pub total: f64,
    /// The sum of the latencies served.
    pub service_seconds: f64,
    counts: Value,
}

impl Asked {
    /// GraphQL queries with this name.
    pub fn queries(&self, operation: &str) -> f64 {
        self.counts["by_operation"][operation].as_f64().unwrap_or_default()
    }

    /// Requests of an REST endpoint and those below it.
    pub fn rest(&self, endpoint: &str) -> f64 {
        let all = self.counts["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
        let wanted = |it: &&Value| {
            let rest = it["endpoint"].as_str().and_then(|it| it.strip_prefix("/api/v4"));
            rest.and_then(|it| it.strip_prefix(endpoint))
                .is_some_and(|it| it.is_empty() || it.starts_with('/'))
        };
        all.iter().filter(wanted).filter_map(|it| it["count"].as_f64()).sum()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
