//! Deliveries of webhooks: how many are kept a second, how soon a row changes, and a queue of a million.

use std::io::Write;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;

use super::super::Programs;
use super::super::fake::Fake;
use super::super::http::{ask, request};
use super::super::import::Place;
use super::super::load::Load;
use super::super::serving::Serving;
use super::super::table::Table;
use super::super::table::Target::{AtLeast, AtMost, None};

const CLIENTS: usize = 64;
const ROUNDS: usize = 2;
/// A payload as large as those of notes.
const PADDING: usize = 2_000;

fn body(project: i64, iid: usize) -> String {
    json!({
        "object_kind": "merge_request",
        "project": { "id": project, "web_url": "https://gitlab.example.com/a/b" },
        "object_attributes": { "iid": iid, "description": "x".repeat(PADDING) },
    })
    .to_string()
}

/// Deliveries that are only kept, and the same inserts by pgbench, in turn.
pub fn kept(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "webhook deliveries of 2 KB, fsync on, 64 clients";
    let place = Place::new(programs)?;
    let serving = Serving::start(&place, &["--no-workers"])?;
    let (mut http, mut bench) = (0.0, 0.0);
    let cpu = serving.process.cpu_seconds()?;
    for round in 0..ROUNDS {
        let load =
            Load { address: &serving.address, connections: CLIENTS, requests: 20_000, rate: Option::None };
        let answered = load.run(|it| serving.delivery(&format!("kept-{round}"), it, &body(1, it)))?;
        http += answered.per_second() / ROUNDS as f64;
        bench += pgbench(&place)? / ROUNDS as f64;
    }
    let used = (serving.process.cpu_seconds()? - cpu) / (ROUNDS * 20_000) as f64;
    table.add(NAME, "kept a second", http, AtLeast(5_000.0));
    table.add(NAME, "the same inserts by pgbench, a second", bench, None);
    table.add(NAME, "as a part of pgbench", http / bench, AtLeast(0.7));
    table.add(NAME, "microseconds of processor for each", used * 1e6, None);
    let load =
        Load { address: &serving.address, connections: CLIENTS, requests: 10_000, rate: Some(1_000.0) };
    let answered = load.run(|it| serving.delivery("steady", it, &body(1, it)))?;
    table.add(NAME, "milliseconds at 1,000 a second, p99", answered.milliseconds(0.99)?, AtMost(25.0));
    table.add(NAME, "peak memory, MiB", serving.process.memory()?.1 / super::MIB, AtMost(150.0));
    Ok(())
}

/// What pgbench reaches with one insert in each transaction.
fn pgbench(place: &Place<'_>) -> anyhow::Result<f64> {
    let script = std::env::temp_dir().join(format!("weir-bench-{}.sql", std::process::id()));
    let mut file = std::fs::File::create(&script)?;
    write!(
        file,
        "\\set a random(1, 9000000000000000000)\n\
         insert into weir.inbox (key, received_at, sender, event, body, due_at) values \
         (decode(md5(:a::text), 'hex'), now(), null, 'merge_request', '{}', now()) on conflict (key) do nothing;\n",
        body(1, 1)
    )?;
    let clients = CLIENTS.to_string();
    let mut command = Command::new("pgbench");
    command.args([
        "--no-vacuum",
        "--client",
        &clients,
        "--jobs",
        "2",
        "--time",
        "8",
        "--protocol",
        "prepared",
    ]);
    command.arg("--file").arg(&script).arg(place.said(&["database", "url"])?);
    let output = command.output().context("pgbench cannot be run; it comes with PostgreSQL")?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    std::fs::remove_file(&script)?;
    ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
    let line = told.lines().find_map(|it| it.strip_prefix("tps = ")).context("pgbench told no rate")?;
    Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
}

