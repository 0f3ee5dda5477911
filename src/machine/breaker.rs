//! The circuit breaker of one backend.
//!
//! *Closed* means calls flow. After enough failures in a row it opens and
//! refuses at once; after the recovery timeout it is half open and lets a
//! bounded number of probes through; enough of them succeed and it closes, one
//! fails and it is open again.
//!
//! A call is admitted with a [`Pass`] and settled by giving the pass back, so
//! that it is settled at most once. A pass belongs to the *generation* in which
//! it was given: each change of state starts a new one, and a call that was
//! slow to fail says nothing about the state after it.
//!
//! ```text
//!            failures in a row, trip
//!   closed ───────────────────────────▶ open ◀──────────────┐
//!     ▲ ▲                               │ │                 │ a probe failed or
//!     │ └─────────── reset ─────────────┘ │ recovery        │ is overdue, trip
//!     │                                   ▼ timeout         │
//!     └── enough probes succeed, reset ── half open ────────┘
//! ```

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// When to open, and how to find the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Failures in a row that open the breaker; at least 1.
    pub failure_threshold: u32,
    /// How long it stays open before it probes.
    pub recovery_timeout: Duration,
    /// Probes in flight at once while half open; at least 1.
    pub max_probes: u32,
    /// Successful probes that close it; at least 1.
    pub successes_to_close: u32,
    /// A probe that is not settled for so long counts as failed: a pass that got
    /// lost must not keep the breaker half open for ever. Longer than any call may take.
    pub probe_timeout: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            failure_threshold: 5,
            recovery_timeout: Duration::from_secs(30),
            max_probes: 1,
            successes_to_close: 2,
            probe_timeout: Duration::from_secs(120),
        }
    }
}

/// What callers meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Calls flow.
    Closed,
    /// Calls are refused.
    Open,
    /// A few calls go through, as probes.
    HalfOpen,
}

impl State {
    /// The word in answers, metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// Why the state changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// As many failures in a row as the policy allows.
    Failures,
    /// It was open for the recovery timeout.
    RecoveryTimeout,
    /// A probe failed.
    ProbeFailed,
    /// A probe was not settled within its timeout.
    ProbeOverdue,
    /// Enough probes succeeded.
    ProbesSucceeded,
    /// Somebody closed it.
    Reset,
    /// Somebody opened it.
    Tripped,
}

impl Cause {
    /// The word in answers, metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failures => "failures",
            Self::RecoveryTimeout => "recovery_timeout",
            Self::ProbeFailed => "probe_failed",
            Self::ProbeOverdue => "probe_overdue",
            Self::ProbesSucceeded => "probes_succeeded",
            Self::Reset => "reset",
            Self::Tripped => "tripped",
        }
    }
}

/// A change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// When.
    pub at: Instant,
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// Why.
    pub cause: Cause,
}

/// How many transitions [`Statistics::history`] remembers.
pub const HISTORY: usize = 32;

/// The right to one call. Neither `Clone` nor `Copy`: it is settled once.
#[derive(Debug)]
#[must_use = "settle the pass, or its call is never counted and a probe's place stays taken"]
pub struct Pass {
    generation: u64,
    /// Its number among all calls admitted; tells the probes apart.
    call: u64,
}

/// No call now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the circuit breaker is {}", state.as_str())]
pub struct Refusal {
    /// When to ask again; while all probes are out this is a guess of one second.
    pub retry_after: Duration,
    /// `Open`, or `HalfOpen` where all probes are out.
    pub state: State,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The backend did what it is for.
    Success,
    /// It did not.
    Failure,
    /// The caller gave up (cancelled, shutting down): says nothing about the backend.
    Abandoned,
}

