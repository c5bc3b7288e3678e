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
    parts.extend(rows(&outcome.resources));
    parts.push(cost(outcome));
    if !outcome.skips.is_empty() {
        parts.push(skips(outcome));
    }
    parts.join("\n\n")
}

/// The tables in which there is something to tell; `--json` has them all.
fn rows(resources: &BTreeMap<String, TableCounts>) -> Option<String> {
    let headings = ["table", "read", "written", "unchanged", "rejected"].map(str::to_owned);
    let sides = [Side::Left, Side::Right, Side::Right, Side::Right, Side::Right];
    let row = |(name, counts): (&String, &TableCounts)| {
        let TableCounts { read, written, unchanged, rejected } = *counts;
        let numbers = [read, written, unchanged, rejected].map(count);
        [name.clone()].into_iter().chain(numbers).collect()
    };
    let told = resources.iter().filter(|(_, counts)| **counts != TableCounts::default());
    let rows: Vec<_> = told.map(row).collect();
    (!rows.is_empty()).then(|| table(&headings, &sides, &rows))
}

fn cost(outcome: &Outcome) -> String {
    let waited = match outcome.waited_seconds {
        it if it >= 0.05 => format!(", {} waited because GitLab asked for it", seconds(it)),
        _ => String::new(),
    };
    let unchanged = match outcome.not_modified {
        0 => String::new(),
        it => format!(" ({} answered \"not modified\")", count(it)),
    };
    let requests = counted(outcome.requests, "request") + &unchanged;
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

#[cfg(test)]
mod tests {
    use super::{BTreeMap, Outcome, TableCounts, cost, rows};

    #[test]
    fn tables_in_which_there_is_nothing_to_tell_are_left_out() {
        let read = TableCounts { read: 7, unchanged: 7, ..TableCounts::default() };
        let tables = [("gitlab_labels", read), ("gitlab_jobs", TableCounts::default())];
        let tables: BTreeMap<String, TableCounts> =
            tables.map(|(name, counts)| (name.to_owned(), counts)).into();
        let said = rows(&tables).unwrap_or_default();
        assert!(said.contains("gitlab_labels") && !said.contains("gitlab_jobs"), "{said}");
    }

    #[test]
    fn answers_that_said_nothing_changed_are_told() {
        let said = |not_modified| cost(&Outcome { requests: 21, not_modified, ..Outcome::default() });
        assert!(said(7).starts_with("21 requests (7 answered \"not modified\"), "), "{}", said(7));
        assert!(said(0).starts_with("21 requests, "), "{}", said(0));
    }

    #[test]
    fn without_anything_to_tell_there_is_no_table() {
        let nothing = BTreeMap::from([("gitlab_jobs".to_owned(), TableCounts::default())]);
        assert_eq!((rows(&nothing), rows(&BTreeMap::new())), (None, None));
    }
}
