//! `extractors.wait`

use std::time::Duration;

use axum::extract::State;
use serde::Serialize;
use tokio::time::Instant;

use super::process::Process;
use crate::Shared;
use crate::api::Answer;
use crate::api::envelope::Envelope;

/// How long an answer may take: less than a server that is stopped waits for requests in hand.
const AT_MOST: Duration = Duration::from_secs(8);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// Whether there is something to do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ExtractorWaited)]
pub(crate) struct Waited {
    /// Whether a task is due, or a webhook delivery is to be looked at.
    work: bool,
}

/// Answers when there is something to do for an extractor, or after some seconds. Of use to `weir extract` alone.
///
/// Needs the scope `extractors:run`.
#[utoipa::path(post, path = "/api/extractors.wait", tag = "extractors",
    params(("weir-session" = String, Header, description = "The word that the process connected with."),
           ("weir-protocol" = String, Header, description = "As told by extractors.connect.")),
    responses((status = 200, body = Waited)))]
pub(crate) async fn wait(State(app): State<Shared>, process: Process) -> Answer<Waited> {
    let until = Instant::now() + AT_MOST;
    loop {
        let work = app.store.extractor_has_work(&process.0, app.clock.now()).await?;
        if work || Instant::now() >= until {
            return Ok(Envelope::new(Waited { work }));
        }
        tokio::time::sleep(LOOK).await;
    }
}