/// What has been counted since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Calls let through: always `successes + failures + abandoned + unsettled`.
    pub admitted: u64,
    /// Calls refused.
    pub refused: u64,
    /// Calls that succeeded, late ones included.
    pub successes: u64,
    /// Calls that failed, late ones included.
    pub failures: u64,
    /// Calls given up, late ones included.
    pub abandoned: u64,
    /// Calls let through and not settled yet.
    pub unsettled: u64,
    /// Of the settled calls, those of an earlier generation: counted above, without effect on the state.
    pub late: u64,
    /// Failures in a row; 0 unless closed.
    pub consecutive_failures: u32,
    /// Since when it is not closed: half-open spells in between do not restart it.
    pub opened_at: Option<Instant>,
    /// All transitions ever.
    pub transitions: u64,
    /// The last [`HISTORY`] transitions, oldest first.
    pub history: VecDeque<Transition>,
}

impl Statistics {
    /// The newest transition.
    pub fn last_transition(&self) -> Option<Transition> {
        self.history.back().copied()
    }
}

#[derive(Debug)]
enum Inner {
    Closed {
        failures: u32,
    },
    Open {
        until: Instant,
    },
    HalfOpen {
        /// Those in flight, oldest first: the call and when it is overdue.
        probes: VecDeque<(u64, Instant)>,
        successes: u32,
    },
}

/// See the [module](self).
#[derive(Debug)]
pub struct Breaker {
    policy: Policy,
    inner: Inner,
    generation: u64,
    counts: Statistics,
    /// At most [`HISTORY`], the oldest dropped: a shell that never asks costs no memory.
    outputs: VecDeque<Transition>,
}

