//! The scenarios: what is read, by what kind of server, and what it should cost.

mod api;
mod connectors;
mod day;
mod entities;
mod jobs;
mod large;
mod merge_requests;
mod model;
mod tokens;
mod webhooks;
mod workers;

use super::Programs;
use super::fake::Fake;
use super::import::{Import, Place};
use super::table::Table;
use super::table::Target::{AtMost, None};

const MIB: f64 = 1024.0 * 1024.0;
const EIGHT: &[&str] = &["--concurrency", "8"];
const EIGHT_OF_GITLAB: &[&str] = &["--concurrency", "8", "--connector", "gitlab"];

const MERGE_REQUESTS: &str = "select count(*) from gitlab_merge_requests";
const OPEN: &str = "select count(*) from gitlab_merge_requests where state = 'opened'";
const PIPELINES: &str = "select count(*) from gitlab_pipelines";
const JOBS: &str = "select count(*) from gitlab_jobs";
const PROJECTS: &str = "select count(*) from gitlab_projects";
const TOP_GROUPS: &str = "select count(*) from gitlab_groups child where not exists \
                          (select from gitlab_groups parent where parent.id = child.parent_id)";

/// A question and how it is answered.
struct Scenario {
    name: &'static str,
    /// Whether it takes minutes.
    long: bool,
    run: fn(&Programs, &mut Table) -> anyhow::Result<()>,
}

const ALL: &[Scenario] = &[
    Scenario { name: "small", long: false, run: merge_requests::small },
    Scenario { name: "flat", long: false, run: merge_requests::without_latency },
    Scenario { name: "latency", long: false, run: merge_requests::not_flat },
    Scenario { name: "rest", long: false, run: merge_requests::rest_only },
    Scenario { name: "connectors", long: false, run: connectors::run },
    Scenario { name: "entities", long: false, run: entities::run },
    Scenario { name: "day", long: true, run: day::run },
    Scenario { name: "jobs", long: true, run: jobs::run },
    Scenario { name: "large", long: true, run: large::run },
    Scenario { name: "tokens", long: true, run: tokens::run },
    Scenario { name: "model", long: true, run: model::run },
    Scenario { name: "webhooks", long: true, run: webhooks::kept },
    Scenario { name: "queue", long: true, run: webhooks::read },
    Scenario { name: "api", long: true, run: api::run },
    Scenario { name: "workers", long: true, run: workers::run },
];

/// The names of all scenarios.
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|it| it.name).collect()
}

/// Runs those that are named; where none is, all of them or all quick ones.
pub fn run(programs: &Programs, named: &[String], quick: bool) -> anyhow::Result<Table> {
    let mut table = Table::default();
    for Scenario { name, long, run } in ALL {
        let wanted = if named.is_empty() { !(quick && *long) } else { named.iter().any(|it| it == name) };
        if wanted {
            run(programs, &mut table)?;
        }
    }
    Ok(table)
}

/// The run whose time is the median, each into a fresh database. A scenario of seconds is run three times.
fn median(programs: &Programs, fake: &Fake, options: &[&str]) -> anyhow::Result<Import> {
    const RUNS: usize = 3;
    let runs: anyhow::Result<Vec<Import>> =
        (0..RUNS).map(|_| Place::new(programs)?.import(fake, options)).collect();
    let mut runs = runs?;
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    Ok(runs.swap_remove(RUNS / 2))
}

/// A second sync in which nothing has changed.
fn again(
    place: &Place<'_>,
    table: &mut Table,
    fake: &Fake,
    name: &str,
    options: &[&str],
) -> anyhow::Result<Import> {
    let second = place.import(fake, options)?;
    let (projects, groups, open) = (place.count(PROJECTS)?, place.count(TOP_GROUPS)?, place.count(OPEN)?);
    let limit = 3.0 * projects / 100.0 + groups + open / 50.0 + 10.0;
    table.add(name, "requests (target 3P/100 + T + O/50 + 10)", second.requests, AtMost(limit));
    table.add(name, "rows written", second.written, AtMost(0.0));
    table.add(name, "seconds", second.seconds, None);
    Ok(second)
}
