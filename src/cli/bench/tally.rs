//! What one visitor saw, and the sum over all: pure counting.

use std::collections::BTreeSet;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Reasons that are told apart; more of the same kind only raise the count.
const REASONS: usize = 20;

/// Counts and times of a run.
#[derive(Default)]
pub(super) struct Tally {
    /// Sequenced frames applied, each once.
    pub(super) delivered: u64,
    /// Those among them that arrived while messages were being sent.
    pub(super) in_time: u64,
    /// Frames that the server says are acknowledged.
    pub(super) acknowledged: u64,
    /// Repetitions on the wire; allowed, and dropped by the client.
    pub(super) repeated: u64,
    /// Messages sent, accepted, refused with a reason.
    pub(super) sent: u64,
    pub(super) accepted: u64,
    pub(super) refused: u64,
    /// Sessions that ended with a result, and otherwise.
    pub(super) results: u64,
    pub(super) other_ends: u64,
    /// Frames missing in the numbering, accepted messages without an end, frames still pending
    /// although all were acknowledged.
    pub(super) lost: u64,
    pub(super) unanswered: u64,
    pub(super) pending: u64,
    /// What went wrong, in words.
    pub(super) reasons: BTreeSet<String>,
    /// From sending a message to its `message_accepted`; to its first frame; to its result.
    pub(super) accept: Times,
    pub(super) first: Times,
    pub(super) result: Times,
}

impl Tally {
    /// Adds another visitor's.
    pub(super) fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.in_time += other.in_time;
        self.acknowledged += other.acknowledged;
        self.repeated += other.repeated;
        self.sent += other.sent;
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.results += other.results;
        self.other_ends += other.other_ends;
        self.lost += other.lost;
        self.unanswered += other.unanswered;
        self.pending += other.pending;
        other.reasons.into_iter().for_each(|why| self.say(why));
        self.accept.add(&other.accept);
        self.first.add(&other.first);
        self.result.add(&other.result);
    }

    /// A sequenced frame arrived, after all up to `applied` were; true where it is to be applied.
    pub(super) fn arrived(&mut self, sequence: u64, applied: u64) -> bool {
        if sequence <= applied {
            self.repeated += 1;
            return false;
        }
        let missing = sequence - applied - 1;
        if missing > 0 {
            self.lost += missing;
            self.say(format!("{missing} frames missing before {sequence}"));
        }
        self.delivered += 1;
        true
    }

    /// Remembers what went wrong.
    pub(super) fn say(&mut self, why: String) {
        if self.reasons.len() < REASONS {
            self.reasons.insert(why);
        }
    }

    /// Broken promises: any of them makes the run a failure.
    pub(super) fn faults(&self) -> u64 {
        self.lost + self.unanswered + self.pending
    }
}

/// A distribution of times, from a microsecond to an hour, to two digits.
pub(super) struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        let bounds = Histogram::new_with_bounds(1, 3_600_000_000, 2);
        Self(bounds.expect("the bounds are constants that the crate accepts"))
    }
}

impl Times {
    pub(super) fn record(&mut self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(us.max(1));
    }

    fn add(&mut self, other: &Self) {
        // Of the same bounds: it cannot fail.
        let _ = self.0.add(&other.0);
    }

    /// Milliseconds at a quantile; none where nothing was timed.
    pub(super) fn ms(&self, quantile: f64) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.value_at_quantile(quantile) as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_names_what_was_broken() {
        let mut all = Tally::default();
        assert_eq!((all.faults(), all.accept.ms(0.5)), (0, None));
        for each in 1..=3u64 {
            let mut one = Tally {
                delivered: 10 * each,
                lost: each,
                ..Tally::default()
            };
            one.accept.record(Duration::from_millis(each));
            one.say("a gap".into());
            all.add(one);
        }
        assert_eq!((all.delivered, all.lost, all.faults()), (60, 6, 6));
        assert_eq!(all.reasons.len(), 1);
        let (median, last) = (all.accept.ms(0.5).unwrap(), all.accept.ms(1.0).unwrap());
        assert!(
            (1.9..2.1).contains(&median) && (2.9..3.1).contains(&last),
            "{median} {last}"
        );
    }

    #[test]
    fn a_gap_is_a_loss_and_a_repetition_is_not() {
        let mut tally = Tally::default();
        let mut applied = 0;
        for sequence in [1, 2, 2, 1, 3, 7, 5, 8] {
            if tally.arrived(sequence, applied) {
                applied = sequence;
            }
        }
        let counts = (tally.delivered, tally.repeated, tally.lost, tally.faults());
        assert_eq!(counts, (5, 3, 3, 3));
    }

    #[test]
    fn reasons_are_bounded() {
        let mut tally = Tally::default();
        (0..1000).for_each(|n| tally.say(n.to_string()));
        assert_eq!(tally.reasons.len(), REASONS);
    }
}
