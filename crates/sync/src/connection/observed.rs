//! What the requests of a connection tell the figures.

use gitlab_client::{Event, Observer};
use telemetry::Telemetry;

/// Counts what is asked of GitLab for a connection.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The connection.
    pub connection: i64,
    /// Where it is counted.
    pub telemetry: Telemetry,
}

impl Observer for Observed {
    fn note(&self, event: Event<'_>) {
        let Observed { connection, telemetry } = self;
        match event {
            Event::Answered { graphql, status } => telemetry.gitlab_request(*connection, graphql, status),
            Event::Retried => telemetry.gitlab_retry(*connection),
            Event::Waited(time) => telemetry.gitlab_waited(*connection, time),
            Event::Remaining(credential, left) => {
                telemetry.gitlab_remaining(*connection, credential.as_str(), left);
            }
            Event::Paused(credential, wait) => {
                telemetry.gitlab_pause(*connection, credential.as_str(), wait);
            }
        }
    }
}
