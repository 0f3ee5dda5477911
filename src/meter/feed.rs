//! What happened, one by one: a bounded ring to look back, and a channel to follow.
//!
//! For the administrator, so that every red number opens what is behind it. It is not the audit
//! log and not durable: a restart begins with an empty one, in another epoch.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;

use crate::clock::{self, Wall};
use crate::id::{Category, ConnectionId, SessionId, UserId};

/// Events held to look back.
const HELD: usize = 2_000;
/// Events that may wait for one follower; a slower one is told how many it missed.
const WAITING: usize = 256;
/// Characters of a message.
const MESSAGE: usize = 300;
/// Milliseconds in which repeats of a kind and code become one event.
const FOLD_MS: u64 = 1_000;
/// Kinds and codes whose repeats are counted; beyond, all begin anew.
const FOLDED: usize = 256;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal / $severity:ident,)+) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind { $($(#[$doc])* $kind,)+ }

        impl EventKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The word in answers: a group, a point, what happened.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $word,)+ }
            }

            /// How bad it is.
            pub fn severity(self) -> Severity {
                match self { $(Self::$kind => Severity::$severity,)+ }
            }
        }
    };
}

kinds! {
    /// A session ended without a result.
    SessionFailed = "session.failed" / Error,
    /// The agent's time limit passed.
    SessionTimedOut = "session.timed_out" / Error,
    /// The session's own limit passed.
    SessionExpired = "session.expired" / Warning,
    /// The visitor or an administrator stopped it.
    SessionCancelled = "session.cancelled" / Info,
    /// A backend failed; a fallback may have answered.
    AgentFailed = "agent.failed" / Warning,
    /// A breaker refuses calls now.
    BreakerOpened = "breaker.opened" / Error,
    /// A breaker lets probes through.
    BreakerHalfOpen = "breaker.half_open" / Warning,
    /// A breaker lets calls through again.
    BreakerClosed = "breaker.closed" / Info,
    /// An alert began.
    AlertRaised = "alert.raised" / Error,
    /// An alert is over.
    AlertResolved = "alert.resolved" / Info,
    /// Somebody has seen an alert.
    AlertAcknowledged = "alert.acknowledged" / Info,
    /// A socket was closed for a fault.
    ConnectionClosed = "connection.closed" / Warning,
    /// A handshake failed.
    HandshakeFailed = "handshake.failed" / Warning,
    /// A frame was refused.
    Refused = "refused" / Info,
    /// A rate limit held somebody up.
    RateLimited = "rate_limited" / Info,
    /// Pending frames expired unacknowledged.
    FramesExpired = "frames.expired" / Warning,
    /// A round of cleaning could not be finished.
    Cleanup = "cleanup" / Error,
    /// The store has stopped after a failed write.
    StoreFailed = "store.failed" / Error,
    /// A check hung or panicked.
    CheckFailed = "check.failed" / Warning,
    /// The alerts' receiver could not be reached.
    WebhookFailed = "webhook.failed" / Warning,
}

impl EventKind {
    /// Clients can cause these as fast as they like.
    fn folds(self) -> bool {
        matches!(
            self,
            Self::Refused | Self::RateLimited | Self::HandshakeFailed | Self::ConnectionClosed
        )
    }
}

/// How bad an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// To look at.
    Warning,
    /// Something did not work.
    Error,
}

impl Severity {
    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// An event that is not numbered yet.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What happened.
    pub kind: EventKind,
    /// In plain words; never a visitor's.
    pub message: String,
    /// Which session.
    pub session: Option<SessionId>,
    /// Whose.
    pub user: Option<UserId>,
    /// Which socket.
    pub connection: Option<ConnectionId>,
    /// Which backend's breaker.
    pub breaker: Option<String>,
    /// Which alert.
    pub alert: Option<&'static str>,
    /// The stable word or number of the fault.
    pub code: Option<String>,
    /// What the session is about.
    pub category: Option<Category>,
}

impl Draft {
    /// Something that happened. A long message is cut.
    pub fn new(kind: EventKind, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if let Some((end, _)) = message.char_indices().nth(MESSAGE) {
            message.truncate(end);
        }
        Self {
            kind,
            message,
            session: None,
            user: None,
            connection: None,
            breaker: None,
            alert: None,
            code: None,
            category: None,
        }
    }

