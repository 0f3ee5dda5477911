//! What an administrator does to a stream: holds it still, begins its numbering again, gives up
//! frames, sends again, revokes.
//!
//! Whoever calls holds [`Stream::intake`], so that no message comes in meanwhile, and is not
//! dropped half-way: these run in tasks of their own.

use std::sync::Arc;

use super::Stream;
use super::state::State;
use crate::clock::Wall;
use crate::id::ConnectionId;
use crate::machine::outbox::Marks;
use crate::protocol::close::Close;
use crate::store::{Append, Chunk, Op, StoreError, VisitorRecord};

/// What is pending of a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// The watermarks.
    pub marks: Marks,
    /// Payload bytes that wait for an acknowledgement.
    pub bytes: u64,
    /// How often the oldest frame was sent again.
    pub attempts: u32,
    /// Frames that were given up unacknowledged, ever.
    pub expired: u64,
    /// Live sockets.
    pub sockets: usize,
    /// When anything was last written for the visitor.
    pub touched: Wall,
}

/// A stream that takes and gives up nothing; it goes on when this is dropped.
pub struct Still {
    stream: Arc<Stream>,
    /// The visitor's record as it is.
    pub record: VisitorRecord,
}

impl Drop for Still {
    fn drop(&mut self) {
        self.stream.even_if_broken().still = false;
        self.stream.tick();
    }
}

impl Stream {
    /// What is pending.
    pub fn pending(&self) -> Pending {
        let state = self.lock();
        Pending {
            marks: state.marks,
            bytes: state.pending_bytes,
            attempts: state.attempts,
            expired: state.expired,
            sockets: state.sockets.len(),
            touched: state.touched,
        }
    }

    /// From now on nothing is appended, acknowledged or given up. `meanwhile` runs in the same
    /// step: what it ends says nothing more.
    pub(crate) fn hold_still(self: &Arc<Self>, meanwhile: impl FnOnce()) -> Still {
        let mut state = self.lock();
        state.still = true;
        meanwhile();
        Still {
            stream: Arc::clone(self),
            record: self.record(&state),
        }
    }

    /// Tells one socket to close; false where it is not among the visitor's.
    pub fn close(&self, id: ConnectionId, why: Close) -> bool {
        let state = self.lock();
        let found = state.sockets.iter().find(|(other, _)| *other == id);
        // A full channel holds an order to close already.
        found.is_some_and(|(_, order)| order.try_send(why).is_ok() || !order.is_closed())
    }

    /// Has every socket send again what is not acknowledged. Returns how many sockets there are.
    pub fn send_again(&self) -> usize {
        let mut state = self.lock();
        state.rounds += 1;
        let sockets = state.sockets.len();
        drop(state);
        self.tick();
        sockets
    }

    /// How often [`Stream::send_again`] was called.
    pub fn rounds(&self) -> u64 {
        self.lock().rounds
    }

    /// Every token made before `now` is worth nothing from when this returns; `with` becomes
    /// durable in the same step.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub(crate) async fn revoke(
        self: &Arc<Self>,
        now: Wall,
        with: Vec<Op>,
    ) -> Result<(), StoreError> {
        let (generation, record) = {
            let state = self.lock();
            let generation = state.generation + 1;
            let record = VisitorRecord {
                generation,
                revoked_at: now,
                ..self.record(&state)
            };
            (generation, record)
        };
        // Not told before it is durable: a restart must not bring a revoked token back.
        let _still = self.hold_still(|| ());
        self.commit(Op::PutVisitor(record), with).await?;
        let mut state = self.lock();
        state.generation = generation;
        state.revoked_at = now;
        state.unwritten = false;
        Ok(())
    }

    /// Gives up every frame up to `through`, acknowledged or not; `with` becomes durable in the
    /// same step. Returns how many waited for an acknowledgement.
    ///
    /// # Errors
    /// Where the store cannot be read, or has stopped.
    pub(crate) async fn give_up(
        self: &Arc<Self>,
        through: u64,
        with: Vec<Op>,
    ) -> Result<u64, StoreError> {
        let still = self.hold_still(|| ());
        // What is on its way to the disk is on it then, and found.
        self.committer.commit(Vec::new()).await?;
        let before = self.marks();
        let through = through.min(before.stable);
        let mut marks = before;
        let lost = marks.on_expired(through);
        marks.on_forgotten(through);
        let mut ops = with;
        for chunk in self.store.chunks(&self.user)? {
            if chunk.first > through {
                break;
            }
            ops.push(Op::RemoveChunk(self.user.clone(), chunk.first));
            ops.extend(rest(chunk, through));
        }
        let record = VisitorRecord {
            acked: marks.acked,
            attempts: 0,
            expired: still.record.expired + lost,
            next: marks.stable + 1,
            ..still.record.clone()
        };
        self.commit(Op::PutVisitor(record), ops).await?;
        let mut state = self.lock();
        state.marks = marks;
        state.attempts = 0;
        state.expired += lost;
        self.meters.delivery.expired.add(lost);
        state.settle(before.acked);
        Ok(lost)
    }

    async fn commit(&self, first: Op, mut with: Vec<Op>) -> Result<(), StoreError> {
        with.push(first);
        self.committer.commit(with).await
    }

    /// The stream as it is on disk now: after a clean-up, or after one was taken back.
    pub(crate) fn begin_again(&self, still: Still, record: &VisitorRecord, chunks: &[Chunk]) {
        let mut state = self.lock();
        state.replace(record, chunks);
        drop(state);
        drop(still);
    }

    /// Closes every socket of the visitor; returns how many there are.
    pub fn close_all(&self, why: Close) -> usize {
        let state = self.lock();
        for (_, order) in &state.sockets {
            let _ = order.try_send(why);
        }
        state.sockets.len()
    }
}

/// What stays of a chunk whose first frames are given up.
fn rest(chunk: Chunk, through: u64) -> Option<Op> {
    let gone = usize::try_from((through + 1).saturating_sub(chunk.first)).unwrap_or(usize::MAX);
    let mut frames = chunk.frames;
    if gone >= frames.len() {
        return None;
    }
    let frames = frames.split_off(gone);
    Some(Op::Append(Append {
        user: chunk.user,
        epoch: chunk.epoch,
        first: through + 1,
        frames,
    }))
}

impl State {
    fn replace(&mut self, record: &VisitorRecord, chunks: &[Chunk]) {
        let fresh = State::load(record, false, chunks);
        // Rights, rooms promised and sockets are not the numbering's.
        *self = State {
            generation: self.generation,
            revoked_at: self.revoked_at,
            reserved: self.reserved,
            rounds: self.rounds,
            still: self.still,
            told: self.told,
            sockets: std::mem::take(&mut self.sockets),
            ..fresh
        };
    }
}
