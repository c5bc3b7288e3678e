//! What GitLab says of the last deliveries of a hook.

use chrono::{DateTime, Utc};
use gitlab_client::Client;
use serde::{Deserialize, Serialize};

use super::address::Address;
use super::places::{Kind, Place};

/// GitLab gives no more of them at once.
const LOOKED_AT: u32 = 20;
/// So much of an answer is shown.
const SHOWN: usize = 160;

/// The last deliveries of a hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deliveries {
    /// How many were looked at.
    pub looked_at: usize,
    /// How many of them failed.
    pub failed: usize,
    /// Whether the very last one failed.
    pub failing: bool,
    /// The last one that failed.
    pub last_failed: Option<Failed>,
}

/// A delivery that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// When.
    pub at: DateTime<Utc>,
    /// What it told of, in GitLab's word.
    pub event: String,
    /// The status of the answer, or `internal error` where there was none.
    pub status: String,
    /// Why, as a sentence.
    pub reason: String,
}

#[derive(Debug, Deserialize)]
struct Record {
    created_at: DateTime<Utc>,
    #[serde(default)]
    trigger: Option<String>,
    #[serde(default)]
    response_status: Option<String>,
    #[serde(default)]
    response_body: Option<String>,
}

/// Asks for the last deliveries of a hook. None where GitLab does not tell: of system hooks, and before 17.3.
pub(super) async fn deliveries(client: &Client, place: &Place, hook: i64, url: &str) -> Option<Deliveries> {
    if place.kind == Kind::System {
        return None;
    }
    let request = place.request("/{hook}/events").value(hook).query("per_page", LOOKED_AT);
    // That it cannot be told is no reason to fail: the hook itself was seen.
    let answer = client.get(&request).await.ok()?;
    let mut records: Vec<Record> = serde_json::from_slice(&answer.body).ok()?;
    records.sort_by_key(|it| std::cmp::Reverse(it.created_at));
    let failed: Vec<&Record> = records.iter().filter(|it| !it.is_success()).collect();
    Some(Deliveries {
        looked_at: records.len(),
        failed: failed.len(),
        failing: records.first().is_some_and(|it| !it.is_success()),
        last_failed: failed.first().map(|it| it.failed(url)),
    })
}

impl Record {
    fn status(&self) -> &str {
        self.response_status.as_deref().unwrap_or_default()
    }

    /// What GitLab calls a success.
    fn is_success(&self) -> bool {
        self.status().starts_with(['2', '3'])
    }

    fn failed(&self, url: &str) -> Failed {
        Failed {
            at: self.created_at,
            event: self.trigger.clone().unwrap_or_default(),
            status: self.status().to_owned(),
            reason: reason(self.status(), self.response_body.as_deref().unwrap_or_default(), url),
        }
    }
}

/// Why a delivery failed, from the status and the body of the answer.
fn reason(status: &str, body: &str, url: &str) -> String {
    let said: String = body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect();
    let said = if said.is_empty() { String::new() } else { format!(" It said: {said:?}") };
    match status {
        "401" | "403" => format!(
            "The answer was {status}: the secret is not Weir's, or something before Weir wants a password.{said}"
        ),
        "404" | "405" => {
            format!("The answer was {status}: the address does not lead to Weir's /webhooks/gitlab.{said}")
        }
        "413" => format!("The answer was 413: something before Weir takes no payload of this size.{said}"),
        "502" | "503" | "504" => {
            format!("The answer was {status}: Weir, its database or a proxy before it was down.{said}")
        }
        number if number.parse::<u16>().is_ok() => format!("The answer was {number}.{said}"),
        _ => unreached(url) + &said,
    }
}

fn unreached(url: &str) -> String {
    let local = Address::parse(url).is_ok_and(|it| it.is_local());
    let mut text = "GitLab got no answer within ten seconds: it cannot reach the address, does not trust the certificate, ".to_owned();
    text += if local {
        "or may not ask addresses of its own network (Admin, Settings, Network, Outbound requests)."
    } else {
        "or cannot resolve the name. It shows more under Settings, Webhooks, Edit, Recent events."
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_who_is_meant() {
        let told = |status: &str, url: &str| reason(status, "no\n entry", url);
        assert!(told("401", "https://x").contains("secret") && told("401", "https://x").contains("no entry"));
        assert!(told("404", "https://x").contains("/webhooks/gitlab"));
        assert!(told("internal error", "http://10.0.0.1").contains("own network"));
        assert!(told("internal error", "https://weir.example.com").contains("ten seconds"));
        assert!(told("500", "https://x").contains("500"));
    }
}
