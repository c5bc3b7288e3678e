//! What systemd is told, where it is there: that the process is ready, that it lives, and that it ends.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::task::JoinHandle;

/// Says that the process lives, for as long as systemd wants to hear it, until this is dropped.
pub struct Alive(Option<JoinHandle<()>>);

impl Drop for Alive {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
        tell(NotifyState::Stopping);
    }
}

/// Says that the process does its work now.
pub fn ready() -> Alive {
    tell(NotifyState::Ready);
    Alive(sd_notify::watchdog_enabled().map(|within| tokio::spawn(live(within / 3))))
}

async fn live(every: Duration) {
    loop {
        tell(NotifyState::Watchdog);
        tokio::time::sleep(every).await;
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}
