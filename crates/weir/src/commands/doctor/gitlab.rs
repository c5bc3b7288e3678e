//! The GitLab: its address, the tokens, what they reach, and its clock.

use catalogue::Connector;
use chrono::TimeDelta;
use gitlab_client::{Client, Request};
use sync::verify::Verification;

use super::finding::Findings;
use crate::commands::verify::{job_project, verify};
use crate::connection::{Connection, ConnectionArguments};
use crate::numbers::{counted, duration};

/// Clocks that differ by more than this are worth a word.
const SKEW: TimeDelta = TimeDelta::seconds(30);

/// Examines the GitLab; gives its address if it is known.
pub async fn examine(arguments: &ConnectionArguments, findings: &mut Findings) -> Option<String> {
    let Connection { client, url, token_source, job_token, .. } = match arguments.connect(None).await {
        Ok(connection) => connection,
        Err(problem) => {
            let subject = if problem.0.code == "usage" { "GitLab" } else { "token" };
            findings.fail(subject, &problem.0.message);
            return None;
        }
    };
    findings.ok("address", format!("{} (from {})", url.value.as_str(), url.source));
    let number = client.credentials().len() as u64;
    findings.ok("token", format!("{} (from {token_source})", counted(number, "token")));
    let project = match job_project(job_token) {
        Ok(project) => project,
        Err(problem) => {
            findings.fail("verification", &problem.0.message);
            return Some(url.value.as_str().to_owned());
        }
    };
    let found = verify(&client, &Connector::ALL, project.as_deref()).await;
    verification(&found, findings);
    // After a failed verification the same failure would only be told twice.
    if found.ok && !job_token {
        clock(&client, findings).await;
    }
    Some(url.value.as_str().to_owned())
}

fn verification(found: &Verification, findings: &mut Findings) {
    for token in &found.tokens {
        match &token.note {
            Some(note) => findings.warn("token", format!("{}: {note}", token.label)),
            None => findings.ok("token", format!("{}: works", token.label)),
        }
    }
    for probe in &found.probes {
        match probe.ok {
            true => findings.ok(probe.name, &probe.detail),
            false => findings.warn(probe.name, &probe.detail),
        }
    }
    match &found.error {
        None => findings.ok("verification", "everything an import needs can be read"),
        Some(failure) => {
            let curl = failure.curl.as_ref().map_or(String::new(), |it| format!("\nTry it by hand: {it}"));
            findings.fail("verification", format!("{}: {}{curl}", failure.code, failure.message));
        }
    }
}

/// How far this machine's clock is from the server's.
async fn clock(client: &Client, findings: &mut Findings) {
    let Ok(answer) = client.get(&Request::new("version")).await else { return };
    let Some(date) = answer.date else { return };
    let skew = answer.sent_at - date;
    if skew.abs() <= SKEW {
        return findings.ok("clock", "as GitLab's");
    }
    let word = if skew > TimeDelta::zero() { "ahead of" } else { "behind" };
    let apart = duration(skew.abs().to_std().unwrap_or_default());
    findings.warn(
        "clock",
        format!("this machine's is {apart} {word} GitLab's; set it by NTP. Weir counts by GitLab's."),
    );
}
