//! Which sessions may live, and which may be processed now.
//!
//! A session is given a place, enters the queue once it is durable, waits, is processed,
//! and is finished or cancelled. Before it is durable it takes room and is never started. The queue is fair: within a visitor first come, first served;
//! between visitors in turn, so that one with sixteen messages waiting delays
//! another's first by one message, not by sixteen.
//!
//! Beyond the limits a session is refused with the time after which a place is
//! expected to be free, from the moving average of the measured processing times.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::id::{SessionId, UserId};

/// The limits. All at least 1; zeros are taken as 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sessions alive (arriving, waiting and processing).
    pub max_concurrent: usize,
    /// Sessions processing at once.
    pub max_processing: usize,
    /// Sessions alive of one visitor.
    pub max_per_visitor: usize,
    /// The processing time that estimates start from, until one has been measured.
    pub expected_processing: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_concurrent: 1000,
            max_processing: 100,
            max_per_visitor: 16,
            expected_processing: Duration::from_secs(2),
        }
    }
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// 0: processing. From 1: waiting; 1 is started next.
    pub position: usize,
}

/// No room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As many sessions alive as are allowed.
    #[error("all places are taken")]
    Overloaded {
        /// When a place is expected to be free.
        retry_after: Duration,
    },
    /// As many sessions of this visitor alive as are allowed.
    #[error("too many of your messages are waiting")]
    VisitorBusy {
        /// When one of the visitor's sessions is expected to be done.
        retry_after: Duration,
    },
}

impl Refused {
    /// When to try again.
    pub fn retry_after(self) -> Duration {
        match self {
            Self::Overloaded { retry_after } | Self::VisitorBusy { retry_after } => retry_after,
        }
    }
}

#[derive(Debug)]
enum Stage {
    /// On its way to the disk: it has room, and is not in the queue yet.
    Arriving,
    Waiting {
        /// The smallest position told so far.
        told: usize,
    },
    Processing {
        since: Instant,
    },
}

#[derive(Debug)]
struct Session {
    visitor: UserId,
    stage: Stage,
}

#[derive(Debug, Default)]
struct Visitor {
    arriving: usize,
    waiting: VecDeque<SessionId>,
    processing: usize,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Admission {
    limits: Limits,
    sessions: BTreeMap<SessionId, Session>,
    visitors: BTreeMap<UserId, Visitor>,
    /// Visitors with sessions waiting, in the order of their turns.
    turns: VecDeque<UserId>,
    processing: usize,
    average: Option<Duration>,
}

impl Admission {
    /// Nobody there.
    pub fn new(limits: Limits) -> Self {
        let mut admission = Self {
            limits,
            sessions: BTreeMap::new(),
            visitors: BTreeMap::new(),
            turns: VecDeque::new(),
            processing: 0,
            average: None,
        };
        admission.set_limits(limits);
        admission
    }

