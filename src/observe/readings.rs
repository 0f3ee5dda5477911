//! Everything that is measured, at one moment: metrics, answers, charts and alerts are all made of
//! the same readings, so that they cannot disagree.

use std::collections::BTreeMap;

use super::Observer;
use super::system::Figures;
use super::windows::{Percentiles, Share, Span, Timing, Totals};
use crate::clock::{self, Duration, Wall};
use crate::machine::breaker::Statistics;
use crate::machine::session::State;

/// Close codes of sockets that failed: ours, or because nobody was there any more. 0 (gone without
/// a word) is not among them: it is how most browsers leave.
pub(super) const FAILED_CLOSES: [u16; 5] = [1011, 1013, 4100, 4101, 4104];

/// One breaker.
pub(super) struct BreakerReading {
    pub(super) name: String,
    pub(super) state: &'static str,
    /// How long it has not been closed.
    pub(super) open_for: Option<Duration>,
    pub(super) statistics: Statistics,
}

/// See the [module](self).
pub(super) struct Readings {
    pub(super) wall: Wall,
    pub(super) started: Wall,
    pub(super) uptime: Duration,
    pub(super) machine: Figures,
    /// Sessions that have not ended, by state; and the bytes of their records.
    pub(super) states: BTreeMap<State, u64>,
    pub(super) session_bytes: u64,
    pub(super) processing: u64,
    pub(super) queued: u64,
    pub(super) commit_queue: u64,
    pub(super) breakers: Vec<BreakerReading>,
    pub(super) errors: Share,
    pub(super) connections: Share,
    pub(super) lag_ms: Option<f64>,
}

impl Readings {
    /// Sessions that have not ended.
    pub(super) fn active(&self) -> u64 {
        self.states.values().sum()
    }

    /// How long the oldest pending frame waits.
    pub(super) fn oldest_pending(&self, observer: &Observer) -> Option<Duration> {
        let delivery = &observer.0.rooms.meters.delivery;
        let oldest = delivery.oldest_pending.get()?;
        (delivery.pending.get() > 0).then(|| self.wall.since(Wall(oldest)))
    }
}

impl Observer {
    /// Reads everything that can be read without waiting.
    pub(super) fn readings(&self) -> Readings {
        let rooms = &self.0.rooms;
        let now = clock::now();
        self.tick(now);
        let (states, session_bytes) = rooms.sessions.census();
        let breakers = rooms.breakers.all().into_iter();
        let breakers = breakers.map(|(name, state, statistics)| BreakerReading {
            name,
            state,
            open_for: statistics
                .opened_at
                .map(|since| now.saturating_duration_since(since)),
            statistics,
        });
        let (errors, connections) = {
            let windows = self.windows();
            let connections = |t: &Totals| (t.connections, t.connections_failed);
            (windows.share(Totals::ended), windows.share(connections))
        };
        Readings {
            wall: clock::wall(),
            started: self.0.started.1,
            uptime: now.duration_since(self.0.started.0),
            machine: self.0.machine.figures(),
            states,
            session_bytes,
            processing: rooms.intake.processing() as u64,
            queued: rooms.intake.waiting() as u64,
            commit_queue: rooms.committer.waiting() as u64,
            breakers: breakers.collect(),
            errors,
            connections,
            lag_ms: self.lag_ms(now),
        }
    }

    pub(super) fn percentiles(&self, timing: Timing, span: Span) -> Option<Percentiles> {
        self.windows().percentiles(timing, span, clock::now())
    }
}

/// Milliseconds of a span.
pub(super) fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
