//! Sliding windows: percentiles, rates and shares of the last minutes.
//!
//! Fed once a second, or more often, with what was counted since the start; the clock is passed in. A window is
//! made of slots (10 s for one and five minutes, 5 min for sixty), so it covers up to a slot more
//! than its name says. Percentiles are right to about 3 %, as the recorders' steps are.

use std::collections::{BTreeMap, VecDeque};

use hdrhistogram::Histogram;

use crate::clock::{Duration, Instant};
use crate::id::Category;
use crate::meter::{Counts, value_of};

/// What is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timing {
    /// Attempt to end of a session.
    Processing,
    /// Hand-over of a frame to its acknowledgement.
    Acknowledgement,
    /// A commit group.
    Commit,
    /// A request.
    Http,
    /// Acceptance to the beginning of the attempt.
    Queue,
    /// Acceptance to the result.
    TimeToValue,
    /// A timer of the runtime to its coming.
    Lag,
}

impl Timing {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Processing,
        Self::Acknowledgement,
        Self::Commit,
        Self::Http,
        Self::Queue,
        Self::TimeToValue,
        Self::Lag,
    ];
}

/// How far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// One minute.
    Minute,
    /// Five minutes.
    FiveMinutes,
    /// Sixty minutes.
    Hour,
}

impl Span {
    /// All of them, with their names in answers.
    pub const ALL: [(&'static str, Self); 3] = [
        ("1m", Self::Minute),
        ("5m", Self::FiveMinutes),
        ("60m", Self::Hour),
    ];
}

/// The slots of one and five minutes.
const FINE: Duration = Duration::from_secs(10);
const FINE_KEPT: usize = 30;
/// The slots of sixty minutes.
const COARSE: Duration = Duration::from_secs(300);
const COARSE_KEPT: usize = 12;
const SECOND: Duration = Duration::from_secs(1);
/// Totals kept for rates and shares: five minutes of seconds.
const TOTALS_KEPT: usize = 300;

/// Counters whose rates and shares are told; each since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Frames handed to sockets.
    pub sent: u64,
    /// Frames acknowledged.
    pub acknowledged: u64,
    /// Frames sent again.
    pub redelivered: u64,
    /// Commit groups.
    pub commits: u64,
    /// Requests.
    pub requests: u64,
    /// Messages accepted.
    pub accepted: u64,
    /// Results.
    pub results: u64,
    /// Frames refused.
    pub refused: u64,
    /// Connections tried and sockets ended.
    pub connections: u64,
    /// Of those, handshakes that failed and sockets that a fault ended.
    pub connections_failed: u64,
    /// Sessions that ended by themselves, by category, and those of them that ended in an error.
    pub ended: BTreeMap<Category, (u64, u64)>,
}

impl Totals {
    /// All that ended, and errors.
    pub fn ended(&self) -> (u64, u64) {
        let add = |(a, b): (u64, u64), (c, d): &(u64, u64)| (a + c, b + d);
        self.ended.values().fold((0, 0), add)
    }
}

/// Percentiles, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles {
    /// Of how many values.
    pub count: u64,
    /// The median.
    pub p50: u64,
    /// 95 of 100 were not above.
    pub p95: u64,
    /// 99 of 100 were not above.
    pub p99: u64,
    /// The highest.
    pub max: u64,
}

/// Counts of so many events and failures within a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Events.
    pub of: u64,
    /// Failures among them.
    pub failed: u64,
}

impl Share {
    /// 0 to 1; none without an event.
    pub fn value(self) -> Option<f64> {
        (self.of > 0).then(|| self.failed as f64 / self.of as f64)
    }
}

struct Slot {
    number: u64,
    values: Histogram<u32>,
}

/// One timing.
struct Window {
    last: Option<Counts>,
    fine: VecDeque<Slot>,
    coarse: VecDeque<Slot>,
}

/// See the [module](self).
pub struct Windows {
    start: Instant,
    timings: [Window; Timing::ALL.len()],
    totals: VecDeque<(Instant, Totals)>,
}

impl Windows {
    /// Empty, from now on: nothing was counted yet.
    pub fn new(now: Instant) -> Self {
        Self {
            start: now,
            timings: Timing::ALL.map(|_| Window {
                last: None,
                fine: VecDeque::new(),
                coarse: VecDeque::new(),
            }),
            totals: VecDeque::from([(now, Totals::default())]),
        }
    }

    fn slot(&self, now: Instant, length: Duration) -> u64 {
        now.duration_since(self.start).as_secs() / length.as_secs()
    }

