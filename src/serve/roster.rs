//! The sockets that are open now, as an administrator sees them.
//!
//! A socket writes what it does into its own entry, without a lock: activity costs an atomic
//! store. There are as many entries as permits to connect.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::clock::{self, Instant, Wall};
use crate::id::{ConnectionId, UserId};

/// The longest client name that is kept, in characters.
const USER_AGENT_MAX: usize = 200;

/// A handle; cloned freely.
#[derive(Clone, Default)]
pub struct Roster(Arc<Mutex<BTreeMap<ConnectionId, Arc<Entry>>>>);

/// Where a socket comes from.
pub(super) struct Origin {
    /// The address that counts: the peer's, or what a trusted proxy says of it.
    pub(super) address: IpAddr,
    /// What the client calls itself.
    pub(super) user_agent: Option<String>,
}

/// One open socket.
pub struct Entry {
    id: ConnectionId,
    user: UserId,
    origin: Origin,
    connected: Wall,
    opened: Instant,
    /// Milliseconds from `opened` to the last bytes of the client.
    heard: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    errors: AtomicU32,
    in_flight: AtomicU64,
    draining: AtomicBool,
}

/// A socket's place in the roster; leaves when dropped.
pub(super) struct Listed {
    roster: Roster,
    pub(super) entry: Arc<Entry>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.roster.lock().remove(&self.entry.id);
    }
}

impl Roster {
    pub(super) fn enter(&self, id: ConnectionId, user: &UserId, mut origin: Origin) -> Listed {
        if let Some(name) = &mut origin.user_agent {
            *name = name.chars().take(USER_AGENT_MAX).collect();
        }
        let entry = Arc::new(Entry {
            id,
            user: user.clone(),
            origin,
            connected: clock::wall(),
            opened: clock::now(),
            heard: AtomicU64::new(0),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            errors: AtomicU32::new(0),
            in_flight: AtomicU64::new(0),
            draining: AtomicBool::new(false),
        });
        self.lock().insert(id, Arc::clone(&entry));
        Listed {
            roster: self.clone(),
            entry,
        }
    }

    /// One socket.
    pub fn get(&self, id: ConnectionId) -> Option<Arc<Entry>> {
        self.lock().get(&id).cloned()
    }

    /// Up to `max` sockets after `after`, of `user` where it is given, in the order of their ids.
    pub fn after(
        &self,
        after: Option<ConnectionId>,
        user: Option<&UserId>,
        max: usize,
    ) -> Vec<Arc<Entry>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let open = self.lock();
        let from = (after.map_or(Unbounded, Excluded), Unbounded);
        let wanted = open
            .range(from)
            .map(|(_, entry)| entry)
            .filter(|entry| user.is_none_or(|user| *user == entry.user));
        wanted.take(max).cloned().collect()
    }

    /// The map is whole after each statement.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Arc<Entry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Which.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Whose.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// Bytes came from the client.
    pub(super) fn on_received(&self, bytes: usize, now: Instant) {
        let at = now.saturating_duration_since(self.opened).as_millis();
        let at = u64::try_from(at).unwrap_or(u64::MAX);
        self.heard.store(at, Ordering::Relaxed);
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes went to the client.
    pub(super) fn on_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// A frame was bad.
    pub(super) fn on_error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    /// So many frames wait for an acknowledgement on this socket.
    pub(super) fn set_in_flight(&self, frames: u64) {
        self.in_flight.store(frames, Ordering::Relaxed);
    }

    /// The client was told that the server goes.
    pub(super) fn set_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// When the client was heard last.
    pub(super) fn heard(&self) -> Wall {
        let after = clock::Duration::from_millis(self.heard.load(Ordering::Relaxed));
        self.connected.plus(after)
    }

    /// For the administrator.
    pub(super) fn described(&self) -> Value {
        let draining = self.draining.load(Ordering::Relaxed);
        json!({
            "connection_id": self.id,
            "user_id": self.user,
            "connected_at": self.connected.rfc3339(),
            "last_activity": self.heard().rfc3339(),
            "status": if draining { "draining" } else { "open" },
            // Nobody is upgraded without a credential.
            "authenticated": true,
            "in_flight": self.in_flight.load(Ordering::Relaxed),
            "bytes_in": self.received.load(Ordering::Relaxed),
            "bytes_out": self.sent.load(Ordering::Relaxed),
            "errors": self.errors.load(Ordering::Relaxed),
            "address": self.origin.address,
            "user_agent": self.origin.user_agent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_listed_as_long_as_it_is_open() {
        // req: C1
        let roster = Roster::default();
        let user = |name: &str| UserId::parse(name).unwrap();
        let enter = |id: u128, name: &str| {
            let origin = Origin {
                address: IpAddr::from([192, 0, 2, 1]),
                user_agent: Some("é".repeat(500)),
            };
            roster.enter(ConnectionId(id), &user(name), origin)
        };
        let (one, two, three) = (enter(1, "ann"), enter(2, "bob"), enter(3, "ann"));
        let ids = |after, of: Option<&UserId>, max| -> Vec<u128> {
            let list = roster.after(after, of, max);
            list.iter().map(|entry| entry.id().0).collect()
        };
        assert_eq!(ids(None, None, 2), [1, 2]);
        assert_eq!(ids(Some(ConnectionId(2)), None, 2), [3]);
        assert_eq!(ids(None, Some(&user("ann")), 9), [1, 3]);
        let later = one.entry.opened + clock::Duration::from_millis(1500);
        one.entry.on_received(10, later);
        one.entry.on_received(5, later);
        one.entry.on_sent(7);
        one.entry.on_error();
        one.entry.set_in_flight(3);
        let told = one.entry.described();
        for (field, expected) in [
            ("bytes_in", 15),
            ("bytes_out", 7),
            ("errors", 1),
            ("in_flight", 3),
        ] {
            assert_eq!(told[field], expected, "{field}");
        }
        let heard = one.entry.connected.plus(clock::Duration::from_millis(1500));
        assert_eq!(told["last_activity"], heard.rfc3339());
        assert_eq!(told["user_agent"].as_str().unwrap().chars().count(), 200);
        assert_eq!(told["status"], "open");
        drop((one, two));
        assert_eq!(ids(None, None, 9), [3]);
        drop(three);
        assert!(roster.lock().is_empty());
    }
}
