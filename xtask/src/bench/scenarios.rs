//! The scenarios: what is read, by what kind of server, and what it should cost.

use super::Programs;
use super::fake::Fake;
use super::import::{Import, Place};
use super::table::Table;
use super::table::Target::{AtLeast, AtMost, None};

/// A scenario of seconds is run so often, and the median counts.
const RUNS: usize = 3;
const MIB: f64 = 1024.0 * 1024.0;
const EIGHT: &[&str] = &["--concurrency", "8", "--connector", "gitlab"];
const EIGHT_OF_ALL: &[&str] = &["--concurrency", "8"];
const EIGHT_OF_PIPELINES: &[&str] = &["--concurrency", "8", "--connector", "gitlab_pipelines"];
/// Latency of a server that is not flat.
const NOT_FLAT: &[&str] = &["--scale", "small", "--latency-ms", "20", "--latency-per-item-ms", "2"];

const MERGE_REQUESTS: &str = "select count(*) from gitlab_merge_requests";
const OPEN: &str = "select count(*) from gitlab_merge_requests where state = 'opened'";
const PIPELINES: &str = "select count(*) from gitlab_pipelines";
const JOBS: &str = "select count(*) from gitlab_jobs";
const PROJECTS: &str = "select count(*) from gitlab_projects";
const TOP_GROUPS: &str = "select count(*) from gitlab_groups child where not exists \
                          (select from gitlab_groups parent where parent.id = child.parent_id)";

/// Runs all of them; `quick` leaves out the large organisation.
pub fn run(programs: &Programs, quick: bool) -> anyhow::Result<Table> {
    let mut table = Table::default();
    let small = small(programs, &mut table)?;
    let flat = without_latency(programs, &mut table)?;
    not_flat(programs, &mut table, flat.seconds)?;
    rest_only(programs, &mut table)?;
    every_connector(programs, &mut table)?;
    if !quick {
        large(programs, &mut table, small.peak_bytes)?;
    }
    Ok(table)
}

/// The run whose time is the median, each into a fresh database.
fn median(programs: &Programs, fake: &Fake, options: &[&str]) -> anyhow::Result<Import> {
    let runs: anyhow::Result<Vec<Import>> =
        (0..RUNS).map(|_| Place::new(programs)?.import(fake, options)).collect();
    let mut runs = runs?;
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    Ok(runs.swap_remove(RUNS / 2))
}

fn small(programs: &Programs, table: &mut Table) -> anyhow::Result<Import> {
    const NAME: &str = "small organisation, 20 ms, 8 connections";
    let fake = Fake::start(&programs.fake, &["--scale", "small", "--latency-ms", "20"])?;
    let import = median(programs, &fake, EIGHT)?;
    table.add(NAME, "requests", import.requests, AtMost(80.0));
    table.add(NAME, "seconds", import.seconds, AtMost(0.6));
    table.add(NAME, "of these, the sync itself", import.sync_seconds, None);
    table.add(NAME, "seconds of processor", import.cpu_seconds, None);
    table.add(NAME, "peak memory, MiB", import.peak_bytes / MIB, AtMost(64.0));
    again(programs, table, &fake, "the same, second sync", EIGHT)?;
    Ok(import)
}

/// A second sync in which nothing has changed.
fn again(
    programs: &Programs,
    table: &mut Table,
    fake: &Fake,
    name: &'static str,
    options: &[&str],
) -> anyhow::Result<()> {
    let place = Place::new(programs)?;
    place.import(fake, options)?;
    let second = place.import(fake, options)?;
    let (projects, groups, open) = (place.count(PROJECTS)?, place.count(TOP_GROUPS)?, place.count(OPEN)?);
    let limit = 3.0 * projects / 100.0 + groups + open / 50.0 + 10.0;
    table.add(name, "requests (target 3P/100 + T + O/50 + 10)", second.requests, AtMost(limit));
    table.add(name, "rows written", second.written, AtMost(0.0));
    table.add(name, "seconds", second.seconds, None);
    Ok(())
}

fn without_latency(programs: &Programs, table: &mut Table) -> anyhow::Result<Import> {
    const NAME: &str = "small organisation, no latency";
    let fake = Fake::start(&programs.fake, &["--scale", "small"])?;
    let import = median(programs, &fake, EIGHT)?;
    table.add(NAME, "seconds", import.seconds, AtMost(0.4));
    table.add(NAME, "of these, the sync itself", import.sync_seconds, None);
    Ok(import)
}

