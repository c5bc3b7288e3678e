//! What every request of the API passes, in GitLab's order: address, throttles, token, the endpoint's own limit, and
//! on the way back headers, latency and counters.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures::stream;
use serde_json::json;

use super::GRAPHQL;
use crate::connection::Peer;
use crate::faults::{Fault, Scripted, replacement};
use crate::limits::{Standing, http_date};
use crate::rest::{Items, Reply};
use crate::rotations::{self, ROTATE};
use crate::state::State;
use crate::tokens::{self, TokenKind, TokenSpec, TokenState};
use crate::world::hash::{hex40, mix};

/// The endpoint of requests that no route takes.
const UNKNOWN: &str = "unknown";

/// A request on its way, as far as the gate needs it.
struct Passage {
    number: u64,
    method: Method,
    /// The route, such as `/api/v4/projects/{id}`.
    endpoint: String,
    secret: String,
    if_none_match: Option<HeaderValue>,
    standing: Option<Standing>,
}

impl Passage {
    fn of(number: u64, request: &Request) -> Self {
        let matched = request.extensions().get::<MatchedPath>();
        Self {
            number,
            method: request.method().clone(),
            endpoint: matched.map_or(UNKNOWN, MatchedPath::as_str).to_owned(),
            secret: tokens::secret(request.headers()).unwrap_or_default().to_owned(),
            if_none_match: request.headers().get(header::IF_NONE_MATCH).cloned(),
            standing: None,
        }
    }

    fn template(&self) -> &str {
        self.endpoint.strip_prefix("/api/v4").unwrap_or(&self.endpoint)
    }
}

/// The gate.
pub(super) async fn pass(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let mut passage = Passage::of(state.counters.arrive(), &request);
    play_hooks(&state, passage.number);
    let permit = match &state.workers {
        Some(workers) => workers.acquire().await.ok(),
        None => None,
    };
    let (request, aimed) = aimed(&state, request).await;
    let met = aimed.or_else(|| state.faults.next());
    let response = match &met {
        Some(Scripted::Reply(reply)) => reply.clone().into_response(),
        Some(Scripted::Fault(fault)) if replacement(*fault).is_some() => {
            replacement(*fault).map(Reply::into_response).unwrap_or_default()
        }
        _ => answer(&state, &peer, &mut passage, request, next).await,
    };
    let items = response.extensions().get::<Items>().copied().unwrap_or_default().0;
    wait(&state, items).await;
    drop(permit);
    match met {
        Some(Scripted::Fault(fault)) => spoil(&state, &peer, passage, response, fault).await,
        _ => finish(&state, &passage, response).await,
    }
}