    /// How many of each.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Changes the limits; nobody who is in is thrown out, even above a lower limit.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = Limits {
            max_concurrent: limits.max_concurrent.max(1),
            max_processing: limits.max_processing.max(1),
            max_per_visitor: limits.max_per_visitor.max(1),
            ..limits
        };
    }

    /// Asks for room. A session that is in already has it.
    ///
    /// # Errors
    /// [`Refused`], with the time after which to ask again.
    pub fn hold(&mut self, visitor: &UserId, id: SessionId, now: Instant) -> Result<(), Refused> {
        if self.sessions.contains_key(&id) {
            return Ok(());
        }
        let alive = self.visitors.get(visitor).map_or(0, Visitor::alive);
        if alive >= self.limits.max_per_visitor {
            let retry_after = self.until_done(visitor, now);
            return Err(Refused::VisitorBusy { retry_after });
        }
        if self.sessions.len() >= self.limits.max_concurrent {
            let retry_after = self.until_any_done();
            return Err(Refused::Overloaded { retry_after });
        }
        let stage = Stage::Arriving;
        let visitor = visitor.clone();
        self.visitors.entry(visitor.clone()).or_default().arriving += 1;
        self.sessions.insert(id, Session { visitor, stage });
        Ok(())
    }

    /// Enters a durable session at the end of its visitor's queue, whatever the limits: what
    /// was accepted is kept, before a restart too. One that is in the queue does not enter twice.
    pub fn enter(&mut self, visitor: &UserId, id: SessionId) -> Place {
        let known = self.sessions.get(&id).map(|s| &s.stage);
        if matches!(known, None | Some(Stage::Arriving)) {
            let queue = self.visitors.entry(visitor.clone()).or_default();
            queue.arriving -= usize::from(known.is_some());
            queue.waiting.push_back(id);
            if queue.waiting.len() == 1 {
                self.turns.push_back(visitor.clone());
            }
            let stage = Stage::Waiting { told: usize::MAX };
            let visitor = visitor.clone();
            self.sessions.insert(id, Session { visitor, stage });
        }
        let position = self
            .position(id)
            .expect("it is in the queue since a few lines above");
        Place { position }
    }

    /// Starts the next session, if one waits and may be processed now. Call it until `None`.
    pub fn next_ready(&mut self, now: Instant) -> Option<SessionId> {
        if self.processing >= self.limits.max_processing {
            return None;
        }
        let name = self.turns.pop_front()?;
        let visitor = self.visitors.get_mut(&name)?;
        let id = visitor.waiting.pop_front()?;
        visitor.processing += 1;
        self.processing += 1;
        if !visitor.waiting.is_empty() {
            self.turns.push_back(name);
        }
        self.sessions.get_mut(&id)?.stage = Stage::Processing { since: now };
        Some(id)
    }

    /// The session was processed; its time enters the average. Says whether it was processing.
    pub fn finish(&mut self, id: SessionId, now: Instant) -> bool {
        let Some(Stage::Processing { since }) = self.sessions.get(&id).map(|s| &s.stage) else {
            return false;
        };
        self.measure(now.saturating_duration_since(*since));
        self.remove(id)
    }

    /// The session is over without having been processed to its end: waiting or processing,
    /// its place is free, and its time does not count. One that is processing is
    /// cancelled when its work has stopped, not before. Says whether it was in.
    pub fn cancel(&mut self, id: SessionId) -> bool {
        self.remove(id)
    }

    /// Where a session stands: 0 while processing, from 1 while waiting, `None` if it is not in
    /// the queue.
    ///
    /// It never rises. Where another visitor's first message goes ahead of this
    /// visitor's later ones, the number stands still until the true place is lower.
    pub fn position(&mut self, id: SessionId) -> Option<usize> {
        let session = self.sessions.get(&id)?;
        if let Stage::Processing { .. } = session.stage {
            return Some(0);
        }
        let place = self.place(&session.visitor, id)?;
        let Stage::Waiting { told } = &mut self.sessions.get_mut(&id)?.stage else {
            return None;
        };
        *told = place.min(*told);
        Some(*told)
    }

    /// The sessions waiting, in the order in which they would start if nobody came or left.
    pub fn queue(&self) -> Vec<SessionId> {
        let waiting = |name: &UserId| self.visitors.get(name).map(|v| &v.waiting);
        let queues: Vec<_> = self.turns.iter().filter_map(waiting).collect();
        let longest = queues.iter().map(|q| q.len()).max().unwrap_or(0);
        let round = |depth: usize| queues.iter().filter_map(move |q| q.get(depth)).copied();
        (0..longest).flat_map(round).collect()
    }

    /// Sessions waiting.
    pub fn waiting(&self) -> usize {
        self.visitors.values().map(|v| v.waiting.len()).sum()
    }

    /// Sessions that could start at once.
    pub fn free(&self) -> usize {
        self.limits.max_processing.saturating_sub(self.processing)
    }

    /// Sessions processing.
    pub fn processing(&self) -> usize {
        self.processing
    }

    /// The moving average of the processing times; the expectation until one is measured.
    pub fn average_processing(&self) -> Duration {
        self.average.unwrap_or(self.limits.expected_processing)
    }

    /// The true place of a waiting session: those before it in its own queue, and of
    /// every other visitor as many as have a turn before it.
    fn place(&self, visitor: &UserId, id: SessionId) -> Option<usize> {
        let own = &self.visitors.get(visitor)?.waiting;
        let depth = own.iter().position(|other| *other == id)?;
        let turn = self.turns.iter().position(|name| name == visitor)?;
        let ahead = |(index, name): (usize, &UserId)| {
            let waiting = self.visitors.get(name).map_or(0, |v| v.waiting.len());
            waiting.min(depth + usize::from(index <= turn))
        };
        Some(self.turns.iter().enumerate().map(ahead).sum())
    }

    fn remove(&mut self, id: SessionId) -> bool {
        let Some(session) = self.sessions.remove(&id) else {
            return false;
        };
        let Some(visitor) = self.visitors.get_mut(&session.visitor) else {
            return false;
        };
        match session.stage {
            Stage::Arriving => visitor.arriving -= 1,
            Stage::Processing { .. } => {
                visitor.processing -= 1;
                self.processing -= 1;
            }
            Stage::Waiting { .. } => {
                visitor.waiting.retain(|other| *other != id);
                if visitor.waiting.is_empty() {
                    self.turns.retain(|name| *name != session.visitor);
                }
            }
        }
        if visitor.alive() == 0 {
            self.visitors.remove(&session.visitor);
        }
        true
    }

    /// An eighth of the new, seven eighths of the old: smooth, and a change of backend
    /// shows within a dozen sessions.
    fn measure(&mut self, took: Duration) {
        self.average = Some(match self.average {
            None => took,
            Some(average) => average.mul_f64(0.875) + took.mul_f64(0.125),
        });
    }

    /// With `n` processing, one is done every `average / n`.
    fn until_any_done(&self) -> Duration {
        let busy = u32::try_from(self.processing).unwrap_or(u32::MAX).max(1);
        self.average_processing() / busy
    }

    /// What is left of the visitor's oldest session in processing; where none is, the
    /// places before the visitor's first, `max_processing` at a time, and its own processing.
    fn until_done(&self, visitor: &UserId, now: Instant) -> Duration {
        let average = self.average_processing();
        let running = |session: &Session| match session.stage {
            Stage::Processing { since } if session.visitor == *visitor => {
                Some(now.saturating_duration_since(since))
            }
            _ => None,
        };
        if let Some(oldest) = self.sessions.values().filter_map(running).max() {
            // One that takes longer than most: nothing is known, ask again after a fraction.
            return average.saturating_sub(oldest).max(average / 8);
        }
        let first = self.visitors.get(visitor).and_then(|v| v.waiting.front());
        let place = first.and_then(|id| self.place(visitor, *id)).unwrap_or(1);
        let rounds = u32::try_from(place.div_ceil(self.limits.max_processing)).unwrap_or(u32::MAX);
        average.saturating_mul(rounds.saturating_add(1))
    }
}

impl Visitor {
    fn alive(&self) -> usize {
        self.arriving + self.waiting.len() + self.processing
    }
}

#[cfg(test)]
mod tests;
