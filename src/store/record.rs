//! Records: a format version, a checksum, then bincode.
//!
//! The checksum (CRC32C) covers the key as well, so that a value that slipped
//! under another key is found. The layout is `version (1) | crc32c (4, LE) | body`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::clock::Wall;
use crate::id::{BusinessValue, Category, Complexity, MessageId, SessionId, UserId};
use crate::machine::session::State;
use crate::protocol::frame::Kind;

/// The format this version writes, and the only one it reads.
pub const FORMAT: u8 = 1;
const HEADER: usize = 5;

/// A visitor's stream and rights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VisitorRecord {
    /// Whose.
    pub user: UserId,
    /// The epoch of the numbering.
    pub epoch: u64,
    /// Everything up to here was acknowledged or expired.
    pub acked: u64,
    /// A lower bound of the next sequence: chunks on disk may go further.
    pub next: u64,
    /// Tokens of an earlier generation are revoked.
    pub generation: u64,
    /// When tokens were last revoked; zero for never.
    pub revoked_at: Wall,
    /// How often the oldest pending frame was sent again.
    pub attempts: u32,
    /// Frames that expired unacknowledged, ever.
    pub expired: u64,
    /// When anything was last written for the visitor.
    pub touched: Wall,
}

impl VisitorRecord {
    /// A visitor nobody has heard of.
    pub fn new(user: UserId, epoch: u64, now: Wall) -> Self {
        Self {
            user,
            epoch,
            acked: 0,
            next: 1,
            generation: 0,
            revoked_at: Wall(0),
            attempts: 0,
            expired: 0,
            touched: now,
        }
    }
}

/// The frames a visitor got in one commit group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Whose.
    pub user: UserId,
    /// The sequence of the first frame; the others follow without a gap.
    pub first: u64,
    /// Epoch in which the numbers were given.
    pub epoch: u64,
    /// At least one.
    pub frames: Vec<Frame>,
}

impl Chunk {
    /// The sequence of the last frame.
    pub fn last(&self) -> u64 {
        self.first + self.frames.len() as u64 - 1
    }
}

/// A frame as it is stored; its sequence is its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// Its type.
    pub kind: Kind,
    /// Its session.
    pub session: SessionId,
    /// When it was made.
    pub at: Wall,
    /// JSON text.
    pub payload: String,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// The client's id of the message.
    pub message: MessageId,
    /// The visitor's words.
    pub content: String,
    /// The example's title.
    pub title: String,
    /// Which agent.
    pub category: Category,
    /// How deep.
    pub complexity: Complexity,
    /// What it is worth.
    pub business_value: BusinessValue,
    /// What the example promised.
    pub estimated_time: String,
    /// The session it varies.
    pub parent: Option<SessionId>,
    /// Edited values as JSON text.
    pub assumptions: String,
    /// Where it stands.
    pub state: State,
    /// How often an attempt began.
    pub attempts: u32,
    /// When it was accepted.
    pub created: Wall,
    /// When it ended.
    pub ended: Option<Wall>,
    /// The sequence of its last frame, once it has ended.
    pub last_sequence: u64,
}

/// Which session answers a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// The session.
    pub session: SessionId,
    /// SHA-256 of everything that decides the answer.
    pub digest: [u8; 32],
}

/// Writes a record for `key`.
pub fn encode<T: Serialize>(key: &[u8], value: &T) -> Vec<u8> {
    let mut bytes = vec![FORMAT, 0, 0, 0, 0];
    bincode::serde::encode_into_std_write(value, &mut bytes, bincode::config::standard()).expect(
        "writing into memory does not fail, and no record holds a type that bincode refuses",
    );
    let sum = checksum(key, &bytes[HEADER..]);
    bytes[1..HEADER].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Reads a record of `key`.
///
/// # Errors
/// Another format version, a wrong checksum, or a body that does not fit.
pub fn decode<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> Result<T, StoreError> {
    let name = || String::from_utf8_lossy(key).escape_debug().to_string();
    match bytes.first() {
        None => return Err(StoreError::Record(format!("{} is empty", name()))),
        Some(&FORMAT) if bytes.len() >= HEADER => {}
        Some(version) => {
            let what = format!(
                "{} has format {version}, this version reads format {FORMAT}",
                name()
            );
            return Err(StoreError::Record(what));
        }
    }
    let (head, body) = bytes.split_at(HEADER);
    if head[1..] != checksum(key, body).to_le_bytes() {
        return Err(StoreError::Record(format!(
            "{} has a wrong checksum",
            name()
        )));
    }
    match bincode::serde::decode_from_slice(body, bincode::config::standard()) {
        Ok((value, read)) if read == body.len() => Ok(value),
        Ok(_) => Err(StoreError::Record(format!(
            "{} has bytes left over",
            name()
        ))),
        Err(e) => Err(StoreError::Record(format!("{}: {e}", name()))),
    }
}

/// The format of a record that a newer version wrote; none where it is ours, or damaged.
///
/// From format 2 on the checksum covers the version byte too, so that a flipped bit in it is
/// damage and does not pass for a newer version.
pub(super) fn newer(key: &[u8], bytes: &[u8]) -> Option<u8> {
    let (head, body) = bytes.split_at_checked(HEADER)?;
    let (&version, sum) = head.split_first()?;
    let sealed =
        crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(key), &[version]), body);
    (version > FORMAT && *sum == sealed.to_le_bytes()).then_some(version)
}

fn checksum(key: &[u8], body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key), body)
}
