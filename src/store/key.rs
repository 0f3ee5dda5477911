//! The schema: one tree, the first byte of a key says what it is, so that one
//! batch is one atomic step.
//!
//! | byte | key | value |
//! |---|---|---|
//! | `A` | ring, number (8 bytes, big endian) | [`AuditRecord`](super::AuditRecord) |
//! | `C` | user, first sequence (8 bytes, big endian) | [`Chunk`](super::Chunk): the frames of one commit group |
//! | `H` | ring, place (2 bytes, big endian) | [`Block`]: figures over time |
//! | `M` | user, message id | which session answers it, and a hash of its content |
//! | `N` | name | a business counter |
//! | `P` | fixed | what the health probe wrote last |
//! | `S` | session id (16 bytes) | [`SessionRecord`](super::SessionRecord) |
//! | `T` | user, then nothing or the key of a removed entry | [`PurgeRecord`](super::purge::PurgeRecord), or the removed entry |
//! | `V` | user | [`VisitorRecord`](super::VisitorRecord) |
//! | `X` | name | settings of the store itself |
//!
//! A user in a key stands behind its length, so that no two pairs collide
//! (`a` + `b1` is not `ab` + `1`).

use super::audit_log::Ring;
use crate::id::{MessageId, SessionId, UserId};
use crate::machine::history::Block;

/// Kind byte of the administrators' log.
pub const AUDIT: u8 = b'A';
/// Kind byte of chunks.
pub const CHUNK: u8 = b'C';
/// Kind byte of figures over time.
pub const HISTORY: u8 = b'H';
/// Kind byte of messages.
pub const MESSAGE: u8 = b'M';
/// Kind byte of counters.
pub const COUNTER: u8 = b'N';
/// The health probe's key.
pub const PROBE: &[u8] = b"P";
/// Kind byte of sessions.
pub const SESSION: u8 = b'S';
/// Kind byte of what a clean-up removed.
pub const PURGED: u8 = b'T';
/// Kind byte of visitors.
pub const VISITOR: u8 = b'V';
/// Kind byte of settings.
pub const SETTING: u8 = b'X';

fn with_user(kind: u8, user: &UserId) -> Vec<u8> {
    let name = user.as_str().as_bytes();
    let mut key = Vec::with_capacity(2 + name.len() + 8);
    key.push(kind);
    key.push(u8::try_from(name.len()).expect("a user id has at most 64 bytes"));
    key.extend_from_slice(name);
    key
}

/// An entry of the administrators' log.
pub fn audit(ring: Ring, number: u64) -> Vec<u8> {
    let mut key = vec![AUDIT, ring as u8];
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// A block of figures over time: its place, which a later one takes over.
pub fn history(block: &Block) -> Vec<u8> {
    let place = u16::try_from(block.place()).expect("a ring has fewer than 65536 places");
    let [high, low] = place.to_be_bytes();
    vec![HISTORY, block.level, high, low]
}

/// A visitor's record.
pub fn visitor(user: &UserId) -> Vec<u8> {
    with_user(VISITOR, user)
}

/// A chunk of frames.
pub fn chunk(user: &UserId, first: u64) -> Vec<u8> {
    let mut key = with_user(CHUNK, user);
    key.extend_from_slice(&first.to_be_bytes());
    key
}

/// The beginning of all chunks of a visitor.
pub fn chunks(user: &UserId) -> Vec<u8> {
    with_user(CHUNK, user)
}

/// Beyond the last chunk of a visitor; no sequence reaches it.
pub fn chunks_end(user: &UserId) -> Vec<u8> {
    chunk(user, u64::MAX)
}

/// A session's record.
pub fn session(id: SessionId) -> Vec<u8> {
    let mut key = vec![SESSION];
    key.extend_from_slice(&id.0.to_be_bytes());
    key
}

/// A message of a visitor.
pub fn message(user: &UserId, id: &MessageId) -> Vec<u8> {
    let mut key = with_user(MESSAGE, user);
    key.extend_from_slice(id.as_str().as_bytes());
    key
}

/// The beginning of all messages of a visitor.
pub fn messages(user: &UserId) -> Vec<u8> {
    with_user(MESSAGE, user)
}

/// The clean-up of a visitor, and the beginning of what it removed.
pub fn purged(user: &UserId) -> Vec<u8> {
    with_user(PURGED, user)
}

/// Where an entry stands once it is removed.
pub fn purged_entry(user: &UserId, entry: &[u8]) -> Vec<u8> {
    [&purged(user), entry].concat()
}

/// A counter.
pub fn counter(name: &str) -> Vec<u8> {
    [&[COUNTER], name.as_bytes()].concat()
}

/// A setting.
pub fn setting(name: &str) -> Vec<u8> {
    [&[SETTING], name.as_bytes()].concat()
}
