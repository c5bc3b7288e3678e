//! One task from its claim to its end.

use chrono::{DateTime, Utc};
use serde_json::json;
use store::{Audit, ConnectionRow, StoreError, TaskEnd, TaskRow};

use super::tokens::{Tokens, Usable};
use super::{Running, Worker, connector};
use crate::connection::{Settings, Token, client, options, verify_token};
use crate::{Failure, Outcome, run as sync_run};

/// A task with all it needs.
struct Prepared {
    connection: ConnectionRow,
    settings: Settings,
    client: gitlab_client::Client,
    options: crate::Options,
    credentials: Vec<i64>,
}

/// Runs a task and writes how it ended.
pub(super) async fn run(worker: &Worker, task: &TaskRow, running: &Running) {
    let began = worker.clock.now();
    let ended = tokio::select! {
        ended = attend(worker, task, running, began) => ended,
        () = alive(worker, task, running) => Ok(Err(lost())),
    };
    let end = match ended {
        Ok(Ok(due_at)) => TaskEnd { outcome: "complete", error: None, due_at },
        Ok(Err(failure)) => failed(worker, task, &failure),
        Err(error) => failed(worker, task, &Failure::new("failed", "database", error.to_string())),
    };
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
            sync(worker, prepared, running).await;
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
    began: DateTime<Utc>,
) -> Result<Result<DateTime<Utc>, Failure>, StoreError> {
    let prepared = match prepare(worker, task).await? {
        Ok(prepared) => prepared,
        Err(failure) => return Ok(Err(failure)),
    };
    let (connection, settings) = (prepared.connection.clone(), prepared.settings.clone());
    note_use(worker, task, &prepared, began).await?;
    let client = prepared.client.clone();
    let outcome = sync(worker, prepared, running).await;
    disable_refused(worker, &connection, &settings, &client).await?;
    if let Some(failure) = outcome.error {
        return Ok(Err(failure));
    }
    worker.store.connection_synced(connection.id, began).await?;
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
    let Usable { tokens, credentials, .. } = worker.tokens.usable(connection.id).await?;
    let mut options = options(&settings, connector, worker.clock.clone());
    options.sweep = task.activity == "sweep";
    options.connection = Some(connection.id);
    options.older_for = Some(worker.pace.older_for);
    options.patience = worker.pace.patience;
    let client = client(&settings, &tokens, &worker.network);
    Ok(client.map(|client| Prepared { connection, settings, client, options, credentials }))
}

async fn note_use(
    worker: &Worker,
    task: &TaskRow,
    prepared: &Prepared,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    worker.tokens.note_use(&prepared.credentials, at).await?;
    let entry = Audit {
        actor: "worker",
        action: &task.activity,
        connection_id: Some(task.connection_id),
        detail: json!({ "credentials": prepared.credentials }),
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
) -> Result<(), StoreError> {
    let Some(connector) = connector(connection) else { return Ok(()) };
    // What is given anew with every start is taken out of use by whoever gives it.
    let Tokens::Sealed { store, ring } = &worker.tokens else { return Ok(()) };
    for state in client.credentials().into_iter().filter(|it| it.disabled.is_some()) {
        let Ok(id) = state.id.as_str().parse() else { continue };
        let Some(row) = store.credential(connection.id, id).await? else { continue };
        let Some(secret) = store.token(ring, id).await? else { continue };
        let now = worker.clock.now();
        let token = Token::stored(&row, secret);
        let found = verify_token(settings, connector, &token, &worker.network, now.date_naive()).await;
        let Some(failure) = found.error.filter(|it| it.code == "invalid_credentials") else { continue };
        tracing::warn!(
            connection = connection.id,
            credential = id,
            failure.message,
            "a credential was refused"
        );
        store.disable_credential(connection.id, id, &failure.message, now).await?;
    }
    Ok(())
}

/// Says that the worker lives, until another one has the task or the connection is paused or deleted.
async fn alive(worker: &Worker, task: &TaskRow, running: &Running) {
    loop {
        tokio::time::sleep(worker.pace.heartbeat).await;
        match worker.store.renew_task(task).await {
            Ok(true) => {}
            Ok(false) => break,
            // A database that is away is waited for by the sync itself.
            Err(error) => tracing::debug!(%error, "a task could not say that it lives"),
        }
    }
    running.stop.ask();
    // The sync ends by itself once the pages in hand are written; that it is overdue it notices by itself too.
    tokio::time::sleep(worker.pace.heartbeat * 6).await;
}

fn lost() -> Failure {
    Failure::new("stopped", "lost", "The connection was paused, or another worker took over.")
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
