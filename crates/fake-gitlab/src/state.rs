//! What a running fake shares between its requests.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::Semaphore;

use crate::counters::Counters;
use crate::faults::Faults;
use crate::hooks::Hooks;
use crate::limits::Limits;
use crate::rotations::Rotations;
use crate::settings::Settings;
use crate::tokens::{TokenSpec, TokenState};
use crate::world::index::Index;
use crate::world::model::World;

/// A value computed from the world, and the generation it was computed from.
type Derived = (u64, Arc<dyn Any + Send + Sync>);

/// The world, its indexes, the tokens, and what disturbs and counts requests.
pub struct State {
    /// The instance's switches.
    pub settings: Settings,
    /// Throttles and application limits.
    pub limits: Limits,
    /// Disturbances.
    pub faults: Faults,
    /// What was asked and served.
    pub counters: Counters,
    /// Webhooks and their deliveries.
    pub hooks: Hooks,
    /// Tokens that rotate themselves.
    pub rotations: Rotations,
    pub(crate) workers: Option<Arc<Semaphore>>,
    tokens: RwLock<HashMap<String, TokenSpec>>,
    world: RwLock<World>,
    /// Counts changes of the world, so that the index is made again after one.
    generation: AtomicU64,
    derived: Mutex<HashMap<TypeId, Derived>>,
}

impl State {
    /// A state around a world.
    pub fn new(
        settings: Settings,
        world: World,
        tokens: Vec<TokenSpec>,
        limits: Limits,
        faults: Faults,
    ) -> Self {
        Self {
            workers: settings.workers.map(|workers| Arc::new(Semaphore::new(workers))),
            settings,
            limits,
            faults,
            counters: Counters::default(),
            hooks: Hooks::default(),
            rotations: Rotations::default(),
            tokens: RwLock::new(tokens.into_iter().map(|spec| (spec.token.clone(), spec)).collect()),
            world: RwLock::new(world),
            generation: AtomicU64::new(0),
            derived: Mutex::default(),
        }
    }

    /// The world, held still. Do not keep it across an await.
    pub fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world, to be changed. The indexes are made again afterwards, and webhooks tell what happened.
    pub fn world_mut(&self) -> WorldMut<'_> {
        let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
        world.events.listening = self.hooks.any();
        WorldMut { world, state: self }
    }

    /// Moves the clock only, which no index depends on.
    pub fn advance_clock(&self, by: chrono::TimeDelta) {
        self.world.write().unwrap_or_else(PoisonError::into_inner).advance(by);
    }

    /// Lookups that fit this world.
    pub fn index(&self, world: &World) -> Arc<Index> {
        self.derived(world, Index::of)
    }

    /// What is computed from the world once and again after each change of it; one value per type.
    pub fn derived<T: Any + Send + Sync>(&self, world: &World, make: impl FnOnce(&World) -> T) -> Arc<T> {
        let generation = self.generation.load(Ordering::Acquire);
        let mut derived = lock(&self.derived);
        let known = derived.get(&TypeId::of::<T>()).filter(|(made_at, _)| *made_at == generation);
        if let Some(value) = known.and_then(|(_, value)| value.clone().downcast().ok()) {
            return value;
        }
        let value = Arc::new(make(world));
        derived.insert(TypeId::of::<T>(), (generation, value.clone()));
        value
    }

    /// Adds a token, or replaces the one with the same secret.
    pub fn add_token(&self, spec: TokenSpec) {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner).insert(spec.token.clone(), spec);
    }

    /// The token with this secret.
    pub fn token(&self, secret: &str) -> Option<TokenSpec> {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).get(secret).cloned()
    }

    /// Changes the state of a token, such as to revoked.
    pub fn set_token_state(&self, secret: &str, state: TokenState) {
        if let Some(spec) = self.tokens.write().unwrap_or_else(PoisonError::into_inner).get_mut(secret) {
            spec.state = state;
        }
    }
}

/// A mutex whose holder panicked still holds usable data here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The world while it is changed.
pub struct WorldMut<'a> {
    world: RwLockWriteGuard<'a, World>,
    state: &'a State,
}

impl Deref for WorldMut<'_> {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for WorldMut<'_> {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

impl Drop for WorldMut<'_> {
    fn drop(&mut self) {
        self.state.generation.fetch_add(1, Ordering::Release);
        let events = self.world.take_events();
        // A change that broke off is not told: what it left may not hold together.
        if std::thread::panicking() {
            return;
        }
        self.state.hooks.tell(&self.world, &self.state.settings, &events);
    }
}
