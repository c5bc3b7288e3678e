//! A day in the life: half a percent of the merge requests and pipelines change, once in as many projects as
//! possible and once in as few, and an idle sync for comparison.

use super::super::Programs;
use super::super::fake::{Day, Fake};
use super::super::import::Place;
use super::super::table::Table;
use super::super::table::Target::{AtMost, None};
use super::connectors::prove;
use super::{EIGHT, MERGE_REQUESTS, MIB, PIPELINES, again};

/// The share of what there is that changes in a day.
const SHARE: f64 = 0.005;

/// The large organisation with every connector.
pub fn run(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "200 projects, 40,000 merge requests, 20,000 pipelines, every connector";
    let fake = Fake::start(&programs.fake, &["--scale", "large"])?;
    let place = Place::new(programs)?;
    let import = place.import(&fake, EIGHT)?;
    table.add(NAME, "requests of the first sync", import.requests, None);
    table.add(NAME, "seconds", import.seconds, None);
    table.add(NAME, "rows per second, all tables", import.written / import.seconds, None);
    table.add(NAME, "peak memory, MiB", import.peak_bytes / MIB, None);
    let idle = again(&place, table, &fake, "the same, second sync", EIGHT)?;
    prove(&place, table, &fake, "the same, weir proof")?;
    let scattered = "a day in the life of it, scattered";
    pass(&place, table, &fake, idle.requests, false, scattered, 1.2)?;
    pass(&place, table, &fake, idle.requests, true, "a day in the life of it, clustered", 0.1)
}

fn pass(
    place: &Place<'_>,
    table: &mut Table,
    fake: &Fake,
    idle: f64,
    clustered: bool,
    name: &str,
    target: f64,
) -> anyhow::Result<()> {
    let share = |all: f64| (SHARE * all).round() as usize;
    let merge_requests = share(place.count(MERGE_REQUESTS)?);
    let pipelines = share(place.count(PIPELINES)?);
    let moved = fake.pass_a_day(Day { merge_requests, pipelines, clustered })?;
    let sync = place.import(fake, EIGHT)?;
    table.add(name, "merge requests and pipelines that changed", moved, None);
    table.add(name, "requests", sync.requests, None);
    let figure = "requests per changed parent, beyond the idle sync";
    table.add(name, figure, (sync.requests - idle) / moved, AtMost(target));
    table.add(name, "seconds", sync.seconds, None);
    Ok(())
}
