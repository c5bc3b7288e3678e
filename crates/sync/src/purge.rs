//! What deleted connections brought is removed, where that was asked for.

use std::time::Duration;

use catalogue::RESOURCES;
use serde_json::json;
use store::{Audit, PurgeRow, StoreError};

use crate::Stop;
use crate::tasks::{Keeper, Worker};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(5);
/// Between two pieces: others want the disk too.
const BREATH: Duration = Duration::from_millis(20);

/// Removes until it is asked to stop. An extractor removes nothing.
pub async fn work(worker: Worker, stop: Stop) {
    let Some(keeper) = &worker.keeper() else { return };
    while !stop.asked() {
        match keeper.store.claim_purge(&keeper.owner).await {
            Ok(Some(purge)) => {
                if let Err(error) = remove(keeper, &purge, &stop).await {
                    tracing::warn!(%error, connection = purge.id, "a purge was interrupted; it goes on");
                }
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "purges could not be looked for"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.wait() => {}
        }
    }
}

async fn remove(keeper: &Keeper<'_>, purge: &PurgeRow, stop: &Stop) -> Result<(), StoreError> {
    while keeper.store.purge_piece(purge, &keeper.owner).await? > 0 {
        if stop.asked() {
            return Ok(());
        }
        tokio::time::sleep(BREATH).await;
    }
    let ours = RESOURCES.iter().filter(|it| it.connector.name() == purge.connector);
    let resources: Vec<&str> = ours.map(|it| it.name).collect();
    let now = keeper.clock.now();
    let Some(rows) = keeper.store.end_purge(purge, &keeper.owner, &resources, now).await? else {
        return Ok(());
    };
    tracing::info!(connection = purge.id, rows, "what a deleted connection brought was removed");
    let entry = Audit {
        actor: "worker",
        action: "connections.purge",
        connection_id: Some(purge.id),
        detail: json!({ "rows": rows }),
        ..Audit::default()
    };
    keeper.store.audit(&entry, now).await
}
