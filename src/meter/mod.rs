//! What is counted while the appliance works: plain atomics, so that counting costs a hot path
//! neither a lock nor an allocation.
//!
//! The rooms count here and know nothing of who reads: [`crate::observe`] turns it into metrics,
//! percentiles, charts and alerts. Labels are words of our own enums, never of a client, so that
//! every table is bounded by them.

mod counter;
mod feed;
mod recorder;

use std::sync::Arc;

pub use counter::{Counter, Gauge, Lowest, Tally};
pub use feed::{Draft, Event, EventKind, Feed, Severity};
pub use recorder::{Counts, Recorder, value_of};

use crate::id::{BusinessValue, Category, Complexity};

/// Every counter; made once by the app, cloned freely.
#[derive(Clone, Default)]
pub struct Meters(Arc<All>);

/// All of them, by what they are about.
#[derive(Default)]
pub struct All {
    /// Frames.
    pub delivery: Delivery,
    /// Messages, sessions, agents.
    pub work: Work,
    /// Sockets and requests.
    pub door: Door,
    /// The cleanup.
    pub cleanup: Cleanup,
    /// What happened, one by one.
    pub feed: Feed,
}

impl std::ops::Deref for Meters {
    type Target = All;
    fn deref(&self) -> &All {
        &self.0
    }
}

/// Frames on their way to visitors.
#[derive(Default)]
pub struct Delivery {
    /// Made durable.
    pub appended: Counter,
    /// Handed to a socket, each time.
    pub sent: Counter,
    /// Of those, to a visitor who had been sent them before (another socket counts too).
    pub redelivered: Counter,
    /// Acknowledged.
    pub acknowledged: Counter,
    /// Given up unacknowledged.
    pub expired: Counter,
    /// From the hand-over to the acknowledgement, in microseconds; one sample a socket at a time.
    pub acknowledgement: Recorder,
    /// Not acknowledged, of all visitors.
    pub pending: Gauge,
    /// Their payload bytes.
    pub pending_bytes: Gauge,
    /// Visitors whose record is in the store.
    pub visitors: Gauge,
    /// When the oldest pending frame was made, in milliseconds since 1970.
    pub oldest_pending: Lowest,
}

/// What a session is about.
pub type Topic = (Category, Complexity, BusinessValue);

/// From a message to its result.
#[derive(Default)]
pub struct Work {
    /// Messages by how they were answered: `accepted`, `duplicate`, or why not.
    pub admissions: Tally<&'static str>,
    /// Sessions accepted.
    pub accepted: Tally<Topic>,
    /// Sessions taken up again after a restart.
    pub resumed: Counter,
    /// Sessions ended, by a state's word; `refused` for a message that the agent could not answer
    /// as it was, which is no error of ours.
    pub ended: Tally<(Topic, &'static str)>,
    /// From the beginning of the attempt to the end of the session, pacing included, in microseconds.
    pub processing: Recorder,
    /// From acceptance to the beginning of the attempt, in microseconds.
    pub queue: Recorder,
    /// From acceptance to the result, in microseconds.
    pub time_to_value: Recorder,
    /// What asking a backend came to; backends are named by the operator, a few at most.
    pub attempts: Tally<(String, &'static str)>,
    /// Answers that a fallback gave.
    pub fallbacks: Counter,
    /// Changes of a breaker, by the state it went to.
    pub breaker_changes: Tally<(String, &'static str)>,
}

/// Sockets, handshakes, requests.
#[derive(Default)]
pub struct Door {
    /// Connections whose handshake is done, now.
    pub connections: Gauge,
    /// Handshakes by how they ended: `done`, `failed`, `timed_out`.
    pub handshakes: Tally<&'static str>,
    /// How long those took that were done, in microseconds.
    pub handshake: Recorder,
    /// Connections that found no place: `address`, `total`.
    pub no_place: Tally<&'static str>,
    /// WebSockets open now.
    pub sockets: Gauge,
    /// WebSockets opened.
    pub opened: Counter,
    /// WebSockets ended by their close code; 0 where the other side went without a word.
    pub closed: Tally<u16>,
    /// Bytes read from WebSockets.
    pub bytes_in: Counter,
    /// Bytes written to WebSockets.
    pub bytes_out: Counter,
    /// Requests by method, route and status.
    pub requests: Tally<(&'static str, &'static str, u16)>,
    /// How long they took once their body was there, in microseconds; sockets and streams left out.
    pub request: Recorder,
    /// Frames refused, by code.
    pub refusals: Tally<&'static str>,
    /// Limits that held somebody up: `attempts`, `visitor_attempts`, `new_visitors`, `messages`, `bytes`.
    pub rate_limited: Tally<&'static str>,
}

/// Rounds of cleaning.
#[derive(Default)]
pub struct Cleanup {
    /// Rounds.
    pub rounds: Counter,
    /// Rounds that could not be finished.
    pub failed: Counter,
    /// When the last one ended, in milliseconds since 1970; 0 for never.
    pub last: Gauge,
    /// How long it took, in milliseconds.
    pub last_ms: Gauge,
    /// Sessions forgotten.
    pub sessions: Counter,
    /// Chunks of frames forgotten.
    pub chunks: Counter,
}
