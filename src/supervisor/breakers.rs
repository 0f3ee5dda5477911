//! One breaker a backend, behind a lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock;
use crate::machine::breaker::{
    Breaker, Outcome, Pass, Policy, Refusal, State, Statistics, Transition,
};
use crate::meter::{Draft, EventKind, Meters};

/// A handle; cloned freely.
#[derive(Clone)]
pub struct Breakers(Arc<Shared>);

struct Shared {
    policy: Policy,
    meters: Meters,
    /// As many as there are backends; names come from us, never from clients.
    all: Mutex<BTreeMap<String, Breaker>>,
}

impl Breakers {
    /// All closed.
    pub fn new(policy: Policy, meters: Meters) -> Self {
        Self(Arc::new(Shared {
            policy,
            meters,
            all: Mutex::default(),
        }))
    }

    fn with<T>(&self, backend: &str, act: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut all = self.0.all.lock().unwrap_or_else(PoisonError::into_inner);
        let breaker = all
            .entry(backend.to_owned())
            .or_insert_with(|| Breaker::new(self.0.policy));
        let result = act(breaker);
        while let Some(change) = breaker.poll_output() {
            tracing::warn!(backend, ?change, "a breaker changed");
            self.tell(backend, change);
        }
        result
    }

    fn tell(&self, backend: &str, change: Transition) {
        let (kind, word) = match change.to {
            State::Open => (EventKind::BreakerOpened, "open"),
            State::HalfOpen => (EventKind::BreakerHalfOpen, "half-open"),
            State::Closed => (EventKind::BreakerClosed, "closed"),
        };
        let meters = &self.0.meters;
        let label = (backend.to_owned(), change.to.as_str());
        meters.work.breaker_changes.one(label);
        let cause = change.cause.as_str().replace('_', " ");
        let mut event = Draft::new(kind, format!("{backend} is {word}: {cause}"));
        event.breaker = Some(backend.to_owned());
        event.code = Some(change.cause.as_str().to_owned());
        meters.feed.tell(event, clock::wall());
    }

    pub(super) fn admit(&self, backend: &str) -> Result<Pass, Refusal> {
        self.with(backend, |b| b.admit(clock::now()))
    }

    pub(super) fn settle(&self, backend: &str, pass: Pass, outcome: Outcome) {
        self.with(backend, |b| b.settle(pass, outcome, clock::now()));
    }

    /// The word for its state now.
    pub fn state(&self, backend: &str) -> &'static str {
        self.with(backend, |b| b.state(clock::now()).as_str())
    }

    /// Closes it by hand.
    pub fn reset(&self, backend: &str) {
        self.with(backend, |b| b.reset(clock::now()));
    }

    /// Opens it by hand.
    pub fn trip(&self, backend: &str) {
        self.with(backend, |b| b.trip(clock::now()));
    }

    /// Every breaker: name, state, statistics.
    pub fn all(&self) -> Vec<(String, &'static str, Statistics)> {
        let all = self.0.all.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::now();
        all.iter()
            .map(|(name, b)| (name.clone(), b.state(now).as_str(), b.statistics()))
            .collect()
    }
}
