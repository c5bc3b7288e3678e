//! Bars for a terminal.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::snapshot::Snapshot;
use crate::terminal;

/// A bar over the merge requests, and a line with everything else below it.
#[derive(Clone)]
pub struct Bars {
    all: MultiProgress,
    bar: ProgressBar,
    line: ProgressBar,
}

impl Bars {
    pub fn new() -> Bars {
        let all = MultiProgress::new();
        let bar = all.add(ProgressBar::new(0));
        bar.set_style(style("{spinner} {prefix:<12} [{bar:30}] {msg}"));
        let line = all.add(ProgressBar::no_length());
        line.set_style(style("  {msg}"));
        Bars { all, bar, line }
    }

    pub fn draw(&self, snapshot: &Snapshot) {
        self.bar.set_length(snapshot.expected.max(snapshot.merge_requests));
        self.bar.set_position(snapshot.merge_requests);
        self.bar.set_prefix(snapshot.phase);
        self.bar.set_message(snapshot.done());
        self.bar.tick();
        self.line.set_message(snapshot.pace());
    }

    pub fn say(&self, text: &str) {
        self.all.suspend(|| terminal::say(text));
    }

    pub fn clear(&self) {
        self.bar.finish_and_clear();
        self.line.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the template is right");
    style.progress_chars("=> ").tick_chars("|/-\\ ")
}
