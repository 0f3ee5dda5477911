//! What a demo achieved, counted from what happened and never asserted: how many messages were
//! taken in, how they ended, how long their results took, what visitors did with them; each by
//! category and by what the example is worth.
//!
//! A counter is one entry of the store, written in the same step as what it counts, so it is
//! right after a crash too. There are as many as there are words: 5 categories by 3 values.

use std::time::Duration;

use crate::machine::session::State;
use crate::protocol::request::TrackEvent;
use crate::store::{Op, SessionRecord};

fn count(what: &str, record: &SessionRecord, by: u64) -> Op {
    let name = format!("{what}.{}.{}", record.category, record.business_value);
    Op::Count(name, by)
}

/// A message was taken in.
pub fn accepted(record: &SessionRecord) -> Op {
    count("accepted", record, 1)
}

/// A session has ended; a result counts the time that it took since the message was accepted.
pub fn ended(record: &SessionRecord, end: State, took: Duration) -> Vec<Op> {
    let mut ops = vec![count(end.as_str(), record, 1)];
    if end == State::Completed {
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        ops.push(count("time_to_value_ms", record, ms));
    }
    ops
}

/// A visitor did something; with which session, where it is known.
pub fn tracked(event: TrackEvent, record: Option<&SessionRecord>) -> Op {
    let what = format!("track.{}", event.as_str());
    match record {
        Some(record) => count(&what, record, 1),
        None => Op::Count(what, 1),
    }
}
