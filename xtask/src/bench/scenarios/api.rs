//! The API under load, and a server with nothing to do.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::super::Programs;
use super::super::fake::Fake;
use super::super::import::Place;
use super::super::load::Load;
use super::super::serving::Serving;
use super::super::table::Table;
use super::super::table::Target::{AtMost, None};

const IDLE: Duration = Duration::from_secs(120);

pub fn run(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    let fake = Fake::start(&programs.fake, &["--scale", "tiny"])?;
    let place = Place::new(programs)?;
    let serving = Serving::start(&place, &[])?;
    let settings = json!({ "sync_every_seconds": 86_400 });
    let mut last = 0;
    for _ in 0..20 {
        last = serving.connect(&fake, "gitlab", settings.clone())?;
        serving.until_synced(last)?;
    }
    const LIST: &str = "credentials.list, 500 requests a second";
    let path = format!("connections/{last}/credentials.list");
    let load = Load { address: &serving.address, connections: 16, requests: 10_000, rate: Some(500.0) };
    let cpu = serving.process.cpu_seconds()?;
    let answered = load.run(|_| serving.request("GET", &path, ""))?;
    table.add(LIST, "milliseconds, median", answered.milliseconds(0.5)?, None);
    table.add(LIST, "milliseconds, p99", answered.milliseconds(0.99)?, AtMost(5.0));
    let used = (serving.process.cpu_seconds()? - cpu) / 10_000.0;
    table.add(LIST, "microseconds of processor for each", used * 1e6, None);

    const NAME: &str = "weir serve with 20 connections and nothing to do";
    thread::sleep(Duration::from_secs(5));
    let cpu = serving.process.cpu_seconds()?;
    thread::sleep(IDLE);
    let used = (serving.process.cpu_seconds()? - cpu) / IDLE.as_secs_f64();
    let (now, peak) = serving.process.memory()?;
    table.add(NAME, "memory, MiB", now / super::MIB, AtMost(60.0));
    table.add(NAME, "peak memory since its start, MiB", peak / super::MIB, None);
    table.add(NAME, "percent of a core", used * 100.0, AtMost(1.0));
    Ok(())
}
