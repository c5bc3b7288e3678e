//! An extractor and the Weir outside in two network namespaces, held against a direct sync of the same GitLab.
//!
//! Inside are a GitLab, which listens on loopback alone, and the extractor; outside is a Weir. Between them is a line in
//! this process, which counts what crosses it and lets it take its time. The inside can call out, and nothing can call in.

mod line;
mod network;

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::command::{cargo, succeed};
use crate::root::root;
use line::Line;
use network::{INSIDE, LINE_INSIDE, Namespaces, OUTSIDE, WEIR_OUTSIDE};

/// Where the GitLab listens within its namespace.
const GITLAB: &str = "http://127.0.0.1:8080";
/// A key for a database of a few minutes.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const CONNECTORS: [&str; 5] =
    ["gitlab", "gitlab_pipelines", "gitlab_commits", "gitlab_commits_trunk", "gitlab_deployments"];
const PATIENCE: Duration = Duration::from_secs(600);

/// The digest of every table of GitLab's things, apart from when rows were read.
const TABLES: &str = "select string_agg(tablename, ' ' order by tablename) as tables from pg_tables
                       where schemaname = 'public' and tablename like 'gitlab\\_%'";

/// What is measured.
pub struct Options {
    /// How long everything takes from one side to the other.
    pub delay: Duration,
    /// How much there is, as the fake GitLab names it.
    pub scale: String,
    /// Whether the release build is measured.
    pub release: bool,
}

/// Runs it; says plainly where it cannot be run.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    if !network::is_possible() {
        println!("Skipped: network namespaces need root and iproute2.");
        return Ok(());
    }
    let programs = Programs::build(options.release)?;
    let place = std::env::temp_dir().join(format!("weir-namespaces-{}", std::process::id()));
    let ended = tokio::task::block_in_place(Namespaces::new)?;
    let compared = compare(&programs, &place, options).await;
    for side in ["outside", "direct"] {
        let _ = programs.weir(OUTSIDE, &place.join(side)).args(["database", "stop"]).output();
    }
    let _ = std::fs::remove_dir_all(&place);
    drop(ended);
    compared
}

async fn compare(programs: &Programs, place: &Path, options: &Options) -> anyhow::Result<()> {
    let (outside, direct) = (place.join("outside"), place.join("direct"));
    let _gitlab = programs.gitlab(&options.scale)?;
    let _weir = programs.serve(&outside)?;
    let line = Line::between(LINE_INSIDE, WEIR_OUTSIDE, options.delay).await?;
    ensure!(!reaches("10.77.1.2:8080"), "the GitLab inside can be reached from outside");
    let key = text(programs.weir(OUTSIDE, &outside).args([
        "api-key",
        "create",
        "--name",
        "x",
        "--extractor",
        "x",
    ]))?;
    let before = line.bytes();
    let began = Instant::now();
    let _extractor = programs.extract(key.trim())?;
    wait(programs, &outside).await?;
    let (extracted, crossed) = (began.elapsed(), line.bytes());
    let began = Instant::now();
    programs.sync(&direct)?;
    let synced = began.elapsed();
    let rows = same(programs, &outside, &direct)?;
    println!("The same {rows} rows in every table, extracted and synced directly.");
    println!(
        "Extracted in {:.1} s with {} ms each way, synced directly in {:.1} s.",
        extracted.as_secs_f64(),
        options.delay.as_millis(),
        synced.as_secs_f64()
    );
    let (out, back) = (crossed.0 - before.0, crossed.1 - before.1);
    println!(
        "{} KiB went out and {} KiB came back over {} connections.",
        out / 1024,
        back / 1024,
        line.connections()
    );
    Ok(())
}

/// Whether something answers there, from this namespace.
fn reaches(address: &str) -> bool {
    let address: Option<SocketAddr> = address.parse().ok();
    address.is_some_and(|it| TcpStream::connect_timeout(&it, Duration::from_secs(1)).is_ok())
}

/// Waits until every connection was synced.
async fn wait(programs: &Programs, outside: &Path) -> anyhow::Result<()> {
    let sql = "select count(*) as count from weir.connections where last_synced_at is not null";
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if ask(programs, outside, sql)?.trim() == CONNECTORS.len().to_string() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let tasks =
        ask(programs, outside, "select connection_id, activity, outcome, error::text from weir.tasks")?;
    bail!("not everything was extracted in {} s:\n{tasks}", PATIENCE.as_secs())
}

