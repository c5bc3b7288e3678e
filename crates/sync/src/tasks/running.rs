//! One task from its claim to its end.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use store::{Audit, ConnectionRow, StoreError, TaskEnd, TaskRow};

use super::tokens::{Tokens, Usable};
use super::watch::Watch;
use super::{Running, Worker, connector};
use crate::connection::{Observed, Settings, Token, belong, client, options, verify_token};
use crate::{Failure, Outcome, run as sync_run};

/// A task with all it needs.
struct Prepared {
    connection: ConnectionRow,
    settings: Settings,
    client: gitlab_client::Client,
    options: crate::Options,
    /// With when each was last changed: one that is replaced is not worked with any longer.
    credentials: Vec<(i64, DateTime<Utc>)>,
}

/// Between two looks at whether a connection was paused or deleted, or a credential of it replaced, in another process.
const LOOK: Duration = Duration::from_secs(1);

/// Runs a task and writes how it ended.
pub(super) async fn run(worker: &Worker, task: &TaskRow, running: &Running) {
    let began = worker.clock.now();
    let _runs = worker.telemetry.task_runs(&task.activity);
    let watch = Watch::new(running, worker.pace.stuck_after);
    // The lease is renewed from the beginning; which credentials are held is known once they are opened.
    let ended = tokio::select! {
        ended = attend(worker, task, running, &watch, began) => ended,
        failure = renewed(worker, task, running, &watch) => Ok(Err(failure)),
    };
    worker.telemetry.rows_written(task.connection_id, watch.rows_to_count());
    // A sync that was asked to end because it was stuck only knows that it was asked.
    let ended = match watch.verdict() {
        Some(stuck) if !matches!(ended, Ok(Ok(_))) => Ok(Err(stuck)),
        _ => ended,
    };
    let end = match ended {
        Ok(Ok(due_at)) => TaskEnd { outcome: "complete", error: None, due_at },
        Ok(Err(failure)) => failed(worker, task, &failure),
        Err(error) => failed(worker, task, &Failure::new("failed", "database", error.to_string())),
    };
    worker.telemetry.task_ended(task.connection_id, &task.activity, end.outcome);
    if let Err(error) = worker.store.end_task(task, &end, worker.clock.now()).await {
        // The row says so when the lease lapses, and the task is due again.
        tracing::warn!(%error, connection = task.connection_id, "the end of a task could not be written");
    }
}

/// Works on a sync that another process leads.
pub(super) async fn help(worker: &Worker, task: &TaskRow, running: &Running) {
    match prepare(worker, task).await {
        Ok(Ok(mut prepared)) => {
            prepared.options.only_help = true;
            let held = prepared.credentials.clone();
            let _runs = worker.telemetry.task_runs("help");
            let watch = Watch::new(running, worker.pace.stuck_after);
            watch.follow(&prepared.client);
            tokio::select! {
                _ = sync(worker, prepared, running) => {}
                () = attended(worker, task, running, &held) => {}
                () = until_stuck(worker, task, running, &watch) => {}
            }
            worker.telemetry.rows_written(task.connection_id, watch.rows_to_count());
        }
        Ok(Err(failure)) => tracing::debug!(message = failure.message, "a sync could not be helped with"),
        Err(error) => tracing::warn!(%error, "a sync could not be helped with"),
    }
}

/// Prepares and syncs. Gives when the task is due again.
async fn attend(
    worker: &Worker,
    task: &TaskRow,
    running: &Running,
    watch: &Watch,
    began: DateTime<Utc>,
) -> Result<Result<DateTime<Utc>, Failure>, StoreError> {
    let prepared = match prepare(worker, task).await? {
        Ok(prepared) => prepared,
        Err(failure) => return Ok(Err(failure)),
    };
    let (connection, settings) = (prepared.connection.clone(), prepared.settings.clone());
    note_use(worker, task, &prepared, began).await?;
    let (client, held) = (prepared.client.clone(), prepared.credentials.clone());
    let open_set = prepared.options.open_set;
    watch.follow(&client);
    let outcome = tokio::select! {
        outcome = sync(worker, prepared, running) => outcome,
        () = attended(worker, task, running, &held) => return Ok(Err(lost())),
    };
    disable_refused(worker, &connection, &settings, &client, &held).await?;
    if let Some(failure) = outcome.error {
        return Ok(Err(failure));
    }
    worker.store.connection_synced(connection.id, began, open_set).await?;
    let next = began + settings.sync_every();
    if task.activity == "sync" {
        return Ok(Ok(next));
    }
    // A sweep is a sync too.
    worker.store.put_off_task(connection.id, "sync", next).await?;
    Ok(Ok(began + settings.sweep_every().unwrap_or(chrono::TimeDelta::days(1))))
}

