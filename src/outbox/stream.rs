//! One visitor's stream.

mod retire;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

use super::{ANSWER_BYTES, ANSWER_FRAMES, Limits};
use crate::clock::Wall;
use crate::id::{ConnectionId, UserId};
use crate::machine::outbox::{AckRefused, Marks};
use crate::protocol::close::Close;
use crate::protocol::frame;
use crate::store::commit::Permit;
pub use retire::Idle;

use crate::store::{Append, Chunk, Committer, Frame, Op, Store, StoreError, VisitorRecord};

/// Frames kept in memory behind the newest, so that live sockets do not read the store.
const TAIL_FRAMES: usize = 128;
/// Bytes kept likewise; a session's memory is mostly this.
const TAIL_BYTES: usize = 48 * 1024;
/// Payload bytes handed to a socket at once.
const BATCH_BYTES: usize = 256 * 1024;

/// See the [module](super).
pub struct Stream {
    user: UserId,
    store: Store,
    committer: Committer,
    pub(super) limits: Limits,
    state: Mutex<State>,
    /// Ticks whenever frames became stable, an acknowledgement came, or the epoch changed.
    pub(super) changed: watch::Sender<u64>,
    /// Held while a message of the visitor is taken in, so that two sockets cannot both be first.
    pub(crate) intake: tokio::sync::Mutex<()>,
}

pub(super) struct State {
    pub(super) marks: Marks,
    generation: u64,
    revoked_at: Wall,
    attempts: u32,
    expired: u64,
    /// No record of the visitor is on disk or on its way.
    unwritten: bool,
    touched: Wall,
    /// Composed texts of the newest frames; the last one is `next - 1`.
    tail: VecDeque<Bytes>,
    tail_bytes: usize,
    /// Payload sizes of the frames that are not acknowledged: `acked + 1 ..= next - 1`.
    sizes: VecDeque<u32>,
    pending_bytes: u64,
    reserved: u64,
    pub(super) sockets: Vec<(ConnectionId, mpsc::Sender<Close>)>,
    /// Those of `sockets` that follow from another device.
    pub(super) followers: Vec<ConnectionId>,
}

/// Frames for a socket.
#[derive(Debug, Default)]
pub struct Batch {
    /// Composed texts in order.
    pub texts: Vec<Bytes>,
    /// The sequence of the last one.
    pub last: u64,
}

/// Room promised to a session; given back when dropped.
pub struct Reservation(Arc<Stream>);

impl Drop for Reservation {
    fn drop(&mut self) {
        self.0.even_if_broken().reserved -= 1;
    }
}

