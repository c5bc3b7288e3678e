//! The line between inside and outside: everything that crosses it is kept, and it can be cut.

use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::stream;

/// The line.
#[derive(Default)]
pub struct Line {
    crossed: Mutex<Vec<u8>>,
    requests: AtomicU64,
    /// Every answer of this number is cut after what was asked for is done; 0 for none.
    pub cut_every: AtomicU64,
    /// Whether there is no way through.
    pub away: AtomicBool,
}

impl Line {
    /// The line before a router.
    pub fn before(self: &Arc<Line>, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), cross))
    }

    /// Everything that went out, unpacked.
    pub fn crossed(&self) -> Vec<u8> {
        self.crossed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, headers: String, body: &Bytes) {
        let mut crossed = self.crossed.lock().unwrap_or_else(PoisonError::into_inner);
        crossed.extend_from_slice(headers.as_bytes());
        let mut whole = Vec::new();
        match flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut whole) {
            Ok(_) => crossed.extend_from_slice(&whole),
            Err(_) => crossed.extend_from_slice(body),
        }
    }
}

async fn cross(State(line): State<Arc<Line>>, request: Request, next: Next) -> Response {
    if line.away.load(Relaxed) {
        return (axum::http::StatusCode::BAD_GATEWAY, "<html>Bad gateway</html>").into_response();
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("the body is whole");
    line.keep(format!("{} {:?}", parts.uri, parts.headers), &body);
    let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
    let number = line.requests.fetch_add(1, Relaxed) + 1;
    match line.cut_every.load(Relaxed) {
        every if every > 0 && number.is_multiple_of(every) => cut(answer).await,
        _ => answer,
    }
}

/// An answer that ends in the middle.
async fn cut(answer: Response) -> Response {
    let (parts, body) = answer.into_parts();
    let whole = to_bytes(body, usize::MAX).await.expect("the answer is whole");
    let half = whole.slice(..whole.len() / 2);
    let broken = std::io::Error::other("the line was cut");
    let stream = stream::iter([Ok(half), Err(broken)]);
    Response::from_parts(parts, Body::from_stream(stream))
}
