//! The delivery ledger of a stream: for each frame when it was stored, sent, sent again and
//! acknowledged, as this process saw it. What it says is counted, never asserted.
//!
//! Bounded: the newest [`LINES`] frames. It lives as long as the stream is in memory; of frames
//! from before that the store alone knows, and [`verdict`] says how many those are.

use std::collections::VecDeque;

/// Frames remembered a stream; an answer has 64 at most.
pub const LINES: usize = 256;

/// Milliseconds of the wall clock.
pub type At = u64;

/// What happened to one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Its number.
    pub sequence: u64,
    /// When it was on disk.
    pub stored: At,
    /// When it first went to a socket.
    pub sent: Option<At>,
    /// How often it went to a socket, all of the visitor's counted.
    pub sends: u32,
    /// When its acknowledgement came.
    pub acknowledged: Option<At>,
}

/// See the [module](self).
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    lines: VecDeque<Line>,
}

/// What the lines of some frames come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Frames that count as acknowledged and were never sent since they were stored: given up.
    pub lost: u64,
    /// Frames that went to sockets more than once; a client drops what it has applied.
    pub doubled: u64,
    /// Frames that first went out before an earlier one.
    pub out_of_order: u64,
    /// Frames that wait for their acknowledgement.
    pub pending: u64,
    /// The longest time between stored and acknowledged, in milliseconds.
    pub longest_gap: u64,
    /// Frames of which nothing is known but what is stored: from before a restart, or too old.
    pub unknown: u64,
}

impl Ledger {
    /// The frame is on disk; sequences come in order.
    pub fn on_stored(&mut self, sequence: u64, at: At) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(Line {
            sequence,
            stored: at,
            sent: None,
            sends: 0,
            acknowledged: None,
        });
    }

    /// The frames of `first..=last` went to a socket.
    pub fn on_sent(&mut self, first: u64, last: u64, at: At) {
        for line in self.between(first, last) {
            line.sent.get_or_insert(at);
            line.sends = line.sends.saturating_add(1);
        }
    }

    /// Everything up to `upto` is acknowledged.
    pub fn on_acknowledged(&mut self, upto: u64, at: At) {
        // The newest unacknowledged are at the end: what was done before is not walked again.
        for line in self.lines.iter_mut().rev().filter(|l| l.sequence <= upto) {
            if line.acknowledged.is_some() {
                break;
            }
            line.acknowledged = Some(at);
        }
    }

    /// What is known of a frame.
    pub fn line(&self, sequence: u64) -> Option<Line> {
        let at = self.place(sequence);
        self.lines
            .get(at)
            .filter(|l| l.sequence == sequence)
            .copied()
    }

    fn place(&self, sequence: u64) -> usize {
        self.lines.partition_point(|line| line.sequence < sequence)
    }

    fn between(&mut self, first: u64, last: u64) -> impl Iterator<Item = &mut Line> {
        let range = self.place(first)..self.place(last.saturating_add(1));
        self.lines.range_mut(range)
    }
}

/// What the frames with these sequences and lines come to; `acked` is the stream's mark.
pub fn verdict<'a>(frames: impl Iterator<Item = (u64, Option<&'a Line>)>, acked: u64) -> Verdict {
    let mut found = Verdict::default();
    let mut latest = None;
    for (sequence, line) in frames {
        found.pending += u64::from(sequence > acked);
        let Some(line) = line else {
            found.unknown += 1;
            continue;
        };
        found.lost += u64::from(sequence <= acked && line.sends == 0);
        found.doubled += u64::from(line.sends > 1);
        found.out_of_order += u64::from(line.sent.is_some() && line.sent < latest);
        latest = latest.max(line.sent);
        if let Some(at) = line.acknowledged {
            found.longest_gap = found.longest_gap.max(at.saturating_sub(line.stored));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored, sent and acknowledged as a script says; what comes out for all frames.
    fn check(script: &[(&str, u64, u64, At)], acked: u64, expected: Verdict) {
        let mut ledger = Ledger::default();
        for (what, first, last, at) in script {
            match *what {
                "stored" => (*first..=*last).for_each(|n| ledger.on_stored(n, *at)),
                "sent" => ledger.on_sent(*first, *last, *at),
                _ => ledger.on_acknowledged(*last, *at),
            }
        }
        let lines: Vec<_> = (1..=4).map(|n| (n, ledger.line(n))).collect();
        let frames = lines.iter().map(|(n, line)| (*n, line.as_ref()));
        assert_eq!(verdict(frames, acked), expected, "{script:?}");
    }

    #[test]
    fn the_verdict_is_counted_from_what_happened() {
        let none = Verdict::default();
        let all = [
            ("stored", 1, 4, 10),
            ("sent", 1, 4, 11),
            ("acked", 0, 4, 15),
        ];
        check(
            &all,
            4,
            Verdict {
                longest_gap: 5,
                ..none
            },
        );
        check(&all[..2], 0, Verdict { pending: 4, ..none });
        check(&[], 4, Verdict { unknown: 4, ..none });
        let again = [all[0], all[1], ("sent", 2, 3, 16), ("acked", 0, 4, 1_810)];
        check(
            &again,
            4,
            Verdict {
                doubled: 2,
                longest_gap: 1_800,
                ..none
            },
        );
        let given_up = [all[0], ("sent", 1, 2, 11), ("acked", 0, 2, 12)];
        check(
            &given_up,
            4,
            Verdict {
                lost: 2,
                longest_gap: 2,
                ..none
            },
        );
        let turned = [
            all[0],
            ("sent", 3, 4, 11),
            ("sent", 1, 2, 12),
            ("acked", 0, 4, 13),
        ];
        check(
            &turned,
            4,
            Verdict {
                out_of_order: 2,
                longest_gap: 3,
                ..none
            },
        );
    }

    #[test]
    fn forgets_the_oldest_beyond_its_bound_and_acknowledges_in_steps() {
        let mut ledger = Ledger::default();
        (1..=LINES as u64 + 9).for_each(|n| ledger.on_stored(n, n));
        assert_eq!((ledger.lines.len(), ledger.line(9)), (LINES, None));
        ledger.on_acknowledged(20, 1_000);
        ledger.on_acknowledged(30, 2_000);
        let at = |n| ledger.line(n).and_then(|l| l.acknowledged);
        assert_eq!(
            (at(10), at(20), at(21), at(30), at(31)),
            (Some(1_000), Some(1_000), Some(2_000), Some(2_000), None)
        );
    }
}
