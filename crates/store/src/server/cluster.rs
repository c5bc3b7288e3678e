//! Initialises the cluster. It gets its name only when it is complete, so a killed initialisation leaves nothing
//! that could be taken for a cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt;

use super::binaries::Binaries;
use super::error::{At, ServerError};
use super::home::Home;
use super::{OWNER_ROLE, secret};

/// What an unfinished cluster is called, followed by a number of its own: the `initdb` of a killed Weir may still be
/// writing to the last one.
const UNFINISHED: &str = "unfinished-";

/// Makes the cluster with checksums, UTF-8 and a password for Weir's role.
pub(super) async fn initialise(home: &Home, binaries: &Binaries) -> Result<(), ServerError> {
    remove_unfinished(home);
    let draft = home.root.join(format!("{UNFINISHED}{:016x}", rand::random::<u64>()));
    home.make_folder(&draft, 0o700, home.account)?;
    let password = secret::generate();
    home.write(&home.password(), 0o600, &password)?;
    // PostgreSQL's account cannot read the password's own file.
    let copy = draft.with_extension("password");
    home.write_for(home.account, &copy, 0o600, &password)?;
    let result = run_initdb(home, binaries, &draft, &copy).await;
    fs::remove_file(&copy).at("removing", &copy)?;
    result?;
    fs::rename(&draft, home.data()).at("renaming", &draft)?;
    sync(&home.root)
}

async fn run_initdb(
    home: &Home,
    binaries: &Binaries,
    draft: &Path,
    password: &Path,
) -> Result<(), ServerError> {
    let mut failure = None;
    for locale in locales(binaries.version) {
        let output = initdb(home, binaries, draft, password, locale).await?;
        if output.status.success() {
            return Ok(());
        }
        failure = Some(why(home, &output));
    }
    Err(failure.unwrap_or_else(|| unreachable!("there is always a locale to try")))
}

async fn initdb(
    home: &Home,
    binaries: &Binaries,
    draft: &Path,
    password: &Path,
    locale: &[&str],
) -> Result<Output, ServerError> {
    let program = binaries.program("initdb");
    let mut command = home.account.command(&program);
    command.args(["--data-checksums", "--encoding=UTF8", "--auth=scram-sha-256", "--no-instructions"]);
    command
        .args(locale)
        .args(["--username", OWNER_ROLE, "--pgdata"])
        .arg(draft)
        .arg("--pwfile")
        .arg(password);
    command.current_dir(&home.root).output().await.at("running", &program)
}

/// Sorting by code point, alike on every machine and after every update of its libraries, with letter case for all
/// of Unicode where that can be had.
fn locales(version: u32) -> &'static [&'static [&'static str]] {
    match version {
        17.. => &[&["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"], &["--locale=C"]],
        _ => &[&["--locale=C", "--lc-ctype=C.UTF-8"], &["--locale=C"]],
    }
}

fn why(home: &Home, output: &Output) -> ServerError {
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("No space left on device") {
        return ServerError::DiskFull { path: home.root.clone() };
    }
    let reason = text.lines().find(|it| ["error:", "ERROR:", "FATAL:"].iter().any(|word| it.contains(word)));
    let reason = reason.or(text.lines().last()).unwrap_or("it did not say why").to_owned();
    ServerError::InitFailed { path: home.data(), reason }
}

/// Gives Weir's role a new password when the old one is lost. The server must be stopped: this way in asks for none.
pub(super) async fn renew_password(home: &Home, binaries: &Binaries) -> Result<(), ServerError> {
    let password = secret::generate();
    let program = binaries.program("postgres");
    let mut command = home.account.command(&program);
    command.args(["--single", "-D", "data", "-c", "password_encryption=scram-sha-256", "postgres"]);
    command.current_dir(&home.root).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut server = command.spawn().at("running", &program)?;
    if let Some(mut input) = server.stdin.take() {
        let statement = format!("alter role {OWNER_ROLE} password '{password}'\n");
        input.write_all(statement.as_bytes()).await.at("writing to", &program)?;
    }
    let output = server.wait_with_output().await.at("running", &program)?;
    if !output.status.success() || String::from_utf8_lossy(&output.stderr).contains("ERROR:") {
        return Err(why(home, &output));
    }
    home.write(&home.password(), 0o600, &password)
}

/// As far as possible: what cannot be removed is not in the way.
fn remove_unfinished(home: &Home) {
    for path in unfinished(&home.root) {
        let removed = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        if let Err(error) = removed {
            tracing::warn!(path = %path.display(), %error, "an unfinished cluster could not be removed");
        }
    }
}

fn unfinished(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries
        .filter(|it| it.file_name().to_string_lossy().starts_with(UNFINISHED))
        .map(|it| it.path())
        .collect()
}

/// Makes the new name survive the loss of power.
fn sync(folder: &Path) -> Result<(), ServerError> {
    fs::File::open(folder).and_then(|it| it.sync_all()).at("syncing", folder)
}
