//! Recorded answers, replayed: over a small folder made here, and over real recordings where they are at hand.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod made;
mod recorded;

use std::path::Path;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A replayed GitLab that listens.
pub struct Server {
    address: String,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Value,
}

impl Answer {
    /// A header's value; None where it is absent.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split_once(':').is_some_and(|(it, _)| it.eq_ignore_ascii_case(name));
        self.head.lines().find(named).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }

    /// A field of every element.
    pub fn all(&self, field: &str) -> Vec<i64> {
        self.body.as_array().unwrap().iter().map(|it| it[field].as_i64().unwrap()).collect()
    }

    /// The target of a link, below the API's root.
    pub fn link(&self, rel: &str) -> Option<String> {
        let links = self.header("link")?;
        let link = links.split(", ").find(|link| link.ends_with(&format!("rel=\"{rel}\"")))?;
        let url = link.split_once('<')?.1.split_once('>')?.0;
        url.split_once("/api/v4").map(|(_, path)| path.to_owned())
    }
}

impl Server {
    pub async fn start(dir: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = fake_gitlab::replay::router(dir).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address }
    }

    /// Reads a path below `/api/v4` with a token.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET /api/v4{path}"), "PRIVATE-TOKEN: any\r\n").await
    }

    pub async fn send(&self, request: &str, headers: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let text = format!("{request} HTTP/1.1\r\nHost: git.example\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_owned(),
            body: serde_json::from_str(body).unwrap(),
        }
    }

    /// All elements of a list, following its links.
    pub async fn walk(&self, path: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let answer = self.get(&path).await;
            assert_eq!(answer.status, 200, "{path}");
            all.extend(answer.body.as_array().unwrap().iter().cloned());
            next = answer.link("next");
        }
        all
    }
}
