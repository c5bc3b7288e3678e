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
        let mut fake = Fake { child, url: url.unwrap_or_default(), _output: output };
        ensure!(!fake.url.is_empty(), "the fake did not start: {:?}", fake.child.try_wait());
        Ok(fake)
    }

    /// The sum of the latencies served so far, in seconds.
    pub fn service_seconds(&self) -> anyhow::Result<f64> {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address)?;
        write!(stream, "GET /fake/requests HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).context("the fake gave no answer")?;
        let counts: Value = serde_json::from_str(body)?;
        counts["service_seconds"].as_f64().context("the fake does not tell its service time")
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
