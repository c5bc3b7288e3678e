//! The figures that Weir tells Prometheus: every name, what it means, and where it is counted.
//!
//! A figure exists because it stands in the list of [`FIGURES`]: what is counted, what is served and `docs/metrics.md` are all made
//! from it. Labels are numbers of connections and credentials, names of resources and words of ours: never a project, a
//! person or a token, so that there are never many.

mod counting;
mod figures;
mod registered;
mod waiting;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use prometheus::{Encoder, Registry, TextEncoder};

pub use figures::{FIGURES, Figure, Kind, PROCESS, Source, named};
pub use registered::Value;

use registered::Registered;

/// What one process counts. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Telemetry(Arc<Inner>);

struct Inner {
    registry: Registry,
    registered: BTreeMap<&'static str, Registered>,
    /// Until when each credential waits, by connection and credential.
    waiting: waiting::Waiting,
    /// One at a time sets what is known at the moment and reads it.
    reading: Mutex<()>,
    began: Instant,
}

impl Default for Telemetry {
    fn default() -> Telemetry {
        Telemetry::new()
    }
}

impl Telemetry {
    /// Nothing counted yet.
    pub fn new() -> Telemetry {
        let registry = Registry::new();
        let registered = FIGURES.iter().map(|it| (it.name, Registered::new(it, &registry))).collect();
        #[cfg(target_os = "linux")]
        registered::process(&registry);
        let inner = Inner {
            registry,
            registered,
            waiting: waiting::Waiting::default(),
            reading: Mutex::new(()),
            began: Instant::now(),
        };
        let telemetry = Telemetry(Arc::new(inner));
        telemetry.set("weir_build_info", &[env!("CARGO_PKG_VERSION")], 1.0);
        telemetry
    }

    /// Everything in Prometheus's text format. What is known at the moment is handed in; values of the moment that are not
    /// among it any more are forgotten.
    pub fn text(&self, of_the_moment: &[Value]) -> String {
        let _reading = self.0.reading.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.registered.values().filter(|it| it.is_of_the_moment()).for_each(Registered::forget);
        for value in of_the_moment {
            let labels: Vec<&str> = value.labels.iter().map(String::as_str).collect();
            self.set(value.figure, &labels, value.value);
        }
        self.set("weir_uptime_seconds", &[], self.0.began.elapsed().as_secs_f64());
        for ((connection, credential), seconds) in self.0.waiting.now() {
            self.set("weir_gitlab_rate_limit_waiting_seconds", &[&connection, &credential], seconds);
        }
        let mut text = Vec::new();
        // Writing to memory fails only where two families share a name, which the registry refuses.
        let _ = TextEncoder::new().encode(&self.0.registry.gather(), &mut text);
        String::from_utf8(text).unwrap_or_default()
    }

    /// What `Content-Type` to serve it as.
    pub fn content_type(&self) -> &'static str {
        prometheus::TEXT_FORMAT
    }

    fn set(&self, figure: &str, labels: &[&str], value: f64) {
        if let Some(it) = self.0.registered.get(figure) {
            it.set(labels, value);
        }
    }

    fn add(&self, figure: &str, labels: &[&str], more: f64) {
        if let Some(it) = self.0.registered.get(figure) {
            it.add(labels, more);
        }
    }

    fn observe(&self, figure: &str, labels: &[&str], value: f64) {
        if let Some(it) = self.0.registered.get(figure) {
            it.observe(labels, value);
        }
    }
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}