impl Stream {
    pub(super) fn load(
        store: Store,
        committer: Committer,
        limits: Limits,
        record: VisitorRecord,
        unwritten: bool,
        chunks: &[Chunk],
    ) -> Self {
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
        let state = State {
            marks: Marks::recovered(
                record.epoch,
                oldest.min(record.acked + 1),
                record.acked,
                next,
            ),
            generation: record.generation,
            revoked_at: record.revoked_at,
            attempts: record.attempts,
            expired: record.expired,
            unwritten,
            touched: record.touched,
            tail: VecDeque::new(),
            tail_bytes: 0,
            pending_bytes: sizes.iter().map(|n| u64::from(*n)).sum(),
            sizes,
            reserved: 0,
            sockets: Vec::new(),
            followers: Vec::new(),
        };
        Self {
            user: record.user,
            store,
            committer,
            limits,
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
            intake: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Where this ends the committer's thread, the process ends.
        self.state.lock().expect(
            "a panic inside the lock is a broken invariant of ours: going on could reuse a number",
        )
    }

    /// For giving back: a panic while unwinding would abort.
    pub(super) fn even_if_broken(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// Whose.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// A copy of the watermarks.
    pub fn marks(&self) -> Marks {
        self.lock().marks
    }

    /// Tokens of an earlier generation are revoked.
    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// When the tokens were last revoked; zero for never.
    pub fn revoked_at(&self) -> Wall {
        self.lock().revoked_at
    }

    /// Sockets attached now.
    pub fn sockets(&self) -> usize {
        self.lock().sockets.len()
    }

    /// Promises room for one answer; none where the visitor has too much pending.
    pub fn reserve(self: &Arc<Self>) -> Option<Reservation> {
        let mut state = self.lock();
        let reserved = state.reserved + 1;
        if state.marks.pending() + reserved * ANSWER_FRAMES > self.limits.max_pending
            || state.pending_bytes + reserved * ANSWER_BYTES > self.limits.max_pending_bytes
        {
            return None;
        }
        state.reserved = reserved;
        Some(Reservation(Arc::clone(self)))
    }

    /// The same for a session that was accepted before a restart: what was accepted is kept.
    pub fn reserve_again(self: &Arc<Self>) -> Reservation {
        self.lock().reserved += 1;
        Reservation(Arc::clone(self))
    }

    /// The visitor's record as it has to be written, where none is on disk yet.
    pub fn first_record(&self, now: Wall) -> Option<Op> {
        let mut state = self.lock();
        state.touched = now;
        state.unwritten.then(|| {
            state.unwritten = false;
            Op::PutVisitor(self.record(&state))
        })
    }

    fn record(&self, state: &State) -> VisitorRecord {
        VisitorRecord {
            user: self.user.clone(),
            epoch: state.marks.epoch,
            acked: state.marks.acked,
            // Only what is on disk: after a cut the record must not promise frames of a later group.
            next: state.marks.stable + 1,
            generation: state.generation,
            revoked_at: state.revoked_at,
            attempts: state.attempts,
            expired: state.expired,
            touched: state.touched,
        }
    }

    /// Appends the frames that `make` gives and applies its changes in the same step; the last
    /// sequence once all is durable. Nothing happens where it gives none.
    ///
    /// `make` is told the first sequence and runs under the stream's lock: nothing comes between
    /// what it decides and the queue, and a caller that is dropped leaves all of it done or nothing.
    ///
    /// # Errors
    /// [`StoreError::Stopped`]; the numbers are spent then, and the process ends.
    pub async fn append(
        self: &Arc<Self>,
        make: impl FnOnce(u64) -> Option<(Vec<Frame>, Vec<Op>)>,
    ) -> Result<Option<u64>, StoreError> {
        let permit = self.committer.reserve().await?;
        let (tell, told) = oneshot::channel();
        let stream = Arc::clone(self);
        let last = {
            let mut state = self.lock();
            let Some((frames, with)) = make(state.marks.next) else {
                return Ok(None);
            };
            let first = state.marks.assign(frames.len() as u64);
            let last = first + frames.len() as u64 - 1;
            for (sequence, frame) in (first..).zip(&frames) {
                state.push(sequence, frame);
            }
            let epoch = state.marks.epoch;
            let mut ops = vec![Op::Append(Append {
                user: self.user.clone(),
                epoch,
                first,
                frames,
            })];
            ops.extend(with);
            // Queued under the lock: the order of the numbers is the order of the commits.
            permit.send(
                ops,
                Box::new(move |result| {
                    if result.is_ok() {
                        stream.on_stable(epoch, last);
                    }
                    drop(tell.send(result));
                }),
            );
            last
        };
        told.await.unwrap_or(Err(StoreError::Stopped))?;
        Ok(Some(last))
    }

    /// Queues the visitor's record, and keeps the stream in memory until it is on disk: one that
    /// is loaded again before would be behind itself.
    fn queue_record(self: &Arc<Self>, permit: Permit<'_>, state: &State, mut ops: Vec<Op>) {
        ops.push(Op::PutVisitor(self.record(state)));
        let stream = Arc::clone(self);
        permit.send(ops, Box::new(move |_| drop(stream)));
    }

    fn on_stable(&self, epoch: u64, last: u64) {
        let mut state = self.lock();
        if state.marks.epoch == epoch {
            state.marks.on_stable(last);
            drop(state);
            self.tick();
        }
    }

    /// The frames of `range`, as many as go into one write; what is sent counts as sent.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn take(&self, range: std::ops::RangeInclusive<u64>) -> Result<Batch, StoreError> {
        let (first, upto) = (*range.start(), *range.end());
        if range.is_empty() {
            return Ok(Batch::default());
        }
        let (read_tail, epoch) = {
            let mut state = self.lock();
            let batch = state.read_tail(first, upto);
            if let Some(batch) = &batch {
                state.marks.on_sent(batch.last);
            }
            (batch, state.marks.epoch)
        };
        if let Some(batch) = read_tail {
            return Ok(batch);
        }
        let count = usize::try_from(upto - first + 1).unwrap_or(usize::MAX);
        let frames = self.store.frames(&self.user, first, count, BATCH_BYTES)?;
        let mut batch = Batch::default();
        for (sequence, frame) in frames {
            batch.last = sequence;
            batch.texts.push(compose(epoch, sequence, &frame));
        }
        let mut state = self.lock();
        if state.marks.epoch != epoch {
            return Ok(Batch::default());
        }
        state.marks.on_sent(batch.last);
        Ok(batch)
    }

    /// The visitor has applied everything up to `sequence`; durable soon, not waited for.
    ///
    /// # Errors
    /// `Ok(Err(..))` where it was never sent; `Err` where the store has stopped.
    pub async fn ack(
        self: &Arc<Self>,
        sequence: u64,
        epoch: Option<&str>,
    ) -> Result<Result<(), AckRefused>, StoreError> {
        let permit = self.committer.reserve().await?;
        let mut state = self.lock();
        if epoch.is_some_and(|epoch| epoch != state.marks.epoch.to_string()) {
            return Ok(Ok(()));
        }
        let before = state.marks.acked;
        match state.marks.on_ack(sequence) {
            Err(refused) => return Ok(Err(refused)),
            Ok(false) => return Ok(Ok(())),
            Ok(true) => {}
        }
        state.attempts = 0;
        state.settle(before);
        self.queue_record(permit, &state, Vec::new());
        drop(state);
        self.tick();
        Ok(Ok(()))
    }

    /// A frame is sent again for the `attempt`-th time; kept, so that a restart knows it.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub async fn on_resend(self: &Arc<Self>, attempt: u32) -> Result<(), StoreError> {
        let permit = self.committer.reserve().await?;
        let mut state = self.lock();
        state.attempts = state.attempts.max(attempt);
        self.queue_record(permit, &state, Vec::new());
        Ok(())
    }