    /// What a recorder has counted since the start.
    pub fn on_counts(&mut self, timing: Timing, counts: Counts, now: Instant) {
        let slots = [self.slot(now, FINE), self.slot(now, COARSE)];
        let window = &mut self.timings[timing as usize];
        let before = window.last.replace(counts);
        let counts = window.last.as_ref().map_or(&[][..], |c| &c.steps);
        let rings = [
            (&mut window.fine, slots[0], FINE_KEPT),
            (&mut window.coarse, slots[1], COARSE_KEPT),
        ];
        for (ring, number, kept) in rings {
            let Some(slot) = open_slot(ring, number, kept) else {
                continue;
            };
            for (step, count) in counts.iter().enumerate() {
                let before = before.as_ref().map_or(0, |c| c.steps[step]);
                let fresh = u32::try_from(count - before).unwrap_or(u32::MAX);
                if fresh > 0 {
                    // It grows by itself, so no value of ours is refused.
                    let _ = slot.values.record_n(value_of(step), fresh);
                }
            }
        }
    }

    /// What was counted since the start.
    pub fn on_totals(&mut self, totals: Totals, now: Instant) {
        let count = self.totals.len();
        // Whoever asks in between refreshes the newest and takes no place of a second.
        let in_between = count >= 2 && self.totals[count - 1].0 < self.totals[count - 2].0 + SECOND;
        if in_between {
            self.totals.pop_back();
        }
        self.totals.push_back((now, totals));
        while self.totals.len() > TOTALS_KEPT + 1 {
            self.totals.pop_front();
        }
    }

    /// Percentiles of the values within the span before `now`; none where there was none.
    pub fn percentiles(&self, timing: Timing, span: Span, now: Instant) -> Option<Percentiles> {
        let window = &self.timings[timing as usize];
        let (ring, length, slots) = match span {
            Span::Minute => (&window.fine, FINE, 6),
            Span::FiveMinutes => (&window.fine, FINE, FINE_KEPT as u64),
            Span::Hour => (&window.coarse, COARSE, COARSE_KEPT as u64),
        };
        let oldest = self.slot(now, length).saturating_sub(slots);
        let mut all = empty()?;
        for slot in ring.iter().filter(|slot| slot.number >= oldest) {
            // Both resize by themselves, so one always fits into the other.
            all.add(&slot.values).ok()?;
        }
        (!all.is_empty()).then(|| Percentiles {
            count: all.len(),
            p50: all.value_at_quantile(0.50),
            p95: all.value_at_quantile(0.95),
            p99: all.value_at_quantile(0.99),
            max: all.max(),
        })
    }

    /// The newest totals, those of `span` before (or of the start, where that is nearer), and the
    /// seconds between; none where no time has passed.
    fn between(&self, span: Duration) -> Option<(&Totals, &Totals, f64)> {
        let (now, newest) = self.totals.back()?;
        let old_enough = |(at, _): &&(Instant, Totals)| now.duration_since(*at) >= span;
        let found = self.totals.iter().rev().find(old_enough);
        let (at, before) = found.or_else(|| self.totals.front())?;
        let seconds = now.duration_since(*at).as_secs_f64();
        (seconds > 0.0).then_some((before, newest, seconds))
    }

    /// A rate a second over the last ten.
    pub fn rate(&self, of: impl Fn(&Totals) -> u64) -> Option<f64> {
        let (before, now, seconds) = self.between(Duration::from_secs(10))?;
        Some((of(now) - of(before)) as f64 / seconds)
    }

    /// Events and failures of the last five minutes.
    pub fn share(&self, of: impl Fn(&Totals) -> (u64, u64)) -> Share {
        let Some((before, now, _)) = self.between(Duration::from_secs(300)) else {
            return Share::default();
        };
        let (before, now) = (of(before), of(now));
        Share {
            of: now.0 - before.0,
            failed: now.1 - before.1,
        }
    }
}

fn empty() -> Option<Histogram<u32>> {
    Histogram::new(2).ok()
}

fn open_slot(ring: &mut VecDeque<Slot>, number: u64, kept: usize) -> Option<&mut Slot> {
    if ring.back().is_none_or(|slot| slot.number != number) {
        let values = empty()?;
        ring.push_back(Slot { number, values });
        while ring.len() > kept + 1 {
            ring.pop_front();
        }
    }
    ring.back_mut()
}

#[cfg(test)]
mod tests;
