//! Verification: whether the credentials reach what the connectors read, and if not, why, in the three codes that
//! connections know, a finer reason, and the command to try by hand.
//!
//! GitLab lists strangers' public groups and projects too, so the probes ask for what the token is a member of, and
//! look into several groups and projects before they judge.

mod places;
mod reach;
mod tokens;
mod words;

use catalogue::Connector;
use chrono::NaiveDate;
use gitlab_client::{BaseUrl, Client, Error, Request};
use serde::Serialize;

use crate::Failure;

pub use words::curl;
pub(crate) use words::{failure, nothing_to_read};

/// Groups and projects that are tried before the verdict.
const TRIES: usize = 5;

/// What verification found.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// Whether everything the connector needs can be read.
    pub ok: bool,
    /// Base address.
    pub url: String,
    /// Version, where GitLab tells it.
    pub version: Option<String>,
    /// What is known of each token.
    pub tokens: Vec<TokenReport>,
    /// What was tried, in order.
    pub probes: Vec<Probe>,
    /// Why it failed.
    pub error: Option<Failure>,
}

/// What is known of a token.
#[derive(Debug, Clone, Serialize)]
pub struct TokenReport {
    /// What a person calls it.
    pub label: String,
    /// What it may do, where GitLab tells.
    pub scopes: Vec<String>,
    /// The day on which it dies, where GitLab tells.
    pub expires_at: Option<NaiveDate>,
    /// GitLab's id of its user: tokens of one user share one rate limit.
    pub user_id: Option<i64>,
    /// What is wrong with it, or should be known.
    pub note: Option<String>,
}

/// One thing that was tried.
#[derive(Debug, Clone, Serialize)]
pub struct Probe {
    /// groups, projects, and what the connectors import: merge_requests, pipelines, ...
    pub name: &'static str,
    /// Whether it worked.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// The command that does the same.
    pub curl: String,
}

/// Verifies the client's credentials for these connectors.
pub async fn verify(client: &Client, connectors: &[Connector], today: NaiveDate) -> Verification {
    let mut report = Verification::new(client);
    let done = probe(client, connectors, today, &mut report).await;
    report.end(done)
}

/// Verifies a job token, which reads one project's merge requests and cannot be asked about itself.
pub async fn verify_job(client: &Client, project: &str) -> Verification {
    let mut report = Verification::new(client);
    let path = format!("projects/{}/merge_requests?per_page=1", project.replace('/', "%2F"));
    let request = Request::new("projects/{project}/merge_requests").value(project).query("per_page", 1);
    let done = match client.get(&request).await {
        Ok(_) => {
            let detail = format!("readable in project {project}");
            report.probes.push(passed("merge_requests", detail, client, &path));
            Ok(())
        }
        Err(error) => Err(give_up("merge_requests", &error, client, &path, &mut report)),
    };
    report.end(done)
}

impl Verification {
    fn new(client: &Client) -> Verification {
        Verification {
            ok: false,
            url: client.base_url().as_str().to_owned(),
            version: None,
            tokens: Vec::new(),
            probes: Vec::new(),
            error: None,
        }
    }

    /// Nothing could be asked.
    pub fn impossible(base: &BaseUrl, failure: Failure) -> Verification {
        Verification {
            ok: false,
            url: base.as_str().to_owned(),
            version: None,
            tokens: Vec::new(),
            probes: Vec::new(),
            error: Some(failure),
        }
    }

    fn end(mut self, done: Result<(), Failure>) -> Verification {
        self.ok = done.is_ok();
        self.error = done.err();
        self
    }
}

async fn probe(
    client: &Client,
    connectors: &[Connector],
    today: NaiveDate,
    report: &mut Verification,
) -> Result<(), Failure> {
    let (version, _) = crate::capabilities::version(client)
        .await
        .map_err(|it| failure(&it, client.base_url(), Some("version")))?;
    report.version = version;
    tokens::ask(client, today, report).await?;
    let groups = places::groups(client, report).await?;
    let projects = places::projects(client, &groups, report).await?;
    // All are tried, so that the report is whole.
    let mut verdicts = Vec::new();
    for connector in connectors {
        verdicts.push(reach::check(client, *connector, &projects, report).await);
    }
    judge(verdicts)
}

/// The first failure is the verdict. What nobody has switched on is no failure beside something that can be read.
fn judge(verdicts: Vec<Result<(), Failure>>) -> Result<(), Failure> {
    let some = verdicts.iter().any(Result::is_ok);
    let counts = |it: &Failure| !(some && it.code == "no_resources");
    verdicts.into_iter().filter_map(Result::err).find(counts).map_or(Ok(()), Err)
}

fn passed(name: &'static str, detail: String, client: &Client, path: &str) -> Probe {
    Probe { name, ok: true, detail, curl: curl(client.base_url(), path) }
}

fn failed(name: &'static str, error: &Error, client: &Client, path: &str) -> Probe {
    Probe { name, ok: false, detail: error.message.to_string(), curl: curl(client.base_url(), path) }
}

fn give_up(
    name: &'static str,
    error: &Error,
    client: &Client,
    path: &str,
    report: &mut Verification,
) -> Failure {
    report.probes.push(failed(name, error, client, path));
    failure(error, client.base_url(), Some(path))
}
