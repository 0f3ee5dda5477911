//! How often: rate limits by address and by visitor.
//!
//! `governor` reads a clock of its own. That is the exception to "the time is a
//! parameter": its clock is chosen at construction, and the tests choose one
//! that only they move.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::address::Address;
use crate::id::UserId;

/// Too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too often; try again after {0:?}")]
pub struct RetryAfter(pub Duration);

/// Keys above which a limit forgets.
pub const KEYS_MAX: usize = 100_000;

/// How many checks pass between two looks at the number of keys, which takes a lock on every part of the map.
const HOUSEKEEPING: u32 = 1024;

type Limiter<K, C> = RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// So much a minute for each key; what was not used gathers, up to one minute's worth.
pub struct KeyedLimit<K: Hash + Eq + Clone, C: Clock = DefaultClock> {
    limiter: RwLock<(NonZeroU32, Limiter<K, C>)>,
    clock: C,
    checks: AtomicU32,
    keys_max: usize,
}

impl<K: Hash + Eq + Clone> KeyedLimit<K> {
    /// `per_minute` is at least 1; a zero is taken as 1.
    pub fn new(per_minute: u32) -> Self {
        Self::with_clock(per_minute, KEYS_MAX, DefaultClock::default())
    }
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> KeyedLimit<K, C> {
    fn with_clock(per_minute: u32, keys_max: usize, clock: C) -> Self {
        let quota = at_least_one(per_minute);
        let limiter = RateLimiter::dashmap_with_clock(Quota::per_minute(quota), clock.clone());
        Self {
            limiter: RwLock::new((quota, limiter)),
            clock,
            checks: AtomicU32::new(0),
            keys_max,
        }
    }

    /// Takes one.
    pub fn check(&self, key: &K) -> Result<(), RetryAfter> {
        self.check_n(key, 1)
    }

    /// Takes `n` at once, or none of them. More than a minute's worth counts as a minute's
    /// worth: it must wait until all of it is there, not for ever.
    pub fn check_n(&self, key: &K, n: u32) -> Result<(), RetryAfter> {
        let Some(n) = NonZeroU32::new(n) else {
            return Ok(());
        };
        self.keep_bounded();
        let (quota, limiter) = &*self.limiter.read().unwrap_or_else(|e| e.into_inner());
        match limiter.check_key_n(key, n.min(*quota)) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => Err(RetryAfter(until.wait_time_from(self.clock.now()))),
            Err(_) => Err(RetryAfter(Duration::from_secs(60))),
        }
    }

    /// Changes the quota. Where it is another one, every key starts with a full minute's worth:
    /// what is taken under one quota has no meaning under another.
    pub fn set(&self, per_minute: u32) {
        let quota = at_least_one(per_minute);
        let mut limiter = self.limiter.write().unwrap_or_else(|e| e.into_inner());
        if limiter.0 != quota {
            let quotas = Quota::per_minute(quota);
            *limiter = (
                quota,
                RateLimiter::dashmap_with_clock(quotas, self.clock.clone()),
            );
        }
    }

    /// Keys remembered.
    pub fn keys(&self) -> usize {
        let limiter = self.limiter.read().unwrap_or_else(|e| e.into_inner());
        limiter.1.len()
    }

    /// Forgets the keys that are as good as new, and all of them where that is not enough.
    ///
    /// Whoever can send from so many addresses within a minute is not held by a limit for
    /// each; refusing them all would refuse everybody. The number of connections still holds.
    fn keep_bounded(&self) {
        let checks = self.checks.fetch_add(1, Ordering::Relaxed);
        if !checks.is_multiple_of(HOUSEKEEPING) || self.keys() <= self.keys_max {
            return;
        }
        let mut limiter = self.limiter.write().unwrap_or_else(|e| e.into_inner());
        limiter.1.retain_recent();
        if limiter.1.len() > self.keys_max {
            let quota = Quota::per_minute(limiter.0);
            limiter.1 = RateLimiter::dashmap_with_clock(quota, self.clock.clone());
        }
        limiter.1.shrink_to_fit();
    }
}

fn at_least_one(per_minute: u32) -> NonZeroU32 {
    NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN)
}

/// The configured rates, each a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Attempts to connect, log in or become a visitor, by address.
    pub attempts: u32,
    /// Attempts to connect, by visitor.
    pub visitor_attempts: u32,
    /// Chat messages, by visitor.
    pub messages: u32,
    /// Drafts to be understood, by visitor.
    pub drafts: u32,
    /// Bytes received, by visitor; at least the largest frame, or that frame waits for a full minute's worth.
    pub bytes: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            attempts: 60,
            visitor_attempts: 60,
            messages: 60,
            drafts: 240,
            bytes: 1024 * 1024,
        }
    }
}

/// All rate limits. Each has its own count: messages do not use up attempts.
pub struct Limits {
    /// [`Rates::attempts`].
    pub attempts: KeyedLimit<Address>,
    /// [`Rates::visitor_attempts`].
    pub visitor_attempts: KeyedLimit<UserId>,
    /// [`Rates::visitor_attempts`] of those who follow a visitor, each address for itself: they
    /// must not use up the visitor's own.
    pub follower_attempts: KeyedLimit<(UserId, Address)>,
    /// [`Rates::drafts`].
    pub drafts: KeyedLimit<UserId>,
    /// [`Rates::messages`].
    pub messages: KeyedLimit<UserId>,
    /// [`Rates::bytes`], taken with [`KeyedLimit::check_n`].
    pub bytes: KeyedLimit<UserId>,
}

