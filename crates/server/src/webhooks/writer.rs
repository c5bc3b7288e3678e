//! Deliveries that come at the same time share a transaction: one flush to disk for all of them.

use std::collections::HashSet;
use std::sync::Arc;

use store::{Delivery, Store};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};

/// Deliveries that wait for their transaction at most; more wait before they are taken in.
const WAITING: usize = 4096;
/// Deliveries of one transaction at most, and bytes of them.
const TOGETHER: usize = 512;
const BYTES: usize = 4 * 1024 * 1024;
/// Transactions under way at once: while one is flushed the next is filled.
const WRITERS: usize = 3;

/// A delivery, and who waits for it to be on disk.
struct Waiting {
    delivery: Delivery,
    kept: oneshot::Sender<Option<bool>>,
}

/// Keeps deliveries.
pub(super) struct Writer(mpsc::Sender<Waiting>);

impl Writer {
    /// Starts writing, until the writer is dropped.
    pub(super) fn start(store: Store, arrived: Arc<Notify>) -> Writer {
        let (sender, receiver) = mpsc::channel(WAITING);
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..WRITERS {
            tokio::spawn(write(store.clone(), receiver.clone(), arrived.clone()));
        }
        Writer(sender)
    }

    /// Returns once the delivery is on disk, and whether it is new; fails where it could not be kept.
    pub(super) async fn keep(&self, delivery: Delivery) -> Result<bool, ()> {
        let (kept, answer) = oneshot::channel();
        self.0.send(Waiting { delivery, kept }).await.map_err(drop)?;
        answer.await.ok().flatten().ok_or(())
    }
}

async fn write(store: Store, receiver: Arc<Mutex<mpsc::Receiver<Waiting>>>, arrived: Arc<Notify>) {
    loop {
        let Some(batch) = gather(&mut *receiver.lock().await).await else { return };
        let (deliveries, waiting): (Vec<Delivery>, Vec<_>) =
            batch.into_iter().map(|it| (it.delivery, it.kept)).unzip();
        for (one, kept) in waiting.into_iter().zip(keep(&store, &deliveries).await) {
            // Who has gone meanwhile does not mind.
            let _ = one.send(kept);
        }
        arrived.notify_one();
    }
}

/// Keeps deliveries together; where the database does not take one of them, each on its own. Gives of those that are kept
/// whether they are new.
async fn keep(store: &Store, deliveries: &[Delivery]) -> Vec<Option<bool>> {
    let error = match store.receive(deliveries).await {
        Ok(new) => return sorted(deliveries, new),
        Err(error) => error,
    };
    tracing::error!(%error, deliveries = deliveries.len(), "webhook deliveries could not be kept");
    if error.is_outage() || deliveries.len() == 1 {
        return vec![None; deliveries.len()];
    }
    let mut kept = Vec::new();
    for one in deliveries {
        kept.push(store.receive(std::slice::from_ref(one)).await.ok().map(|new| !new.is_empty()));
    }
    kept
}

/// Which of these deliveries are new. One that came twice at once is new once.
fn sorted(deliveries: &[Delivery], new: Vec<Vec<u8>>) -> Vec<Option<bool>> {
    let mut new: HashSet<Vec<u8>> = new.into_iter().collect();
    deliveries.iter().map(|it| Some(new.remove(&it.key))).collect()
}

/// One delivery, and those that wait behind it.
async fn gather(receiver: &mut mpsc::Receiver<Waiting>) -> Option<Vec<Waiting>> {
    let mut batch = vec![receiver.recv().await?];
    let mut bytes = batch[0].delivery.body.len();
    while batch.len() < TOGETHER && bytes < BYTES {
        let Ok(next) = receiver.try_recv() else { break };
        bytes += next.delivery.body.len();
        batch.push(next);
    }
    Some(batch)
}
