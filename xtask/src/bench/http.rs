//! As much of HTTP as measuring needs: requests that are written as bytes, on connections that stay open.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

/// An answer that takes longer will not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that stays open.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn open(address: &str) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Connection(BufReader::new(stream)))
    }

    /// Sends a request and reads its answer: the status and the body.
    pub fn send(&mut self, request: &[u8]) -> anyhow::Result<(u16, Vec<u8>)> {
        self.0.get_mut().write_all(request)?;
        let (mut line, mut length) = (String::new(), 0);
        self.0.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|it| it.parse().ok()).context("no answer")?;
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok((status, body))
    }
}

/// A request as bytes; `headers` end their lines with CR and LF.
pub fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nHost: weir\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// One question, and the JSON that answers it.
pub fn ask(address: &str, request: &[u8]) -> anyhow::Result<Value> {
    let (status, body) = Connection::open(address)?.send(request)?;
    anyhow::ensure!(status < 300, "{address} answered {status}: {}", String::from_utf8_lossy(&body));
    Ok(serde_json::from_slice(&body).unwrap_or_default())
}