/// Compares every table; gives how many rows there are.
fn same(programs: &Programs, outside: &Path, direct: &Path) -> anyhow::Result<u64> {
    let mut rows = 0;
    let tables = ask(programs, direct, TABLES)?;
    for table in tables.split_whitespace().chain(["weir.group_labels"]) {
        let sql = format!(
            "select count(*) || ' ' || coalesce(md5(string_agg(row, ',' order by row)), '') as digest
               from (select (to_jsonb(t) - 'synced_at')::text as row from {table} t) r"
        );
        let (theirs, ours) = (ask(programs, outside, &sql)?, ask(programs, direct, &sql)?);
        ensure!(theirs == ours, "{table} differs: extracted {theirs}, synced directly {ours}");
        rows += ours.split_whitespace().next().and_then(|it| it.parse::<u64>().ok()).unwrap_or_default();
    }
    ensure!(rows > 1000, "there is too little to compare: {rows} rows");
    Ok(rows)
}

/// The one value that a question gives.
fn ask(programs: &Programs, place: &Path, sql: &str) -> anyhow::Result<String> {
    let csv = text(programs.weir(OUTSIDE, place).args(["sql", "--format", "csv", sql]))?;
    Ok(csv.split_once('\n').map_or("", |it| it.1).trim().trim_matches('"').to_owned())
}

fn text(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("{command:?} cannot be run"))?;
    ensure!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// The programs, as they were built.
struct Programs(PathBuf);

impl Programs {
    fn build(release: bool) -> anyhow::Result<Programs> {
        let mut arguments = vec!["build", "-p", "weir", "-p", "fake-gitlab", "--bins"];
        arguments.extend(release.then_some("--release"));
        succeed(cargo(&arguments))?;
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
        Ok(Programs(target.join(if release { "release" } else { "debug" })))
    }

    /// A program within a namespace, with nothing of this process's environment that it would heed.
    fn within(&self, namespace: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).arg(self.0.join(program));
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let heeded = |it: &String| {
            ["WEIR_", "GITLAB_", "EXTRACT", "DATACLOUD_", "DATABASE_URL"]
                .iter()
                .any(|own| it.starts_with(own))
        };
        for name in names.filter(heeded) {
            command.env_remove(name);
        }
        command
    }

    fn weir(&self, namespace: &str, place: &Path) -> Command {
        let mut command = self.within(namespace, "weir");
        command.env("WEIR_DATA_DIR", place).env("WEIR_ENCRYPTION_KEY", KEY);
        command
    }

    fn gitlab(&self, scale: &str) -> anyhow::Result<Running> {
        let mut command = self.within(INSIDE, "fake-gitlab");
        Running::start(command.args(["--port", "8080", "--scale", scale]).stdout(Stdio::null()))
    }

    fn serve(&self, place: &Path) -> anyhow::Result<Running> {
        // The database is made first, so that the server is there at once.
        text(self.weir(OUTSIDE, place).args(["database", "url"]))?;
        let mut command = self.weir(OUTSIDE, place);
        let running =
            Running::start(command.arg("serve").env("WEIR_LISTEN", WEIR_OUTSIDE).stderr(Stdio::null()))?;
        let until = Instant::now() + Duration::from_secs(60);
        while !reaches(WEIR_OUTSIDE) {
            ensure!(Instant::now() < until, "the Weir outside did not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(running)
    }

    fn extract(&self, key: &str) -> anyhow::Result<Running> {
        let mut command = self.within(INSIDE, "weir");
        command.arg("extract").env("EXTRACTION_TYPE", "gitlab").env("EXTRACTOR_ID", "x");
        command.env("DATACLOUD_URL", format!("http://{LINE_INSIDE}")).env("DATACLOUD_KEY", key);
        command.env("GITLAB_URL", GITLAB).env("GITLAB_TOKEN", fake_gitlab::builder::DEFAULT_TOKEN);
        Running::start(command.env("WEIR_LOG", "warn"))
    }

    fn sync(&self, place: &Path) -> anyhow::Result<()> {
        let mut command = self.weir(INSIDE, place);
        command.args(["sync", "--url", GITLAB]).env("GITLAB_TOKEN", fake_gitlab::builder::DEFAULT_TOKEN);
        command.args(CONNECTORS.iter().flat_map(|it| ["--connector", it]));
        text(&mut command).map(drop)
    }
}

/// A program that runs until this is dropped.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> anyhow::Result<Running> {
        Ok(Running(command.spawn().with_context(|| format!("{command:?} cannot be run"))?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // `ip netns exec` becomes the program, so this is the program itself.
        let process = nix::unistd::Pid::from_raw(self.0.id().cast_signed());
        let _ = nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM);
        let _ = self.0.wait();
    }
}
