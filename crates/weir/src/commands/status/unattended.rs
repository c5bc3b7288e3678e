//! What is imported unattended, and what of it needs somebody.

use chrono::{DateTime, TimeDelta, Utc};
use store::{ConnectionFigures, EncryptionFigures, ExtractorFigures, Figures, InboxFigures};

use crate::moments::show;
use crate::numbers::{counted, duration};
use crate::table::{Side, table};

/// Tokens that die within so many days are told.
const SOON: i64 = 30;
/// Clocks that differ by less agree.
const CLOCKS_AGREE: TimeDelta = TimeDelta::seconds(10);

/// Connections in a line each, then what needs somebody.
pub(super) fn unattended(figures: &Figures, now: DateTime<Utc>) -> String {
    let mut parts = vec![connections(figures, now)];
    let troubles: Vec<String> = figures.connections.iter().flat_map(|it| troubles(it, now)).collect();
    if !troubles.is_empty() {
        parts.push(troubles.join("\n"));
    }
    parts.extend(extractors(&figures.extractors, now));
    parts.extend(inbox(&figures.inbox, now));
    parts.extend(figures.encryption.as_ref().map(encryption));
    parts.extend(clock(figures, now));
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

fn extractors(all: &[ExtractorFigures], now: DateTime<Utc>) -> Option<String> {
    let headings = ["extractor", "name", "GitLab", "version", "last heard", "connections"].map(str::to_owned);
    let numbers =
        |it: &ExtractorFigures| it.connections.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let row = |it: &ExtractorFigures| {
        let heard = it.heard_at.map_or_else(|| "never".to_owned(), |at| format!("{} ago", ago(now, at)));
        let version = it.version.clone().unwrap_or_default();
        vec![it.id.to_string(), it.name.clone(), it.base_url.clone(), version, heard, numbers(it)]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    (!rows.is_empty()).then(|| table(&headings, &[Side::Left; 6], &rows))
}

fn encryption(it: &EncryptionFigures) -> String {
    let secrets = counted(it.secrets.unsigned_abs(), "secret");
    format!("{secrets} sealed with the key {} since {}.", it.key, show(it.since))
}

/// Leases, signatures and days of tokens go by clocks: two that differ make them wrong.
fn clock(figures: &Figures, now: DateTime<Utc>) -> Option<String> {
    let ahead = now - figures.now;
    if ahead.abs() < CLOCKS_AGREE {
        return None;
    }
    let by = duration(ahead.abs().to_std().unwrap_or_default());
    let side = if ahead > TimeDelta::zero() { "ahead of" } else { "behind" };
    Some(format!(
        "This machine's clock is {by} {side} the database's. Set the wrong one right: use NTP on both."
    ))
}

fn inbox(inbox: &InboxFigures, now: DateTime<Utc>) -> Option<String> {
    let oldest = inbox.oldest_at.map(|it| ago(now, it))?;
    Some(format!("{} webhook deliveries wait, the oldest for {oldest}.", inbox.waiting))
}

fn ago(now: DateTime<Utc>, at: DateTime<Utc>) -> String {
    duration((now - at).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_is_told_with_the_direction() {
        let now = DateTime::UNIX_EPOCH;
        let told = |seconds| clock(&Figures { now, ..Figures::default() }, now + TimeDelta::seconds(seconds));
        assert_eq!(told(3), None);
        assert!(told(7_200).is_some_and(|it| it.contains("2 h 0 min ahead of the database's")));
        assert!(told(-60).is_some_and(|it| it.contains("1 min") && it.contains("behind the database's")));
    }
}
