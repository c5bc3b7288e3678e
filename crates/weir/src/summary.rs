//! What is said at the end of a sync.

use std::collections::BTreeMap;

use sync::{Outcome, TableCounts};

use crate::numbers::{bytes, count, counted, seconds};
use crate::table::{Side, table};

/// Skips that are listed one by one; the rest is in `weir status`.
const LISTED: usize = 10;

/// Rows by table, cost and skips.
pub fn summary(outcome: &Outcome) -> String {
    let mut parts = Vec::new();
    if !outcome.resources.is_empty() {
        parts.push(rows(&outcome.resources));
    }
    parts.push(cost(outcome));
    if !outcome.skips.is_empty() {
        parts.push(skips(outcome));
    }
    parts.join("\n\n")
}

fn rows(resources: &BTreeMap<String, TableCounts>) -> String {
    let headings = ["table", "read", "written", "unchanged", "rejected"].map(str::to_owned);
    let sides = [Side::Left, Side::Right, Side::Right, Side::Right, Side::Right];
    let row = |(name, counts): (&String, &TableCounts)| {
        let TableCounts { read, written, unchanged, rejected } = *counts;
        let numbers = [read, written, unchanged, rejected].map(count);
        [name.clone()].into_iter().chain(numbers).collect()
    };
    table(&headings, &sides, &resources.iter().map(row).collect::<Vec<_>>())
}

fn cost(outcome: &Outcome) -> String {
    let waited = match outcome.waited_seconds {
        it if it >= 0.05 => format!(", {} waited because GitLab asked for it", seconds(it)),
        _ => String::new(),
    };
    let requests = counted(outcome.requests, "request");
    let (bytes, time) = (bytes(outcome.bytes), seconds(outcome.duration_seconds));
    format!("{requests}, {bytes}, {time}{waited}.")
}

fn skips(outcome: &Outcome) -> String {
    let number = outcome.skips.len();
    let mut lines = vec![format!("Left out ({}):", count(number as u64))];
    for skip in outcome.skips.iter().take(LISTED) {
        let place = if skip.parent.is_empty() { String::new() } else { format!(" of {}", skip.parent) };
        lines.push(format!("  {}{place}: {} ({})", skip.resource, skip.detail, skip.reason));
    }
    if number > LISTED {
        lines.push(format!("  and {} more: weir status", number - LISTED));
    }
    lines.join("\n")
}
