//! One breaker a backend, behind a lock, with what an administrator wants to know of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::{self, Duration, Wall};
use crate::id::{SessionId, UserId};
use crate::machine::breaker::{
    Breaker, Cause, HISTORY, Outcome, Pass, Policy, Refusal, State, Statistics, Transition,
};
use crate::meter::{Draft, EventKind, Meters};

/// Failures remembered of each backend.
const FAILURES: usize = 20;
/// The longest text of a failure, in characters.
const ERROR_MAX: usize = 200;

/// A handle; cloned freely.
#[derive(Clone)]
pub struct Breakers(Arc<Shared>);

struct Shared {
    policy: Policy,
    meters: Meters,
    /// As many as there are backends; names come from us, never from clients.
    all: Mutex<BTreeMap<String, Watched>>,
}

struct Watched {
    breaker: Breaker,
    role: &'static str,
    changes: VecDeque<Change>,
    failures: VecDeque<FailedCall>,
}

/// A change of state, as it is told.
#[derive(Debug, Clone)]
pub struct Change {
    /// When.
    pub at: Wall,
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// Why.
    pub cause: Cause,
    /// Who did it by hand.
    pub by: Option<String>,
    /// Why they did it, in their words.
    pub reason: Option<String>,
}

/// A call that failed.
#[derive(Debug, Clone)]
pub struct FailedCall {
    /// When.
    pub at: Wall,
    /// Which session asked.
    pub session: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// What went wrong.
    pub error: String,
}

/// A breaker as it stands.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Of which backend.
    pub name: String,
    /// `primary` or `fallback`.
    pub role: &'static str,
    /// What a caller would meet.
    pub state: State,
    /// How long calls are still refused.
    pub retry_after: Option<Duration>,
    /// The counts.
    pub statistics: Statistics,
    /// The last [`HISTORY`] changes, newest first.
    pub changes: Vec<Change>,
    /// The last failures, newest first.
    pub failures: Vec<FailedCall>,
}

/// Who changes a breaker by hand, and why.
#[derive(Debug, Clone, Copy)]
pub struct ByHand<'a> {
    /// Their name.
    pub who: &'a str,
    /// In their words.
    pub reason: Option<&'a str>,
}

impl Breakers {
    /// None yet.
    pub fn new(policy: Policy, meters: Meters) -> Self {
        Self(Arc::new(Shared {
            policy,
            meters,
            all: Mutex::default(),
        }))
    }

    /// The rules of all of them.
    pub fn policy(&self) -> Policy {
        self.0.policy
    }

    fn with<T>(
        &self,
        backend: &str,
        hand: Option<ByHand<'_>>,
        act: impl FnOnce(&mut Watched) -> T,
    ) -> T {
        let mut all = self.0.all.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = all.entry(backend.to_owned()).or_insert_with(|| Watched {
            breaker: Breaker::new(self.0.policy),
            role: "primary",
            changes: VecDeque::new(),
            failures: VecDeque::new(),
        });
        let result = act(watched);
        while let Some(change) = watched.breaker.poll_output() {
            tracing::warn!(backend, ?change, "a breaker changed");
            self.tell(backend, change);
            let by_hand = hand.filter(|_| matches!(change.cause, Cause::Reset | Cause::Tripped));
            watched.changes.truncate(HISTORY - 1);
            watched.changes.push_front(Change {
                at: clock::wall(),
                from: change.from,
                to: change.to,
                cause: change.cause,
                by: by_hand.map(|hand| hand.who.to_owned()),
                reason: by_hand.and_then(|hand| hand.reason.map(str::to_owned)),
            });
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

    /// A backend that will be asked; shown before its first call.
    pub fn announce(&self, backend: &str, role: &'static str) {
        self.with(backend, None, |watched| watched.role = role);
    }

    pub(super) fn admit(&self, backend: &str) -> Result<Pass, Refusal> {
        self.with(backend, None, |w| w.breaker.admit(clock::now()))
    }

    pub(super) fn settle(&self, backend: &str, pass: Pass, outcome: Outcome) {
        self.with(backend, None, |w| {
            w.breaker.settle(pass, outcome, clock::now());
        });
    }

    /// Remembers a failure; the outcome itself is told with [`Breakers::settle`].
    pub(super) fn remember(&self, backend: &str, session: SessionId, user: &UserId, error: &str) {
        self.with(backend, None, |w| {
            w.failures.truncate(FAILURES - 1);
            w.failures.push_front(FailedCall {
                at: clock::wall(),
                session,
                user: user.clone(),
                error: error.chars().take(ERROR_MAX).collect(),
            });
        });
    }

    /// The word for its state now.
    pub fn state(&self, backend: &str) -> &'static str {
        self.with(backend, None, |w| w.breaker.state(clock::now()).as_str())
    }

    /// Whether there is a breaker of this name.
    pub fn knows(&self, backend: &str) -> bool {
        let all = self.0.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.contains_key(backend)
    }

    /// Closes it by hand.
    pub fn reset(&self, backend: &str, hand: ByHand<'_>) {
        self.with(backend, Some(hand), |w| w.breaker.reset(clock::now()));
    }

    /// Opens it by hand.
    pub fn trip(&self, backend: &str, hand: ByHand<'_>) {
        self.with(backend, Some(hand), |w| w.breaker.trip(clock::now()));
    }

    /// Every breaker: name, state, statistics.
    pub fn all(&self) -> Vec<(String, &'static str, Statistics)> {
        let all = self.snapshots().into_iter();
        all.map(|s| (s.name, s.state.as_str(), s.statistics))
            .collect()
    }

    /// Every breaker with its history, by name.
    pub fn snapshots(&self) -> Vec<Snapshot> {
        let all = self.0.all.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::now();
        let snapshot = |(name, watched): (&String, &Watched)| {
            let state = watched.breaker.state(now);
            let due = watched.breaker.poll_timeout();
            let until = due.filter(|_| state == State::Open);
            Snapshot {
                name: name.clone(),
                role: watched.role,
                state,
                retry_after: until.map(|until| until.saturating_duration_since(now)),
                statistics: watched.breaker.statistics(),
                changes: watched.changes.iter().cloned().collect(),
                failures: watched.failures.iter().cloned().collect(),
            }
        };
        all.iter().map(snapshot).collect()
    }
}