    /// Gives up pending frames older than `pending_horizon` and forgets chunks whose frames are
    /// all acknowledged and belong to no session that `holds` keeps. Returns expired frames and
    /// forgotten chunks.
    ///
    /// # Errors
    /// Where the store cannot be read, or has stopped.
    pub async fn cleanup(
        self: &Arc<Self>,
        pending_horizon: Wall,
        holds: impl Fn(&Frame) -> bool,
    ) -> Result<(u64, usize), StoreError> {
        let chunks = self.store.chunks(&self.user)?;
        // Asked before the lock, because it reads the store: a session that is gone stays gone.
        let held: Vec<bool> = chunks.iter().map(|c| c.frames.iter().any(&holds)).collect();
        let permit = self.committer.reserve().await?;
        let mut state = self.lock();
        let before = state.marks.acked;
        let overdue = chunks
            .iter()
            .take_while(|c| c.frames.iter().all(|f| f.at < pending_horizon))
            .last();
        let expired = overdue.map_or(0, |chunk| state.marks.on_expired(chunk.last()));
        let retained: u64 = chunks.iter().map(size).sum();
        let mut excess = retained.saturating_sub(self.limits.max_pending_bytes);
        let mut ops = Vec::new();
        let acked = state.marks.acked;
        for (chunk, held) in chunks.iter().zip(held) {
            if chunk.last() > acked || (held && excess == 0) {
                break;
            }
            excess = excess.saturating_sub(size(chunk));
            state.marks.on_forgotten(chunk.last());
            ops.push(Op::RemoveChunk(self.user.clone(), chunk.first));
        }
        let forgotten = ops.len();
        if expired > 0 || forgotten > 0 {
            state.expired += expired;
            state.settle(before);
            self.queue_record(permit, &state, ops);
        }
        drop(state);
        if expired > 0 {
            self.tick();
        }
        Ok((expired, forgotten))
    }
}

fn size(chunk: &Chunk) -> u64 {
    chunk.frames.iter().map(|f| f.payload.len() as u64).sum()
}

fn compose(epoch: u64, sequence: u64, frame: &Frame) -> Bytes {
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

impl State {
    fn push(&mut self, sequence: u64, frame: &Frame) {
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

    /// The acknowledged mark moved from `before`.
    fn settle(&mut self, before: u64) {
        for _ in before..self.marks.acked {
            self.pending_bytes -= u64::from(self.sizes.pop_front().unwrap_or(0));
        }
        if self.marks.pending() == 0 {
            // Nobody waits for them; a page that begins again has them from the store.
            self.tail = VecDeque::new();
            self.tail_bytes = 0;
        }
    }

    fn read_tail(&self, first: u64, upto: u64) -> Option<Batch> {
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
