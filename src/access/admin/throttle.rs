//! How often a password may be tried. Pure: the time is given.
//!
//! Each address has so many wrong attempts in a window; beyond, it waits, even with the right
//! password. Another address is not concerned. Whoever tries from many addresses meets the slow
//! lane: beyond a number of wrong attempts from all addresses together, strangers get one
//! attempt every few seconds between them. An address from which somebody logged in lately is
//! no stranger, so that nobody can be locked out from where they work.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::access::address::Address;

/// Addresses remembered. One more forgets the one that was heard of longest ago.
const ADDRESSES_MAX: usize = 4096;

/// The numbers.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Over which wrong attempts count.
    pub window: Duration,
    /// Wrong attempts of one address.
    pub per_address: usize,
    /// Wrong attempts of all addresses, from which on the slow lane begins.
    pub slow_from: usize,
    /// Between two attempts of strangers in the slow lane.
    pub slow_pause: Duration,
    /// How long an address is known after a login.
    pub known_for: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(15 * 60),
            per_address: 10,
            slow_from: 50,
            slow_pause: Duration::from_secs(3),
            known_for: Duration::from_secs(30 * 86_400),
        }
    }
}

#[derive(Debug, Default)]
struct Known {
    /// When it was wrong, oldest first; at most `per_address`.
    wrong: VecDeque<Instant>,
    logged_in: Option<Instant>,
    heard: Option<Instant>,
}

/// Counts attempts.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    policy: Policy,
    by_address: BTreeMap<Address, Known>,
    /// Wrong attempts of everybody, oldest first; at most `slow_from`.
    wrong: VecDeque<Instant>,
    last_in_slow_lane: Option<Instant>,
}

impl Throttle {
    /// Nobody has tried anything.
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            policy,
            ..Self::default()
        }
    }

    /// One attempt. It counts as wrong until [`Self::right`] says otherwise, so that a hundred
    /// at the same time are not all let through before the first is found wrong.
    ///
    /// # Errors
    /// How long to wait; the attempt does not count then.
    pub(super) fn attempt(&mut self, from: Address, now: Instant) -> Result<(), Duration> {
        let Policy {
            window,
            per_address,
            slow_from,
            slow_pause,
            known_for,
        } = self.policy;
        forget(&mut self.wrong, now, window);
        let known = self.by_address.get_mut(&from);
        let mut familiar = false;
        if let Some(known) = known {
            forget(&mut known.wrong, now, window);
            if known.wrong.len() >= per_address {
                return Err(left(known.wrong[0] + window, now));
            }
            familiar = known.logged_in.is_some_and(|at| now < at + known_for);
        }
        if self.wrong.len() >= slow_from && !familiar {
            if let Some(last) = self.last_in_slow_lane
                && now < last + slow_pause
            {
                return Err(left(last + slow_pause, now));
            }
            self.last_in_slow_lane = Some(now);
        }
        self.make_room();
        let known = self.by_address.entry(from).or_default();
        known.wrong.push_back(now);
        known.heard = Some(now);
        self.wrong.push_back(now);
        while self.wrong.len() > slow_from {
            self.wrong.pop_front();
        }
        Ok(())
    }

    /// The attempt of this address was right: all its wrong ones are forgiven.
    pub(super) fn right(&mut self, from: Address, now: Instant) {
        let known = self.by_address.entry(from).or_default();
        for at in known.wrong.drain(..) {
            if let Some(place) = self.wrong.iter().rposition(|other| *other == at) {
                self.wrong.remove(place);
            }
        }
        (known.logged_in, known.heard) = (Some(now), Some(now));
    }

    /// Nothing is forgotten of those heard of later. Reading all addresses is cheap beside the
    /// hashing that every attempt costs.
    fn make_room(&mut self) {
        if self.by_address.len() < ADDRESSES_MAX {
            return;
        }
        let oldest = self.by_address.iter().min_by_key(|(_, known)| known.heard);
        if let Some(address) = oldest.map(|(address, _)| *address) {
            self.by_address.remove(&address);
        }
    }
}

fn forget(wrong: &mut VecDeque<Instant>, now: Instant, window: Duration) {
    while wrong.front().is_some_and(|at| *at + window <= now) {
        wrong.pop_front();
    }
}

fn left(until: Instant, now: Instant) -> Duration {
    until.saturating_duration_since(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn address(n: u32) -> Address {
        IpAddr::V4(Ipv4Addr::from_bits(n)).into()
    }

    fn throttle() -> (Throttle, Instant) {
        (Throttle::new(Policy::default()), crate::clock::now())
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn ten_wrong_ones_and_then_it_waits_and_others_do_not() {
        let (mut throttle, start) = throttle();
        for n in 0..10 {
            assert_eq!(throttle.attempt(address(1), start + SECOND * n), Ok(()));
        }
        let now = start + SECOND * 10;
        assert_eq!(throttle.attempt(address(1), now), Err(SECOND * 890));
        assert_eq!(throttle.attempt(address(2), now), Ok(()));
        let later = start + SECOND * 900;
        assert_eq!(
            throttle.attempt(address(1), later),
            Ok(()),
            "the first left the window"
        );
        assert_eq!(throttle.attempt(address(1), later), Err(SECOND));
    }

    #[test]
    fn a_right_one_forgives_the_wrong_ones() {
        let (mut throttle, now) = throttle();
        for _ in 0..9 {
            throttle.attempt(address(1), now).unwrap();
        }
        throttle.attempt(address(1), now).unwrap();
        throttle.right(address(1), now);
        for n in 0..10 {
            assert_eq!(throttle.attempt(address(1), now), Ok(()), "{n}");
        }
        assert!(throttle.attempt(address(1), now).is_err());
    }

    #[test]
    fn many_addresses_meet_the_slow_lane_and_a_known_one_does_not() {
        let (mut throttle, now) = throttle();
        throttle.attempt(address(7), now).unwrap();
        throttle.right(address(7), now);
        for n in 100..150 {
            assert_eq!(throttle.attempt(address(n), now), Ok(()));
        }
        assert_eq!(
            throttle.attempt(address(200), now),
            Ok(()),
            "the lane is free"
        );
        assert_eq!(throttle.attempt(address(201), now), Err(SECOND * 3));
        assert_eq!(
            throttle.attempt(address(7), now),
            Ok(()),
            "it logged in before"
        );
        let later = now + SECOND * 3;
        assert_eq!(throttle.attempt(address(201), later), Ok(()));
        let calm = now + SECOND * 1000;
        assert_eq!(throttle.attempt(address(202), calm), Ok(()));
        assert_eq!(
            throttle.attempt(address(203), calm),
            Ok(()),
            "the window is over"
        );
    }

    #[test]
    fn memory_is_bounded_whatever_the_addresses() {
        let (mut throttle, now) = throttle();
        for n in 0..10_000 {
            let _ = throttle.attempt(address(n), now + SECOND * 4 * n);
            assert!(throttle.by_address.len() <= ADDRESSES_MAX);
            assert!(throttle.wrong.len() <= Policy::default().slow_from);
        }
    }
}
