//! How a run ends: in the database, in the outcome, and in the words of a failure.

use catalogue::Connector;
use serde_json::Value;
use store::{Handle, Joined, Skip, SyncEnd};

use crate::engine::{Engine, Halt, Options};
use crate::{Failure, Outcome, resource_states};

/// What ended a run, for people.
pub(crate) fn failure(halt: Halt) -> Failure {
    match halt {
        Halt::Failed(failure) | Halt::Unmet(failure) => failure,
        Halt::Later(detail) => Failure::new("failed", "unavailable", detail),
        Halt::Skipped => Failure::new("failed", "skipped", "A part that the sync needs could not be read."),
        Halt::Store(error) if error.is_disk_full() => Failure::new(
            "failed",
            "disk_full",
            "The database's disk is full. Nothing is lost: free some space and run the same command again.",
        ),
        Halt::Store(error) if error.is_outage() => Failure::new(
            "failed",
            "database_gone",
            format!(
                "The database went away ({error}) Nothing is lost: run the same command again once it is back."
            ),
        ),
        Halt::Store(error) => Failure::new("failed", "database", error.to_string()),
    }
}

/// Ends a run in the database and in the outcome.
pub(crate) async fn finish(
    engine: &Engine,
    joined: &Joined,
    owner: &str,
    ended: &Result<Option<()>, Halt>,
    outcome: &mut Outcome,
) -> Result<(), Halt> {
    for (table, counts) in engine.tally.tables() {
        let total = outcome.resources.entry(table).or_default();
        total.read += counts.read;
        total.written += counts.written;
        total.unchanged += counts.unchanged;
        total.rejected += counts.rejected;
    }
    let skips = engine.tally.skips();
    let store_is_gone = matches!(ended, Err(Halt::Store(error)) if error.is_outage());
    if store_is_gone {
        return Ok(());
    }
    engine.store.release_all(joined.id, owner).await?;
    engine.store.release_pending(engine.instance.0, owner).await?;
    if joined.leadership.is_some() {
        let parents = engine.named();
        let repeated = engine.tally.repeated();
        engine.store.save_skips(engine.instance.0, &parents, &skips, &repeated, engine.started).await?;
        resource_states::note(engine, ended.is_ok()).await?;
        end(engine, joined, ended, outcome).await?;
    }
    outcome.count(&engine.client.usage());
    outcome.skips = skips;
    outcome.skips.extend(rest_only_skip(engine));
    Ok(())
}

/// Without GraphQL there are no diff statistics, which is said and not hidden.
fn rest_only_skip(engine: &Engine) -> Option<Skip> {
    (!engine.capabilities.graphql).then(|| Skip {
        connector: Connector::Gitlab.name().to_owned(),
        resource: "diff_statistics".to_owned(),
        parent_id: 0,
        parent: String::new(),
        reason: "graphql_off".to_owned(),
        detail: "Additions, deletions and changed files stay empty: only GraphQL has them, and REST would have to read source code."
            .to_owned(),
    })
}

async fn end(
    engine: &Engine,
    joined: &Joined,
    ended: &Result<Option<()>, Halt>,
    outcome: &Outcome,
) -> Result<(), Halt> {
    let usage = engine.client.usage();
    // What was asked in runs before this one, which an outage ended, is on record there.
    let waited = usage.waited.as_secs_f64() - outcome.waited_seconds;
    let (state, error) = match ended {
        Ok(_) => ("complete", None),
        Err(halt) => (state(halt), error(halt)),
    };
    let end = SyncEnd {
        state,
        requests: (usage.requests - outcome.requests).cast_signed(),
        bytes: (usage.bytes - outcome.bytes).cast_signed(),
        not_modified: (usage.not_modified - outcome.not_modified).cast_signed(),
        waited_seconds: waited,
        resources: serde_json::to_value(engine.tally.tables()).unwrap_or_default(),
        error: error.and_then(|it| serde_json::to_value(it).ok()),
    };
    engine.store.end_sync(joined.id, &end, engine.now()).await?;
    Ok(())
}

fn state(halt: &Halt) -> &'static str {
    match halt {
        Halt::Failed(failure) if failure.code == "stopped" => "stopped",
        _ => "failed",
    }
}

fn error(halt: &Halt) -> Option<Failure> {
    match halt {
        Halt::Failed(failure) | Halt::Unmet(failure) => Some(failure.clone()),
        Halt::Later(detail) => Some(Failure::new("failed", "unavailable", detail.clone())),
        Halt::Store(error) => Some(Failure::new("failed", "database", error.to_string())),
        Halt::Skipped => None,
    }
}

/// A run that ended before it knew anything of the GitLab.
pub(crate) async fn abandon(
    store: &Handle,
    joined: &Joined,
    options: &Options,
    halt: &Halt,
) -> Result<(), Halt> {
    if joined.leadership.is_some() {
        let end = SyncEnd {
            state: state(halt),
            requests: 0,
            bytes: 0,
            not_modified: 0,
            waited_seconds: 0.0,
            resources: Value::Object(Default::default()),
            error: error(halt).and_then(|it| serde_json::to_value(it).ok()),
        };
        store.end_sync(joined.id, &end, options.clock.now()).await?;
    }
    Ok(())
}
