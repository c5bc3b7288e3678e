//! Proof: whether the tables say what GitLab says, without changing anything but the record of the proof.

use std::sync::Arc;
use std::time::Instant;

use catalogue::RESOURCES;
use catalogue::issues::ISSUES;
use gitlab_client::Client;
use store::{Handle, Proof};

use crate::ending::failure;
use crate::engine::{Halt, Options, Stop};
use crate::run::engine;
use crate::sight::Found;
use crate::{Failure, Outcome, Progress, sweep};

/// Holds what is stored of the projects in sight against what GitLab has. Without connectors in the options, those count
/// that were ever read.
pub async fn prove(client: Client, store: impl Into<Handle>, options: Options) -> (Outcome, Vec<Proof>) {
    let store = store.into();
    let began = Instant::now();
    let mut outcome = Outcome::default();
    let proofs = match attend(&client, &store, options, &mut outcome).await {
        Ok(proofs) => proofs,
        Err(halt) => {
            outcome.error = Some(failure(halt));
            Vec::new()
        }
    };
    if outcome.error.is_none() {
        outcome.error = verdict(&proofs);
    }
    outcome.ok = outcome.error.is_none();
    let usage = client.usage();
    outcome.requests = usage.requests;
    outcome.bytes = usage.bytes;
    outcome.waited_seconds = usage.waited.as_secs_f64();
    outcome.duration_seconds = began.elapsed().as_secs_f64();
    (outcome, proofs)
}

async fn attend(
    client: &Client,
    store: &Handle,
    mut options: Options,
    outcome: &mut Outcome,
) -> Result<Vec<Proof>, Halt> {
    let row = store.instance(client.base_url().as_str()).await?;
    let read = store.resources_read(row.number).await?;
    // What every sync so far left out on purpose is nothing to prove.
    options.issues = read.iter().any(|name| name == ISSUES.name);
    if options.connectors.is_empty() {
        let resources = RESOURCES.iter().filter(|it| read.iter().any(|name| name == it.name));
        options.connectors = resources.map(|it| it.connector).collect();
        options.connectors.dedup();
    }
    outcome.connectors = options.connectors.iter().map(|it| it.name().to_owned()).collect();
    let engine =
        engine(client, store, &options, &row, None, Arc::<Progress>::default(), Stop::default()).await?;
    let projects = projects(store, &options, row.number).await?;
    let proofs = sweep::compare(&engine, &projects, None).await?;
    store.save_proofs(row.number, &proofs, engine.started).await?;
    outcome.skips = engine.tally.skips();
    Ok(proofs)
}

async fn projects(store: &Handle, options: &Options, instance: i64) -> Result<Vec<Found>, Halt> {
    let scope = &options.scope;
    let known = store.provable_projects(instance).await?;
    let wanted = |path: &str, id: i64| {
        let named = |it: &String| it == path || it.parse() == Ok(id);
        let below = |it: &String| path.strip_prefix(it.as_str()).is_some_and(|rest| rest.starts_with('/'));
        scope.is_everything() || scope.projects.iter().any(named) || scope.groups.iter().any(below)
    };
    let found = known.into_iter().filter(|it| wanted(&it.path, it.source_id)).map(|it| Found {
        source_id: it.source_id,
        path: it.path,
        merge_requests_off: it.merge_requests_off,
        issues_off: it.issues_off,
        builds_off: it.builds_off,
        ..Found::default()
    });
    Ok(found.collect())
}

/// Proved only when every line is.
fn verdict(proofs: &[Proof]) -> Option<Failure> {
    if proofs.is_empty() {
        let message = "Nothing was read yet that could be proved. Start with weir sync.";
        return Some(Failure::new("failed", "nothing_read", message));
    }
    let open = proofs.iter().filter(|it| it.state != "proved").count();
    (open > 0).then(|| {
        let message = format!(
            "{open} of {} listings are not proved. weir sync reads what moved since, weir sync --sweep also finds what was deleted.",
            proofs.len()
        );
        Failure::new("failed", "not_proved", message)
    })
}
