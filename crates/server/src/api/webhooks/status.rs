//! `webhooks.status`

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use store::{RefusalCount, WebhookCount};
use sync::hooks::{gaps, known_gaps};

use super::{Delay, EventCount, Gitlab, Hook, Refused, ShownGaps, Waiting};
use crate::Shared;
use crate::api::arguments::{Query, optional_number};
use crate::api::caller::Caller;
use crate::api::envelope::Envelope;
use crate::api::{Answer, ApiError, Scope};

/// Hours that are looked at for gaps, unless told otherwise, and at most: deliveries are kept for a week.
const USUAL: i64 = 24;
const MOST: i64 = 168;
/// Hooks of a GitLab that are listed.
const HOOKS: usize = 200;
/// How long it takes to deal with a delivery is told of those of the last hour.
const DELAYS: TimeDelta = TimeDelta::hours(1);

/// How far back is looked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Within {
    /// Hours that are looked at for gaps and refused deliveries: 1 to 168.
    #[serde(default, deserialize_with = "optional_number")]
    #[param(minimum = 1, maximum = 168)]
    hours: Option<i64>,
}

/// How webhooks stand.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WebhooksStatus)]
pub(crate) struct Standing {
    waiting: Waiting,
    /// How long it took to deal with deliveries that were dealt with in the last hour; null where there were none.
    delay: Option<Delay>,
    /// Deliveries of the last seven days, by sender, event and state.
    events: Vec<EventCount>,
    /// Deliveries that were not taken.
    refused: Vec<Refused>,
    /// The GitLabs to which there are connections.
    gitlabs: Vec<Gitlab>,
}

/// Tells how webhooks stand: what came, waits and was refused, the hooks as they were last seen, and what changed without
/// being told of.
///
/// GitLab is not asked: `weir webhooks check` does that. Needs the scope `webhooks:read`.
#[utoipa::path(get, path = "/api/webhooks.status", tag = "webhooks", params(Within), responses((status = 200, body = Standing)))]
pub(crate) async fn status(
    State(app): State<Shared>,
    caller: Caller,
    Query(within): Query<Within>,
) -> Answer<Standing> {
    caller.may(Scope::WebhooksRead)?;
    let hours = within.hours.unwrap_or(USUAL);
    if !(1..=MOST).contains(&hours) {
        return Err(ApiError::argument("hours", format!("it is not between 1 and {MOST}")));
    }
    let now = app.clock.now();
    let counts = app.store.webhook_counts().await?;
    let refused = app.store.refusals(now - TimeDelta::hours(hours)).await?;
    let delay = app.store.webhook_delays(now - DELAYS).await?;
    let (gitlabs, warnings) = gitlabs(&app, &counts, &refused, hours, now).await?;
    let standing = Standing {
        waiting: Waiting::of(&counts, now),
        delay: delay.map(|(median_seconds, p95_seconds)| Delay { median_seconds, p95_seconds }),
        events: counts.into_iter().map(EventCount::from).collect(),
        refused: refused.into_iter().map(Refused::from).collect(),
        gitlabs,
    };
    Ok(Envelope::new(standing).warn(warnings))
}

async fn gitlabs(
    app: &Shared,
    counts: &[WebhookCount],
    refused: &[RefusalCount],
    hours: i64,
    now: DateTime<Utc>,
) -> Result<(Vec<Gitlab>, Vec<String>), ApiError> {
    let (mut all, mut warnings) = (Vec::new(), Vec::new());
    for (instance, base_url) in instances(app).await? {
        let hooks = app.store.webhooks(Some(instance), i64::MAX).await?;
        let found = match gaps(&app.store, instance, hours, now).await {
            Ok(found) => Some(ShownGaps::of(&found, known_gaps(&found, &hooks, refused))),
            Err(error) if error.is_outage() => return Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, instance, "gaps of webhooks could not be looked for");
                warnings.push(format!(
                    "What changed at {base_url} without being told of could not be found out in time."
                ));
                None
            }
        };
        let from = |it: &&WebhookCount| it.sender.as_deref().is_some_and(|it| it.starts_with(&base_url));
        let last_received_at = counts.iter().filter(from).map(|it| it.last_received_at).max();
        let hooks = hooks.into_iter().take(HOOKS).map(Hook::from).collect();
        all.push(Gitlab { base_url, last_received_at, hooks, gaps: found });
    }
    Ok((all, warnings))
}

/// The GitLabs to which there are connections.
async fn instances(app: &Shared) -> Result<BTreeMap<i64, String>, ApiError> {
    let connections = app.store.connections(None, i64::MAX).await?;
    let address =
        |it: store::ConnectionRow| Some((it.instance, it.settings["base_url"].as_str()?.to_owned()));
    Ok(connections.into_iter().filter_map(address).collect())
}
