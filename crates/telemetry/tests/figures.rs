//! Every figure is served as it is listed, and nothing else is.

use std::collections::BTreeSet;
use std::time::Duration;

use telemetry::{FIGURES, Kind, PROCESS, Source, Telemetry, Value, named};

/// Something of everything.
fn busy() -> (Telemetry, Vec<Value>) {
    let telemetry = Telemetry::new();
    let second = Duration::from_secs(1);
    telemetry.request("connections.list", 200, second);
    telemetry.delivery("taken");
    telemetry.delivery_kept(second);
    telemetry.deliveries_ended("done", 3);
    std::mem::forget(telemetry.task_runs("sync"));
    telemetry.task_ended(1, "sync", "complete");
    telemetry.task_restarted("no_progress");
    telemetry.rows_written(1, 7);
    telemetry.gitlab_request(1, true, 200);
    telemetry.gitlab_retry(1);
    telemetry.gitlab_waited(1, second);
    telemetry.gitlab_remaining(1, "2", 1999);
    telemetry.gitlab_pause(1, "2", second * 60);
    let moment = |it: &&telemetry::Figure| {
        it.source == Source::Database || it.name == "weir_database_pool_connections"
    };
    let value = |it: &telemetry::Figure| Value {
        figure: it.name,
        labels: it.labels.iter().map(|_| "1".to_owned()).collect(),
        value: 1.0,
    };
    (telemetry, FIGURES.iter().filter(moment).map(value).collect())
}

/// The names and kinds in a text.
fn told(text: &str) -> BTreeSet<(String, String)> {
    let lines = text.lines().filter_map(|it| it.strip_prefix("# TYPE "));
    lines.filter_map(|it| it.split_once(' ')).map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

#[test]
fn what_is_listed_is_what_is_served() {
    let (telemetry, values) = busy();
    let text = telemetry.text(&values);
    let kind = |kind| match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let mut listed: BTreeSet<_> =
        FIGURES.iter().map(|it| (it.name.to_owned(), kind(it.kind).to_owned())).collect();
    if cfg!(target_os = "linux") {
        listed.extend(PROCESS.iter().map(|(name, _)| {
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            ((*name).to_owned(), kind.to_owned())
        }));
    }
    assert_eq!(told(&text), listed);
    assert!(
        text.contains("weir_gitlab_requests_total{connection=\"1\",kind=\"graphql\",status=\"2xx\"} 1\n")
    );
}

#[test]
fn a_value_of_the_moment_that_is_not_told_again_is_forgotten() {
    let (telemetry, values) = busy();
    assert!(telemetry.text(&values).contains("weir_credential_expiry_days{"));
    let text = telemetry.text(&[]);
    assert!(!text.contains("weir_credential_expiry_days{") && text.contains("weir_rows_written_total{"));
}

#[test]
fn names_follow_the_customs_of_prometheus() {
    for figure in FIGURES {
        assert!(figure.name.starts_with("weir_"), "{}", figure.name);
        assert_eq!(figure.kind == Kind::Counter, figure.name.ends_with("_total"), "{}", figure.name);
        assert!(!figure.help.contains('|'), "{}: it becomes a table", figure.name);
        assert_eq!(named(figure.name), Some(figure), "{} stands there once", figure.name);
    }
}

#[test]
fn the_alerts_in_the_guide_name_figures_that_exist() {
    let guide =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/production.md")).unwrap();
    let words = guide.split(|it: char| !(it.is_ascii_lowercase() || it == '_'));
    let told: BTreeSet<&str> = words.filter(|it| it.starts_with("weir_") && *it != "weir_reader").collect();
    assert!(told.len() > 5, "{told:?}");
    for name in told {
        assert!(named(name).is_some(), "{name} is no figure");
    }
}
