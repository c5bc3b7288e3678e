//! A small HTTP client that shows exactly what came over the wire.

use std::io;

use fake_gitlab::builder::DEFAULT_TOKEN;
use fake_gitlab::{Builder, FakeGitlab};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub fn list(&self) -> Vec<Value> {
        self.json().as_array().cloned().unwrap_or_else(|| panic!("not a list: {}", self.body))
    }

    /// One field of every element.
    pub fn column(&self, name: &str) -> Vec<Value> {
        self.list().iter().map(|element| element[name].clone()).collect()
    }

    /// Where `Link` sends for another page, without host.
    pub fn link(&self, rel: &str) -> Option<String> {
        let wanted = format!("rel=\"{rel}\"");
        let link = self.header("link")?.split(", ").find(|link| link.ends_with(&wanted))?;
        let url = link.split('>').next()?.trim_start_matches('<');
        Some(url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default())
    }
}

pub async fn start(builder: Builder) -> FakeGitlab {
    builder.start().await.unwrap()
}

pub async fn tiny() -> FakeGitlab {
    start(FakeGitlab::builder()).await
}

/// Asks with the default token.
pub async fn get(fake: &FakeGitlab, path: &str) -> Answer {
    let token = format!("PRIVATE-TOKEN: {DEFAULT_TOKEN}");
    try_get(fake, path, &[&token]).await.unwrap()
}

/// Asks with these headers.
pub async fn get_with(fake: &FakeGitlab, path: &str, headers: &[&str]) -> Answer {
    try_get(fake, path, headers).await.unwrap()
}

/// Asks with these headers; the connection may break.
pub async fn try_get(fake: &FakeGitlab, path: &str, headers: &[&str]) -> io::Result<Answer> {
    send(fake, "GET", path, headers, "").await
}

pub async fn post(fake: &FakeGitlab, path: &str, body: &str) -> Answer {
    send(fake, "POST", path, &["Content-Type: application/json"], body).await.unwrap()
}

/// Asks GraphQL with these headers.
pub async fn query(fake: &FakeGitlab, text: &str, headers: &[&str]) -> Answer {
    let body = serde_json::json!({ "query": text }).to_string();
    let headers: Vec<&str> = headers.iter().copied().chain(["Content-Type: application/json"]).collect();
    send(fake, "POST", "/api/graphql", &headers, &body).await.unwrap()
}

/// Sends a request as it is; the connection may break.
pub async fn send(
    fake: &FakeGitlab,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> io::Result<Answer> {
    let host = fake.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await?;
    let path = if path.starts_with("/api") || path.starts_with("/fake") {
        path.to_owned()
    } else {
        format!("/api/v4{path}")
    };
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{lines}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> io::Result<Answer> {
    let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(broken)?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.to_lowercase(), value.trim().to_owned()))
        .collect();
    let answer = Answer { status, headers, body: body.to_owned() };
    let promised = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if status != 304 && answer.body.len() < promised { Err(broken()) } else { Ok(answer) }
}

/// Follows `next` to the end; every element of every page.
pub async fn all(fake: &FakeGitlab, path: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let answer = get(fake, &path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        rows.extend(answer.list());
        next = answer.link("next");
    }
    rows
}

/// The first project: the one that holds the oddities.
pub fn first_project(fake: &FakeGitlab) -> i64 {
    *fake.world().projects.keys().next().unwrap()
}
