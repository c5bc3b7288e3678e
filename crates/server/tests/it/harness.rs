//! A fake GitLab, a database, and the API between them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use fake_gitlab::FakeGitlab;
use fake_gitlab::tokens::TokenSpec;
use fake_gitlab::truth::{Reading, differences, truth};
use fake_gitlab::world::generate::Scale;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use server::{App, SCOPES, Scope, router};
use store::Store;
use store::testing::TestDatabase;
use store::vault::{Key, Keyring};
use sync::connection::Network;
use sync::tasks::{Here, Pace, Tokens, Worker, work};
use sync::{Clock, Stop, SystemClock};
use telemetry::Telemetry;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Everything a test of the API needs.
pub struct Bench {
    pub gitlab: FakeGitlab,
    pub database: TestDatabase,
    pub store: Store,
    pub ring: Arc<Keyring>,
    /// What the ring is made of, as text.
    pub key_of_ring: secrecy::SecretString,
    /// A key that may do everything.
    pub key: String,
    router: Router,
    wake: Arc<Notify>,
    arrived: Arc<Notify>,
    here: Here,
    pub telemetry: Telemetry,
}

/// What was answered.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
    pub text: String,
}

impl Reply {
    /// The status and the error code.
    pub fn error(&self) -> (u16, &str) {
        assert_eq!(self.body["ok"], false, "{}", self.text);
        assert!(self.body["message"].as_str().is_some_and(|it| it.len() > 10), "{}", self.text);
        (self.status, self.body["error"].as_str().unwrap_or_default())
    }

    /// The body of a success.
    pub fn ok(self, status: u16) -> Value {
        assert_eq!((self.status, &self.body["ok"]), (status, &Value::Bool(true)), "{}", self.text);
        self.body
    }
}

