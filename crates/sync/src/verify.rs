//! Verification: whether the credentials reach what the connector reads, and if not, why, in the three codes that
//! connections know, a finer reason, and the command to try by hand.
//!
//! GitLab lists strangers' public groups and projects too, so the probes ask for what the token is a member of, and
//! look into several groups and projects before they judge.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gitlab_client::tokens::TokenInfo;
use gitlab_client::{
    Answer, BaseUrl, Client, Error, ErrorKind, ForbiddenReason, NetworkFailure, Request, UnauthorizedReason,
};
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::fetch::elements;

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
    /// groups, projects or merge_requests.
    pub name: &'static str,
    /// Whether it worked.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// The command that does the same.
    pub curl: String,
}

/// Verifies the client's credentials for the `gitlab` connector.
pub async fn verify(client: &Client, today: NaiveDate) -> Verification {
    let mut report = Verification::new(client);
    let done = probe(client, today, &mut report).await;
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

    fn end(mut self, done: Result<(), Failure>) -> Verification {
        self.ok = done.is_ok();
        self.error = done.err();
        self
    }
}

async fn probe(client: &Client, today: NaiveDate, report: &mut Verification) -> Result<(), Failure> {
    let (version, _) = crate::capabilities::version(client)
        .await
        .map_err(|it| failure(&it, client.base_url(), Some("version")))?;
    report.version = version;
    tokens(client, today, report).await?;
    let groups = groups(client, report).await?;
    let projects = projects(client, &groups, report).await?;
    merge_requests(client, &projects, report).await
}

/// Asks each token about itself. Tokens that cannot be asked (OAuth) are not held against it.
async fn tokens(client: &Client, today: NaiveDate, report: &mut Verification) -> Result<(), Failure> {
    let mut missing = None;
    for state in client.credentials() {
        let mut token = TokenReport {
            label: state.label.clone(),
            scopes: Vec::new(),
            expires_at: None,
            user_id: None,
            note: None,
        };
        match client.get(&Request::new("personal_access_tokens/self").credential(state.id.clone())).await {
            Ok(answer) => {
                if let Ok(info) = TokenInfo::parse(&answer.body) {
                    missing = missing.or(describe(&mut token, &info, today, client.base_url()));
                }
            }
            Err(error) => token.note = Some(error.message.to_string()),
        }
        report.tokens.push(token);
    }
    share_a_limit(&mut report.tokens);
    let all_bad = !report.tokens.is_empty() && report.tokens.iter().all(|it| it.note.is_some());
    missing.filter(|_| all_bad).map_or(Ok(()), Err)
}

/// Fills in what a token told. Gives the failure when it may not read the API.
fn describe(token: &mut TokenReport, info: &TokenInfo, today: NaiveDate, base: &BaseUrl) -> Option<Failure> {
    token.scopes.clone_from(&info.scopes);
    token.expires_at = info.expires_at;
    token.user_id = Some(info.user_id);
    if !info.can_read_api() {
        let has = if info.scopes.is_empty() { "none".to_owned() } else { info.scopes.join(", ") };
        let message =
            format!("The token needs the scope read_api; it has {has}. Make a token with read_api.");
        token.note = Some(message.clone());
        let mut failure = Failure::new("invalid_permissions", "scope_missing", message);
        failure.curl = Some(curl(base, "personal_access_tokens/self"));
        return Some(failure);
    }
    let days = info.days_left(today).filter(|it| *it <= 30)?;
    token.note = Some(format!("It expires in {days} days: make a new one in time."));
    None
}

fn share_a_limit(tokens: &mut [TokenReport]) {
    let mut by_user: BTreeMap<i64, usize> = BTreeMap::new();
    for user in tokens.iter().filter_map(|it| it.user_id) {
        *by_user.entry(user).or_default() += 1;
    }
    for token in tokens.iter_mut().filter(|it| it.note.is_none()) {
        if token.user_id.is_some_and(|it| by_user[&it] > 1) {
            token.note =
                Some("Another token belongs to the same user: GitLab counts the two as one.".to_owned());
        }
    }
}

#[derive(Deserialize)]
struct Id {
    id: i64,
}

async fn groups(client: &Client, report: &mut Verification) -> Result<Vec<i64>, Failure> {
    let path = "groups?min_access_level=10&per_page=20";
    let request = Request::new("groups").query("min_access_level", 10).query("per_page", 20);
    match client.get(&request).await {
        Ok(answer) => {
            let ids = ids(&answer);
            report.probes.push(passed("groups", format!("{} groups in sight", ids.len()), client, path));
            Ok(ids)
        }
        // A project's token sees no group; its project is found by membership.
        Err(error) if matches!(error.kind, ErrorKind::NotFound) => {
            report.probes.push(failed("groups", &error, client, path));
            Ok(Vec::new())
        }
        Err(error) => Err(give_up("groups", &error, client, path, report)),
    }
}

