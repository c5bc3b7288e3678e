//! Trying a hook out: GitLab sends it an event that was, and delivers again to a hook that it had disabled if that is
//! answered.

use gitlab_client::{Client, ErrorKind};
use serde_json::json;

use super::places::{Kind, Place};
use super::words::{Doing, refused};

/// What may be there to be sent, most likely first.
const TRIGGERS: [&str; 4] = ["push_events", "merge_requests_events", "issues_events", "pipeline_events"];

/// Tries a hook out. Fails with a sentence.
pub(super) async fn trial(client: &Client, place: &Place, hook: i64) -> Result<(), String> {
    if place.kind == Kind::System {
        return Err("System hooks are not disabled by GitLab.".to_owned());
    }
    let mut last = String::new();
    for trigger in TRIGGERS {
        let request = place.request("/{hook}/test/{trigger}").value(hook).value(trigger);
        let error = match client.post(&request, &json!({})).await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        match (&error.kind, error.status) {
            // There is nothing of this kind that could be sent.
            (ErrorKind::Refused, Some(422)) if error.message.contains("Ensure the") => {
                last = error.message.to_string()
            }
            (ErrorKind::Refused, Some(422)) => {
                return Err(format!("Weir did not answer the trial as it should. {}", error.message));
            }
            (ErrorKind::NotFound, _) => {
                return Err(
                    "This GitLab cannot try hooks out by its API. Do it by hand: Settings, Webhooks, Test."
                        .to_owned(),
                );
            }
            _ => return Err(refused(&error, place, Doing::Trying).message),
        }
    }
    Err(format!("There is nothing yet that a trial could send. {last}"))
}
