//! `POST /webhooks/gitlab`: a delivery is checked, kept, and answered once it is on disk. What it names is read later.

mod proof;
mod refusals;
mod secrets;
mod writer;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use catalogue::events::Event;
use sha2::{Digest, Sha256};
use store::Delivery;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Shared;
use proof::Refused;
use refusals::Refusals;
use secrets::Secrets;
use writer::Writer;

/// GitLab sends no larger ones.
const LARGEST: usize = 25 * 1024 * 1024;
/// Bodies that are in memory at once, in KiB: more wait for their turn before they are read.
const IN_MEMORY: usize = 64 * 1024;

/// What receiving needs.
struct Receiver {
    app: Shared,
    secrets: Secrets,
    writer: Writer,
    refusals: Refusals,
    memory: Semaphore,
}

/// Why a delivery is not taken.
enum Rejection {
    Refused(Refused),
    TooLarge,
    Malformed(String),
    Later,
}

pub(crate) fn routes(app: &Shared) -> Router<Shared> {
    let receiver = Arc::new(Receiver {
        app: app.clone(),
        secrets: Secrets::default(),
        writer: Writer::start(app.store.clone(), app.arrived.clone()),
        refusals: Refusals::start(app.store.clone(), app.clock.clone()),
        memory: Semaphore::new(IN_MEMORY),
    });
    Router::new().route("/webhooks/gitlab", post(receive).with_state(receiver))
}

async fn receive(State(receiver): State<Arc<Receiver>>, request: Request) -> Result<StatusCode, Rejection> {
    let (parts, body) = request.into_parts();
    let taken = take(&receiver, &parts.headers, body).await;
    if let Err(rejection) = &taken {
        receiver.refusals.count(rejection.reason(&parts.headers));
    }
    taken
}

async fn take(receiver: &Receiver, headers: &HeaderMap, body: Body) -> Result<StatusCode, Rejection> {
    receiver.secrets.check_token(&receiver.app, headers).await?;
    let (body, _memory) = receiver.read(headers, body).await?;
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
        event: event.kind,
        body,
        received_at: receiver.app.clock.now(),
    };
    receiver.writer.keep(delivery).await.map_err(|()| Rejection::Later)?;
    Ok(StatusCode::OK)
}

impl Receiver {
    /// Reads a body once there is room for it.
    async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(Vec<u8>, SemaphorePermit<'_>), Rejection> {
        let told = text(headers, header::CONTENT_LENGTH.as_str()).and_then(|it| it.parse::<usize>().ok());
        let size = told.unwrap_or(LARGEST);
        if size > LARGEST {
            return Err(Rejection::TooLarge);
        }
        let room = u32::try_from(size / 1024 + 1).unwrap_or(u32::MAX);
        let memory = self.memory.acquire_many(room).await.map_err(|_| Rejection::Later)?;
        let bytes = to_bytes(body, LARGEST).await.map_err(|it| {
            let too_large =
                std::error::Error::source(&it).is_some_and(|it| it.to_string().contains("length limit"));
            if too_large {
                Rejection::TooLarge
            } else {
                Rejection::Malformed("it ended too early".to_owned())
            }
        })?;
        Ok((bytes.into(), memory))
    }
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
            Rejection::Malformed(why) => {
                (StatusCode::BAD_REQUEST, format!("The payload cannot be read: {why}.\n")).into_response()
            }
            Rejection::Later => {
                (StatusCode::SERVICE_UNAVAILABLE, "Weir's database does not answer at the moment.\n")
                    .into_response()
            }
        }
    }
}
