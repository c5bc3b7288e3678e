//! A POST over plain HTTP: all that a delivery needs of a client.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// Bytes of an answer that are kept at most.
const LONGEST_ANSWER: usize = 64 * 1024;

/// What a receiver answered.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// Sends a body and reads the answer. Redirects are answers like others.
pub(super) async fn post(url: &str, headers: &[(String, String)], body: &[u8]) -> io::Result<Answer> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
    let url = Url::parse(url).map_err(|error| invalid(&error.to_string()))?;
    if url.scheme() != "http" {
        return Err(invalid("only plain HTTP is spoken"));
    }
    let host = url.host_str().ok_or_else(|| invalid("the address has no host"))?;
    let port = url.port_or_known_default().unwrap_or(80);
    let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    stream.write_all(head(&url, headers, body.len()).as_bytes()).await?;
    stream.write_all(body).await?;
    read(&mut stream).await
}

fn head(url: &Url, headers: &[(String, String)], length: usize) -> String {
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!(
        "POST {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Length: {length}\r\n{lines}\r\n"
    )
}

async fn read(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    while !is_complete(&bytes) && bytes.len() < LONGEST_ANSWER {
        if stream.read_buf(&mut bytes).await? == 0 {
            break;
        }
    }
    parse(&bytes).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Whether all is there that was promised; an answer that promises no length ends with the connection.
fn is_complete(bytes: &[u8]) -> bool {
    let Some(answer) = parse(bytes) else { return false };
    let length = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| value.parse::<usize>().ok());
    matches!(answer.status, 204 | 304) || length.is_some_and(|length| answer.body.len() >= length)
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    Some(Answer { status, headers: lines.filter_map(header).collect(), body: body.to_owned() })
}
