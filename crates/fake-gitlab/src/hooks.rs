//! Webhooks: who wants to be told what, and how it is delivered.

mod branches;
mod counts;
mod delivery;
mod disabling;
mod faults;
mod hook;
mod payload;
mod post;
mod signature;
mod trigger;

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

pub use counts::DeliveryCounts;
pub use delivery::{Delivery, Record};
pub use disabling::AlertStatus;
pub use faults::HookFaults;
pub use hook::{Hook, HookOwner, Pair};
pub use trigger::Trigger;

pub(crate) use delivery::{deliver_all, deliver_now};
pub(crate) use payload::trial;
pub(crate) use signature::key as signing_key;

use crate::settings::Settings;
use crate::state::lock;
use crate::world::event::Event;
use crate::world::hash::hex40;
use crate::world::model::{Id, World};

use faults::Dice;
use payload::{Message, messages};

/// The hooks of an instance, and their deliveries on the way.
pub struct Hooks {
    inner: Mutex<Inner>,
    queue: UnboundedSender<Delivery>,
    arrivals: Mutex<Option<UnboundedReceiver<Delivery>>>,
    /// Deliveries that have not ended.
    under_way: watch::Sender<usize>,
}

#[derive(Default)]
struct Inner {
    hooks: BTreeMap<Id, Hook>,
    last_id: Id,
    last_record: Id,
    uuids: u64,
    counts: DeliveryCounts,
    dice: Option<Dice>,
}

/// Hooks are numbered from here.
const FIRST_ID: Id = 60_000_000;

/// The number that keeps the digests of UUIDs apart from others.
const UUIDS: u64 = 10;

impl Default for Hooks {
    fn default() -> Self {
        let (queue, arrivals) = unbounded_channel();
        Self {
            inner: Mutex::default(),
            queue,
            arrivals: Mutex::new(Some(arrivals)),
            under_way: watch::Sender::new(0),
        }
    }
}

impl Hooks {
    /// Adds a hook and gives its number.
    pub fn add(&self, hook: Hook) -> Id {
        let mut inner = lock(&self.inner);
        inner.last_id += 1;
        let id = FIRST_ID + inner.last_id;
        inner.hooks.insert(id, Hook { id, ..hook });
        id
    }

    /// The hooks of a project, a group or the instance, oldest first.
    pub fn of(&self, owner: HookOwner) -> Vec<Hook> {
        lock(&self.inner).hooks.values().filter(|it| it.owner == owner).cloned().collect()
    }

    /// All hooks, oldest first.
    pub fn all(&self) -> Vec<Hook> {
        lock(&self.inner).hooks.values().cloned().collect()
    }

    /// The hook with this number.
    pub fn get(&self, id: Id) -> Option<Hook> {
        lock(&self.inner).hooks.get(&id).cloned()
    }

    /// Changes a hook.
    pub fn change(&self, id: Id, change: impl FnOnce(&mut Hook)) {
        if let Some(hook) = lock(&self.inner).hooks.get_mut(&id) {
            change(hook);
        }
    }

    /// Removes a hook, and says whether there was one.
    pub fn remove(&self, id: Id) -> bool {
        lock(&self.inner).hooks.remove(&id).is_some()
    }

    /// Whether anybody wants to be told anything.
    pub fn any(&self) -> bool {
        !lock(&self.inner).hooks.is_empty()
    }

    /// What became of the deliveries so far.
    pub fn counts(&self) -> DeliveryCounts {
        lock(&self.inner).counts
    }

    /// Starts counting anew.
    pub fn reset_counts(&self) {
        lock(&self.inner).counts = DeliveryCounts::default();
    }

    /// Starts losing, doubling and delaying deliveries, or ends it.
    pub fn set_faults(&self, faults: Option<HookFaults>) {
        lock(&self.inner).dice = faults.map(Dice::new);
    }

    /// Waits until every delivery that is under way has ended, delayed ones included.
    pub async fn settled(&self) {
        // The sender lives as long as this does.
        let _ = self.under_way.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Deliveries to be made. Only the first caller gets them.
    pub(crate) fn arrivals(&self) -> Option<UnboundedReceiver<Delivery>> {
        lock(&self.arrivals).take()
    }

    /// Tells everybody who wants to know of these events. They happened in one piece of work, as in one request of
    /// GitLab, and share a number.
    pub(crate) fn tell(&self, world: &World, settings: &Settings, events: &[Event]) {
        let mut inner = lock(&self.inner);
        inner.bury(world);
        if events.is_empty() || inner.hooks.is_empty() {
            return;
        }
        let event_uuid = inner.uuid();
        for message in events.iter().flat_map(|event| messages(world, settings, event)) {
            for delivery in inner.address(world, settings, &message, &event_uuid) {
                self.dispatch(&mut inner, delivery);
            }
        }
    }

    /// A delivery to one hook alone, for a trial. None where the hook is gone.
    pub(crate) fn single(
        &self,
        world: &World,
        settings: &Settings,
        hook_id: Id,
        message: &Message,
    ) -> Option<Delivery> {
        let mut inner = lock(&self.inner);
        let (event_uuid, key, webhook_uuid) = (inner.uuid(), inner.uuid(), inner.uuid());
        let hook = inner.hooks.get(&hook_id)?;
        Some(Delivery::of(world, settings, hook, message, [event_uuid, key, webhook_uuid]))
    }

    /// A delivery that was made, to be made again. None where hook or delivery is gone.
    pub(crate) fn again(&self, hook_id: Id, record_id: Id) -> Option<Delivery> {
        let mut inner = lock(&self.inner);
        let call = inner.uuid();
        let hook = inner.hooks.get(&hook_id)?;
        let record = hook.records.iter().find(|it| it.id == record_id)?;
        Some(Delivery::again(hook, record, &call))
    }

    fn dispatch(&self, inner: &mut Inner, delivery: Delivery) {
        let fate = inner.dice.as_mut().map(Dice::throw).unwrap_or_default();
        inner.counts.count_fate(&fate);
        let delivery = Delivery { delay: fate.delay, ..delivery };
        for _ in 0..fate.copies {
            let delivery = delivery.clone().called(&inner.uuid());
            self.under_way.send_modify(|count| *count += 1);
            // Nobody delivers any more once the server has stopped.
            if self.queue.send(delivery).is_err() {
                self.ended();
            }
        }
    }

    /// A delivery has ended, whatever came of it.
    fn ended(&self) {
        self.under_way.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Inner {
    /// A hook dies with its project or group.
    fn bury(&mut self, world: &World) {
        self.hooks.retain(|_, hook| match hook.owner {
            HookOwner::Project(id) => world.projects.contains_key(&id),
            HookOwner::Group(id) => world.groups.contains_key(&id),
            HookOwner::System => true,
        });
    }

    fn uuid(&mut self) -> String {
        self.uuids += 1;
        let hex = hex40(UUIDS, self.uuids);
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
    }

    fn address(
        &mut self,
        world: &World,
        settings: &Settings,
        message: &Message,
        event_uuid: &str,
    ) -> Vec<Delivery> {
        let told = |it: &&Hook| message.places.contains(&it.owner) && it.wants(message);
        let told: Vec<Id> = self.hooks.values().filter(told).map(|it| it.id).collect();
        let delivery = |id: Id| {
            let uuids = [event_uuid.to_owned(), self.uuid(), self.uuid()];
            Delivery::of(world, settings, &self.hooks[&id], message, uuids)
        };
        told.into_iter().map(delivery).collect()
    }
}