impl Breaker {
    /// A closed breaker. Zeros in the policy are taken as 1.
    pub fn new(policy: Policy) -> Self {
        let policy = Policy {
            failure_threshold: policy.failure_threshold.max(1),
            max_probes: policy.max_probes.max(1),
            successes_to_close: policy.successes_to_close.max(1),
            ..policy
        };
        Self {
            policy,
            inner: Inner::Closed { failures: 0 },
            generation: 0,
            counts: Statistics::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Asks for one call.
    pub fn admit(&mut self, now: Instant) -> Result<Pass, Refusal> {
        self.handle_timeout(now);
        let refusal = match &mut self.inner {
            Inner::Closed { .. } => None,
            Inner::Open { until } => Some(Refusal {
                retry_after: until.saturating_duration_since(now),
                state: State::Open,
            }),
            Inner::HalfOpen { probes, .. } if probes.len() >= self.policy.max_probes as usize => {
                Some(Refusal {
                    retry_after: Duration::from_secs(1),
                    state: State::HalfOpen,
                })
            }
            Inner::HalfOpen { probes, .. } => {
                let overdue = later(now, self.policy.probe_timeout);
                probes.push_back((self.counts.admitted, overdue));
                None
            }
        };
        if let Some(refusal) = refusal {
            self.counts.refused += 1;
            return Err(refusal);
        }
        let pass = Pass {
            generation: self.generation,
            call: self.counts.admitted,
        };
        self.counts.admitted += 1;
        self.counts.unsettled += 1;
        Ok(pass)
    }

    /// Gives a pass back. The pass must come from this breaker.
    pub fn settle(&mut self, pass: Pass, outcome: Outcome, now: Instant) {
        self.handle_timeout(now);
        self.counts.unsettled = self.counts.unsettled.saturating_sub(1);
        match outcome {
            Outcome::Success => self.counts.successes += 1,
            Outcome::Failure => self.counts.failures += 1,
            Outcome::Abandoned => self.counts.abandoned += 1,
        }
        if pass.generation != self.generation {
            self.counts.late += 1;
            return;
        }
        match (&mut self.inner, outcome) {
            (Inner::Closed { failures }, Outcome::Success) => *failures = 0,
            (Inner::Closed { failures }, Outcome::Failure) => {
                *failures += 1;
                if *failures >= self.policy.failure_threshold {
                    self.open(Cause::Failures, now);
                }
            }
            (Inner::Closed { .. }, Outcome::Abandoned) => {}
            (Inner::HalfOpen { .. }, Outcome::Failure) => self.open(Cause::ProbeFailed, now),
            (Inner::HalfOpen { probes, successes }, Outcome::Success | Outcome::Abandoned) => {
                probes.retain(|(call, _)| *call != pass.call);
                *successes += u32::from(outcome == Outcome::Success);
                if *successes >= self.policy.successes_to_close {
                    self.change(Inner::Closed { failures: 0 }, Cause::ProbesSucceeded, now);
                }
            }
            (Inner::Open { .. }, _) => {
                unreachable!("opening starts a generation, and open admits nothing in it")
            }
        }
    }

    /// What a caller would meet at `now`, whether or not the timeout has been handled.
    pub fn state(&self, now: Instant) -> State {
        let due = self.poll_timeout().is_some_and(|due| now >= due);
        match self.inner {
            Inner::Closed { .. } => State::Closed,
            Inner::Open { .. } if due => State::HalfOpen,
            Inner::HalfOpen { .. } if due => State::Open,
            Inner::Open { .. } => State::Open,
            Inner::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// The counts, the failures in a row and the history.
    pub fn statistics(&self) -> Statistics {
        let consecutive_failures = match self.inner {
            Inner::Closed { failures } => failures,
            Inner::Open { .. } | Inner::HalfOpen { .. } => 0,
        };
        Statistics {
            consecutive_failures,
            ..self.counts.clone()
        }
    }

    /// Closes it by hand and forgets the failures; calls in flight count for nothing any more.
    pub fn reset(&mut self, now: Instant) {
        self.handle_timeout(now);
        self.change(Inner::Closed { failures: 0 }, Cause::Reset, now);
    }

    /// Opens it by hand, for the recovery timeout from now, even where it was open.
    pub fn trip(&mut self, now: Instant) {
        self.handle_timeout(now);
        self.open(Cause::Tripped, now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.inner {
            Inner::Closed { .. } => None,
            Inner::Open { until } => Some(*until),
            Inner::HalfOpen { probes, .. } => probes.front().map(|(_, overdue)| *overdue),
        }
    }

    /// Does what is due. Calling it early, late or never is safe: every other call does it too.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|due| now < due) {
            return;
        }
        match self.inner {
            Inner::Closed { .. } => {}
            Inner::Open { .. } => {
                let probing = Inner::HalfOpen {
                    probes: VecDeque::new(),
                    successes: 0,
                };
                self.change(probing, Cause::RecoveryTimeout, now);
            }
            Inner::HalfOpen { .. } => self.open(Cause::ProbeOverdue, now),
        }
    }

    /// The next transition to report.
    pub fn poll_output(&mut self) -> Option<Transition> {
        self.outputs.pop_front()
    }

    fn open(&mut self, cause: Cause, now: Instant) {
        let until = later(now, self.policy.recovery_timeout);
        self.change(Inner::Open { until }, cause, now);
    }

    /// Starts a generation, and reports it where the state is another one.
    fn change(&mut self, inner: Inner, cause: Cause, now: Instant) {
        let name = |inner: &Inner| match inner {
            Inner::Closed { .. } => State::Closed,
            Inner::Open { .. } => State::Open,
            Inner::HalfOpen { .. } => State::HalfOpen,
        };
        let (from, to) = (name(&self.inner), name(&inner));
        self.inner = inner;
        self.generation += 1;
        self.counts.opened_at = match to {
            State::Closed => None,
            State::Open | State::HalfOpen => self.counts.opened_at.or(Some(now)),
        };
        if from == to {
            return;
        }
        self.counts.transitions += 1;
        let transition = Transition {
            at: now,
            from,
            to,
            cause,
        };
        for list in [&mut self.counts.history, &mut self.outputs] {
            if list.len() == HISTORY {
                list.pop_front();
            }
            list.push_back(transition);
        }
    }
}

/// `now + span`, or a day where that is beyond the end of the clock: long enough
/// for "never", and an operator's reset is the way out of either.
fn later(now: Instant, span: Duration) -> Instant {
    now.checked_add(span)
        .unwrap_or_else(|| now + Duration::from_secs(86_400))
}

#[cfg(test)]
mod tests;
