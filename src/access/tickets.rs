//! Single-use tickets for clients that can set no header on a WebSocket.
//!
//! A ticket travels in a URL, where logs and histories see it; so it lives for
//! seconds, is worth something once, and only its SHA-256 is kept here.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;

use super::Identity;
use crate::id::UserId;

/// Limits of the tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a ticket may be redeemed.
    pub lifetime: Duration,
    /// Tickets of one visitor at once; one more drops the visitor's oldest.
    pub per_visitor: usize,
    /// Tickets of all visitors at once; one more is refused, unless the visitor has one to drop.
    pub total: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(30),
            per_visitor: 64,
            total: 100_000,
        }
    }
}

/// As many tickets as are allowed are out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many tickets are out")]
pub struct Full {
    /// When the oldest expires.
    pub retry_after: Duration,
}

/// A ticket's text: 32 bytes in base64url.
const TEXT: usize = 43;

type Hash = [u8; 32];

#[derive(Debug)]
struct Ticket {
    hash: Hash,
    holder: Identity,
    expires: Instant,
}

/// The tickets that are out. Pure: time and randomness are given.
#[derive(Debug, Default)]
pub struct Tickets {
    limits: Limits,
    /// By serial number, which is the order of issue and so of expiry.
    tickets: BTreeMap<u64, Ticket>,
    by_hash: HashMap<Hash, u64>,
    /// Each visitor's serial numbers, oldest first.
    by_user: HashMap<UserId, VecDeque<u64>>,
    next: u64,
}

impl Tickets {
    /// No ticket is out.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// How long a ticket may be redeemed.
    pub fn lifetime(&self) -> Duration {
        self.limits.lifetime
    }

    /// A new ticket; `secret` must be fresh random bytes.
    pub fn issue(
        &mut self,
        holder: Identity,
        secret: [u8; 32],
        now: Instant,
    ) -> Result<String, Full> {
        self.forget_expired(now);
        let user = holder.user_id.clone();
        let own = self.by_user.get(&user).map_or(0, VecDeque::len);
        let full = self.tickets.len() >= self.limits.total.max(1);
        if full && own == 0 {
            let oldest = self.tickets.values().next();
            let wait = oldest.map(|t| t.expires.saturating_duration_since(now));
            let retry_after = wait.unwrap_or_default();
            return Err(Full { retry_after });
        }
        if (full || own >= self.limits.per_visitor.max(1))
            && let Some(oldest) = self.by_user.get(&user).and_then(|own| own.front().copied())
        {
            self.remove(oldest);
        }
        let serial = self.next;
        self.next += 1;
        let ticket = Ticket {
            hash: hash(&secret),
            holder,
            expires: now + self.limits.lifetime,
        };
        self.by_hash.insert(ticket.hash, serial);
        self.tickets.insert(serial, ticket);
        self.by_user.entry(user).or_default().push_back(serial);
        Ok(URL_SAFE_NO_PAD.encode(secret))
    }

    /// The ticket's holder, once, and not after it expired.
    ///
    /// Looked up by hash: the time that takes tells nothing about any ticket that is out.
    pub fn redeem(&mut self, text: &str, now: Instant) -> Option<Identity> {
        self.forget_expired(now);
        if text.len() != TEXT {
            return None;
        }
        let secret = URL_SAFE_NO_PAD.decode(text).ok()?;
        let serial = *self.by_hash.get(&hash(&secret))?;
        let ticket = self.remove(serial)?;
        // The front of the line may be younger where a caller's clock was read earlier.
        (now < ticket.expires).then_some(ticket.holder)
    }

    /// Tickets out, expired ones not yet forgotten included.
    pub fn len(&self) -> usize {
        self.tickets.len()
    }

    /// Whether none is out.
    pub fn is_empty(&self) -> bool {
        self.tickets.is_empty()
    }

    fn forget_expired(&mut self, now: Instant) {
        while let Some((serial, ticket)) = self.tickets.first_key_value()
            && now >= ticket.expires
        {
            let serial = *serial;
            self.remove(serial);
        }
    }

    fn remove(&mut self, serial: u64) -> Option<Ticket> {
        let ticket = self.tickets.remove(&serial)?;
        self.by_hash.remove(&ticket.hash);
        if let Some(own) = self.by_user.get_mut(&ticket.holder.user_id) {
            own.retain(|other| *other != serial);
            if own.is_empty() {
                self.by_user.remove(&ticket.holder.user_id);
            }
        }
        Some(ticket)
    }
}

