//! A server that answers as a test says, and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as Asked, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use gitlab_client::{
    BaseUrl, Client, ClientConfig, Credential, EndpointRule, Proxy, Request, RetryPolicy, TokenKind,
    WaitPolicy,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Hit {
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: String,
    pub at: Instant,
    /// How many requests came before it.
    pub number: usize,
}

impl Hit {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn token(&self) -> &str {
        self.header("private-token")
    }
}

/// What a test answers.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    delay: Duration,
}

pub fn reply(status: u16, body: &str) -> Reply {
    Reply { status, headers: Vec::new(), body: body.to_owned(), delay: Duration::ZERO }
}

pub fn ok() -> Reply {
    reply(200, "[]")
}

impl Reply {
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

type Rule = dyn Fn(&Hit) -> Reply + Send + Sync;

/// A server that answers as a test says.
#[derive(Clone)]
pub struct Server {
    pub url: String,
    rule: Arc<Rule>,
    hits: Arc<Mutex<Vec<Hit>>>,
}

impl Server {
    pub async fn start(rule: impl Fn(&Hit) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Server { url, rule: Arc::new(rule), hits: Arc::default() };
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    pub fn hits(&self) -> Vec<Hit> {
        self.hits.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.hits.lock().unwrap().len()
    }

    pub fn client(&self) -> Client {
        Client::new(config(&self.url)).unwrap()
    }

    pub fn client_with(&self, change: impl FnOnce(&mut ClientConfig)) -> Client {
        let mut config = config(&self.url);
        change(&mut config);
        Client::new(config).unwrap()
    }
}

async fn answer(State(server): State<Server>, asked: Asked) -> Response<Body> {
    let (parts, body) = asked.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let hit = {
        let mut hits = server.hits.lock().unwrap();
        let number = hits.len();
        hits.push(Hit {
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
            at: Instant::now(),
            number,
        });
        hits.last().unwrap().clone()
    };
    let reply = (server.rule)(&hit);
    tokio::time::sleep(reply.delay).await;
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap();
    for (name, value) in reply.headers {
        response
            .headers_mut()
            .append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(&value).unwrap());
    }
    response
}

/// A configuration with one credential and waits of milliseconds.
pub fn config(url: &str) -> ClientConfig {
    let mut config = ClientConfig::new(BaseUrl::parse(url).unwrap());
    config.credentials = vec![credential("a")];
    config.allowed = vec![
        EndpointRule::get("projects/{id}"),
        EndpointRule::get("projects/{id}/labels"),
        EndpointRule::get("groups"),
        EndpointRule::get("user"),
        EndpointRule::graphql(),
    ];
    config.proxy = Proxy::Direct;
    config.timeout = Duration::from_secs(5);
    config.retry =
        RetryPolicy { attempts: 3, base: Duration::from_millis(5), max: Duration::from_millis(20) };
    config.wait = WaitPolicy {
        limit_base: Duration::from_millis(40),
        limit_max: Duration::from_millis(160),
        block_after: 5,
        block_base: Duration::from_millis(50),
        block_max: Duration::from_millis(100),
        patience: Duration::from_secs(10),
    };
    config
}

/// A credential whose token is `token-of-<id>`.
pub fn credential(id: &str) -> Credential {
    Credential::new(id, TokenKind::Private, format!("token-of-{id}"))
}

pub fn labels(project: u64) -> Request {
    Request::new("projects/{id}/labels").value(project)
}

/// A server of one's own making: each connection is handed to `serve` after its request was read.
pub async fn raw<F, W>(serve: F) -> String
where
    F: Fn(TcpStream, usize) -> W + Send + 'static,
    W: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await;
            serve(stream, number).await;
        }
    });
    url
}

/// Reads a request without a body; whether there was one.
pub async fn read_request(stream: &mut TcpStream) -> bool {
    let mut read = Vec::new();
    while !read.windows(4).any(|it| it == b"\r\n\r\n") {
        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return false;
        }
    }
    true
}

pub async fn write(mut stream: TcpStream, text: impl AsRef<[u8]>) {
    stream.write_all(text.as_ref()).await.unwrap();
    stream.shutdown().await.ok();
}
