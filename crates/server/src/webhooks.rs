//! `POST /webhooks/gitlab`: a delivery is checked, kept, and answered once it is on disk. What it names is read later.

mod memory;
mod proof;
mod refusals;
mod secrets;
mod writer;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use catalogue::events::Event;
use sha2::{Digest, Sha256};
use store::Delivery;

use crate::Shared;
use memory::Memory;
use proof::Refused;
use refusals::Refusals;
use secrets::Secrets;
use writer::Writer;

/// GitLab sends no larger ones.
const LARGEST: usize = 25 * 1024 * 1024;

/// What kinds of events are called is counted by: GitLab's names are shorter.
const LONGEST_KIND: usize = 100;

/// What receiving needs.
struct Receiver {
    app: Shared,
    secrets: Secrets,
    writer: Writer,
    refusals: Refusals,
    memory: Memory,
}

/// Why a delivery is not taken.
enum Rejection {
    Refused(Refused),
    TooLarge,
    TooSlow,
    Malformed(String),
    Later,
}

pub(crate) fn routes(app: &Shared) -> Router<Shared> {
    let receiver = Arc::new(Receiver {
        app: app.clone(),
        secrets: Secrets::default(),
        writer: Writer::start(app.store.clone(), app.arrived.clone()),
        refusals: Refusals::start(app.store.clone(), app.clock.clone()),
        memory: Memory::default(),
    });
    Router::new().route("/webhooks/gitlab", post(receive).with_state(receiver))
}

/// Takes a delivery in, and counts how that went.
async fn receive(State(receiver): State<Arc<Receiver>>, request: Request) -> Result<StatusCode, Rejection> {
    let (parts, body) = request.into_parts();
    let answer = take(&receiver, &parts.headers, body).await;
    let reason = answer.as_ref().err().map(|it| it.reason(&parts.headers));
    receiver.app.telemetry.delivery(reason.unwrap_or(match answer {
        Ok(false) => "duplicate",
        _ => "taken",
    }));
    if let Some(reason) = reason {
        receiver.refusals.count(reason);
    }
    answer.map(|_| StatusCode::OK)
}

/// Gives whether the delivery is new.
async fn take(receiver: &Receiver, headers: &HeaderMap, body: Body) -> Result<bool, Rejection> {
    receiver.secrets.check_token(&receiver.app, headers).await?;
    let proven = !secrets::is_signed(headers);
    let told = text(headers, header::CONTENT_LENGTH.as_str()).and_then(|it| it.parse().ok());
    let (body, _memory) = receiver.memory.read(body, told, proven).await?;
    receiver.secrets.check_signature(&receiver.app, headers, &body).await?;
    let body = String::from_utf8(body).map_err(|_| Rejection::Malformed("it is not UTF-8".to_owned()))?;
    let event = Event::read(&body).map_err(|it| Rejection::Malformed(it.to_string()))?;
    let delivery = Delivery {
        key: key(headers, &body),
        // PostgreSQL keeps no text with U+0000 in it.
        sender: text(headers, "x-gitlab-instance")
            .map(str::to_owned)
            .or(event.web_url)
            .map(|it| it.replace('\u{0}', "")),
        event: event.kind.chars().take(LONGEST_KIND).collect(),
        body,
        received_at: receiver.app.clock.now(),
    };
    let began = Instant::now();
    let new = receiver.writer.keep(delivery).await.map_err(|()| Rejection::Later)?;
    receiver.app.telemetry.delivery_kept(began.elapsed());
    Ok(new)
}

/// What tells a delivery from others: GitLab's own key, else its two random ids, else all of it.
fn key(headers: &HeaderMap, body: &str) -> Vec<u8> {
    let named = text(headers, "webhook-id").or_else(|| text(headers, "idempotency-key"));
    let both = || Some((text(headers, "x-gitlab-event-uuid")?, text(headers, "x-gitlab-webhook-uuid")?));
    let digest = match (named, both()) {
        (Some(key), _) => Sha256::digest(format!("key {key}")),
        (None, Some((event, webhook))) => Sha256::digest(format!("ids {event} {webhook}")),
        (None, None) => Sha256::digest(format!("body {body}")),
    };
    digest[..16].to_vec()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|it| it.to_str().ok()).filter(|it| !it.is_empty())
}

impl Rejection {
    /// What it is counted as. Whoever does not even pretend to be GitLab is told apart: the Internet is full of them.
    fn reason(&self, headers: &HeaderMap) -> &'static str {
        match self {
            Rejection::Refused(_) if !headers.contains_key("x-gitlab-event") => "stranger",
            Rejection::Refused(Refused::Missing) => "no_secret",
            Rejection::Refused(Refused::Wrong) => "wrong_secret",
            Rejection::Refused(Refused::BadSignature) => "wrong_signature",
            Rejection::Refused(Refused::Stale) => "stale_signature",
            Rejection::TooLarge => "too_large",
            Rejection::TooSlow => "too_slow",
            Rejection::Malformed(_) => "malformed",
            Rejection::Later => "database",
        }
    }
}

impl From<Refused> for Rejection {
    fn from(refused: Refused) -> Rejection {
        Rejection::Refused(refused)
    }
}

/// GitLab shows the answer to whoever looks at the webhook's recent deliveries.
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Rejection::Refused(refused) => (StatusCode::UNAUTHORIZED, refused.message()).into_response(),
            Rejection::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "The payload is larger than 25 MB.\n").into_response()
            }
            Rejection::TooSlow => {
                (StatusCode::REQUEST_TIMEOUT, "The payload came too slowly.\n").into_response()
            }
            Rejection::Malformed(why) => {
                (StatusCode::BAD_REQUEST, format!("The payload cannot be read: {why}.\n")).into_response()
            }
            Rejection::Later => {
                (StatusCode::SERVICE_UNAVAILABLE, "Weir cannot keep this at the moment.\n").into_response()
            }
        }
    }
}
