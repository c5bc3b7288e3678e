//! PostgreSQL's main process: started through `pg_ctl`, known by `postmaster.pid`.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;

use super::binaries::Binaries;
use super::error::{At, ServerError};
use super::home::Home;
use super::options::Listen;
use super::probe::{self, Answer};
use super::{detach, settings};

/// Recovery after a crash may take minutes on a slow disk. It is not an error, so it is given its time.
const PATIENCE: Duration = Duration::from_secs(600);

/// After kill -9 the postmaster's children need a moment to notice, and until then a new one refuses to start.
const ORPHANS_END_WITHIN: Duration = Duration::from_secs(20);

const POLL: Duration = Duration::from_millis(10);

/// Starts the server unless it is on its way already, and waits until it answers. True: it was started here.
pub(super) async fn bring_up(
    home: &Home,
    binaries: &Binaries,
    listen: Listen,
    password: &str,
) -> Result<bool, ServerError> {
    let begin = Instant::now();
    let mut launch: Option<Child> = None;
    while begin.elapsed() < PATIENCE {
        // Looked at before asking: a successful end says that the server answers from now on.
        let ended = launch.as_mut().and_then(|it| it.try_wait().ok().flatten());
        match (probe::ask(home, settings::port(listen), password).await?, ended) {
            (Answer::Ready | Answer::Empty, _) => return Ok(launch.is_some()),
            // One that a killed Weir had just started came first.
            (Answer::Absent, Some(_)) if is_alive(home) => {}
            (Answer::Absent, Some(_)) if waits_for_orphans(home) && begin.elapsed() < ORPHANS_END_WITHIN => {
                launch = None;
            }
            (Answer::Absent, Some(_)) => return Err(why(home)),
            (Answer::Absent, None) if launch.is_none() && !is_alive(home) => {
                launch = Some(start(home, binaries, listen)?);
            }
            _ => {}
        }
        tokio::time::sleep(POLL).await;
    }
    Err(why(home))
}

/// `pg_ctl` and not `postgres`: it gives the server a session of its own, which takes an unsafe call otherwise.
fn start(home: &Home, binaries: &Binaries, listen: Listen) -> Result<Child, ServerError> {
    forget_stale_pids(home, listen)?;
    if let Listen::At(address) = listen {
        // PostgreSQL would say it in its log only.
        TcpListener::bind(address).map_err(|source| ServerError::CannotListen { address, source })?;
    }
    settings::write(home, listen)?;
    let log = start_log(home);
    fs::remove_file(&log).or_else(ignore_missing).at("removing", &log)?;
    let program = binaries.program("pg_ctl");
    let mut command = detach::command(home.account, &program);
    // Paths relative to the home: pg_ctl hands them to a shell within double quotes, unescaped.
    command.args(["start", "--wait", "--timeout=600", "--silent", "--pgdata=data", "--log=log/start.log"]);
    command.arg("--options=-c config_file=postgresql.conf").current_dir(&home.root);
    command.spawn().at("running", &program)
}

fn start_log(home: &Home) -> PathBuf {
    home.log().join("start.log")
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn waits_for_orphans(home: &Home) -> bool {
    tail(&start_log(home)).contains("is still in use")
}

/// Why the last start failed, from what the server wrote: first to its starter, then into its log.
fn why(home: &Home) -> ServerError {
    let text = latest_log(home).map(|it| tail(&it)).unwrap_or_default() + &tail(&start_log(home));
    if text.contains("No space left on device") {
        return ServerError::DiskFull { path: home.root.clone() };
    }
    let fatal = text.lines().rev().find_map(|it| it.find("FATAL:").map(|at| &it[at..]));
    let reason = fatal.or(text.lines().last()).unwrap_or("it did not say why").to_owned();
    ServerError::StartFailed { reason, log: home.log() }
}

fn latest_log(home: &Home) -> Option<PathBuf> {
    let entries = fs::read_dir(home.log()).into_iter().flatten().flatten().map(|it| it.path());
    let logs = entries.filter(|it| it.file_name().is_some_and(|it| it != "start.log"));
    logs.max_by_key(|it| fs::metadata(it).and_then(|it| it.modified()).ok())
}

/// What was written since the last start.
fn tail(path: &Path) -> String {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let begin = text.rfind("starting PostgreSQL").unwrap_or(0);
    text[begin..].to_owned()
}

/// The process named in `postmaster.pid`, running or not.
pub(super) fn pid(home: &Home) -> Option<Pid> {
    pid_in(&home.data().join("postmaster.pid"))
}

fn pid_in(file: &Path) -> Option<Pid> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().next()?.trim().parse().ok().filter(|it| *it > 1).map(Pid::from_raw)
}

