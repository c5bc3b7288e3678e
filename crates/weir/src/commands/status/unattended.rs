//! What is imported unattended, and what of it needs somebody.

use chrono::{DateTime, Utc};
use store::{ConnectionFigures, Figures, InboxFigures};

use crate::moments::show;
use crate::numbers::duration;
use crate::table::{Side, table};

/// Tokens that die within so many days are told.
const SOON: i64 = 30;

/// Connections in a line each, then what needs somebody.
pub(super) fn unattended(figures: &Figures, now: DateTime<Utc>) -> String {
    let mut parts = vec![connections(figures, now)];
    let troubles: Vec<String> = figures.connections.iter().flat_map(|it| troubles(it, now)).collect();
    if !troubles.is_empty() {
        parts.push(troubles.join("\n"));
    }
    parts.extend(inbox(&figures.inbox, now));
    parts.join("\n\n")
}

fn connections(figures: &Figures, now: DateTime<Utc>) -> String {
    let headings =
        ["connection", "type", "name", "state", "last synced", "lag", "furthest behind", "credentials"];
    use Side::{Left, Right};
    let sides = [Right, Left, Left, Left, Left, Right, Left, Right];
    let rows: Vec<Vec<String>> = figures.connections.iter().map(|it| connection(it, now)).collect();
    table(&headings.map(str::to_owned), &sides, &rows)
}

fn connection(it: &ConnectionFigures, now: DateTime<Utc>) -> Vec<String> {
    let working = it.credentials.iter().filter(|it| it.disabled_at.is_none()).count();
    let furthest = it.resources.iter().min_by_key(|it| it.last_synced_at);
    let furthest = furthest.map(|it| format!("{} ({})", it.resource, ago(now, it.last_synced_at)));
    vec![
        it.id.to_string(),
        it.r#type.clone(),
        it.name.clone(),
        state(it),
        it.last_synced_at.map_or_else(|| "never".to_owned(), show),
        it.last_synced_at.map(|at| ago(now, at)).unwrap_or_default(),
        furthest.unwrap_or_default(),
        format!("{working} of {}", it.credentials.len()),
    ]
}

/// What is to be known of a connection first.
fn state(it: &ConnectionFigures) -> String {
    let any = |is: &dyn Fn(&store::TaskFigures) -> bool| it.tasks.iter().any(is);
    let state = match it.state.as_str() {
        "working" if any(&|it| it.stuck) => "stuck",
        "working" if any(&|it| it.failures > 0) => "failing",
        "working" if any(&|it| it.running) => "running",
        other => other,
    };
    state.to_owned()
}

fn troubles(connection: &ConnectionFigures, now: DateTime<Utc>) -> Vec<String> {
    let id = connection.id;
    let mut all = Vec::new();
    if let Some(reason) = connection.disabled_reason.as_ref().filter(|_| connection.state == "disabled") {
        all.push(format!("Connection {id} cannot work: {reason}"));
    }
    for task in &connection.tasks {
        let message = task.message.as_deref().unwrap_or("no reason is known");
        if task.stuck {
            all.push(format!(
                "Connection {id}, {}: stuck; its worker is gone or gets nowhere.",
                task.activity
            ));
        } else if task.failures > 0 {
            let since = task.failing_since.map_or_else(String::new, |it| format!(" since {}", show(it)));
            let (times, next) = (task.failures, show(task.due_at));
            all.push(format!(
                "Connection {id}, {}: failed {times} times{since}, next try {next}: {message}",
                task.activity
            ));
        }
    }
    for credential in &connection.credentials {
        let name = format!("Connection {id}, credential {} ({})", credential.id, credential.label);
        if credential.disabled_at.is_some() {
            let reason = credential.disabled_reason.as_deref().unwrap_or("GitLab refuses it.");
            all.push(format!("{name}: {reason}"));
        } else if let Some(day) = credential.expiration_date {
            match (day - now.date_naive()).num_days() {
                ..=0 => all.push(format!("{name}: expired on {day}.")),
                days if days <= SOON => all.push(format!("{name}: expires on {day}, in {days} days.")),
                _ => {}
            }
        }
    }
    all
}

fn inbox(inbox: &InboxFigures, now: DateTime<Utc>) -> Option<String> {
    let oldest = inbox.oldest_at.map(|it| ago(now, it))?;
    Some(format!("{} webhook deliveries wait, the oldest for {oldest}.", inbox.waiting))
}

fn ago(now: DateTime<Utc>, at: DateTime<Utc>) -> String {
    duration((now - at).to_std().unwrap_or_default())
}
