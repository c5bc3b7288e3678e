//! One worker and two on one database, in turn, where the latency of GitLab is the limit.

use serde_json::json;

use super::super::Programs;
use super::super::fake::Fake;
use super::super::import::Place;
use super::super::serving::{Process, Serving};
use super::super::table::Table;
use super::super::table::Target::{AtLeast, AtMost, None};

const NAME: &str = "200 projects, 40,000 merge requests, 600 ms, a first import by weir worker";
/// Each is measured so often, in turn.
const ROUNDS: usize = 2;

pub fn run(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(import(programs, 1)?);
        together.push(import(programs, 2)?);
    }
    let (one, two) = (mean(&alone, |it| it.seconds), mean(&together, |it| it.seconds));
    let (requests, of_two) = (mean(&alone, |it| it.requests), mean(&together, |it| it.requests));
    table.add(NAME, "seconds, 1 worker", one, None);
    table.add(NAME, "seconds, 2 workers", two, None);
    table.add(NAME, "requests, 1 worker", requests, None);
    table.add(NAME, "requests, 2 workers, as a multiple", of_two / requests, AtMost(1.02));
    table.add(NAME, "2 workers, as a multiple of 1", one / two, AtLeast(1.8));
    table.add(NAME, "seconds of processor, 2 workers", mean(&together, |it| it.cpu_seconds), None);
    table.add(NAME, "peak memory of the larger, MiB", mean(&together, |it| it.peak_bytes) / super::MIB, None);
    Ok(())
}

struct Imported {
    seconds: f64,
    requests: f64,
    cpu_seconds: f64,
    peak_bytes: f64,
}

fn mean(all: &[Imported], of: impl Fn(&Imported) -> f64) -> f64 {
    all.iter().map(of).sum::<f64>() / all.len() as f64
}

fn import(programs: &Programs, workers: usize) -> anyhow::Result<Imported> {
    let fake = Fake::start(&programs.fake, &["--scale", "large", "--latency-ms", "600"])?;
    let place = Place::new(programs)?;
    let serving = Serving::start(&place, &["--no-workers"])?;
    let connection = serving.connect(&fake, "gitlab", json!({}))?;
    let before = fake.asked()?.total;
    let workers: anyhow::Result<Vec<Process>> = (0..workers).map(|_| Process::worker(&place)).collect();
    let workers = workers?;
    let seconds = serving.until_synced(connection)?;
    let mut imported =
        Imported { seconds, requests: fake.asked()?.total - before, cpu_seconds: 0.0, peak_bytes: 0.0 };
    for worker in &workers {
        imported.cpu_seconds += worker.cpu_seconds()?;
        imported.peak_bytes = worker.memory()?.1.max(imported.peak_bytes);
    }
    Ok(imported)
}
