//! The waits between attempts: longer and longer, and never quite the same, so that many do not come back at once.

use std::time::Duration;

use sync::Stop;

/// The first wait.
const FIRST: Duration = Duration::from_millis(200);
/// The longest.
const LONGEST: Duration = Duration::from_secs(30);

/// The waits of one call.
#[derive(Debug)]
pub(crate) struct Course {
    next: Duration,
}

impl Course {
    pub(crate) fn new() -> Course {
        Course { next: FIRST }
    }

    /// Waits. False where somebody asked to stop, and there is no time left.
    pub(crate) async fn wait(&mut self, stop: &Stop) -> bool {
        let wait = self.next.mul_f64(rand::random_range(0.75..1.25));
        self.next = (self.next * 2).min(LONGEST);
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            () = stop.wait() => {
                // The page in hand gets a last chance.
                tokio::time::sleep(FIRST).await;
                wait < Duration::from_secs(2)
            }
        }
    }
}
