//! What the store knows of a session's delivery: the server's half of the proof. The other half,
//! what was received, only the client can tell.

use ring::digest;
use serde::Serialize;

use crate::clock::Wall;
use crate::protocol::frame::Kind;

/// The frames of one session as they are stored.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Delivery {
    /// In the order of their sequences.
    pub frames: Vec<Stored>,
    /// The visitor has acknowledged everything up to this sequence.
    pub acknowledged_sequence: u64,
}

/// One stored frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stored {
    /// Its number in the visitor's stream.
    pub sequence: u64,
    /// Its type.
    pub r#type: &'static str,
    /// When it was made, by the server's clock.
    pub stored_at: String,
    /// SHA-256 of its payload as it stands on the disk and on the wire, in hexadecimal.
    pub payload_sha256: String,
    /// Whether the visitor has acknowledged it.
    pub acknowledged: bool,
}

impl Delivery {
    /// From frames in the order of their sequences.
    pub fn new<'a>(
        frames: impl Iterator<Item = (u64, Kind, Wall, &'a str)>,
        acknowledged_sequence: u64,
    ) -> Self {
        let frames = frames.map(|(sequence, kind, at, payload)| Stored {
            sequence,
            r#type: kind.as_str(),
            stored_at: at.rfc3339(),
            payload_sha256: sha256(payload.as_bytes()),
            acknowledged: sequence <= acknowledged_sequence,
        });
        Self {
            frames: frames.collect(),
            acknowledged_sequence,
        }
    }

    /// What can be said of all of them.
    pub fn verdict(&self) -> String {
        let acknowledged = self.frames.iter().filter(|f| f.acknowledged).count();
        let attempts = self.frames.iter();
        let attempts = attempts
            .filter(|f| f.r#type == Kind::ProcessingStarted.as_str())
            .count();
        let (Some(first), Some(last)) = (self.frames.first(), self.frames.last()) else {
            return "The frames of this session are no longer held.".to_owned();
        };
        let mut text = format!(
            "{} frames, sequences {} to {} of the visitor's stream, each on disk before it was sent; \
             {acknowledged} of them acknowledged when this report was made.",
            self.frames.len(),
            first.sequence,
            last.sequence,
        );
        if attempts > 1 {
            text.push_str(&format!(
                " The work began {attempts} times, because the server restarted in between; it has one end."
            ));
        }
        text
    }
}

fn sha256(bytes: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, bytes);
    hash.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}
