//! Pipelines with their jobs in numbers: rows a second, and memory that does not grow with them.

use super::super::Programs;
use super::super::fake::Fake;
use super::super::import::Place;
use super::super::table::Table;
use super::super::table::Target::{AtLeast, AtMost, None};
use super::{EIGHT, JOBS, MIB, PIPELINES};

/// So many pipelines of eight jobs in each of twenty projects.
const SIZES: [(&str, &str); 3] = [
    ("8,000 jobs, no latency", "50"),
    ("160,000 jobs, no latency", "1000"),
    ("800,000 jobs, no latency", "5000"),
];

/// Each number of jobs into a fresh database.
pub fn run(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    for (name, pipelines) in SIZES {
        import(programs, table, name, pipelines)?;
    }
    Ok(())
}

fn import(programs: &Programs, table: &mut Table, name: &str, pipelines: &str) -> anyhow::Result<()> {
    let counts = ["--ordinary", "--projects", "20", "--merge-requests", "1", "--commits", "1", "--jobs", "8"];
    let more = ["--pipelines", pipelines, "--deployments", "0", "--issues", "0"];
    let fake = Fake::start(&programs.fake, &[&["--scale", "medium"], &counts[..], &more[..]].concat())?;
    let place = Place::new(programs)?;
    let import = place.import(&fake, &[EIGHT, &["--connector", "gitlab_pipelines"]].concat())?;
    let (pipelines, jobs) = (place.count(PIPELINES)?, place.count(JOBS)?);
    table.add(name, "requests per pipeline", import.requests / pipelines, AtMost(0.06));
    let few = jobs < 100_000.0;
    let target = if few { None } else { AtLeast(30_000.0) };
    table.add(name, "rows per second, jobs and pipelines", (jobs + pipelines) / import.seconds, target);
    table.add(name, "seconds", import.seconds, None);
    table.add(name, "seconds of processor of weir alone", import.cpu_seconds, None);
    table.add(name, "seconds of processor of the fake GitLab", fake.cpu_seconds()?, None);
    table.add(name, "peak memory, MiB", import.peak_bytes / MIB, AtMost(100.0));
    Ok(())
}
