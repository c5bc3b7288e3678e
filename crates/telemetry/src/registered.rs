//! A figure as the registry holds it.

use prometheus::{CounterVec, GaugeVec, HistogramOpts, HistogramVec, Opts, Registry};

use crate::{Figure, Kind, Source};

/// From a fifth of a millisecond to half a minute.
const BUCKETS: [f64; 13] =
    [0.000_2, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// A value of the moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Name of the figure.
    pub figure: &'static str,
    /// Its labels, in the order of the list.
    pub labels: Vec<String>,
    /// The value.
    pub value: f64,
}

/// A figure as the registry holds it.
pub(crate) struct Registered {
    of_the_moment: bool,
    held: Option<Held>,
}

enum Held {
    Counter(CounterVec),
    Gauge(GaugeVec),
    Histogram(HistogramVec),
}

impl Registered {
    /// A figure that cannot be registered is not told; a test finds out.
    pub(crate) fn new(figure: &Figure, registry: &Registry) -> Registered {
        Registered { of_the_moment: figure.source == Source::Database, held: hold(figure, registry).ok() }
    }

    /// Whether its values are handed in each time it is read.
    pub(crate) fn is_of_the_moment(&self) -> bool {
        self.of_the_moment
    }

    pub(crate) fn forget(&self) {
        if let Some(Held::Gauge(gauge)) = &self.held {
            gauge.reset();
        }
    }

    pub(crate) fn set(&self, labels: &[&str], value: f64) {
        if let Some(Held::Gauge(gauge)) = &self.held
            && let Ok(gauge) = gauge.get_metric_with_label_values(labels)
        {
            gauge.set(value);
        }
    }

    pub(crate) fn add(&self, labels: &[&str], more: f64) {
        match &self.held {
            Some(Held::Counter(counter)) => {
                if let Ok(counter) = counter.get_metric_with_label_values(labels) {
                    counter.inc_by(more);
                }
            }
            Some(Held::Gauge(gauge)) => {
                if let Ok(gauge) = gauge.get_metric_with_label_values(labels) {
                    gauge.add(more);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn observe(&self, labels: &[&str], value: f64) {
        if let Some(Held::Histogram(histogram)) = &self.held
            && let Ok(histogram) = histogram.get_metric_with_label_values(labels)
        {
            histogram.observe(value);
        }
    }
}

fn hold(figure: &Figure, registry: &Registry) -> prometheus::Result<Held> {
    let (name, help, labels) = (figure.name, figure.help, figure.labels);
    match figure.kind {
        Kind::Counter => {
            let counter = CounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(Held::Counter(counter))
        }
        Kind::Gauge => {
            let gauge = GaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(Held::Gauge(gauge))
        }
        Kind::Histogram => {
            let options = HistogramOpts::new(name, help).buckets(BUCKETS.to_vec());
            let histogram = HistogramVec::new(options, labels)?;
            registry.register(Box::new(histogram.clone()))?;
            Ok(Held::Histogram(histogram))
        }
    }
}

/// What the library itself reads of the process.
#[cfg(target_os = "linux")]
pub(crate) fn process(registry: &Registry) {
    let of_this = prometheus::process_collector::ProcessCollector::for_self();
    let _ = registry.register(Box::new(of_this));
}