    /// The same, with the word of its fault.
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

/// An event.
#[derive(Debug)]
pub struct Event {
    /// From 1, rising.
    pub id: u64,
    /// When.
    pub at: Wall,
    /// What.
    pub what: Draft,
}

/// Where events are told and read.
pub struct Feed {
    /// When numbering began: another process has another.
    epoch: Wall,
    held: Mutex<Held>,
    follow: broadcast::Sender<Arc<Event>>,
}

#[derive(Default)]
struct Held {
    last: u64,
    events: VecDeque<Arc<Event>>,
    /// When the last event of a kind and code was told, and how many came since.
    folded: BTreeMap<(EventKind, Option<String>), (Wall, u64)>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            epoch: clock::wall(),
            held: Mutex::default(),
            follow: broadcast::Sender::new(WAITING),
        }
    }
}

impl Feed {
    /// Which run the numbers are of: those of another process are others.
    pub fn epoch(&self) -> u64 {
        self.epoch.0
    }

    /// Tells an event. Repeats of what clients can cause are folded: one a second, kind and code.
    pub fn tell(&self, mut what: Draft, at: Wall) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if what.kind.folds() {
            if held.folded.len() >= FOLDED {
                held.folded.clear();
            }
            let folded = held.folded.entry((what.kind, what.code.clone()));
            let (told, more) = folded.or_insert((Wall(0), 0));
            // A wall clock that was put back must not keep it silent.
            if at >= *told && at.0 < told.0.saturating_add(FOLD_MS) {
                *more += 1;
                return;
            }
            if *more > 0 {
                what.message = format!("{} (and {more} more before it)", what.message);
            }
            (*told, *more) = (at, 0);
        }
        held.last += 1;
        let event = Arc::new(Event {
            id: held.last,
            at,
            what,
        });
        if held.events.len() == HELD {
            held.events.pop_front();
        }
        held.events.push_back(Arc::clone(&event));
        // Sent under the lock: who follows gets them in their order. Nobody may follow.
        let _ = self.follow.send(event);
    }

    /// What is held and wanted, newest first, at most `max`.
    pub fn look_back(&self, wanted: impl Fn(&Event) -> bool, max: usize) -> Vec<Arc<Event>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held.events.iter().rev().filter(|event| wanted(event));
        found.take(max).cloned().collect()
    }

    /// The id of the oldest event held; none where nothing happened.
    pub fn oldest(&self) -> Option<u64> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.events.front().map(|event| event.id)
    }

    /// Hears of every event from now on; one that is too slow is told how many it missed.
    pub fn follow(&self) -> broadcast::Receiver<Arc<Event>> {
        self.follow.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_newest_in_order() {
        let feed = Feed::default();
        for n in 0..HELD as u64 + 10 {
            feed.tell(Draft::new(EventKind::SessionFailed, n.to_string()), Wall(n));
        }
        assert_eq!(feed.oldest(), Some(11));
        let ids: Vec<u64> = feed.look_back(|_| true, 3).iter().map(|e| e.id).collect();
        assert_eq!(ids, [2010, 2009, 2008]);
        assert_eq!(feed.look_back(|e| e.id < 20, usize::MAX).len(), 9);
    }

    #[test]
    fn repeats_are_folded_by_kind_and_code_and_counted() {
        let feed = Feed::default();
        let mut follower = feed.follow();
        let refused = |code, at| {
            let what = Draft::new(EventKind::Refused, "a frame was refused").code(code);
            feed.tell(what, Wall(at));
        };
        for at in [10_000, 10_100, 10_900] {
            refused("bad_json", at);
        }
        refused("conflict", 10_950);
        refused("bad_json", 11_000);
        // The clock was put back by an hour.
        refused("bad_json", 500);
        let told: Vec<String> = std::iter::from_fn(|| follower.try_recv().ok())
            .map(|e| format!("{} {}", e.what.code.clone().unwrap(), e.what.message))
            .collect();
        assert_eq!(
            told,
            [
                "bad_json a frame was refused",
                "conflict a frame was refused",
                "bad_json a frame was refused (and 2 more before it)",
                "bad_json a frame was refused",
            ]
        );
    }

    #[test]
    fn a_slow_follower_is_told_and_a_long_message_is_cut() {
        let feed = Feed::default();
        let mut follower = feed.follow();
        for n in 0..WAITING as u64 + 44 {
            let text = "ü".repeat(1000);
            feed.tell(Draft::new(EventKind::BreakerOpened, text), Wall(n));
        }
        assert!(matches!(
            follower.try_recv(),
            Err(broadcast::error::TryRecvError::Lagged(44))
        ));
        let event = follower.try_recv().unwrap();
        assert_eq!(
            (event.id, event.what.message.chars().count()),
            (45, MESSAGE)
        );
    }
}
