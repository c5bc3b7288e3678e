//! Deliveries that were not taken, counted: in memory, and written together, so that whoever guesses costs next to nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use store::Store;
use sync::Clock;
use tokio::sync::mpsc;

/// What came within this time is written together. A process that ends loses so much at most.
const TOGETHER: Duration = Duration::from_secs(1);

type Counts = Arc<Mutex<BTreeMap<&'static str, i64>>>;

/// Counts what was not taken.
pub(super) struct Refusals {
    counts: Counts,
    some: mpsc::Sender<()>,
}

impl Refusals {
    /// Starts writing, until the counter is dropped.
    pub(super) fn start(store: Store, clock: Arc<dyn Clock>) -> Refusals {
        let (some, receiver) = mpsc::channel(1);
        let counts = Counts::default();
        tokio::spawn(write(store, clock, counts.clone(), receiver));
        Refusals { counts, some }
    }

    /// Counts one.
    pub(super) fn count(&self, reason: &'static str) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
        // Where the writer has been told already, it finds this one too.
        let _ = self.some.try_send(());
    }
}

async fn write(store: Store, clock: Arc<dyn Clock>, counts: Counts, mut some: mpsc::Receiver<()>) {
    while some.recv().await.is_some() {
        tokio::time::sleep(TOGETHER).await;
        let taken = std::mem::take(&mut *counts.lock().unwrap_or_else(PoisonError::into_inner));
        if taken.is_empty() {
            continue;
        }
        if let Err(error) = store.count_refusals(&taken, clock.now()).await {
            tracing::warn!(%error, "refused webhook deliveries could not be counted");
        }
    }
}