/// What is aimed at this request, once the changes that wait for it are made. Its body is only looked into while something is aimed at all.
async fn aimed(state: &State, request: Request) -> (Request, Option<Scripted>) {
    if !state.faults.aims() {
        return (request, None);
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let text = format!("{} {}", parts.uri, String::from_utf8_lossy(&body));
    for change in state.faults.awaited_by(&text) {
        change(&mut state.world_mut());
    }
    (Request::from_parts(parts, Body::from(body)), state.faults.aimed_at(&text))
}

fn play_hooks(state: &State, number: u64) {
    for token in state.faults.tokens_to_revoke(number) {
        state.set_token_state(&token, TokenState::Revoked);
    }
    if state.faults.wants_the_world(number) {
        state.faults.change_the_world(number, &mut state.world_mut());
    }
}

async fn answer(
    state: &State,
    peer: &Peer,
    passage: &mut Passage,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(state, peer, passage, request.headers()) {
        Ok(token) => {
            request.extensions_mut().insert(token.viewer());
            request.extensions_mut().insert(token);
            next.run(request).await
        }
        Err(reply) => reply.into_response(),
    }
}

/// The reuse of a token that was rotated is taken for a theft.
fn reused_if_revoked(state: &State, secret: &str) {
    if state.token(secret).is_some_and(|it| it.state == TokenState::Revoked) {
        rotations::reused(state, secret);
    }
}

fn admit(state: &State, peer: &Peer, passage: &mut Passage, headers: &HeaderMap) -> Result<TokenSpec, Reply> {
    if state.faults.is_blocked() {
        return Err(Reply::html(StatusCode::FORBIDDEN, "<html><body><h1>403 Forbidden</h1></body></html>"));
    }
    let token = tokens::authenticate(headers, state);
    if token.is_err() && passage.template() == ROTATE {
        reused_if_revoked(state, &passage.secret);
    }
    let user = token.as_ref().ok().map(|token| token.user_id.to_string());
    let standing = state.limits.count(user.as_deref(), &peer.address.ip().to_string());
    let over = standing.as_ref().is_some_and(Standing::is_over);
    // GitLab shows no limits on a 401.
    passage.standing = standing.filter(|_| over || token.is_ok());
    if over {
        return Err(Reply::text(StatusCode::TOO_MANY_REQUESTS, "Retry later\n"));
    }
    match passage.endpoint == GRAPHQL {
        true => check_graphql(token),
        false => check_rest(state, passage, token?),
    }
}

fn check_graphql(token: Result<TokenSpec, Reply>) -> Result<TokenSpec, Reply> {
    let readable = |token: &TokenSpec| {
        token.kind != TokenKind::Job && token.scopes.iter().any(|scope| scope == "api" || scope == "read_api")
    };
    let refused = || json!({ "errors": [{ "message": "Invalid token" }] });
    token.ok().filter(readable).ok_or_else(|| Reply::json(StatusCode::UNAUTHORIZED, &refused()))
}

fn check_rest(state: &State, passage: &Passage, token: TokenSpec) -> Result<TokenSpec, Reply> {
    let template = passage.template();
    tokens::check_job_token(&token, template)?;
    let reads = matches!(passage.method, Method::GET | Method::HEAD);
    match reads || passage.endpoint == UNKNOWN || template == ROTATE {
        true => tokens::check_scope(&token, template)?,
        false => tokens::check_writing_scope(&token)?,
    }
    let say_when = state.settings.application_limits_say_when;
    state.limits.check_application(template, &token.user_id.to_string(), say_when)?;
    Ok(token)
}

/// The time the answer takes, while its worker is busy.
async fn wait(state: &State, items: usize) {
    let time = state.settings.latency + state.settings.latency_per_item * items as u32;
    state.counters.served(time);
    if time > Duration::ZERO {
        tokio::time::sleep(time).await;
    }
}

async fn finish(state: &State, passage: &Passage, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let mut body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    add_headers(state, passage, &mut parts.headers);
    if passage.method == Method::GET && parts.status == StatusCode::OK {
        let etag = etag(&body);
        if passage.if_none_match.as_ref().is_some_and(|sent| sent.as_bytes() == etag.as_bytes()) {
            parts.status = StatusCode::NOT_MODIFIED;
            body = Bytes::new();
        }
        insert(&mut parts.headers, "etag", &etag);
    }
    count(state, passage, parts.status.as_u16(), body.len());
    Response::from_parts(parts, Body::from(body))
}

fn count(state: &State, passage: &Passage, status: u16, bytes: usize) {
    state.counters.answered(passage.method.as_str(), &passage.endpoint, status, &passage.secret, bytes);
}

/// A weak ETag, 32 hexadecimal digits as GitLab's.
fn etag(body: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    let digest = hasher.finish();
    format!("W/\"{digest:016x}{:016x}\"", mix(digest ^ body.len() as u64))
}

fn add_headers(state: &State, passage: &Passage, headers: &mut HeaderMap) {
    let now = state.world().now;
    let request_id = hex40(9, passage.number)[..32].to_owned();
    insert(headers, "date", &http_date(now));
    insert(headers, "x-gitlab-meta", &format!(r#"{{"correlation_id":"{request_id}","version":"1"}}"#));
    insert(headers, "x-request-id", &request_id);
    insert(headers, "x-runtime", "0.034576");
    insert(headers, "vary", "Origin");
    insert(headers, "x-content-type-options", "nosniff");
    headers.entry("cache-control").or_insert(HeaderValue::from_static("max-age=0, private, must-revalidate"));
    for (name, value) in passage.standing.iter().flat_map(|standing| standing.headers(now)) {
        insert(headers, name, &value);
    }
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

async fn spoil(state: &State, peer: &Peer, passage: Passage, response: Response, fault: Fault) -> Response {
    match fault {
        Fault::Reset => {
            count(state, &passage, 0, 0);
            peer.reset();
            Response::new(Body::from("reset"))
        }
        Fault::Hang => {
            tokio::time::sleep(state.faults.hang()).await;
            finish(state, &passage, response).await
        }
        Fault::CutBody => cut(finish(state, &passage, response).await).await,
        _ => finish(state, &passage, response).await,
    }
}

/// Promises the whole body and ends the connection after half of it.
async fn cut(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len().max(2)));
    let half = body.slice(..body.len() / 2);
    let pieces = stream::unfold(Some(half), async |piece| match piece {
        Some(half) => Some((Ok(half), None)),
        None => {
            // Time for the first half to leave before the connection ends.
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)), None))
        }
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}
