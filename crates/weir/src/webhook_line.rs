//! How webhooks stand, in a line of `weir status`.

use chrono::{DateTime, Utc};
use store::{Store, StoreError, WebhookCount};

use crate::moments::show;
use crate::numbers::counted;

/// How webhooks stand; none where none ever came and no hook is known.
pub async fn line(store: &Store) -> Result<Option<String>, StoreError> {
    let counts = store.webhook_counts().await?;
    let hooks = store.webhooks(None, i64::MAX).await?;
    if counts.is_empty() && hooks.is_empty() {
        return Ok(None);
    }
    let wrong = hooks.iter().filter(|it| !it.problems.is_empty()).count();
    Ok(Some(text(&counts, hooks.len(), wrong)))
}

fn text(counts: &[WebhookCount], hooks: usize, wrong: usize) -> String {
    let of = |state: &str| -> i64 { counts.iter().filter(|it| it.state == state).map(|it| it.count).sum() };
    let last: Option<DateTime<Utc>> = counts.iter().map(|it| it.last_received_at).max();
    let mut parts = vec![match last {
        Some(last) => format!("last delivery {}", show(last)),
        None => "no delivery in seven days".to_owned(),
    }];
    let (due, failed) = (of("due"), of("failed"));
    if due > 0 {
        parts.push(format!("{due} waiting"));
    }
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    parts.push(match (hooks, wrong) {
        (0, _) => "no hook is known (weir webhooks check)".to_owned(),
        (_, 0) => counted(hooks as u64, "hook"),
        _ => format!("{}, {wrong} with problems (weir webhooks check)", counted(hooks as u64, "hook")),
    });
    format!("Webhooks: {}.", parts.join(", "))
}