/// The bound is the greater of the work divided by the connections and the longest chain of requests that wait for
/// each other. The chain is measured: what is left of the time with connections and workers in plenty, without the
/// time that Weir itself needs.
fn not_flat(programs: &Programs, table: &mut Table, flat_seconds: f64) -> anyhow::Result<()> {
    const NAME: &str = "small organisation, 20 ms and 2 ms per item, 16 workers";
    let free = Fake::start(&programs.fake, NOT_FLAT)?;
    let chain = (median(programs, &free, &["--concurrency", "64", "--connector", "gitlab"])?.seconds
        - flat_seconds)
        .max(0.0);
    drop(free);
    let fake = Fake::start(&programs.fake, &[NOT_FLAT, &["--workers", "16"]].concat())?;
    let import = median(programs, &fake, EIGHT)?;
    let service = fake.service_seconds()? / RUNS as f64 / 8.0;
    table.add(NAME, "service time / 8", service, None);
    table.add(NAME, "longest chain, seconds", chain, None);
    table.add(NAME, "seconds", import.seconds, AtMost(1.5 * service.max(chain)));
    Ok(())
}

fn rest_only(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "small organisation, REST only";
    let fake = Fake::start(&programs.fake, &["--scale", "small"])?;
    let place = Place::new(programs)?;
    let import = place.import(&fake, &[EIGHT, &["--rest-only"]].concat())?;
    let merge_requests = place.count(MERGE_REQUESTS)?;
    table.add(NAME, "requests per merge request", import.requests / merge_requests, AtMost(3.2));
    table.add(NAME, "seconds", import.seconds, None);
    Ok(())
}

/// Everything there is of the small organisation.
fn every_connector(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "small organisation, every connector, 20 ms, 8 connections";
    let fake = Fake::start(&programs.fake, &["--scale", "small", "--latency-ms", "20"])?;
    let import = median(programs, &fake, EIGHT_OF_ALL)?;
    table.add(NAME, "requests", import.requests, AtMost(200.0));
    table.add(NAME, "seconds", import.seconds, AtMost(1.0));
    table.add(NAME, "seconds of processor", import.cpu_seconds, None);
    table.add(NAME, "peak memory, MiB", import.peak_bytes / MIB, AtMost(64.0));
    again(programs, table, &fake, "the same with every connector, second sync", EIGHT_OF_ALL)
}

/// Many pipelines with their jobs.
fn many_jobs(programs: &Programs, table: &mut Table, fake: &Fake) -> anyhow::Result<()> {
    const NAME: &str = "160,000 jobs in 20,000 pipelines, no latency";
    let place = Place::new(programs)?;
    let import = place.import(fake, EIGHT_OF_PIPELINES)?;
    let (pipelines, jobs) = (place.count(PIPELINES)?, place.count(JOBS)?);
    table.add(NAME, "requests per pipeline", import.requests / pipelines, AtMost(0.06));
    table.add(NAME, "jobs per second", jobs / import.seconds, AtLeast(30_000.0));
    table.add(NAME, "seconds", import.seconds, None);
    table.add(NAME, "seconds of processor", import.cpu_seconds, None);
    table.add(NAME, "peak memory, MiB", import.peak_bytes / MIB, AtMost(100.0));
    Ok(())
}

fn large(programs: &Programs, table: &mut Table, small_peak: f64) -> anyhow::Result<()> {
    const NAME: &str = "40,000 merge requests, no latency";
    let fake = Fake::start(&programs.fake, &["--scale", "large"])?;
    many_jobs(programs, table, &fake)?;
    let place = Place::new(programs)?;
    let import = place.import(&fake, EIGHT)?;
    let (merge_requests, projects) = (place.count(MERGE_REQUESTS)?, place.count(PROJECTS)?);
    let limit = 0.06 * merge_requests + 0.3 * projects;
    table.add(
        NAME,
        "requests (target 0.06 per merge request, 0.3 per project)",
        import.requests,
        AtMost(limit),
    );
    table.add(NAME, "merge requests per second", merge_requests / import.seconds, AtLeast(2000.0));
    table.add(NAME, "seconds", import.seconds, None);
    table.add(NAME, "seconds of processor", import.cpu_seconds, None);
    let peak_limit = small_peak / MIB + 30.0;
    table.add(NAME, "peak memory, MiB (target small + 30)", import.peak_bytes / MIB, AtMost(peak_limit));
    Ok(())
}
