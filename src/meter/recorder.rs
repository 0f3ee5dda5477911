//! A histogram that many write at once: atomics alone.
//!
//! Values fall into steps of a 32nd of their power of two, so that a percentile is right to about
//! 3 %. `hdrhistogram` has the same steps, but writing needs the histogram for oneself; here it
//! comes second, for the windows that are read.

use std::sync::atomic::{AtomicU64, Ordering};

/// Steps in a power of two.
const FINE: u64 = 32;
/// Powers of two above the first `2 * FINE` exact values: up to 2^32 microseconds, 71 minutes.
const POWERS: usize = 27;
const STEPS: usize = FINE as usize * (POWERS + 1);

/// See the [module](self).
pub struct Recorder {
    steps: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// A copy of a recorder's counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// By step; [`value_of`] tells what a step stands for.
    pub steps: Vec<u64>,
    /// The sum of all values.
    pub sum: u64,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            steps: (0..STEPS).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }
}

impl Recorder {
    /// Counts a value; one beyond the range counts as the highest.
    pub fn record(&self, value: u64) {
        self.steps[step_of(value)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Counts a span, in microseconds.
    pub fn record_span(&self, span: std::time::Duration) {
        self.record(u64::try_from(span.as_micros()).unwrap_or(u64::MAX >> 16));
    }

    /// What was counted since the start.
    pub fn counts(&self) -> Counts {
        let load = |step: &AtomicU64| step.load(Ordering::Relaxed);
        Counts {
            steps: self.steps.iter().map(load).collect(),
            sum: load(&self.sum),
        }
    }
}

impl Counts {
    /// How many values.
    pub fn count(&self) -> u64 {
        self.steps.iter().sum()
    }

    /// How many values of at most `limit`, as far as the steps can tell.
    pub fn up_to(&self, limit: u64) -> u64 {
        let steps = self.steps.iter().enumerate();
        let below = steps.filter(|(step, _)| value_of(*step) <= limit);
        below.map(|(_, count)| count).sum()
    }
}

fn step_of(value: u64) -> usize {
    if value < 2 * FINE {
        return value as usize;
    }
    let power = u64::from(value.ilog2() - FINE.ilog2());
    let step = power * FINE + (value >> power);
    (step as usize).min(STEPS - 1)
}

/// The highest value of a step.
pub fn value_of(step: usize) -> u64 {
    let step = step as u64;
    if step < 2 * FINE {
        return step;
    }
    let power = step / FINE - 1;
    ((step % FINE + FINE + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::dice::Dice;

    #[test]
    fn a_step_holds_its_values_to_three_percent() {
        let mut dice = Dice::new(7);
        for _ in 0..20_000 {
            let power = 1 + dice.below(31);
            let value = 1 + dice.below(1 << power);
            let stands_for = value_of(step_of(value));
            let error = (stands_for as f64 - value as f64) / value as f64;
            assert!((0.0..0.032).contains(&error), "{value} as {stands_for}");
        }
    }

    #[test]
    fn steps_follow_each_other_without_a_gap() {
        for step in 0..STEPS - 1 {
            assert_eq!(step_of(value_of(step)), step);
            assert_eq!(step_of(value_of(step) + 1), step + 1);
        }
        assert_eq!(step_of(u64::MAX), STEPS - 1);
    }

    #[test]
    fn counts_add_up() {
        let recorder = Recorder::default();
        for value in [1, 50, 50, 5_000] {
            recorder.record(value);
        }
        let counts = recorder.counts();
        assert_eq!((counts.count(), counts.sum), (4, 5_101));
        assert_eq!((counts.up_to(49), counts.up_to(50)), (1, 3));
    }
}
