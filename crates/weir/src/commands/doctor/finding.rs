//! What the doctor found, told as it is found.

use crate::terminal::{self, Colour, paint_result};

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    #[default]
    Ok,
    Warn,
    Fail,
}

/// Everything found so far.
#[derive(Default)]
pub struct Findings(Grade);

impl Findings {
    /// All is well.
    pub fn ok(&mut self, subject: &str, detail: impl AsRef<str>) {
        self.tell(Grade::Ok, subject, detail.as_ref());
    }

    /// It works, and something should be known.
    pub fn warn(&mut self, subject: &str, detail: impl AsRef<str>) {
        self.tell(Grade::Warn, subject, detail.as_ref());
    }

    /// It does not work.
    pub fn fail(&mut self, subject: &str, detail: impl AsRef<str>) {
        self.tell(Grade::Fail, subject, detail.as_ref());
    }

    /// The worst of all.
    pub fn worst(&self) -> Grade {
        self.0
    }

    fn tell(&mut self, grade: Grade, subject: &str, detail: &str) {
        self.0 = self.0.max(grade);
        let word = match grade {
            Grade::Ok => paint_result("ok  ", Colour::Green),
            Grade::Warn => paint_result("warn", Colour::Yellow),
            Grade::Fail => paint_result("fail", Colour::Red),
        };
        let detail = detail.replace('\n', "\n                        ");
        terminal::print(&format!("{word}  {subject:<16}  {detail}"));
    }
}
