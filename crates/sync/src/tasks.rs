//! The schedule at work: claims what is due for connections and runs it, side by side with other processes.
//!
//! A task is a row that stays: when it is due, who runs it, how it last ended. Whoever runs it says every few seconds that
//! it lives; a task whose worker has fallen silent is due again at once, and the sync it led goes on where it stood.

mod pace;
mod running;
mod tokens;
mod watch;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use catalogue::Connector;
use chrono::{DateTime, Utc};
use gitlab_client::Clock;
use store::{ConnectionRow, Handle, Store, StoreError, TaskRow};
use telemetry::Telemetry;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::connection::{Network, Settings};
use crate::{Progress, Stop};

pub use pace::Pace;
pub(crate) use tokens::Keeper;
pub use tokens::Tokens;

/// Connections that one process works for at once. They mostly wait for their GitLab.
const AT_ONCE: usize = 16;
/// The longest sleep between two looks at the schedule.
const LOOK: Duration = Duration::from_secs(5);
/// Between two looks at whether another process can be helped: it may have begun and not be there yet, or be gone.
const HELP_EVERY: Duration = Duration::from_secs(1);
/// The same where the database is elsewhere, which says when there is something.
const LOOK_AWAY: Duration = Duration::from_secs(30);
/// The shortest.
const BREATH: Duration = Duration::from_millis(100);

/// What the tasks of a process share.
#[derive(Clone)]
pub struct Worker {
    /// The database.
    pub store: Handle,
    /// Where tokens come from.
    pub tokens: Tokens,
    /// How GitLab is reached.
    pub network: Network,
    /// How long things take and wait.
    pub pace: Pace,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// What this process is called in the database.
    pub owner: String,
    /// Wakes the worker before it would look by itself.
    pub wake: Arc<Notify>,
    /// Wakes what looks at webhooks.
    pub arrived: Arc<Notify>,
    /// What runs here now.
    pub here: Here,
    /// What is counted.
    pub telemetry: Telemetry,
}

/// The tasks that run in this process.
#[derive(Debug, Clone, Default)]
pub struct Here(Arc<Mutex<Vec<Running>>>);

/// A task that runs in this process.
#[derive(Debug, Clone)]
pub struct Running {
    /// The connection.
    pub connection_id: i64,
    /// sync or sweep.
    pub activity: String,
    /// How far it is.
    pub progress: Arc<Progress>,
    /// Asks it to stop.
    pub stop: Stop,
}

impl Here {
    /// What runs now.
    pub fn running(&self) -> Vec<Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn enter(&self, running: Running) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(running);
    }

    fn leave(&self, task: &TaskRow) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|it| (it.connection_id, &it.activity) != (task.connection_id, &task.activity));
    }

    fn connections(&self) -> Vec<i64> {
        self.running().iter().map(|it| it.connection_id).collect()
    }
}

/// A task does not run here any more once this is dropped, however it ended.
struct Leaves<'t>(&'t Here, &'t TaskRow);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}

/// Runs what is due until it is asked to stop; then lets what runs finish the pages in hand.
pub async fn work(worker: Worker, stop: Stop) {
    let mut tasks = JoinSet::new();
    let mut looked = Instant::now();
    while !stop.asked() {
        while tasks.try_join_next().is_some() {}
        let begun = match tasks.len() < AT_ONCE {
            true => begin(&worker, &mut tasks, &mut looked).await,
            false => Ok(false),
        };
        match begun {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the schedule could not be read"),
        }
        let pause = if tasks.len() < AT_ONCE { pause(&worker).await } else { LOOK };
        tokio::select! {
            () = worker.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
            _ = tasks.join_next(), if !tasks.is_empty() => {}
            () = stop.wait() => {}
        }
    }
    worker.here.running().iter().for_each(|it| it.stop.ask());
    while tasks.join_next().await.is_some() {}
}

/// Starts one task that is due, or helps with one that another process is at. Gives whether there was any.
async fn begin(worker: &Worker, tasks: &mut JoinSet<()>, looked: &mut Instant) -> Result<bool, StoreError> {
    let now = worker.clock.now();
    let (task, helps) = match worker.store.claim_task(&worker.owner, now).await? {
        Some(task) => {
            if task.taken_over {
                tracing::warn!(
                    connection = task.connection_id,
                    task.activity,
                    "a task whose worker fell silent is started again"
                );
                worker.telemetry.task_restarted("silent");
            }
            (task, false)
        }
        None if looked.elapsed() < HELP_EVERY => return Ok(false),
        None => match worker.store.task_to_help(&worker.owner, &worker.here.connections(), now).await? {
            Some(task) => {
                *looked = Instant::now();
                (task, true)
            }
            None => return Ok(false),
        },
    };
    let running = Running {
        connection_id: task.connection_id,
        activity: task.activity.clone(),
        progress: Arc::default(),
        stop: Stop::default(),
    };
    worker.here.enter(running.clone());
    let worker = worker.clone();
    tasks.spawn(async move {
        let _leaves = Leaves(&worker.here, &task);
        match helps {
            true => running::help(&worker, &task, &running).await,
            false => running::run(&worker, &task, &running).await,
        }
    });
    Ok(true)
}

/// Until the next task is due, within reason; less where somebody may be helped.
async fn pause(worker: &Worker) -> Duration {
    let due = worker.store.next_task_due().await.ok().flatten();
    let look = if worker.store.is_away() { LOOK_AWAY } else { LOOK };
    let others = worker.store.others_run_tasks(&worker.owner).await.unwrap_or_default();
    let longest = if others { HELP_EVERY } else { look };
    let left = due.map_or(look, |it| (it - worker.clock.now()).to_std().unwrap_or_default());
    left.clamp(BREATH, longest)
}

/// Lays out the tasks of a connection: it is due at once, its first sweep in due time.
pub async fn lay_out(
    store: &Store,
    connection: &ConnectionRow,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut due = vec![("sync", now)];
    due.extend(settings.sweep_every().map(|it| ("sweep", now + it)));
    store.lay_out_tasks(connection.id, &due).await
}

/// The connector of a connection, if this version has it.
fn connector(connection: &ConnectionRow) -> Option<Connector> {
    Connector::named(&connection.connector)
}
