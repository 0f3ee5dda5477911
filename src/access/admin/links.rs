//! One-time links that log a browser in. Pure: time and secrets are given.
//!
//! They live in memory alone: a link is made for the server that runs now.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::secret::Fingerprint;

/// How long a link is good: long enough to change to the browser.
pub const LINK_LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Links at once; one more ends the oldest.
const LINKS_MAX: usize = 16;

/// The links that are out.
#[derive(Debug, Default)]
pub(super) struct Links(VecDeque<(Fingerprint, Instant)>);

impl Links {
    /// Enters a new one.
    pub(super) fn add(&mut self, link: Fingerprint, now: Instant) {
        if self.0.len() >= LINKS_MAX {
            self.0.pop_front();
        }
        self.0.push_back((link, now + LINK_LIFETIME));
    }

    /// Whether it is one of ours and still good; it is not from now on.
    pub(super) fn redeem(&mut self, link: Fingerprint, now: Instant) -> bool {
        self.0.retain(|(_, until)| now < *until);
        let found = self.0.iter().position(|(one, _)| *one == link);
        found.is_some_and(|at| self.0.remove(at).is_some())
    }

    /// None is good any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_once_and_for_ten_minutes() {
        let (mut links, now) = (Links::default(), crate::clock::now());
        let link = |n: usize| Fingerprint::of(&n.to_string());
        links.add(link(0), now);
        assert!(!links.redeem(link(1), now));
        assert!(links.redeem(link(0), now));
        assert!(!links.redeem(link(0), now), "twice");
        links.add(link(0), now);
        assert!(!links.redeem(link(0), now + LINK_LIFETIME));
        for n in 0..=LINKS_MAX {
            links.add(link(n), now);
        }
        assert!(!links.redeem(link(0), now), "one too many");
        assert!(links.redeem(link(LINKS_MAX), now));
        links.clear();
        assert!(!links.redeem(link(1), now));
    }
}