fn hash(secret: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, secret).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::machine::dice::{Dice, seeds};

    const SECOND: Duration = Duration::from_secs(1);

    fn holder(name: &str) -> Identity {
        Identity {
            user_id: UserId::parse(name).unwrap(),
            expires: Wall(u64::MAX),
            generation: 0,
            role: super::super::Role::Visitor,
        }
    }

    fn secret(n: u64) -> [u8; 32] {
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&n.to_be_bytes());
        secret
    }

    fn limits(per_visitor: usize, total: usize) -> Limits {
        Limits {
            per_visitor,
            total,
            ..Limits::default()
        }
    }

    #[test]
    fn is_worth_its_holder_once_within_thirty_seconds() {
        let check = |waited: Duration, expected: bool| {
            let (mut tickets, now) = (Tickets::default(), Instant::now());
            let text = tickets.issue(holder("a"), secret(1), now).unwrap();
            let first = tickets.redeem(&text, now + waited);
            assert_eq!(first, expected.then(|| holder("a")), "after {waited:?}");
            assert_eq!(tickets.redeem(&text, now + waited), None, "again");
            assert!(tickets.is_empty() && tickets.by_hash.is_empty() && tickets.by_user.is_empty());
        };
        check(Duration::ZERO, true);
        check(SECOND * 30 - Duration::from_nanos(1), true);
        check(SECOND * 30, false);
        check(SECOND * 31, false);
    }

    #[test]
    fn other_texts_are_worth_nothing() {
        let (mut tickets, now) = (Tickets::default(), Instant::now());
        let text = tickets.issue(holder("a"), secret(1), now).unwrap();
        let mut last = text.clone().into_bytes();
        *last.last_mut().unwrap() += 1;
        let long = "A".repeat(1_000_000);
        let wrong = [
            "",
            &text[1..],
            &format!("{text}="),
            &format!("{text}A"),
            &text.to_lowercase(),
            &long,
            "ä",
        ];
        for wrong in wrong
            .into_iter()
            .chain([std::str::from_utf8(&last).unwrap()])
        {
            assert_eq!(tickets.redeem(wrong, now), None, "{wrong}");
        }
        assert_eq!(
            tickets.redeem(&text, now),
            Some(holder("a")),
            "and spoil nothing"
        );
    }

    #[test]
    fn the_secret_is_not_kept() {
        let (mut tickets, now) = (Tickets::default(), Instant::now());
        tickets.issue(holder("a"), [0xAB; 32], now).unwrap();
        assert!(!format!("{tickets:?}").contains(&format!("{:?}", [0xABu8; 4])[1..11]));
    }

    #[test]
    fn one_more_drops_the_visitors_oldest_and_nobody_elses() {
        let (mut tickets, now) = (Tickets::new(limits(2, 3)), Instant::now());
        let mut issue =
            |name: &str, n: u64| tickets.issue(holder(name), secret(n), now + SECOND * n as u32);
        let other = issue("b", 0).unwrap();
        let own: Vec<_> = (1..4).map(|n| issue("a", n).unwrap()).collect();
        assert_eq!(
            issue("c", 5),
            Err(Full {
                retry_after: SECOND * 25
            }),
            "full, and c has none to drop"
        );
        let newer = issue("b", 6).unwrap();
        let at = now + SECOND * 7;
        let worth: Vec<_> = [&own[0], &own[1], &own[2], &other, &newer]
            .map(|t| tickets.redeem(t, at).is_some())
            .into();
        assert_eq!(worth, [false, true, true, false, true]);
    }

    #[test]
    fn after_the_time_to_wait_there_is_room() {
        let (mut tickets, now) = (Tickets::new(limits(2, 1)), Instant::now());
        tickets.issue(holder("a"), secret(1), now).unwrap();
        let Full { retry_after } = tickets
            .issue(holder("b"), secret(2), now + SECOND)
            .unwrap_err();
        let later = now + SECOND + retry_after;
        let early = later - Duration::from_nanos(1);
        assert!(tickets.issue(holder("b"), secret(2), early).is_err());
        assert!(tickets.issue(holder("b"), secret(2), later).is_ok());
    }

    #[test]
    fn holds_its_limits_over_seeds() {
        seeds(500, |seed| {
            let mut dice = Dice::new(seed);
            let bounds = limits(1 + dice.below(3) as usize, 1 + dice.below(6) as usize);
            let (mut tickets, mut now) = (Tickets::new(bounds), Instant::now());
            let mut out: Vec<(String, Identity, Instant)> = Vec::new();
            for n in 0..100 {
                now += SECOND * dice.below(8) as u32;
                if dice.below(3) > 0 {
                    let holder = holder(["a", "b", "c"][dice.below(3) as usize]);
                    if let Ok(text) = tickets.issue(holder.clone(), secret(n), now) {
                        out.push((text, holder, now));
                    }
                } else if !out.is_empty() {
                    let (text, holder, issued) =
                        out.swap_remove(dice.below(out.len() as u64) as usize);
                    let redeemed = tickets.redeem(&text, now);
                    assert!(
                        redeemed.is_none()
                            || redeemed == Some(holder) && now < issued + bounds.lifetime
                    );
                    assert_eq!(tickets.redeem(&text, now), None, "twice");
                }
                assert!(tickets.len() <= bounds.total);
                assert!(
                    tickets
                        .by_user
                        .values()
                        .all(|own| (1..=bounds.per_visitor).contains(&own.len()))
                );
                assert_eq!(tickets.by_hash.len(), tickets.len());
                assert_eq!(
                    tickets.by_user.values().map(VecDeque::len).sum::<usize>(),
                    tickets.len()
                );
            }
        });
    }
}
