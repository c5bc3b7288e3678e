//! Ctrl-C: the first asks the run to stop, the second ends it at once.

use sync::Stop;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::progress::Display;

/// What a run that was cut off ends with: the next one goes on.
const STOPPED: i32 = 6;

/// Listens for Ctrl-C and for the request to end that services are sent, until it is dropped.
pub struct Listening(JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts to listen.
pub fn listen(stop: Stop, display: Display) -> Listening {
    Listening(tokio::spawn(async move {
        if asked().await.is_none() {
            return;
        }
        stop.ask();
        display.say(&format!(
            "Stopping after the pages in hand ({}). Press Ctrl-C again to stop at once: nothing written is lost.",
            display.standing()
        ));
        if asked().await.is_some() {
            display.say("Stopped at once. The same command goes on from here.");
            std::process::exit(STOPPED);
        }
    }))
}

/// Asks to stop at the first signal, and ends the process at the second.
pub fn stop_on_signal(stop: Stop) -> Listening {
    Listening(tokio::spawn(async move {
        if asked().await.is_none() {
            return;
        }
        stop.ask();
        tracing::info!("asked to stop");
        if asked().await.is_some() {
            std::process::exit(STOPPED);
        }
    }))
}

/// None where this machine has no signals to listen for.
async fn asked() -> Option<()> {
    let mut interrupt = signal(SignalKind::interrupt()).ok()?;
    let mut terminate = signal(SignalKind::terminate()).ok()?;
    tokio::select! {
        it = interrupt.recv() => it,
        it = terminate.recv() => it,
    }
}
