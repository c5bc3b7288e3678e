//! Every figure there is.

use Kind::{Counter, Gauge, Histogram};
use Source::{Database, Process};

/// A figure as it is documented and served.
#[derive(Debug, PartialEq)]
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// What is done with it.
    pub kind: Kind,
    /// What it is told apart by.
    pub labels: &'static [&'static str],
    /// Who knows it.
    pub source: Source,
    /// What it means.
    pub help: &'static str,
}

/// What is done with a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until the process ends.
    Counter,
    /// It is what it is at the moment.
    Gauge,
    /// Seconds, counted by how many there were.
    Histogram,
}

/// Who knows a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Each process its own.
    Process,
    /// The database: every `weir serve` tells the same.
    Database,
}

const fn figure(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    source: Source,
    help: &'static str,
) -> Figure {
    Figure { name, kind, labels, source, help }
}

/// The figure of that name.
pub fn named(name: &str) -> Option<&'static Figure> {
    FIGURES.iter().find(|it| it.name == name)
}

/// What `prometheus` itself tells of a process, on Linux.
pub const PROCESS: &[(&str, &str)] = &[
    ("process_cpu_seconds_total", "Processor time, user and system."),
    ("process_max_fds", "Files it may have open."),
    ("process_open_fds", "Files it has open."),
    ("process_resident_memory_bytes", "Memory it holds."),
    ("process_start_time_seconds", "When it started, as a time of Unix."),
    ("process_threads", "Threads it has."),
    ("process_virtual_memory_bytes", "Memory it has mapped."),
];

/// Every figure of ours.
#[rustfmt::skip]
pub const FIGURES: &[Figure] = &[
    figure("weir_build_info", Gauge, &["version"], Process, "Always 1; the label is the version."),
    figure("weir_uptime_seconds", Gauge, &[], Process, "How long the process runs."),
    figure("weir_api_requests_total", Counter, &["method", "status"], Process, "Requests answered, by method of the API (`connections.list`; `healthz`, `webhooks`, `unknown`) and HTTP status."),
    figure("weir_api_request_duration_seconds", Histogram, &["method"], Process, "From the head of a request to the head of its answer."),
    figure("weir_webhook_deliveries_total", Counter, &["outcome"], Process, "Webhook deliveries: `taken`, `duplicate`, or why they were refused: `no_secret`, `wrong_secret`, `wrong_signature`, `stale_signature`, `too_large`, `too_slow`, `malformed`, `database` (it was not kept), or `stranger`: without a secret and not from a GitLab."),
    figure("weir_webhook_insert_duration_seconds", Histogram, &[], Process, "From a delivery that was read and checked to the moment when it is on disk."),
    figure("weir_webhook_deliveries_ended_total", Counter, &["outcome"], Process, "Deliveries dealt with: `done`, `unknown` (nothing that Weir reads), `failed` (given up), `put_off` (to be tried again)."),
    figure("weir_inbox_waiting", Gauge, &[], Database, "Deliveries that wait to be dealt with; counted up to 100,000."),
    figure("weir_inbox_oldest_seconds", Gauge, &[], Database, "How long the one of them that is next has waited since it came; 0 without any."),
    figure("weir_connections", Gauge, &["state"], Database, "Connections: `working`, `paused`, `disabled`."),
    figure("weir_connection_info", Gauge, &["connection", "type"], Database, "Always 1; tells the type of a connection."),
    figure("weir_connection_last_success_timestamp_seconds", Gauge, &["connection"], Database, "When the last complete sync of a connection began, as a time of Unix. Absent before the first."),
    figure("weir_connection_lag_seconds", Gauge, &["connection"], Database, "How long ago that was; before the first, how long ago the connection was made."),
    figure("weir_resource_lag_seconds", Gauge, &["connection", "resource"], Database, "How long ago everything of a resource was last known to be up to date."),
    figure("weir_tasks", Gauge, &["connection", "state"], Database, "Tasks of a connection: `due`, `scheduled`, `running`, `stuck`, `failing` (the last attempt failed; due or scheduled too)."),
    figure("weir_task_failures", Gauge, &["connection", "activity"], Database, "How often in a row a task has failed."),
    figure("weir_tasks_ended_total", Counter, &["connection", "activity", "outcome"], Process, "Tasks that ended in this process: `complete`, `stopped`, `failed`."),
    figure("weir_tasks_restarted_total", Counter, &["reason"], Process, "Tasks started again because they were stuck: `no_progress`, or `silent` (their worker was gone)."),
    figure("weir_tasks_running_here", Gauge, &["activity"], Process, "Tasks that run in this process; `help` is work on a sync that another process leads."),
    figure("weir_credentials", Gauge, &["connection", "state"], Database, "Credentials of a connection: `working`, `disabled`, `expired`."),
    figure("weir_credential_expiry_days", Gauge, &["connection", "credential"], Database, "Days until a token dies, where that is known."),
    figure("weir_gitlab_requests_total", Counter, &["connection", "kind", "status"], Process, "Requests to GitLab: `rest` or `graphql`, by `2xx`, `304`, `4xx`, `429`, `5xx`, other classes, or `none` where no answer came."),
    figure("weir_gitlab_retries_total", Counter, &["connection"], Process, "Requests that were sent again after a failure."),
    figure("weir_gitlab_waited_seconds_total", Counter, &["connection"], Process, "Time that requests waited for GitLab's limits, summed over all of them."),
    figure("weir_gitlab_rate_limit_remaining", Gauge, &["connection", "credential"], Process, "Requests left in the current window, as GitLab last told."),
    figure("weir_gitlab_rate_limit_waiting_seconds", Gauge, &["connection", "credential"], Process, "How long a credential still has to wait, because GitLab asked for it."),
    figure("weir_rows_written_total", Counter, &["connection"], Process, "Rows that syncs changed in the tables."),
    figure("weir_clock_offset_seconds", Gauge, &[], Database, "By how much the clock of the process that tells this is ahead of the database's; negative where it is behind. Beyond some seconds one of them is wrong."),
    figure("weir_encryption_key_since_timestamp_seconds", Gauge, &["key"], Database, "Since when secrets are sealed with the key of this digest, as a time of Unix."),
    figure("weir_encrypted_secrets", Gauge, &[], Database, "Tokens and webhook secrets that are sealed with it."),
    figure("weir_extractor_silent_seconds", Gauge, &["extractor"], Database, "How long ago an extractor was last heard, to ten seconds."),
    figure("weir_database_up", Gauge, &[], Database, "1 where the database answered when it was last asked for these figures."),
    figure("weir_database_pool_connections", Gauge, &["state"], Process, "Connections of this process to the database: `used`, `idle`, and `most` it may open."),
];