async fn projects(client: &Client, groups: &[i64], report: &mut Verification) -> Result<Vec<i64>, Failure> {
    let mut found = Vec::new();
    for group in groups.iter().take(TRIES) {
        let path = format!("groups/{group}/projects?include_subgroups=true&with_shared=false&per_page=20");
        let request = Request::new("groups/{group}/projects").value(group);
        let request =
            request.query("include_subgroups", true).query("with_shared", false).query("per_page", 20);
        match client.get(&request).await {
            Ok(answer) => {
                found.extend(ids(&answer));
                let detail = format!("{} projects in group {group}", found.len());
                report.probes.push(passed("projects", detail, client, &path));
            }
            Err(error) => report.probes.push(failed("projects", &error, client, &path)),
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    members(client, report).await
}

async fn members(client: &Client, report: &mut Verification) -> Result<Vec<i64>, Failure> {
    let path = "projects?membership=true&per_page=20";
    let request = Request::new("projects").query("membership", true).query("per_page", 20);
    let answer = match client.get(&request).await {
        Ok(answer) => answer,
        Err(error) => return Err(give_up("projects", &error, client, path, report)),
    };
    let found = ids(&answer);
    if found.is_empty() {
        let mut failure = nothing_to_read(client.base_url());
        failure.curl = Some(curl(client.base_url(), path));
        report.probes.push(Probe {
            name: "projects",
            ok: false,
            detail: "no project in sight".to_owned(),
            curl: curl(client.base_url(), path),
        });
        return Err(failure);
    }
    report.probes.push(passed("projects", format!("{} projects by membership", found.len()), client, path));
    Ok(found)
}

async fn merge_requests(client: &Client, projects: &[i64], report: &mut Verification) -> Result<(), Failure> {
    let mut last = None;
    for project in projects.iter().take(TRIES) {
        let path = format!("projects/{project}/merge_requests?order_by=created_at&sort=desc&per_page=1");
        let request = Request::new("projects/{project}/merge_requests").value(project);
        let request = request.query("order_by", "created_at").query("sort", "desc").query("per_page", 1);
        match client.get(&request).await {
            Ok(_) => {
                report.probes.push(passed(
                    "merge_requests",
                    format!("readable in project {project}"),
                    client,
                    &path,
                ));
                return Ok(());
            }
            Err(error) => {
                report.probes.push(failed("merge_requests", &error, client, &path));
                last = Some((error, path));
            }
        }
    }
    let Some((error, path)) = last else { return Ok(()) };
    let mut failure = failure(&error, client.base_url(), Some(&path));
    if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Forbidden { .. }) {
        failure.code = "invalid_permissions";
        if failure.reason != "scope_missing" {
            failure.reason = "role_too_low".to_owned();
            failure.message =
                "The token sees projects but may not read their merge requests: give its user the role \
                               Reporter or higher (Developer is the usual choice)."
                    .to_owned();
        }
    }
    Err(failure)
}

fn ids(answer: &Answer) -> Vec<i64> {
    elements(&answer.body)
        .iter()
        .filter_map(|it| Some(serde_json::from_str::<Id>(it.get()).ok()?.id))
        .collect()
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

/// The command that asks the same by hand, with a placeholder for the token.
pub fn curl(base: &BaseUrl, path: &str) -> String {
    format!(
        "curl -H 'PRIVATE-TOKEN: YOUR_ACCESS_TOKEN' -H 'Accept: application/json' '{}/api/v4/{path}'",
        base.as_str()
    )
}

/// The token works and reaches nothing.
pub(crate) fn nothing_to_read(base: &BaseUrl) -> Failure {
    let message = "The token reaches no group and no project. Add its user to a group, with the role Reporter or higher \
                   (Developer is the usual choice).";
    let mut failure = Failure::new("no_resources", "empty", message);
    failure.curl = Some(curl(base, "projects?membership=true"));
    failure
}

/// An error of the client in the words of verification.
pub(crate) fn failure(error: &Error, base: &BaseUrl, path: Option<&str>) -> Failure {
    let (code, reason) = code(error);
    let mut failure = Failure::new(code, reason, sentence(error, base, reason));
    failure.curl = path.filter(|it| !it.contains('{')).map(|it| curl(base, it));
    failure
}

fn code(error: &Error) -> (&'static str, &'static str) {
    match &error.kind {
        ErrorKind::Unauthorized { reason } => ("invalid_credentials", unauthorized(*reason)),
        ErrorKind::Forbidden { reason: ForbiddenReason::Blocked } => ("invalid_credentials", "user_blocked"),
        ErrorKind::Forbidden { reason } => ("invalid_permissions", crate::policy::forbidden(reason)),
        ErrorKind::NotFound | ErrorKind::Unreadable => ("failed", "not_gitlab"),
        ErrorKind::RateLimited { .. } => ("stopped", "rate_limited"),
        ErrorKind::Unavailable => ("failed", network(error.network)),
        ErrorKind::Refused => ("failed", "refused"),
    }
}

fn unauthorized(reason: UnauthorizedReason) -> &'static str {
    match reason {
        UnauthorizedReason::Expired => "expired",
        UnauthorizedReason::Revoked => "revoked",
        UnauthorizedReason::Unknown => "unknown_token",
        UnauthorizedReason::ImpersonationDisabled => "impersonation_disabled",
        UnauthorizedReason::ProofRequired => "proof_required",
        UnauthorizedReason::UserBlocked => "user_blocked",
        UnauthorizedReason::NoCredential => "no_token",
        _ => "unauthorized",
    }
}

fn network(failure: Option<NetworkFailure>) -> &'static str {
    match failure {
        Some(NetworkFailure::Tls) => "tls",
        Some(_) => "unreachable",
        None => "unavailable",
    }
}

fn sentence(error: &Error, base: &BaseUrl, reason: &str) -> String {
    match reason {
        "expired" => "The token has expired. Make a new one with the scope read_api.".to_owned(),
        "revoked" => "The token was revoked. Make a new one with the scope read_api.".to_owned(),
        "unknown_token" => format!(
            "{} does not know this token. Check that it is whole and from this GitLab.",
            base.as_str()
        ),
        "not_gitlab" => format!(
            "{} did not answer as a GitLab does ({}). Check the address given by --url.",
            base.as_str(),
            error.message.trim_end_matches('.')
        ),
        _ => error.message.to_string(),
    }
}
