//! The Weir outside: calls go there and are sent again until they are answered.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::future::BoxFuture;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder};
use store::StoreError;
use store::remote::{Call, Carrier, protocol};
use sync::Stop;

use crate::answer::{Verdict, read};
use crate::course::Course;
use crate::{Refused, Route, RouteError};

/// Below this, packing costs more than it saves.
const WORTH_IT: usize = 512;

/// The Weir outside. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outside(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    route: Route,
    session: String,
    stop: Stop,
    refused: Mutex<Option<Refused>>,
    sent: AtomicU64,
    calls: AtomicU64,
}

impl Outside {
    /// Goes this way, until it is asked to stop.
    pub fn new(route: Route, stop: Stop) -> Result<Outside, RouteError> {
        let session = format!("{:032x}", rand::random::<u128>());
        let client = route.client()?;
        let (refused, sent, calls) = Default::default();
        Ok(Outside(Arc::new(Inner { client, route, session, stop, refused, sent, calls })))
    }

    /// The word of this process.
    pub(crate) fn session(&self) -> &str {
        &self.0.session
    }

    /// Why the Weir outside will not work with this extractor any more.
    pub fn refused(&self) -> Option<Refused> {
        self.0.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Bodies sent so far: how many, and their bytes on the line.
    pub fn sent(&self) -> (u64, u64) {
        (self.0.calls.load(Relaxed), self.0.sent.load(Relaxed))
    }

    /// Returns as soon as there is something to do; false where it could not be asked.
    pub async fn wait_for_work(&self) -> bool {
        let asked = self.0.request("extractors.wait", 1).send().await;
        match asked {
            Ok(response) => {
                let status = response.status().as_u16();
                let verdict = response.bytes().await.map(|it| read(status, &it));
                match verdict {
                    Ok(Verdict::Done(body)) => body.windows(11).any(|it| it == br#""work":true"#),
                    Ok(Verdict::Refused(refused)) => {
                        self.end(refused);
                        false
                    }
                    _ => false,
                }
            }
            Err(_) => false,
        }
    }

    /// Sends a body to a method once.
    pub(crate) async fn once(&self, method: &str, body: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        match self.attempt(method, &body, false, 1).await {
            Verdict::Done(answer) => Ok(answer),
            Verdict::Failed(error) => Err(error),
            Verdict::Refused(refused) => Err(StoreError::Refused(refused.message)),
            Verdict::Later(why) => Err(StoreError::Away(why)),
        }
    }

    /// Sends a body to a method until there is an answer.
    pub(crate) async fn send(&self, method: &str, body: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let (body, packed) = pack(body);
        let (mut course, mut attempt) = (Course::new(), 1_u32);
        loop {
            if let Some(refused) = self.refused() {
                return Err(StoreError::Refused(refused.message));
            }
            let why = match self.attempt(method, &body, packed, attempt).await {
                Verdict::Done(answer) => return Ok(answer),
                Verdict::Failed(error) => return Err(error),
                Verdict::Refused(refused) => {
                    self.end(refused.clone());
                    return Err(StoreError::Refused(refused.message));
                }
                Verdict::Later(why) => why,
            };
            if attempt % 5 == 2 {
                tracing::warn!(
                    why,
                    attempt,
                    "the Weir outside is away; nothing is lost, what was read is sent again"
                );
            }
            attempt = attempt.saturating_add(1);
            if !course.wait(&self.0.stop).await {
                return Err(StoreError::Away(why));
            }
        }
    }

    async fn attempt(&self, method: &str, body: &[u8], packed: bool, attempt: u32) -> Verdict {
        let mut request = self.0.request(method, attempt).header(CONTENT_TYPE, "application/json");
        if packed {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        self.0.calls.fetch_add(1, Relaxed);
        self.0.sent.fetch_add(body.len() as u64, Relaxed);
        let response = match request.body(body.to_vec()).send().await {
            Ok(response) => response,
            Err(error) => return Verdict::Later(words(&error)),
        };
        let status = response.status().as_u16();
        match response.bytes().await {
            Ok(answer) => read(status, &answer),
            Err(error) => Verdict::Later(words(&error)),
        }
    }

    fn end(&self, refused: Refused) {
        tracing::error!(
            code = refused.code,
            message = refused.message,
            "the Weir outside refused this extractor"
        );
        self.0.refused.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(refused);
        self.0.stop.ask();
    }
}

impl Inner {
    fn request(&self, method: &str, attempt: u32) -> RequestBuilder {
        let request = self.client.post(self.route.method(method));
        let request = request.header("weir-session", &self.session).header("weir-protocol", protocol());
        request.header("weir-attempt", attempt)
    }
}

impl Carrier for Outside {
    fn carry<'c>(&'c self, call: &'c Call) -> BoxFuture<'c, Result<Vec<u8>, StoreError>> {
        Box::pin(self.send("extractors.call", call.body()))
    }
}

fn pack(body: Vec<u8>) -> (Vec<u8>, bool) {
    if body.len() < WORTH_IT {
        return (body, false);
    }
    let mut packing = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::default());
    match packing.write_all(&body).and_then(|()| packing.finish()) {
        Ok(packed) => (packed, true),
        Err(_) => (body, false),
    }
}

/// The error with its innermost cause, and without the address, which may hold what is nobody's business.
fn words(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// What is sent to somebody who answers anything with this.
    async fn sent(proxy: bool, answer: &'static str) -> (String, Result<Vec<u8>, StoreError>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answering = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            let body = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            stream.write_all(body.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..length]).to_lowercase()
        };
        let address =
            if proxy { "http://weir.invalid".to_owned() } else { format!("http://127.0.0.1:{port}") };
        let route = Route {
            address: Route::parse_address(&address).unwrap(),
            key: "weir_key".to_owned().into(),
            proxy: proxy.then(|| format!("http://me:word@127.0.0.1:{port}/").into()),
            ca_file: None,
        };
        let outside = Outside::new(route, Stop::default()).unwrap();
        tokio::join!(answering, outside.once("x", b"{}".to_vec()))
    }

    #[tokio::test]
    async fn the_proxy_is_told_who_asks() {
        let (request, answer) = sent(true, r#"{"ok":true,"result":7}"#).await;
        assert!(request.starts_with("post http://weir.invalid/api/x "), "{request}");
        assert!(request.contains("proxy-authorization: basic bwu6d29yza=="), "{request}");
        assert_eq!(answer.unwrap(), b"7");
    }

    #[tokio::test]
    async fn what_is_not_weirs_answer_passes() {
        let (request, answer) = sent(false, "<html>").await;
        assert!(request.contains("authorization: bearer weir_key") && request.contains("weir-session: "));
        assert!(answer.unwrap_err().is_outage());
    }
}
