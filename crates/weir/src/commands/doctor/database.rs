//! The database: where it is, whether it answers, and what is missing in it.

use store::server::{Server, Status};
use url::Url;

use super::finding::Findings;
use crate::database::{self, Database};
use crate::numbers::counted;
use crate::settings::{Found, Settings};

/// Examines the database in use; gives it if it can be used.
pub async fn examine(settings: &Settings, findings: &mut Findings) -> Option<Database> {
    match settings.database_url() {
        Some(url) => findings.ok("database", format!("{} (from {})", hidden(&url.value), url.source)),
        None => own(settings, findings)?,
    }
    match database::open(settings, 1).await {
        Ok(database) => {
            match database.store.server_version().await {
                Ok(version) => findings.ok("PostgreSQL", format!("{version}; its tables are up to date")),
                Err(error) => findings.fail("PostgreSQL", error.to_string()),
            }
            Some(database)
        }
        Err(problem) => {
            findings.fail("PostgreSQL", &problem.0.message);
            None
        }
    }
}

/// Weir's own server. None where nothing more can be tried.
fn own(settings: &Settings, findings: &mut Findings) -> Option<()> {
    let Found { value: data_dir, source } = match settings.data_dir() {
        Ok(found) => found,
        Err(problem) => {
            findings.fail("data directory", &problem.0.message);
            return None;
        }
    };
    findings.ok("data directory", format!("{} (from {source})", data_dir.display()));
    match Server::status(&data_dir) {
        Ok(Status::NotInitialised) => findings.ok("database", "there is none yet; it is made now"),
        Ok(Status::Stopped { version, .. }) => {
            findings.ok("database", format!("of version {version}, stopped; it is started now"));
        }
        Ok(Status::Running { version, .. }) => findings.ok("database", format!("of version {version}, running")),
        Err(error) => findings.fail("database", error.to_string()),
    }
    Some(())
}

/// An address without its password.
fn hidden(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else { return "an address that cannot be understood".to_owned() };
    if url.password().is_some() {
        let _ = url.set_password(Some("..."));
    }
    url.set_query(None);
    url.to_string()
}

/// What the last sync of this GitLab left out.
pub async fn left_out(database: &Database, url: Option<&str>, findings: &mut Findings) {
    let reports = match database.store.status().await {
        Ok(reports) => reports,
        Err(error) => return findings.fail("last sync", error.to_string()),
    };
    let reports: Vec<_> = reports.iter().filter(|it| url.is_none_or(|url| it.url == url)).collect();
    if reports.is_empty() {
        return findings.ok("last sync", "there was none yet; start with weir sync");
    }
    for report in reports {
        match report.syncs.first() {
            Some(last) if last.state == "failed" || last.state == "stopped" => {
                findings.warn("last sync", format!("{}: {}; run weir sync again", report.url, last.state));
            }
            Some(last) => findings.ok("last sync", format!("{}: {}", report.url, last.state)),
            None => findings.ok("last sync", format!("{}: none yet", report.url)),
        }
        if !report.skips.is_empty() {
            let number = counted(report.skips.len() as u64, "thing");
            findings.warn("left out", format!("{number} of {}; see weir status", report.url));
        }
        let rejects: i64 = report.rejects.iter().map(|it| it.count).sum();
        if rejects > 0 {
            let number = counted(rejects.unsigned_abs(), "element");
            findings.warn("not understood", format!("{number} of {}; see weir status", report.url));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_hidden() {
        assert_eq!(hidden("postgresql://weir:secret@db/weir?password=x"), "postgresql://weir:...@db/weir");
    }
}