/// From a delivery to the row it changes, and a queue of a million in front of it.
pub fn read(programs: &Programs, table: &mut Table) -> anyhow::Result<()> {
    let fake = Fake::start(&programs.fake, &["--scale", "small", "--latency-ms", "100", "--administrator"])?;
    let place = Place::new(programs)?;
    let serving = Serving::start(&place, &[])?;
    let connection = serving.connect(&fake, "gitlab", json!({ "sync_every_seconds": 86_400 }))?;
    serving.until_synced(connection)?;
    let hook = json!({
        "url": format!("http://{}/webhooks/gitlab", serving.address),
        "token": serving.webhook_token,
        "events": ["merge_requests_events", "note_events", "issues_events"],
    });
    let address = fake.url.trim_start_matches("http://");
    for project in place.execute("select source_id from gitlab_projects")?.lines() {
        let mut hook = hook.clone();
        hook["project_id"] = json!(project.parse::<i64>()?);
        ask(
            address,
            &request("POST", "/fake/hooks", "Content-Type: application/json\r\n", &hook.to_string()),
        )?;
    }
    soon(&serving, &place, address, table)?;
    queue(&serving, &place, table)
}

fn soon(serving: &Serving, place: &Place<'_>, fake: &str, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "from a delivery to its row, GitLab answers in 100 ms";
    for seed in 0..200 {
        let path = format!("/fake/change?count=1&seed={seed}");
        ask(fake, &request("POST", &path, "", ""))?;
        thread::sleep(Duration::from_millis(50));
    }
    until_empty(place)?;
    let read = "extract(epoch from done_at - received_at)";
    let percentile = |part: f64| {
        place.count_as_owner(&format!("select percentile_cont({part}) within group (order by {read}) from weir.inbox where state = 'done'"))
    };
    table.add(
        NAME,
        "deliveries",
        place.count_as_owner("select count(*) from weir.inbox where state = 'done'")?,
        AtLeast(100.0),
    );
    table.add(NAME, "seconds, median", percentile(0.5)?, None);
    table.add(NAME, "seconds, p95", percentile(0.95)?, AtMost(1.0));
    table.add(
        NAME,
        "peak memory of weir serve, MiB",
        serving.process.memory()?.1 / super::MIB,
        AtMost(150.0),
    );
    Ok(())
}

/// A million deliveries that wait, and new ones beside them.
fn queue(serving: &Serving, place: &Place<'_>, table: &mut Table) -> anyhow::Result<()> {
    const NAME: &str = "a million deliveries wait";
    let projects = place.count("select count(*) from gitlab_projects")?;
    place.execute(&format!(
        "insert into weir.inbox (key, received_at, event, body, due_at)
         select decode(md5('queue' || n), 'hex'), now() - interval '1 hour', 'merge_request'
              , replace(replace('{}', '4711', p.source_id::text), '\"iid\":1', '\"iid\":' || n % 50 + 1), now() - interval '1 hour'
           from generate_series(1, 1000000) n
           join (select source_id, row_number() over (order by id) - 1 as at from gitlab_projects) p on p.at = n % {projects}",
        body(4711, 1).replace("\\\"", "\"")
    ))?;
    let began = Instant::now();
    let project = place.count("select min(source_id) from gitlab_projects")? as i64;
    let load = Load { address: &serving.address, connections: 16, requests: 2_000, rate: Some(100.0) };
    let answered = load.run(|it| serving.delivery("beside", it, &body(project, it % 50 + 1)))?;
    let left = place.count_as_owner("select count(*) from weir.inbox where state = 'due'")?;
    table.add(NAME, "of them left when the new ones had come", left, None);
    table.add(
        NAME,
        "milliseconds to take a new one at 100 a second, p99",
        answered.milliseconds(0.99)?,
        AtMost(25.0),
    );
    until_empty(place)?;
    table.add(NAME, "drained a second", 1_000_000.0 / began.elapsed().as_secs_f64(), None);
    let new = "select percentile_cont(0.95) within group (order by extract(epoch from done_at - received_at)) \
               from weir.inbox where state = 'done' and received_at > now() - interval '50 minutes' and event = 'merge_request'";
    table.add(NAME, "seconds from a new delivery to its row, p95", place.count_as_owner(new)?, AtMost(1.0));
    table.add(
        NAME,
        "peak memory of weir serve, MiB",
        serving.process.memory()?.1 / super::MIB,
        AtMost(150.0),
    );
    Ok(())
}

fn until_empty(place: &Place<'_>) -> anyhow::Result<()> {
    while place.count_as_owner("select count(*) from weir.inbox where state = 'due'")? > 0.0 {
        thread::sleep(Duration::from_millis(500));
    }
    Ok(())
}
