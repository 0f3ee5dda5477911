//! One visitor's stream.

mod retire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{oneshot, watch};

use super::locked::Locked;
use super::state::{BATCH_BYTES, State, compose};
use super::{ANSWER_BYTES, ANSWER_FRAMES, Limits};
use crate::clock::Wall;
use crate::id::UserId;
use crate::machine::outbox::{AckRefused, Marks};
use crate::meter::Meters;
use crate::store::commit::Permit;
pub use retire::Idle;

use crate::store::{Append, Chunk, Committer, Frame, Op, Store, StoreError, VisitorRecord};

/// See the [module](super).
pub struct Stream {
    pub(super) user: UserId,
    pub(super) store: Store,
    pub(super) committer: Committer,
    pub(super) meters: Meters,
    pub(super) limits: Limits,
    state: Mutex<State>,
    /// Ticks whenever frames became stable, an acknowledgement came, or the epoch changed.
    pub(super) changed: watch::Sender<u64>,
    /// Held while a message of the visitor is taken in, so that two sockets cannot both be first,
    /// and while the stream is cleaned or changed by an administrator.
    pub(crate) intake: tokio::sync::Mutex<()>,
}

/// What became of frames that were to be appended.
enum Queued {
    /// An administrator holds the stream still.
    Held,
    /// There are none.
    Nothing,
    /// Queued up to this sequence.
    Until(u64, oneshot::Receiver<Result<(), StoreError>>),
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
        meters: Meters,
        limits: Limits,
        record: VisitorRecord,
        unwritten: bool,
        chunks: &[Chunk],
    ) -> Self {
        let state = State::load(&record, unwritten, chunks);
        Self {
            user: record.user,
            store,
            committer,
            meters,
            limits,
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
            intake: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn lock(&self) -> Locked<'_> {
        // Where this ends the committer's thread, the process ends.
        let state = self.state.lock().expect(
            "a panic inside the lock is a broken invariant of ours: going on could reuse a number",
        );
        Locked::new(state, &self.meters)
    }

    /// For giving back: a panic while unwinding would abort.
    pub(super) fn even_if_broken(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tick(&self) {
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

    pub(super) fn record(&self, state: &State) -> VisitorRecord {
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
        let mut changed = self.changed.subscribe();
        let mut make = Some(make);
        let (last, told) = loop {
            changed.borrow_and_update();
            let permit = self.committer.reserve().await?;
            match self.queue_frames(permit, &mut make) {
                Queued::Held => {}
                Queued::Nothing => return Ok(None),
                Queued::Until(last, told) => break (last, told),
            }
            // The sender lives in self.
            let _ = changed.changed().await;
        };
        told.await.unwrap_or(Err(StoreError::Stopped))?;
        Ok(Some(last))
    }

    fn queue_frames(
        self: &Arc<Self>,
        permit: Permit<'_>,
        make: &mut Option<impl FnOnce(u64) -> Option<(Vec<Frame>, Vec<Op>)>>,
    ) -> Queued {
        let mut state = self.lock();
        if state.still {
            return Queued::Held;
        }
        let made = make.take().and_then(|make| make(state.marks.next));
        let Some((frames, with)) = made else {
            return Queued::Nothing;
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
        let (tell, told) = oneshot::channel();
        let stream = Arc::clone(self);
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
        Queued::Until(last, told)
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
            let before = state.marks.stable;
            state.marks.on_stable(last);
            let fresh = state.marks.stable - before;
            drop(state);
            self.meters.delivery.appended.add(fresh);
            self.tick();
        }
    }

    /// The frames of `range` in `epoch`, as many as go into one write; what is sent counts as sent.
    /// None where the stream was changed meanwhile: look at its marks again.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn take(
        &self,
        epoch: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<Batch>, StoreError> {
        let (first, upto) = (*range.start(), *range.end());
        if range.is_empty() {
            return Ok(Some(Batch::default()));
        }
        {
            let mut state = self.lock();
            if !state.holds(epoch, first) {
                return Ok(None);
            }
            if let Some(batch) = state.read_tail(first, upto) {
                self.on_sent(&mut state, &batch);
                return Ok(Some(batch));
            }
        }
        let count = usize::try_from(upto - first + 1).unwrap_or(usize::MAX);
        let frames = self.store.frames(&self.user, first, count, BATCH_BYTES)?;
        let mut batch = Batch::default();
        for (sequence, frame) in frames {
            batch.last = sequence;
            batch.texts.push(compose(epoch, sequence, &frame));
        }
        let mut state = self.lock();
        if !state.holds(epoch, first) {
            return Ok(None);
        }
        self.on_sent(&mut state, &batch);
        Ok(Some(batch))
    }

    fn on_sent(&self, state: &mut State, batch: &Batch) {
        let count = batch.texts.len() as u64;
        let fresh = batch.last.saturating_sub(state.marks.sent).min(count);
        self.meters.delivery.sent.add(count);
        self.meters.delivery.redelivered.add(count - fresh);
        state.marks.on_sent(batch.last);
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
        // A client says again what it has applied with its next acknowledgement.
        if state.still || epoch.is_some_and(|epoch| epoch != state.marks.epoch.to_string()) {
            return Ok(Ok(()));
        }
        let before = state.marks.acked;
        match state.marks.on_ack(sequence) {
            Err(refused) => return Ok(Err(refused)),
            Ok(false) => return Ok(Ok(())),
            Ok(true) => {}
        }
        let fresh = state.marks.acked - before;
        self.meters.delivery.acknowledged.add(fresh);
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
        if state.still {
            return Ok(());
        }
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
        // What is read now must still be the stream when it is changed.
        let _nobody_else = self.intake.lock().await;
        let chunks = self.store.chunks(&self.user)?;
        // Asked before the lock, because it reads the store: a session that is gone stays gone.
        let held: Vec<bool> = chunks.iter().map(|c| c.frames.iter().any(&holds)).collect();
        let permit = self.committer.reserve().await?;
        let mut state = self.lock();
        let waiting = chunks.iter().find(|c| c.last() > state.marks.acked);
        if let Some(chunk) = waiting {
            let offset = (state.marks.acked + 1).saturating_sub(chunk.first) as usize;
            let made = chunk.frames[offset].at;
            self.meters.delivery.oldest_pending.saw(made.0);
        }
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
        self.meters.delivery.expired.add(expired);
        if expired > 0 {
            self.tick();
        }
        Ok((expired, forgotten))
    }
}

fn size(chunk: &Chunk) -> u64 {
    chunk.frames.iter().map(|f| f.payload.len() as u64).sum()
}