async fn sync(worker: &Worker, prepared: Prepared, running: &Running) -> Outcome {
    let Prepared { client, options, .. } = prepared;
    let (progress, stop) = (running.progress.clone(), running.stop.clone());
    sync_run(client, worker.store.clone(), options, progress, stop).await
}

/// Opens the tokens and makes the client.
async fn prepare(worker: &Worker, task: &TaskRow) -> Result<Result<Prepared, Failure>, StoreError> {
    let Some(connection) = worker.store.connection(task.connection_id).await? else {
        return Ok(Err(Failure::new("stopped", "deleted", "The connection was deleted.")));
    };
    let Some(connector) = connector(&connection) else {
        let message = format!("This version has no connector {}.", connection.connector);
        return Ok(Err(Failure::new("failed", "version", message)));
    };
    let settings = match Settings::parse(&connection.settings) {
        Ok(settings) => settings,
        Err(bad) => return Ok(Err(Failure::new("failed", "settings", format!("{bad}.")))),
    };
    let Usable { tokens, credentials, users, .. } = worker.tokens.usable(connection.id).await?;
    let mut options = options(&settings, connector, worker.clock.clone());
    options.sweep = task.activity == "sweep";
    options.open_set = options.sweep || open_set_is_due(&settings, &connection, worker.clock.now());
    options.connection = Some(connection.id);
    options.covers_connection = true;
    options.older_for = Some(worker.pace.older_for);
    options.patience = worker.pace.patience;
    let observed = Observed { connection: connection.id, telemetry: worker.telemetry.clone() };
    let client = client(&settings, &tokens, &worker.network, observed);
    let client = client.inspect(|it| belong(it, &users));
    Ok(client.map(|client| Prepared { connection, settings, client, options, credentials }))
}

/// Whether it is time to look at what changes unseen. A clock that was put back since the last look makes it due.
fn open_set_is_due(settings: &Settings, connection: &ConnectionRow, now: DateTime<Utc>) -> bool {
    let wait = settings.open_set_every();
    connection.open_set_at.is_none_or(|it| now - it >= wait || it > now)
}

async fn note_use(
    worker: &Worker,
    task: &TaskRow,
    prepared: &Prepared,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let credentials: Vec<i64> = prepared.credentials.iter().map(|it| it.0).collect();
    worker.tokens.note_use(&credentials, at).await?;
    let entry = Audit {
        actor: "worker",
        action: &task.activity,
        connection_id: Some(task.connection_id),
        detail: json!({ "credentials": credentials }),
        ..Audit::default()
    };
    worker.store.audit(&entry, at).await
}

/// Takes credentials out of use that GitLab refused for good. Each is asked about itself first: that tells more than an
/// answer in the middle of other work, and finds out those that were refused by mistake.
async fn disable_refused(
    worker: &Worker,
    connection: &ConnectionRow,
    settings: &Settings,
    client: &gitlab_client::Client,
    held: &[(i64, DateTime<Utc>)],
) -> Result<(), StoreError> {
    let Some(connector) = connector(connection) else { return Ok(()) };
    // What is given anew with every start is taken out of use by whoever gives it.
    let Tokens::Sealed { store, ring } = &worker.tokens else { return Ok(()) };
    for state in client.credentials().into_iter().filter(|it| it.disabled.is_some()) {
        let Ok(id) = state.id.as_str().parse() else { continue };
        // What was refused is what this sync began with. By now it may hold another token.
        let row = store.credential(connection.id, id).await?;
        let Some(row) = row.filter(|it| held.contains(&(id, it.updated_at))) else { continue };
        let Some(secret) = store.token(ring, id).await? else { continue };
        let now = worker.clock.now();
        let token = Token::stored(&row, secret);
        let found = verify_token(settings, connector, &token, &worker.network, now.date_naive()).await;
        let Some(failure) = found.error.filter(|it| it.code == "invalid_credentials") else { continue };
        if store.disable_credential(&row, &failure.message, now).await? {
            let connection = connection.id;
            tracing::warn!(connection, credential = id, failure.message, "a credential was refused");
        }
    }
    Ok(())
}

