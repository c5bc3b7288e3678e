//! The object that `--json` prints: always one, also when nothing could be done.

use std::collections::BTreeMap;
use std::process::ExitCode;

use catalogue::Connector;
use sync::{Failure, Outcome};

use crate::problem::Problem;
use crate::terminal;

/// The outcome of a command that ended before it began.
pub fn failed(failure: Failure) -> Outcome {
    Outcome { error: Some(failure), ..empty(&Connector::ALL) }
}

/// An outcome in which nothing has happened yet.
pub fn empty(connectors: &[Connector]) -> Outcome {
    Outcome {
        ok: false,
        error: None,
        connectors: connectors.iter().map(|it| it.name().to_owned()).collect(),
        resources: BTreeMap::new(),
        skips: Vec::new(),
        requests: 0,
        bytes: 0,
        not_modified: 0,
        waited_seconds: 0.0,
        duration_seconds: 0.0,
    }
}

/// Says a problem to people, and to a program that wants to know.
pub fn tell(problem: &Problem, json: bool) -> ExitCode {
    if json {
        terminal::print_json(&failed(problem.0.clone()));
    }
    problem.tell()
}
