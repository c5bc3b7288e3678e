//! One message on its way to one hook: made, sent in parallel with others, recorded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::payload::Message;
use super::post::{Answer, post};
use super::signature::{key, signature};
use super::{AlertStatus, Hook, HookOwner, Hooks, Trigger};
use crate::settings::Settings;
use crate::state::{State, lock};
use crate::world::model::{Id, Time, World};

/// The header that tells requests apart.
const CALL: &str = "X-Gitlab-Webhook-UUID";
/// Deliveries a hook remembers.
const REMEMBERED: usize = 100;

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The hook.
    pub hook_id: Id,
    /// What it tells of.
    pub trigger: Trigger,
    /// Where it goes.
    pub url: String,
    /// Headers of the request.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Arc<[u8]>,
    /// How long it waits before it is sent.
    pub delay: Duration,
}

/// A delivery that was made.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its number.
    pub id: Id,
    /// What it told of.
    pub trigger: Trigger,
    /// Where it was sent.
    pub url: String,
    /// When, by the instance's clock.
    pub at: Time,
    /// Headers of the request.
    pub request_headers: Vec<(String, String)>,
    /// Its body.
    pub request_body: Arc<[u8]>,
    /// The answer's status; none where there was no answer.
    pub status: Option<u16>,
    /// Headers of the answer.
    pub response_headers: Vec<(String, String)>,
    /// The answer's body, or why there was none.
    pub response_body: String,
    /// Seconds.
    pub duration: f64,
}

impl Record {
    /// What GitLab calls a success: 2xx and 3xx.
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..400).contains(&status))
    }
}

impl Delivery {
    /// A message as this hook gets it. The UUIDs are those of the event, of the delivery and of the hook's call.
    pub(super) fn of(
        world: &World,
        settings: &Settings,
        hook: &Hook,
        message: &Message,
        uuids: [String; 3],
    ) -> Self {
        let body: Arc<[u8]> = message.body.to_string().into_bytes().into();
        Self {
            hook_id: hook.id,
            trigger: message.trigger,
            url: hook.address(),
            headers: headers(world, settings, hook, message.trigger, &body, &uuids),
            body,
            delay: Duration::ZERO,
        }
    }

    /// The same request once more, under its old key.
    pub(super) fn again(hook: &Hook, record: &Record, call: &str) -> Self {
        let again = Self {
            hook_id: hook.id,
            trigger: record.trigger,
            url: hook.address(),
            headers: record.request_headers.clone(),
            body: record.request_body.clone(),
            delay: Duration::ZERO,
        };
        again.called(call)
    }

    /// The same under another `X-Gitlab-Webhook-UUID`, which is new for every request.
    pub(super) fn called(mut self, call: &str) -> Self {
        for (_, value) in self.headers.iter_mut().filter(|(name, _)| name == CALL) {
            call.clone_into(value);
        }
        self
    }
}

/// The headers, as far as the version has them.
fn headers(
    world: &World,
    settings: &Settings,
    hook: &Hook,
    trigger: Trigger,
    body: &[u8],
    [event, delivery, call]: &[String; 3],
) -> Vec<(String, String)> {
    let header = if hook.owner == HookOwner::System { "System Hook" } else { trigger.header() };
    let mut headers = vec![
        ("Content-Type", "application/json".to_owned()),
        ("User-Agent", format!("GitLab/{}", settings.full_version())),
        ("X-Gitlab-Event", header.to_owned()),
        ("X-Gitlab-Instance", world.url.clone()),
        (CALL, call.clone()),
        ("X-Gitlab-Event-UUID", event.clone()),
    ];
    if settings.is_at_least(17, 4) {
        headers.push(("Idempotency-Key", delivery.clone()));
    }
    headers.extend(hook.token.iter().map(|token| ("X-Gitlab-Token", token.clone())));
    if let Some(key) = hook.signing_token.as_deref().and_then(key).filter(|_| settings.is_at_least(19, 0)) {
        let now = world.now.timestamp();
        headers.push(("webhook-id", delivery.clone()));
        headers.push(("webhook-timestamp", now.to_string()));
        headers.push(("webhook-signature", signature(&key, delivery, now, body)));
    }
    let own = hook.custom_headers.iter().map(|it| (it.key.clone(), it.value.clone()));
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(own).collect()
}

/// Delivers whatever arrives, for as long as it is not dropped.
pub(crate) async fn deliver_all(state: Arc<State>, mut arrivals: UnboundedReceiver<Delivery>) {
    let places = Arc::new(Semaphore::new(state.settings.hooks.at_once.max(1)));
    // Dropped with this future, and all deliveries with it.
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            Some(delivery) = arrivals.recv() => {
                under_way.spawn(in_turn(state.clone(), places.clone(), delivery));
            }
            Some(_) = under_way.join_next(), if !under_way.is_empty() => {}
            else => return,
        }
    }
}

async fn in_turn(state: Arc<State>, places: Arc<Semaphore>, delivery: Delivery) {
    let _ending = Ending(&state.hooks);
    if !delivery.delay.is_zero() {
        tokio::time::sleep(delivery.delay).await;
    }
    // It is never closed.
    let place = places.acquire().await;
    let now = state.world().now;
    let hook = state.hooks.get(delivery.hook_id);
    match hook.filter(|it| it.alert_status(now) == AlertStatus::Executable) {
        Some(_) => {
            deliver_now(&state, &delivery).await;
        }
        None => lock(&state.hooks.inner).counts.disabled += 1,
    }
    drop(place);
}

/// Counts a delivery as ended, also one that is broken off.
struct Ending<'a>(&'a Hooks);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.ended();
    }
}

/// Sends a delivery, whether or not the hook is disabled, and records what came of it.
pub(crate) async fn deliver_now(state: &State, delivery: &Delivery) -> Record {
    let begun = Instant::now();
    let sent = post(&delivery.url, &delivery.headers, &delivery.body);
    let answer = match tokio::time::timeout(state.settings.hooks.time_limit, sent).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err("execution expired".to_owned()),
    };
    let now = state.world().now;
    let record = record(delivery, answer, now, begun.elapsed().as_secs_f64());
    state.hooks.recorded(delivery.hook_id, record, state.settings.hooks.failing_are_disabled)
}

fn record(delivery: &Delivery, answer: Result<Answer, String>, at: Time, duration: f64) -> Record {
    let (status, response_headers, response_body) = match answer {
        Ok(answer) => (Some(answer.status), answer.headers, answer.body),
        Err(why) => (None, Vec::new(), why),
    };
    Record {
        id: 0,
        trigger: delivery.trigger,
        url: delivery.url.clone(),
        at,
        request_headers: delivery.headers.clone(),
        request_body: delivery.body.clone(),
        status,
        response_headers,
        response_body,
        duration,
    }
}

impl Hooks {
    fn recorded(&self, hook_id: Id, record: Record, failing_are_disabled: bool) -> Record {
        let mut inner = lock(&self.inner);
        inner.last_record += 1;
        let record = Record { id: inner.last_record, ..record };
        inner.counts.count_answer(record.is_success());
        if let Some(hook) = inner.hooks.get_mut(&hook_id) {
            match record.is_success() {
                true => hook.recover(),
                // System hooks are never disabled.
                false if failing_are_disabled && hook.owner != HookOwner::System => hook.fail(record.at),
                false => {}
            }
            hook.records.push_back(record.clone());
            if hook.records.len() > REMEMBERED {
                hook.records.pop_front();
            }
        }
        record
    }
}
