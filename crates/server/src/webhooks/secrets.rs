//! The secrets that deliveries are checked with, read again when one does not fit: it may have been changed meanwhile.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use store::WebhookSecret;

use super::proof::{Refused, Signed, same};
use super::text;
use crate::Shared;

/// Somebody who guesses does not make Weir ask its database more often than this.
const READ_EVERY: Duration = Duration::from_secs(1);

/// The secrets as they were last read.
#[derive(Default)]
pub(super) struct Secrets(RwLock<Option<Known>>);

#[derive(Clone)]
struct Known {
    secrets: Arc<Vec<WebhookSecret>>,
    read_at: Instant,
}

impl Secrets {
    /// Refuses a delivery whose token is not ours, before its body is read. One that is signed is checked later.
    pub(super) async fn check_token(&self, app: &Shared, headers: &HeaderMap) -> Result<(), Refused> {
        if is_signed(headers) {
            return Ok(());
        }
        let token = text(headers, "x-gitlab-token").ok_or(Refused::Missing)?;
        self.any(app, |it| !it.signing && same(token, &it.secret), Refused::Wrong).await
    }

    /// Refuses a delivery that is signed, but not by who knows the secret, or long ago.
    pub(super) async fn check_signature(
        &self,
        app: &Shared,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), Refused> {
        if !is_signed(headers) {
            return Ok(());
        }
        let header = |name| text(headers, name).ok_or(Refused::BadSignature);
        let signed = Signed {
            id: header("webhook-id")?,
            timestamp: header("webhook-timestamp")?,
            signatures: header("webhook-signature")?,
            body,
        };
        self.any(app, |it| it.signing && signed.fits(&it.secret), Refused::BadSignature).await?;
        if signed.is_recent(app.clock.now().timestamp()) { Ok(()) } else { Err(Refused::Stale) }
    }

    async fn any(
        &self,
        app: &Shared,
        fits: impl Fn(&WebhookSecret) -> bool,
        otherwise: Refused,
    ) -> Result<(), Refused> {
        let now = app.clock.now();
        let live = |it: &&WebhookSecret| it.valid_until.is_none_or(|until| until > now);
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = &known {
            if known.secrets.iter().filter(live).any(&fits) {
                return Ok(());
            }
            if known.read_at.elapsed() < READ_EVERY {
                return Err(otherwise);
            }
        }
        let secrets = app.store.webhook_secrets(&app.ring, now).await.map_err(|error| {
            tracing::error!(%error, "the secrets of webhooks could not be read");
            otherwise
        })?;
        let secrets = Arc::new(secrets);
        let known = Known { secrets: secrets.clone(), read_at: Instant::now() };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        if secrets.iter().filter(live).any(fits) { Ok(()) } else { Err(otherwise) }
    }
}

pub(super) fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key("webhook-signature")
}
