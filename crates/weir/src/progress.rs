//! How far a run has got: bars where somebody watches, plain lines elsewhere.

mod bars;
mod snapshot;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gitlab_client::Client;
use sync::Progress;
use tokio::task::JoinHandle;

use crate::terminal;
use bars::Bars;
use snapshot::Snapshot;

/// How often a line is written where nobody watches.
const LINES: Duration = Duration::from_secs(10);
/// How often the bars move.
const FRAMES: Duration = Duration::from_millis(100);

/// Shows a run. Clones show the same one.
#[derive(Clone)]
pub struct Display {
    progress: Arc<Progress>,
    client: Client,
    began: Instant,
    bars: Option<Bars>,
}

/// Shows until it is ended.
pub struct Showing {
    display: Display,
    task: JoinHandle<()>,
}

impl Display {
    /// Prepares to show a run; `plain` is for terminals that show something else as well.
    pub fn new(progress: Arc<Progress>, client: Client, plain: bool) -> Display {
        let bars = (terminal::is_watched() && !plain).then(Bars::new);
        Display { progress, client, began: Instant::now(), bars }
    }

    /// Says something without disturbing the bars.
    pub fn say(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.say(text),
            None => terminal::say(text),
        }
    }

    /// Where the run stands, in a few words.
    pub fn standing(&self) -> String {
        self.snapshot().standing()
    }

    /// Starts to show.
    pub fn show(&self) -> Showing {
        let display = self.clone();
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(if display.bars.is_some() { FRAMES } else { LINES }).await;
                display.draw();
            }
        });
        Showing { display: self.clone(), task }
    }

    fn draw(&self) {
        match &self.bars {
            Some(bars) => bars.draw(&self.snapshot()),
            None => terminal::say(&self.snapshot().line()),
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::take(&self.progress, &self.client, self.began.elapsed())
    }
}

impl Showing {
    /// Ends it and leaves the terminal clean.
    pub fn end(self) {
        self.task.abort();
        if let Some(bars) = &self.display.bars {
            bars.clear();
        }
    }
}
