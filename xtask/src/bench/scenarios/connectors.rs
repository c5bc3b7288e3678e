//! The small organisation with every connector: the first sync, the second, and the proof.

use super::super::Programs;
use super::super::fake::Fake;
use super::super::import::Place;
use super::super::table::Table;
use super::super::table::Target::{AtMost, None};
use super::{EIGHT, MERGE_REQUESTS, MIB, PROJECTS, again, median};

/// Everything there is of it.
pub fn run(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "small organisation, every connector, 20 ms, 8 connections";
    let fake = Fake::start(&programs.fake, &["--scale", "small", "--latency-ms", "20"])?;
    let import = median(programs, &fake, EIGHT)?;
    table.add(NAME, "requests", import.requests, AtMost(200.0));
    table.add(NAME, "seconds", import.seconds, AtMost(1.0));
    table.add(NAME, "of these, the sync itself", import.sync_seconds, None);
    table.add(NAME, "seconds of processor", import.cpu_seconds, None);
    table.add(NAME, "peak memory, MiB", import.peak_bytes / MIB, AtMost(64.0));
    let place = Place::new(programs)?;
    place.import(&fake, EIGHT)?;
    again(&place, table, &fake, "small organisation, every connector, second sync", EIGHT)?;
    prove(&place, table, &fake, "small organisation, weir proof")
}

/// The proof that nothing differs.
pub fn prove(place: &Place<'_>, table: &mut Table, fake: &Fake, name: &str) -> anyhow::Result<()> {
    let proof = place.prove(fake)?;
    let limit = place.count(PROJECTS)? / 10.0 + place.count(MERGE_REQUESTS)? / 100.0;
    table.add(name, "requests (target P/10 + M/100)", proof.requests, AtMost(limit));
    table.add(name, "seconds", proof.seconds, None);
    Ok(())
}
