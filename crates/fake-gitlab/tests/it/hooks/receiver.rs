//! Who is told: a server that keeps what it is sent and answers as it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// A request that was received.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|it| it.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn told(&self) -> (String, Value) {
        (self.header("x-gitlab-event").unwrap().to_owned(), self.json())
    }
}

#[derive(Default)]
struct Desk {
    received: Mutex<Vec<Received>>,
    /// What the next requests are answered; 200 where nothing is said.
    answers: Mutex<VecDeque<u16>>,
    /// What all others are answered.
    always: Mutex<Option<u16>>,
    /// Whether requests wait before they are answered.
    holds: Mutex<bool>,
    released: Notify,
}

pub struct Receiver {
    pub url: String,
    desk: Arc<Desk>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/told", listener.local_addr().unwrap());
        let desk: Arc<Desk> = Arc::default();
        let router = Router::new().fallback(answer).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, desk }
    }

    pub fn received(&self) -> Vec<Received> {
        self.desk.received.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        self.desk.received.lock().unwrap().clear();
    }

    pub fn answer_next(&self, statuses: &[u16]) {
        self.desk.answers.lock().unwrap().extend(statuses);
    }

    pub fn always_answer(&self, status: u16) {
        *self.desk.always.lock().unwrap() = Some(status);
    }

    /// Answers nothing until it is let go.
    pub fn hold(&self) {
        *self.desk.holds.lock().unwrap() = true;
    }

    pub fn let_go(&self) {
        *self.desk.holds.lock().unwrap() = false;
        self.desk.released.notify_waiters();
    }

    /// Waits until so many requests are there.
    pub async fn meets(&self, count: usize) {
        while self.desk.received.lock().unwrap().len() < count {
            tokio::task::yield_now().await;
        }
    }
}

async fn answer(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let released = desk.released.notified();
    desk.received.lock().unwrap().push(Received { headers, body });
    if *desk.holds.lock().unwrap() {
        released.await;
    }
    let scripted = desk.answers.lock().unwrap().pop_front();
    let status = scripted.or(*desk.always.lock().unwrap()).unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}
