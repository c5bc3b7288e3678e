//! docs/metrics.md: every figure, from the list that they are made from.

use std::fmt::Write;

use telemetry::{FIGURES, Figure, Kind, PROCESS, Source};

const ABOVE: &str = "# Metrics

`weir serve` tells these at `/metrics`, in Prometheus's text format: where it listens, or at an address of its own with `[server]
metrics_listen` (`WEIR_METRICS_LISTEN`). `weir worker` tells its own with `--metrics-listen`, and `/healthz` and `/readyz` beside them.

`/metrics` wants no key: it holds no token, no name of a person, a project or a group, only numbers of connections and credentials,
names of resources and words of Weir. It still tells how busy you are. Where everybody reaches the port (GitLab's webhooks come in
there), give the metrics an address that only your monitoring reaches.

";

const DATABASE: &str = "
## What the database knows

Every `weir serve` tells the same: take the maximum over instances, as in `max by (connection) (weir_connection_lag_seconds)`. Workers leave
them out. The database is asked at most every five seconds, with one statement, however many scrape. While it does not answer,
`weir_database_up` is 0 and these are absent.

";

/// The page.
pub fn page() -> String {
    let mut page = format!("{}\n{ABOVE}", super::MADE);
    page.push_str("## What each process counts\n\nSince it started; sum over instances.\n\n");
    table(&mut page, Source::Process);
    page.push_str(DATABASE);
    table(&mut page, Source::Database);
    page.push_str("\n## The process\n\nOn Linux.\n\n| name | meaning |\n|---|---|\n");
    for (name, help) in PROCESS {
        let _ = writeln!(page, "| `{name}` | {help} |");
    }
    page
}

fn table(page: &mut String, source: Source) {
    page.push_str("| name | kind | labels | meaning |\n|---|---|---|---|\n");
    for Figure { name, kind, labels, help, .. } in FIGURES.iter().filter(|it| it.source == source) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let labels: Vec<String> = labels.iter().map(|it| format!("`{it}`")).collect();
        let _ = writeln!(page, "| `{name}` | {kind} | {} | {help} |", labels.join(", "));
    }
}
