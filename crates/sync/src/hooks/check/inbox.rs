//! What Weir itself knows of deliveries: those it did not take, those that wait, and those it could not use.

use chrono::{DateTime, TimeDelta, Utc};
use gitlab_client::BaseUrl;
use store::{RefusalCount, Store, StoreError, WebhookCount};

use super::Report;

/// A delivery that waits longer than this waits for somebody.
const LATE: TimeDelta = TimeDelta::minutes(5);

/// A delivery that was refused longer ago than this belongs to the past.
const LATELY: TimeDelta = TimeDelta::hours(1);

/// Adds what is wrong with the way from GitLab to the inbox, and from there on.
pub(super) async fn judge(
    store: &Store,
    report: &mut Report,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for refusal in refusals(store, since).await? {
        // What was mended since is no trouble any more.
        let place = if now - refusal.last_at < LATELY { &mut report.problems } else { &mut report.notes };
        place.push(refused(&refusal));
    }
    if let Some(oldest) = store.oldest_waiting_delivery().await?.filter(|it| now - *it > LATE) {
        let oldest = oldest.format("%Y-%m-%d %H:%M UTC");
        report
            .problems
            .push(format!("Deliveries wait since {oldest}. Is weir serve or weir worker running?"));
    }
    let counts = store.webhook_counts().await?;
    let failed: i64 = counts
        .iter()
        .filter(|it| it.state == "failed" && it.last_received_at >= since)
        .map(|it| it.count)
        .sum();
    if failed > 0 {
        report.problems.push(format!(
            "What {failed} deliveries named could not be read, after several attempts; weir.inbox.note says why. Syncs make up for it."
        ));
    }
    strangers(store, report, &counts).await
}

/// What was not taken, but for what did not even pretend to come from a GitLab.
pub(super) async fn refusals(store: &Store, since: DateTime<Utc>) -> Result<Vec<RefusalCount>, StoreError> {
    let mut all = store.refusals(since).await?;
    all.retain(|it| it.reason != "stranger");
    Ok(all)
}

fn refused(refusal: &RefusalCount) -> String {
    let why = match refusal.reason.as_str() {
        "no_secret" => "they had no secret token. weir webhooks install gives hooks Weir's",
        "wrong_secret" => "their secret token is not Weir's. weir webhooks install gives hooks Weir's",
        "wrong_signature" => {
            "their signature was made with another signing token. weir webhooks install gives hooks Weir's"
        }
        "stale_signature" => {
            "their signature was more than five minutes old. Check the clocks of GitLab and of Weir"
        }
        "too_large" => "they were larger than 25 MB",
        "too_slow" => "their payloads came too slowly. Look at what is between GitLab and Weir",
        "malformed" => "they were no events of GitLab",
        _ => "the database did not take them",
    };
    let last = refusal.last_at.format("%Y-%m-%d %H:%M UTC");
    format!("Weir did not take {} deliveries: {why}. The last came at {last}.", refusal.count)
}

/// Deliveries of a GitLab to which there is no connection.
async fn strangers(store: &Store, report: &mut Report, counts: &[WebhookCount]) -> Result<(), StoreError> {
    let connections = store.connections(None, i64::MAX).await?;
    let bases: Vec<BaseUrl> = connections
        .iter()
        .filter_map(|it| it.settings["base_url"].as_str().and_then(|it| BaseUrl::parse(it).ok()))
        .collect();
    if bases.is_empty() {
        report.problems.push(
            "There is no connection, so that nobody looks at what webhooks name. Make one with connections.create.".to_owned(),
        );
        return Ok(());
    }
    let is_of = |sender: &str, base: &str| sender == base || sender.starts_with(&format!("{base}/"));
    let known = |sender: &str| bases.iter().any(|it| is_of(sender, it.as_str()));
    let mut strangers: Vec<(&str, i64)> = Vec::new();
    for count in counts.iter().filter(|it| it.state == "unknown") {
        let Some(sender) = count.sender.as_deref().filter(|it| !known(it)) else { continue };
        match strangers.iter_mut().find(|it| it.0 == sender) {
            Some(it) => it.1 += count.count,
            None => strangers.push((sender, count.count)),
        }
    }
    for (sender, count) in strangers.into_iter().take(5) {
        report.notes.push(format!(
            "{count} deliveries say that they come from {sender}, to which there is no connection."
        ));
    }
    Ok(())
}