impl Bench {
    pub async fn new() -> Bench {
        Bench::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut App)) -> Bench {
        Bench::made(FakeGitlab::builder(), change).await
    }

    /// With another GitLab than the usual one.
    pub async fn of(gitlab: fake_gitlab::Builder) -> Bench {
        Bench::made(gitlab, |_| {}).await
    }

    async fn made(gitlab: fake_gitlab::Builder, change: impl FnOnce(&mut App)) -> Bench {
        let database = TestDatabase::new().await;
        let store = database.store().await;
        let gitlab = gitlab.scale(Scale::tiny()).start().await.expect("the fake starts");
        let (sealing, key_of_ring) = Key::generate();
        let ring = Arc::new(Keyring::new(sealing, Vec::new()));
        store.unlock(&ring, SystemClock.now()).await.expect("the key fits");
        let scopes: Vec<String> = SCOPES.iter().map(|it| it.name().to_owned()).collect();
        let (_, key) = store.create_api_key("test", &scopes, SystemClock.now()).await.expect("a key");
        let (wake, arrived, here) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Here::default());
        let telemetry = Telemetry::new();
        let mut app = App {
            store: store.clone(),
            reader: Some(store.clone()),
            ring: ring.clone(),
            network: Network::default(),
            clock: Arc::new(SystemClock),
            wake: wake.clone(),
            arrived: arrived.clone(),
            here: here.clone(),
            compatible_statuses: false,
            telemetry: telemetry.clone(),
            serves_metrics: true,
            trusted_proxies: server::TrustedProxies::default(),
        };
        change(&mut app);
        let key = key.expose_secret().to_owned();
        Bench {
            gitlab,
            database,
            store,
            ring,
            key_of_ring,
            key,
            router: router(app),
            wake,
            arrived,
            here,
            telemetry,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        use tower::ServiceExt;
        let response = self.router.clone().oneshot(request).await.expect("the router answers");
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("the body is whole");
        let text = String::from_utf8(bytes.to_vec()).expect("the body is text");
        let body = serde_json::from_str(&text).unwrap_or_default();
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{text}");
        for secret in [self.gitlab.token(), &self.key, self.key_of_ring.expose_secret()] {
            assert!(!text.contains(secret), "an answer holds a secret: {text}");
        }
        Reply { status: status.as_u16(), body, text }
    }

    pub fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let authorization = format!("Bearer {}", self.key);
        Request::builder()
            .method(method)
            .uri(format!("/api/{path}"))
            .header(header::AUTHORIZATION, authorization)
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path).body(Body::empty()).expect("a request")).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.post_text(path, "application/json", &body.to_string()).await
    }

    pub async fn post_text(&self, path: &str, kind: &str, body: &str) -> Reply {
        let request = self.request("POST", path).header(header::CONTENT_TYPE, kind);
        self.send(request.body(Body::from(body.to_owned())).expect("a request")).await
    }

    /// A key that may do this alone.
    pub async fn only(&mut self, scope: Scope) {
        let scopes = [scope.name().to_owned()];
        let (_, key) = self.store.create_api_key("one", &scopes, SystemClock.now()).await.expect("a key");
        self.key = key.expose_secret().to_owned();
    }

    /// A connection of this type without a credential; its number.
    pub async fn connection(&self, kind: &str) -> i64 {
        let body = json!({ "type": kind, "settings": { "base_url": self.gitlab.url() } });
        self.post("connections.create", body).await.ok(201)["connection"]["id"].as_i64().expect("a number")
    }

    /// A connection with a credential that works.
    pub async fn working(&self, kind: &str) -> i64 {
        let connection = self.connection(kind).await;
        let body = json!({ "secrets": { "api_token": self.gitlab.token() } });
        self.post(&format!("connections/{connection}/credentials.create"), body).await.ok(201);
        connection
    }

    /// Another token of the fake's viewer.
    pub fn twin(&self, token: &str) {
        self.token(TokenSpec::personal(token, self.gitlab.viewer().user_id));
    }

    pub fn token(&self, spec: TokenSpec) {
        self.gitlab.state().add_token(spec);
    }

    /// Holds every table against what the fake says is true.
    pub async fn assert_equal(&self) {
        self.assert_equal_but("nothing").await;
    }

    /// The same, apart from a column.
    pub async fn assert_equal_but(&self, apart: &str) {
        let mut wrong = self.differences().await;
        wrong.retain(|it| !it.contains(apart));
        let first: Vec<&String> = wrong.iter().take(5).collect();
        assert!(wrong.is_empty(), "{} differences: {first:#?}", wrong.len());
    }

    /// Where the tables differ from what the fake says is true.
    pub async fn differences(&self) -> Vec<String> {
        let reading = Reading::GRAPHQL.with_issues();
        let wanted = truth(&self.gitlab.world(), &self.gitlab.viewer(), reading);
        assert!(wanted.values().map(Vec::len).sum::<usize>() > 100, "there is something to compare");
        let lost = "select id from gitlab_projects where not api_accessible";
        let lost = self.store.query(lost).await.expect("the query runs").rows;
        let lost: Vec<&Value> = lost.iter().map(|it| &it[0]).collect();
        let mut wrong = Vec::new();
        for (table, rows) in wanted {
            // People who appear nowhere any more stay known.
            if table == "gitlab_users" {
                continue;
            }
            let mut stored = self.store.live_rows(table).await.expect("the table can be read");
            // What is stored of a project that is out of sight stays, and the truth does not show it.
            let project = if table == "gitlab_projects" { "id" } else { "project_id" };
            stored.retain(|row| row.get(project).is_none_or(|it| !lost.contains(&it)));
            wrong.extend(differences(table, &rows, &stored));
        }
        wrong
    }

    /// A worker as another process would be.
    pub fn worker(&self, owner: &str) -> Worker {
        self.worker_with(owner, |_| {})
    }

    /// The same at another pace.
    pub fn worker_with(&self, owner: &str, change: impl FnOnce(&mut Pace)) -> Worker {
        let mut pace = Pace {
            older_for: Duration::from_secs(60),
            patience: Duration::from_secs(2),
            retry_base: Duration::from_millis(200),
            retry_max: Duration::from_secs(1),
            heartbeat: Duration::from_millis(500),
            stuck_after: Duration::from_secs(60),
        };
        change(&mut pace);
        Worker {
            store: self.store.clone().into(),
            tokens: Tokens::Sealed { store: self.store.clone(), ring: self.ring.clone() },
            network: Network::default(),
            pace,
            clock: Arc::new(SystemClock),
            owner: owner.to_owned(),
            wake: self.wake.clone(),
            arrived: self.arrived.clone(),
            here: self.here.clone(),
            telemetry: self.telemetry.clone(),
        }
    }

    /// Serves on a port of its own, for what comes over the network.
    pub async fn listen(&self) -> Listening {
        self.listen_within(server::Limits::usual(1000)).await
    }

    pub async fn listen_within(&self, limits: server::Limits) -> Listening {
        self.listen_as(limits, None, |it| it).await
    }

    /// The same over TLS.
    pub async fn listen_with(&self, tls: server::Tls) -> Listening {
        self.listen_as(server::Limits::usual(1000), Some(tls), |it| it).await
    }

    /// The same with something before it.
    pub async fn listen_through(&self, before: impl FnOnce(Router) -> Router) -> Listening {
        self.listen_as(server::Limits::usual(1000), None, before).await
    }

    async fn listen_as(
        &self,
        limits: server::Limits,
        tls: Option<server::Tls>,
        before: impl FnOnce(Router) -> Router,
    ) -> Listening {
        let bound = server::Listening::bind(([127, 0, 0, 1], 0).into()).await.expect("a port is free");
        let address = bound.address().expect("it has an address");
        let router = before(self.router.clone());
        let serving = server::serve_within(limits, bound.with_tls(tls), router, Stop::default());
        let task = AbortOnDrop(tokio::spawn(serving).abort_handle());
        Listening { url: format!("http://{address}"), address, _task: task }
    }

    pub fn work(&self, owner: &str) -> Working {
        self.run(self.worker(owner))
    }

    pub fn run(&self, worker: Worker) -> Working {
        let stop = Stop::default();
        let asked = stop.clone();
        let working = async move {
            tokio::join!(
                work(worker.clone(), asked.clone()),
                sync::purge::work(worker.clone(), asked.clone()),
                sync::inbox::work(worker, asked)
            );
        };
        Working { task: tokio::spawn(working), stop }
    }

    /// Waits until the connection is as wanted.
    pub async fn until(&self, connection: i64, wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..600 {
            let shown =
                self.get(&format!("connections.info/{connection}")).await.ok(200)["connection"].take();
            if wanted(&shown) {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let last = self.get(&format!("connections.info/{connection}")).await.text;
        panic!("connection {connection} did not become as wanted in 30 s: {last}");
    }
}

/// A port that is served until this is dropped.
pub struct Listening {
    pub url: String,
    pub address: std::net::SocketAddr,
    _task: AbortOnDrop,
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A worker that runs until it is stopped.
pub struct Working {
    task: JoinHandle<()>,
    stop: Stop,
}

impl Working {
    pub async fn stop(self) {
        self.stop.ask();
        self.task.await.expect("the worker ends well");
    }

    /// Ends it as kill -9 would.
    pub fn kill(self) {
        self.task.abort();
    }
}
