//! What goes away in the middle of a run and comes back: a database that is restarted, a GitLab that is upgraded.

use std::time::{Duration, Instant};

use gitlab_client::Client;
use store::Handle;

use crate::capabilities;
use crate::engine::{Options, Stop};
use crate::policy::{Decision, decide};

/// Between two looks at the database.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two looks at GitLab, at most.
const LONGEST: Duration = Duration::from_secs(60);
/// How long one look at the database may take.
const LOOK: Duration = Duration::from_secs(5);

/// Waits until the database answers again. False when it does not in time, or somebody asks to stop.
pub(crate) async fn database_is_back(store: &Handle, options: &Options, stop: &Stop) -> bool {
    let until = Instant::now() + options.database_patience;
    while Instant::now() < until && !stop.asked() {
        tokio::time::sleep(PAUSE).await;
        if let Ok(Ok(_)) = tokio::time::timeout(LOOK, store.server_version()).await {
            return true;
        }
    }
    false
}

/// Whether GitLab answers nothing at all, not only this or that. Who asks to stop is not kept waiting for the answer.
pub(crate) async fn gitlab_is_away(client: &Client, stop: &Stop) -> bool {
    tokio::select! {
        answer = capabilities::version(client) => answer.is_err_and(|error| decide(&error) == Decision::Later),
        () = stop.overdue() => true,
    }
}

/// Waits until GitLab answers again, asking less and less often. False when it does not in time, or somebody asks to stop.
pub(crate) async fn gitlab_is_back(client: &Client, options: &Options, stop: &Stop) -> bool {
    let until = Instant::now() + options.patience;
    let mut pause = PAUSE;
    while Instant::now() < until && !stop.asked() {
        sleep(pause, stop).await;
        if !gitlab_is_away(client, stop).await {
            return true;
        }
        pause = (pause * 2).min(LONGEST);
    }
    false
}

/// Sleeps, but not on when somebody asks to stop.
async fn sleep(time: Duration, stop: &Stop) {
    let until = Instant::now() + time;
    while Instant::now() < until && !stop.asked() {
        tokio::time::sleep(PAUSE.min(until - Instant::now())).await;
    }
}
