//! How long to wait before trying again.
//!
//! Two shapes for two purposes. [`Backoff`] re-sends on one socket: few tries,
//! never earlier than promised. [`full_jitter`] spreads a crowd that lost its
//! server at one moment: anywhere between now and the bound.
//!
//! Chance comes in as 64 random bits, so that a test can give the extremes.

use std::time::Duration;

/// The delays of a [`Backoff`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// The first delay; each further one is twice the one before.
    pub base: Duration,
    /// How many tries there are.
    pub max_tries: u32,
    /// How much a delay may be longer, as a share of itself (0 to 1).
    /// Only longer: "after 1 s" is a promise that an earlier try would break.
    pub jitter: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            max_tries: 3,
            jitter: 0.2,
        }
    }
}

/// Counts the tries of one thing and says when the next is due.
#[derive(Debug, Clone)]
pub struct Backoff {
    policy: Policy,
    tries: u32,
}

impl Backoff {
    /// No try yet.
    pub fn new(policy: Policy) -> Self {
        Self { policy, tries: 0 }
    }

    /// The delay before the next try, counted from now; `None` once all tries are used up.
    pub fn next(&mut self, random: u64) -> Option<Duration> {
        if self.tries >= self.policy.max_tries {
            return None;
        }
        let delay = doubled(self.policy.base, self.tries);
        self.tries += 1;
        let stretch = 1.0 + self.policy.jitter.clamp(0.0, 1.0) * unit(random);
        Some(stretched(delay, stretch))
    }

    /// Tries handed out since the start or the last [`reset`](Self::reset).
    pub fn tries(&self) -> u32 {
        self.tries
    }

    /// It worked: the next trouble starts over.
    pub fn reset(&mut self) {
        self.tries = 0;
    }
}

/// A reconnect delay, uniform between zero and `min(cap, base * 2^attempt)`
/// ("full jitter", Brooker 2015: it spreads a crowd best of the variants compared there).
/// The first attempt is 0.
pub fn full_jitter(base: Duration, cap: Duration, attempt: u32, random: u64) -> Duration {
    stretched(doubled(base, attempt).min(cap), unit(random))
}

/// `base * 2^times`, saturating.
fn doubled(base: Duration, times: u32) -> Duration {
    2u32.checked_pow(times)
        .map_or(Duration::MAX, |factor| base.saturating_mul(factor))
}

fn stretched(delay: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(delay.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

/// 0 (included) to 1 (excluded): the upper 53 bits, all that an `f64` holds exactly.
fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::dice::Dice;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_one_two_four_seconds_and_then_gives_up() {
        let mut backoff = Backoff::new(Policy::default());
        for (try_number, seconds) in [(1, 1), (2, 2), (3, 4)] {
            assert_eq!(backoff.next(0), Some(SECOND * seconds));
            assert_eq!(backoff.tries(), try_number);
        }
        assert_eq!(backoff.next(0), None);
        assert_eq!(backoff.tries(), 3, "a refused try does not count");
        backoff.reset();
        assert_eq!(backoff.next(0), Some(SECOND));
    }

    #[test]
    fn jitter_only_lengthens_and_stays_within_its_share() {
        let mut dice = Dice::new(1);
        let (mut least, mut most) = (Duration::MAX, Duration::ZERO);
        for _ in 0..10_000 {
            let delay = Backoff::new(Policy::default()).next(dice.next()).unwrap();
            least = least.min(delay);
            most = most.max(delay);
        }
        assert!(least >= SECOND && most <= SECOND.mul_f64(1.2));
        assert!(most - least > SECOND.mul_f64(0.19), "the range is used");
        let all = Backoff::new(Policy::default()).next(u64::MAX).unwrap();
        assert!(all > SECOND.mul_f64(1.199) && all <= SECOND.mul_f64(1.2));
    }

    #[test]
    fn full_jitter_is_bounded_by_the_doubled_base_and_the_cap() {
        let cap = SECOND * 30;
        let check = |attempt, bound: Duration| {
            assert_eq!(full_jitter(SECOND, cap, attempt, 0), Duration::ZERO);
            let top = full_jitter(SECOND, cap, attempt, u64::MAX);
            assert!(
                top <= bound && top > bound.mul_f64(0.999),
                "{attempt}: {top:?}"
            );
        };
        check(0, SECOND);
        check(3, SECOND * 8);
        check(5, cap);
        check(31, cap);
        check(u32::MAX, cap);
    }

    #[test]
    fn full_jitter_leaves_no_crowd_in_one_tenth_of_a_second() {
        let mut dice = Dice::new(7);
        let mut buckets = [0; 20];
        for _ in 0..2_000 {
            let delay = full_jitter(SECOND, SECOND * 30, 1, dice.next());
            buckets[(delay.as_millis() / 100) as usize] += 1;
        }
        assert!(buckets.iter().all(|n| *n < 200), "{buckets:?}");
    }

    #[test]
    fn absurd_policies_do_not_panic() {
        let policy = Policy {
            base: Duration::MAX,
            max_tries: u32::MAX,
            jitter: f64::NAN,
        };
        let mut backoff = Backoff::new(policy);
        for _ in 0..100 {
            assert!(backoff.next(u64::MAX).is_some());
        }
    }
}
