//! The small organisation with the connector `gitlab`: merge requests, and issues where they are not left out.

use super::super::Programs;
use super::super::fake::Fake;
use super::super::import::Place;
use super::super::table::Table;
use super::super::table::Target::{AtMost, None};
use super::{EIGHT_OF_GITLAB, MERGE_REQUESTS, MIB, again, median};

const WITHOUT_ISSUES: &[&str] = &["--concurrency", "8", "--connector", "gitlab", "--no-issues"];
/// Latency of a server that is not flat.
const NOT_FLAT: &[&str] = &["--scale", "small", "--latency-ms", "20", "--latency-per-item-ms", "2"];

/// Over a line of 20 ms.
pub fn small(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    let fake = Fake::start(&programs.fake, &["--scale", "small", "--latency-ms", "20"])?;
    for (name, options) in [
        ("small organisation, gitlab, 20 ms, 8 connections", EIGHT_OF_GITLAB),
        ("the same without issues", WITHOUT_ISSUES),
    ] {
        let import = median(programs, &fake, options)?;
        table.add(name, "requests", import.requests, AtMost(80.0));
        table.add(name, "seconds", import.seconds, AtMost(0.6));
        table.add(name, "of these, the sync itself", import.sync_seconds, None);
        table.add(name, "seconds of processor", import.cpu_seconds, None);
        table.add(name, "peak memory, MiB", import.peak_bytes / MIB, AtMost(64.0));
    }
    let place = Place::new(programs)?;
    place.import(&fake, EIGHT_OF_GITLAB)?;
    again(&place, table, &fake, "small organisation, gitlab, second sync", EIGHT_OF_GITLAB)?;
    Ok(())
}

/// What is left when nothing has to be waited for.
pub fn without_latency(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "small organisation, gitlab without issues, no latency";
    let fake = Fake::start(&programs.fake, &["--scale", "small"])?;
    let import = median(programs, &fake, WITHOUT_ISSUES)?;
    table.add(NAME, "seconds", import.seconds, AtMost(0.4));
    table.add(NAME, "of these, the sync itself", import.sync_seconds, None);
    Ok(())
}

/// The bound is the greater of the work divided by the connections and the longest chain of requests that wait for
/// each other. The chain is measured: what is left of the time with connections and workers in plenty, without the
/// time that Weir itself needs.
pub fn not_flat(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "small organisation, gitlab, 20 ms and 2 ms per item, 16 workers";
    let flat = Fake::start(&programs.fake, &["--scale", "small"])?;
    let flat_seconds = median(programs, &flat, EIGHT_OF_GITLAB)?.seconds;
    drop(flat);
    let free = Fake::start(&programs.fake, NOT_FLAT)?;
    let plenty = median(programs, &free, &["--concurrency", "64", "--connector", "gitlab"])?;
    let chain = (plenty.seconds - flat_seconds).max(0.0);
    drop(free);
    let fake = Fake::start(&programs.fake, &[NOT_FLAT, &["--workers", "16"]].concat())?;
    let import = median(programs, &fake, EIGHT_OF_GITLAB)?;
    let asked = fake.asked()?;
    // As much as one of the runs that were made.
    let service = asked.service_seconds * import.requests / asked.total / 8.0;
    table.add(NAME, "service time / 8", service, None);
    table.add(NAME, "longest chain, seconds", chain, None);
    table.add(NAME, "seconds", import.seconds, AtMost(1.5 * service.max(chain)));
    Ok(())
}

/// Without GraphQL.
pub fn rest_only(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "small organisation, gitlab without issues, REST only";
    let fake = Fake::start(&programs.fake, &["--scale", "small"])?;
    let place = Place::new(programs)?;
    let import = place.import(&fake, &[WITHOUT_ISSUES, &["--rest-only"]].concat())?;
    let merge_requests = place.count(MERGE_REQUESTS)?;
    table.add(NAME, "requests per merge request", import.requests / merge_requests, AtMost(3.2));
    table.add(NAME, "seconds", import.seconds, None);
    Ok(())
}
