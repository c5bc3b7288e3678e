//! Forty times the small organisation, with the connector `gitlab`.

use super::super::Programs;
use super::super::fake::Fake;
use super::super::import::Place;
use super::super::table::Table;
use super::super::table::Target::{AtLeast, AtMost, None};
use super::{MERGE_REQUESTS, MIB, PROJECTS};

const OPTIONS: &[&str] = &["--concurrency", "8", "--connector", "gitlab", "--no-issues"];

/// 40,000 merge requests with 400,000 notes.
pub fn run(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "200 projects, 40,000 merge requests, gitlab without issues, no latency";
    let small = Fake::start(&programs.fake, &["--scale", "small"])?;
    let small_peak = Place::new(programs)?.import(&small, OPTIONS)?.peak_bytes / MIB;
    drop(small);
    let fake = Fake::start(&programs.fake, &["--scale", "large"])?;
    let place = Place::new(programs)?;
    let import = place.import(&fake, OPTIONS)?;
    let (merge_requests, projects) = (place.count(MERGE_REQUESTS)?, place.count(PROJECTS)?);
    let limit = 0.06 * merge_requests + 0.3 * projects;
    let name = "requests (target 0.06 per merge request, 0.3 per project)";
    table.add(NAME, name, import.requests, AtMost(limit));
    table.add(NAME, "merge requests per second", merge_requests / import.seconds, AtLeast(2000.0));
    table.add(NAME, "seconds", import.seconds, None);
    table.add(NAME, "seconds of processor", import.cpu_seconds, None);
    let name = "peak memory, MiB (target small + 30)";
    table.add(NAME, name, import.peak_bytes / MIB, AtMost(small_peak + 30.0));
    Ok(())
}
