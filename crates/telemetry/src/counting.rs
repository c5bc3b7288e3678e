//! What is counted, one method for each thing that happens.

use std::time::Duration;

use crate::Telemetry;

impl Telemetry {
    /// A request was answered.
    pub fn request(&self, method: &str, status: u16, took: Duration) {
        self.add("weir_api_requests_total", &[method, &status.to_string()], 1.0);
        self.observe("weir_api_request_duration_seconds", &[method], took.as_secs_f64());
    }

    /// A webhook delivery was answered.
    pub fn delivery(&self, outcome: &str) {
        self.add("weir_webhook_deliveries_total", &[outcome], 1.0);
    }

    /// A webhook delivery is on disk.
    pub fn delivery_kept(&self, took: Duration) {
        self.observe("weir_webhook_insert_duration_seconds", &[], took.as_secs_f64());
    }

    /// Deliveries were dealt with.
    pub fn deliveries_ended(&self, outcome: &str, count: usize) {
        self.add("weir_webhook_deliveries_ended_total", &[outcome], count as f64);
    }

    /// A task starts here, and runs until what is returned is dropped.
    pub fn task_runs(&self, activity: &str) -> RunsHere {
        let runs = RunsHere { telemetry: self.clone(), activity: activity.to_owned() };
        runs.telemetry.add("weir_tasks_running_here", &[activity], 1.0);
        runs
    }

    /// A task ended here.
    pub fn task_ended(&self, connection: i64, activity: &str, outcome: &str) {
        self.add("weir_tasks_ended_total", &[&connection.to_string(), activity, outcome], 1.0);
    }

    /// A stuck task is started again.
    pub fn task_restarted(&self, reason: &str) {
        self.add("weir_tasks_restarted_total", &[reason], 1.0);
    }

    /// Rows were changed for a connection.
    pub fn rows_written(&self, connection: i64, count: u64) {
        self.add("weir_rows_written_total", &[&connection.to_string()], count as f64);
    }

    /// GitLab answered a request of a connection with this status; 0 where no answer came.
    pub fn gitlab_request(&self, connection: i64, graphql: bool, status: u16) {
        let kind = if graphql { "graphql" } else { "rest" };
        self.add("weir_gitlab_requests_total", &[&connection.to_string(), kind, class(status)], 1.0);
    }

    /// A request of a connection is sent again.
    pub fn gitlab_retry(&self, connection: i64) {
        self.add("weir_gitlab_retries_total", &[&connection.to_string()], 1.0);
    }

    /// A request of a connection waited for GitLab's limits.
    pub fn gitlab_waited(&self, connection: i64, time: Duration) {
        self.add("weir_gitlab_waited_seconds_total", &[&connection.to_string()], time.as_secs_f64());
    }

    /// GitLab told how many requests a credential has left.
    pub fn gitlab_remaining(&self, connection: i64, credential: &str, remaining: u32) {
        let labels = [&*connection.to_string(), credential];
        self.set("weir_gitlab_rate_limit_remaining", &labels, remaining.into());
    }

    /// A credential waits so long, because GitLab asked for it.
    pub fn gitlab_pause(&self, connection: i64, credential: &str, wait: Duration) {
        self.0.waiting.pause(connection, credential, wait);
    }
}

/// A task that runs here, until this is dropped.
#[derive(Debug)]
pub struct RunsHere {
    telemetry: Telemetry,
    activity: String,
}

impl Drop for RunsHere {
    fn drop(&mut self) {
        self.telemetry.add("weir_tasks_running_here", &[&self.activity], -1.0);
    }
}

/// A status as it is counted: a 429 is a schedule and a 304 a saving, so each has a class of its own.
fn class(status: u16) -> &'static str {
    match status {
        0 => "none",
        304 => "304",
        429 => "429",
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