/// Where the running server listens; where the next one will, if none runs.
pub(super) fn listen(home: &Home) -> Listen {
    running_listen(home).unwrap_or_else(|| settings::remembered(home))
}

/// Where the running server listens, as it says itself: the choice may not have been remembered yet.
pub(super) fn running_listen(home: &Home) -> Option<Listen> {
    let text = fs::read_to_string(home.data().join("postmaster.pid")).ok().filter(|_| is_alive(home))?;
    let mut lines = text.lines().skip(3);
    let (port, _socket_dir, address) = (lines.next()?, lines.next()?, lines.next()?);
    match address.parse() {
        Ok(ip) => Some(Listen::At(SocketAddr::new(ip, port.parse().ok()?))),
        Err(_) => Some(Listen::Off),
    }
}

/// Whether the process named in `postmaster.pid` is a postmaster of this cluster. In doubt it is.
pub(super) fn is_alive(home: &Home) -> bool {
    pid(home).is_some_and(|it| is_postmaster(home, it))
}

fn is_postmaster(home: &Home, pid: Pid) -> bool {
    match kill(pid, None) {
        Err(Errno::ESRCH) => false,
        // Of another account, and so not ours: ours runs as we do, or we are root.
        Err(Errno::EPERM) => false,
        _ => works_in(pid, &home.data()).unwrap_or_else(|| is_postgres(pid)),
    }
}

/// A postmaster works in its cluster's folder. None: this platform does not tell.
fn works_in(pid: Pid, folder: &Path) -> Option<bool> {
    Path::new("/proc/self/cwd").exists().then_some(())?;
    let Ok(cwd) = fs::read_link(format!("/proc/{pid}/cwd")) else { return Some(false) };
    Some(folder.canonicalize().is_ok_and(|it| it == cwd))
}

fn is_postgres(pid: Pid) -> bool {
    let output = Command::new("ps").args(["-o", "comm=", "-p", &pid.to_string()]).output();
    output.is_ok_and(|it| String::from_utf8_lossy(&it.stdout).contains("postgres"))
}

/// PostgreSQL removes the files of a dead server itself, but not when their number is another process's by now, as
/// it often is after the restart of a container, or when nobody has collected the dead process.
fn forget_stale_pids(home: &Home, listen: Listen) -> Result<(), ServerError> {
    let socket_lock = home.socket(settings::port(listen)).with_added_extension("lock");
    for file in [home.data().join("postmaster.pid"), socket_lock] {
        let named = pid_in(&file).filter(|it| kill(*it, None).is_ok());
        if named.is_some_and(|it| !is_postmaster(home, it)) {
            fs::remove_file(&file).or_else(ignore_missing).at("removing", &file)?;
        }
    }
    Ok(())
}

/// Sends a signal to the postmaster. Only for a server that is known to live.
pub(super) fn signal(home: &Home, signal: Signal) {
    if let Some(pid) = pid(home).filter(|_| is_alive(home)) {
        // It may have ended in between, which is what the signal is for.
        let _ = kill(pid, signal);
    }
}
