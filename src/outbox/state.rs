//! What a stream holds in memory: its numbers, and a short tail of composed frames.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::stream::Batch;
use crate::clock::Wall;
use crate::id::ConnectionId;
use crate::machine::outbox::Marks;
use crate::protocol::close::Close;
use crate::protocol::frame;
use crate::store::{Chunk, Frame, VisitorRecord};

/// Frames kept in memory behind the newest, so that live sockets do not read the store.
const TAIL_FRAMES: usize = 128;
/// Bytes kept likewise; a session's memory is mostly this.
const TAIL_BYTES: usize = 48 * 1024;
/// Payload bytes handed to a socket at once.
pub(super) const BATCH_BYTES: usize = 256 * 1024;

/// See the [module](self).
pub(super) struct State {
    pub(super) marks: Marks,
    pub(super) generation: u64,
    pub(super) revoked_at: Wall,
    pub(super) attempts: u32,
    pub(super) expired: u64,
    /// No record of the visitor is on disk or on its way.
    pub(super) unwritten: bool,
    pub(super) touched: Wall,
    /// Composed texts of the newest frames; the last one is `next - 1`.
    pub(super) tail: VecDeque<Bytes>,
    pub(super) tail_bytes: usize,
    /// Payload sizes of the frames that are not acknowledged: `acked + 1 ..= next - 1`.
    pub(super) sizes: VecDeque<u32>,
    pub(super) pending_bytes: u64,
    /// What is counted of this stream in the appliance's gauges, as [`State::share`] gives it.
    pub(super) told: [u64; 3],
    pub(super) reserved: u64,
    /// Nothing is appended, acknowledged or given up while an administrator changes the stream.
    pub(super) still: bool,
    /// How often an administrator had everything sent again.
    pub(super) rounds: u64,
    pub(super) sockets: Vec<(ConnectionId, mpsc::Sender<Close>)>,
}

impl State {
    pub(super) fn load(record: &VisitorRecord, unwritten: bool, chunks: &[Chunk]) -> Self {
        let next = chunks
            .last()
            .map_or(record.next, |c| record.next.max(c.last() + 1));
        let oldest = chunks.first().map_or(next, |c| c.first);
        let sizes: VecDeque<u32> = chunks
            .iter()
            .flat_map(|chunk| (chunk.first..).zip(&chunk.frames))
            .filter(|(sequence, _)| *sequence > record.acked)
            .map(|(_, frame)| frame.payload.len() as u32)
            .collect();
        let marks = Marks::recovered(
            record.epoch,
            oldest.min(record.acked + 1),
            record.acked,
            next,
        );
        let pending_bytes = sizes.iter().map(|n| u64::from(*n)).sum();
        State {
            marks,
            // The gauges began with what the store holds.
            told: [marks.pending(), pending_bytes, u64::from(!unwritten)],
            generation: record.generation,
            revoked_at: record.revoked_at,
            attempts: record.attempts,
            expired: record.expired,
            unwritten,
            touched: record.touched,
            tail: VecDeque::new(),
            tail_bytes: 0,
            pending_bytes,
            sizes,
            reserved: 0,
            still: false,
            rounds: 0,
            sockets: Vec::new(),
        }
    }

    /// Its share of the appliance's gauges: pending frames, their bytes, a visitor on record.
    pub(super) fn share(&self) -> [u64; 3] {
        let on_record = u64::from(!self.unwritten);
        [self.marks.pending(), self.pending_bytes, on_record]
    }

    pub(super) fn push(&mut self, sequence: u64, frame: &Frame) {
        let text = compose(self.marks.epoch, sequence, frame);
        self.sizes.push_back(frame.payload.len() as u32);
        self.pending_bytes += frame.payload.len() as u64;
        self.touched = self.touched.max(frame.at);
        self.tail_bytes += text.len();
        self.tail.push_back(text);
        while self.tail.len() > TAIL_FRAMES || (self.tail_bytes > TAIL_BYTES && self.tail.len() > 1)
        {
            self.tail_bytes -= self.tail.pop_front().map_or(0, |text| text.len());
        }
    }

    /// False where what is read from the disk may be of another numbering, or gone.
    pub(super) fn holds(&self, epoch: u64, first: u64) -> bool {
        !self.still && self.marks.epoch == epoch && first >= self.marks.oldest
    }

    /// The acknowledged mark moved from `before`.
    pub(super) fn settle(&mut self, before: u64) {
        for _ in before..self.marks.acked {
            self.pending_bytes -= u64::from(self.sizes.pop_front().unwrap_or(0));
        }
        if self.marks.pending() == 0 {
            // Nobody waits for them; a page that begins again has them from the store.
            self.tail = VecDeque::new();
            self.tail_bytes = 0;
        }
    }

    pub(super) fn read_tail(&self, first: u64, upto: u64) -> Option<Batch> {
        let begin = self.marks.next - self.tail.len() as u64;
        if first < begin {
            return None;
        }
        let mut batch = Batch::default();
        let mut bytes = 0;
        for sequence in first..=upto {
            let text = self.tail.get((sequence - begin) as usize)?;
            if bytes + text.len() > BATCH_BYTES && !batch.texts.is_empty() {
                break;
            }
            bytes += text.len();
            batch.texts.push(text.clone());
            batch.last = sequence;
        }
        Some(batch)
    }
}

/// A frame as it goes out.
pub(super) fn compose(epoch: u64, sequence: u64, frame: &Frame) -> Bytes {
    let text = frame::sequenced(
        frame.kind,
        sequence,
        epoch,
        frame.session,
        &frame.at.rfc3339(),
        &frame.payload,
    );
    Bytes::from(text)
}