/// Renews the lease until another worker has the task, or the task gets nowhere. Gives why it is to end.
async fn renewed(worker: &Worker, task: &TaskRow, running: &Running, watch: &Watch) -> Failure {
    let failure = loop {
        tokio::time::sleep(worker.pace.heartbeat.min(watch.until_stuck())).await;
        let idle = watch.look();
        worker.telemetry.rows_written(task.connection_id, watch.rows_to_count());
        if watch.is_stuck() {
            break stuck(worker, task, watch);
        }
        match worker.store.renew_task(task, idle).await {
            Ok(true) => {}
            Ok(false) => break lost(),
            // A database that is away is waited for by the sync itself.
            Err(error) => tracing::debug!(%error, "a task could not say that it lives"),
        }
    };
    end(worker, running).await;
    failure
}

/// The same for one that only helps: the task is another worker's.
async fn until_stuck(worker: &Worker, task: &TaskRow, running: &Running, watch: &Watch) {
    while !watch.is_stuck() {
        tokio::time::sleep(worker.pace.heartbeat.min(watch.until_stuck())).await;
        watch.look();
        worker.telemetry.rows_written(task.connection_id, watch.rows_to_count());
    }
    // It may only have waited for the leader. If there still is something to help with, it begins again.
    end(worker, running).await;
}

fn stuck(worker: &Worker, task: &TaskRow, watch: &Watch) -> Failure {
    let failure = watch.convict();
    tracing::warn!(connection = task.connection_id, task.activity, failure.message, "a task is stuck");
    worker.telemetry.task_restarted(&failure.reason);
    failure
}

/// Looks whether the task is to go on: its connection may be paused or deleted, or a credential replaced, by any process.
async fn attended(worker: &Worker, task: &TaskRow, running: &Running, held: &[(i64, DateTime<Utc>)]) {
    loop {
        tokio::time::sleep(LOOK.min(worker.pace.heartbeat)).await;
        match worker.store.task_goes_on(task.connection_id, held).await {
            Ok(true) => {}
            Ok(false) => return end(worker, running).await,
            Err(error) => tracing::debug!(%error, "whether a task goes on could not be asked"),
        }
    }
}

/// Asks the task to stop. It ends by itself once the pages in hand are written; that it is overdue it notices by itself too, and what
/// does neither is dropped.
async fn end(worker: &Worker, running: &Running) {
    running.stop.ask();
    tokio::time::sleep(worker.pace.heartbeat * 6).await;
}

fn lost() -> Failure {
    Failure::new(
        "stopped",
        "lost",
        "The connection or a credential of it was changed, or another worker took over.",
    )
}

fn failed(worker: &Worker, task: &TaskRow, failure: &Failure) -> TaskEnd {
    let now = worker.clock.now();
    let error = serde_json::to_value(failure).ok();
    match (failure.code, failure.reason.as_str()) {
        // Nothing is wrong: it goes on as soon as somebody may.
        ("stopped", "interrupted" | "lost") => TaskEnd { outcome: "stopped", error, due_at: now },
        // A limit, or something that was taken away: at once it would end the same way.
        ("stopped", _) => TaskEnd { outcome: "stopped", error, due_at: worker.pace.retry_at(0, now) },
        _ => TaskEnd { outcome: "failed", error, due_at: worker.pace.retry_at(task.failures, now) },
    }
}
