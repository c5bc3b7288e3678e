//! The model organisation: 1,000 projects, 200,000 merge requests, 1,000,000 pipelines, 8,000,000 jobs. Parts of it are
//! imported, and the whole is told from how the cost grows with the part.

use super::super::Programs;
use super::super::fake::Fake;
use super::super::growth::Growth;
use super::super::import::{Import, Place};
use super::super::table::Table;
use super::super::table::Target::None;
use super::{EIGHT, JOBS, MERGE_REQUESTS, MIB, PIPELINES, PROJECTS};

/// One part in so many.
const PARTS: [f64; 4] = [500.0, 200.0, 100.0, 50.0];

/// Each part into a fresh database.
pub fn run(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    let mut imports = Vec::new();
    for one_in in PARTS {
        imports.push((1.0 / one_in, part(programs, table, one_in)?));
    }
    let name = "the whole model organisation, extrapolated";
    let mut tell = |figure: &str, value: fn(&Import) -> f64| {
        let points: Vec<(f64, f64)> = imports.iter().map(|(part, import)| (*part, value(import))).collect();
        let growth = Growth::of(&points);
        table.add(name, &format!("{figure}, exponent of growth"), growth.exponent, None);
        table.add(name, &format!("{figure}, {}", growth.shape()), growth.at(1.0), None);
    };
    tell("requests", |it| it.requests);
    tell("seconds", |it| it.seconds);
    tell("seconds of processor", |it| it.cpu_seconds);
    tell("peak memory, MiB", |it| it.peak_bytes / MIB);
    Ok(())
}

fn part(programs: &Programs, table: &mut Table, one_in: f64) -> anyhow::Result<Import> {
    let text = one_in.to_string();
    let fake = Fake::start(&programs.fake, &["--scale", "model", "--one-in", &text])?;
    let place = Place::new(programs)?;
    let import = place.import(&fake, EIGHT)?;
    let [projects, merge_requests, pipelines, jobs] =
        [PROJECTS, MERGE_REQUESTS, PIPELINES, JOBS].map(|it| place.count(it));
    let name = format!(
        "1/{text} of the model organisation ({} projects, {} merge requests, {} pipelines, {} jobs)",
        projects?, merge_requests?, pipelines?, jobs?
    );
    table.add(&name, "requests", import.requests, None);
    table.add(&name, "seconds", import.seconds, None);
    table.add(&name, "rows per second, all tables", import.written / import.seconds, None);
    table.add(&name, "seconds of processor", import.cpu_seconds, None);
    table.add(&name, "seconds of processor of the fake GitLab", fake.cpu_seconds()?, None);
    table.add(&name, "peak memory, MiB", import.peak_bytes / MIB, None);
    Ok(import)
}