impl Limits {
    /// Nothing used yet.
    pub fn new(rates: Rates) -> Self {
        Self {
            attempts: KeyedLimit::new(rates.attempts),
            visitor_attempts: KeyedLimit::new(rates.visitor_attempts),
            messages: KeyedLimit::new(rates.messages),
            follower_attempts: KeyedLimit::new(rates.visitor_attempts),
            drafts: KeyedLimit::new(rates.drafts),
            bytes: KeyedLimit::new(rates.bytes),
        }
    }

    /// Takes over reloaded rates; see [`KeyedLimit::set`].
    pub fn set(&self, rates: Rates) {
        self.attempts.set(rates.attempts);
        self.visitor_attempts.set(rates.visitor_attempts);
        self.follower_attempts.set(rates.visitor_attempts);
        self.messages.set(rates.messages);
        self.drafts.set(rates.drafts);
        self.bytes.set(rates.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    const SECOND: Duration = Duration::from_secs(1);

    fn limit(per_minute: u32) -> (KeyedLimit<u32, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (
            KeyedLimit::with_clock(per_minute, 1000, clock.clone()),
            clock,
        )
    }

    #[test]
    fn sixty_a_minute_and_then_one_a_second() {
        let (limit, clock) = limit(60);
        for n in 0..60 {
            assert_eq!(limit.check(&1), Ok(()), "number {n}");
        }
        assert_eq!(limit.check(&1), Err(RetryAfter(SECOND)));
        assert_eq!(limit.check(&2), Ok(()), "another key is not concerned");
        clock.advance(SECOND / 4);
        assert_eq!(
            limit.check(&1),
            Err(RetryAfter(SECOND * 3 / 4)),
            "being refused costs nothing"
        );
        clock.advance(SECOND * 3 / 4);
        assert_eq!(limit.check(&1), Ok(()));
        assert!(limit.check(&1).is_err());
        clock.advance(SECOND * 3600);
        assert_eq!(
            (0..100).filter(|_| limit.check(&1).is_ok()).count(),
            60,
            "an hour gathers a minute's worth"
        );
    }

    #[test]
    fn the_time_to_wait_is_the_time_after_which_it_works() {
        for (per_minute, n) in [
            (1, 1),
            (7, 3),
            (60, 60),
            (1 << 20, 65_536),
            (u32::MAX, 1 << 30),
        ] {
            let (limit, clock) = limit(per_minute);
            let wait = loop {
                if let Err(RetryAfter(wait)) = limit.check_n(&1, n) {
                    break wait;
                }
            };
            assert!(
                wait > Duration::ZERO && wait <= SECOND * 60,
                "{per_minute}: {wait:?}"
            );
            clock.advance(wait - Duration::from_nanos(1));
            assert!(limit.check_n(&1, n).is_err(), "{per_minute}: earlier");
            clock.advance(Duration::from_nanos(1));
            assert_eq!(limit.check_n(&1, n), Ok(()), "{per_minute}: then");
        }
    }

    #[test]
    fn more_than_a_minutes_worth_is_not_refused_for_ever() {
        let (limit, clock) = limit(100);
        assert_eq!(limit.check_n(&1, 0), Ok(()));
        assert_eq!(limit.check_n(&1, 5_000), Ok(()));
        let RetryAfter(wait) = limit.check_n(&1, 5_000).unwrap_err();
        clock.advance(wait);
        assert_eq!(limit.check_n(&1, 5_000), Ok(()));
    }

    #[test]
    fn a_reload_counts_from_now_on() {
        let (limit, _clock) = limit(2);
        let passed =
            |limit: &KeyedLimit<u32, _>| (0..50).filter(|_| limit.check(&1).is_ok()).count();
        assert_eq!(passed(&limit), 2);
        limit.set(2);
        assert_eq!(passed(&limit), 0, "the same quota changes nothing");
        limit.set(5);
        assert_eq!(passed(&limit), 5);
        limit.set(0);
        assert_eq!(passed(&limit), 1, "zero is one");
    }

    #[test]
    fn memory_is_bounded_whatever_the_keys() {
        let (limit, clock) = limit(60);
        for n in 0..1000 {
            while limit.check(&n).is_ok() {}
        }
        assert!(
            limit.check(&7).is_err(),
            "within the bound nobody is forgotten"
        );
        // All are as good as new after two minutes: those go first, who is over the limit stays.
        clock.advance(SECOND * 120);
        while limit.check(&7).is_ok() {}
        for n in 10_000..10_000 + 2 * HOUSEKEEPING {
            assert_eq!(limit.check(&n), Ok(()));
            assert!(limit.keys() <= 1000 + HOUSEKEEPING as usize);
            if n == 10_000 + 500 {
                assert!(limit.check(&7).is_err());
            }
        }
        // And a flood of new ones within the minute.
        for n in 0..50_000 {
            let _ = limit.check(&(1_000_000 + n));
        }
        assert!(
            limit.keys() <= 1000 + HOUSEKEEPING as usize,
            "{}",
            limit.keys()
        );
    }
}
