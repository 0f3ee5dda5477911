//! Removing all that is held of a visitor, and putting it back.
//!
//! A clean-up is one step: sessions, messages, frames and numbering go together or not at all,
//! under `kill -9` too, and nothing of it is visible before it is durable. The visitor's stream is
//! held still meanwhile, running attempts are stopped, and sockets are closed once it is done.
//!
//! What was removed is kept for [`Limits::window`] and may be put back, as long as the visitor has
//! sent nothing since. Putting back is like a restart of the server: the frames have their numbers
//! of before, sessions that had not ended are taken up again, and a new epoch tells every client
//! to start over. Merging with what came since was rejected: one visitor would see two histories.

use std::sync::Arc;
use std::time::Duration;

use crate::business;
use crate::clock::{self, Wall};
use crate::id::UserId;
use crate::intake::Intake;
use crate::machine::session::State;
use crate::outbox::{Outboxes, Stream};
use crate::protocol::close::Close;
use crate::sessions::{Session, Sessions, Stop};
use crate::shutdown::Drain;
use crate::store::purge::{Purge, PurgeRecord, PutBack, Removed};
use crate::store::{Committer, Op, Store, StoreError, VisitorRecord};

/// How long a clean-up waits for a running attempt to let go. It lets go within milliseconds;
/// where it does not, it says nothing more all the same.
const LET_GO: Duration = Duration::from_secs(5);

/// What is kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a clean-up may be taken back; zero: never.
    pub window: Duration,
    /// Bytes kept of one visitor; what is larger is gone for good at once.
    pub each: u64,
    /// Bytes kept of all; beyond, the oldest are gone for good.
    pub all: u64,
}

/// A handle; cloned freely.
#[derive(Clone)]
pub struct Cleanup(Arc<Shared>);

struct Shared {
    store: Store,
    committer: Committer,
    outboxes: Outboxes,
    sessions: Sessions,
    intake: Intake,
    drain: Drain,
    limits: Limits,
}

/// What a clean-up would do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// What would go.
    pub holdings: Removed,
    /// Sockets that would be closed.
    pub sockets: usize,
    /// The epoch of now.
    pub epoch: u64,
    /// Whether it could be taken back.
    pub may_be_undone: bool,
    /// An earlier clean-up that may still be taken back.
    pub undo: Option<PurgeRecord>,
}

/// What a clean-up did.
#[derive(Debug, Clone)]
pub struct Cleaned {
    /// What went.
    pub removed: Removed,
    /// Sockets that were closed.
    pub sockets: usize,
    /// The epoch of before.
    pub epoch_before: u64,
    /// The epoch of now; the same where there was nothing to remove.
    pub epoch: u64,
    /// What may be taken back: this clean-up, or an earlier one where this found nothing.
    pub undo: Option<PurgeRecord>,
}

/// What taking back did.
#[derive(Debug, Clone, Copy)]
pub struct Undone {
    /// What is there again.
    pub restored: Removed,
    /// The epoch of now.
    pub epoch: u64,
    /// Sessions that had not ended and are taken up again.
    pub resumed: usize,
}

/// Why nothing was taken back.
#[derive(Debug, thiserror::Error)]
pub enum NotUndone {
    /// No clean-up, its time is over, or it was too large to keep.
    #[error("there is no clean-up of this visitor that can be taken back{0}")]
    Nothing(&'static str),
    /// The visitor goes on already.
    #[error(
        "the visitor has sent something since the clean-up, or an attempt is still letting go; \
         what was removed cannot be mixed with it"
    )]
    WentOn,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cleanup {
    /// Over these rooms.
    pub fn new(
        store: Store,
        committer: Committer,
        outboxes: Outboxes,
        sessions: Sessions,
        intake: Intake,
        drain: Drain,
        limits: Limits,
    ) -> Self {
        Self(Arc::new(Shared {
            store,
            committer,
            outboxes,
            sessions,
            intake,
            drain,
            limits,
        }))
    }

    /// How long a clean-up may be taken back.
    pub fn window(&self) -> Duration {
        self.0.limits.window
    }

    /// What a clean-up would do now.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn preview(&self, user: &UserId) -> Result<Preview, StoreError> {
        let shared = &*self.0;
        let stream = shared.outboxes.stream(user)?;
        let holdings = shared.store.holdings(user)?;
        Ok(Preview {
            holdings,
            sockets: stream.sockets(),
            epoch: stream.marks().epoch,
            may_be_undone: !shared.limits.window.is_zero() && holdings.bytes <= shared.limits.each,
            undo: self.undo_of(user)?,
        })
    }

    /// The clean-up that may still be taken back.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn undo_of(&self, user: &UserId) -> Result<Option<PurgeRecord>, StoreError> {
        let found = self.0.store.purged(user)?;
        Ok(found.filter(|purge| purge.kept && clock::wall() < purge.until))
    }

    /// Removes everything of the visitor; what `with` gives becomes durable in the same step. Of a visitor
    /// without anything it removes nothing, and only closes the sockets.
    ///
    /// # Errors
    /// [`StoreError`]; the process ends where the store has stopped.
    pub async fn clean(
        &self,
        user: UserId,
        with: impl FnOnce() -> Vec<Op> + Send + 'static,
    ) -> Result<Cleaned, StoreError> {
        let this = self.clone();
        // A task of its own: a caller that goes away must not leave the stream held still.
        let task = async move { this.clean_now(&user, with).await };
        let done = self.0.drain.spawn("clean-up", task).await;
        done.unwrap_or(Err(StoreError::Stopped))
    }

    /// Puts back what the last clean-up removed; what `with` gives becomes durable in the same step.
    ///
    /// # Errors
    /// [`NotUndone`]; nothing has changed then.
    pub async fn undo(
        &self,
        user: UserId,
        with: impl FnOnce() -> Vec<Op> + Send + 'static,
    ) -> Result<Undone, NotUndone> {
        let this = self.clone();
        let task = async move { this.undo_now(&user, with).await };
        let done = self.0.drain.spawn("undo", task).await;
        done.unwrap_or(Err(NotUndone::Store(StoreError::Stopped)))
    }

    /// Gives up every frame up to `through`; what `with` gives becomes durable in the same step.
    /// Clients that have not got them are told so. Returns how many waited.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_up(
        &self,
        user: UserId,
        through: u64,
        with: impl FnOnce() -> Vec<Op> + Send + 'static,
    ) -> Result<u64, StoreError> {
        let stream = self.0.outboxes.stream(&user)?;
        let task = async move {
            let _nothing_comes_in = stream.intake.lock().await;
            stream.give_up(through, with()).await
        };
        let done = self.0.drain.spawn("give up", task).await;
        done.unwrap_or(Err(StoreError::Stopped))
    }

    /// Ends every token, cookie and ticket of a visitor and closes the sockets; what `with` gives
    /// becomes durable in the same step. When, and how many sockets.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke(
        &self,
        user: UserId,
        with: impl FnOnce() -> Vec<Op> + Send + 'static,
    ) -> Result<(Wall, usize), StoreError> {
        let stream = self.0.outboxes.stream(&user)?;
        let task = async move {
            let _nothing_comes_in = stream.intake.lock().await;
            let now = clock::wall();
            stream.revoke(now, with()).await?;
            Ok((now, stream.close_all(Close::CredentialEnded)))
        };
        let done = self.0.drain.spawn("revoke", task).await;
        done.unwrap_or(Err(StoreError::Stopped))
    }

    /// Gives up for good what may no longer be taken back at `now`; returns how many clean-ups.
    ///
    /// # Errors
    /// Where the store cannot be read, or has stopped.
    pub async fn forget(&self, now: Wall) -> Result<usize, StoreError> {
        let over = self.0.store.all_purged()?.into_iter();
        let over = over.filter(|purge| purge.until <= now);
        let ops: Vec<Op> = over.map(|purge| Op::ForgetPurged(purge.user)).collect();
        let count = ops.len();
        if count > 0 {
            self.0.committer.commit(ops).await?;
        }
        Ok(count)
    }

    async fn clean_now(
        &self,
        user: &UserId,
        with: impl FnOnce() -> Vec<Op>,
    ) -> Result<Cleaned, StoreError> {
        let shared = &*self.0;
        let stream = shared.outboxes.stream(user)?;
        let _nothing_comes_in = stream.intake.lock().await;
        let live = shared.sessions.of(user);
        let before = stream.marks();
        let holdings = shared.store.holdings(user)?;
        if holdings.is_nothing() && live.is_empty() && before.next == 1 {
            return Ok(Cleaned {
                removed: Removed::default(),
                sockets: stream.close_all(Close::ByAdministrator),
                epoch_before: before.epoch,
                epoch: before.epoch,
                undo: self.undo_of(user)?,
            });
        }
        let now = clock::wall();
        let mut ops = with();
        ops.extend(self.make_room(user, holdings.bytes)?);
        let still = stream.hold_still(|| live.iter().for_each(|session| session.discard(now)));
        let after = VisitorRecord {
            epoch: now.0.max(before.epoch + 1),
            acked: 0,
            next: 1,
            attempts: 0,
            touched: now,
            ..still.record.clone()
        };
        ops.push(Op::Purge(Box::new(Purge {
            before: still.record.clone(),
            after: after.clone(),
            at: now,
            until: now.plus(shared.limits.window),
            kept_max: shared.limits.each,
        })));
        ops.push(Op::Count("cleanup.visitors".to_owned(), 1));
        for session in &live {
            let took = now.since(session.record().created);
            ops.extend(business::ended(
                &session.record(),
                State::Cancelled.as_str(),
                took,
            ));
        }
        shared.committer.commit(ops).await?;
        stream.begin_again(still, &after, &[]);
        let sockets = stream.close_all(Close::ByAdministrator);
        self.let_go(&live).await;
        let done = shared.store.purged(user)?;
        Ok(Cleaned {
            removed: done.as_ref().map_or(holdings, |purge| purge.removed),
            sockets,
            epoch_before: before.epoch,
            epoch: after.epoch,
            undo: self.undo_of(user)?,
        })
    }

    /// Stops the attempts of sessions that are discarded, and waits until they are gone.
    async fn let_go(&self, live: &[Arc<Session>]) {
        let shared = &*self.0;
        for session in live {
            let id = session.record().id;
            if shared.intake.take_out(id) {
                shared.sessions.leave(id);
            } else {
                session.stop(Stop::ByAdministrator);
            }
        }
        let ids: Vec<_> = live.iter().map(|session| session.record().id).collect();
        let gone = shared.sessions.gone(&ids);
        if tokio::time::timeout(LET_GO, gone).await.is_err() {
            tracing::warn!(
                sessions = ids.len(),
                "an attempt of a visitor that was cleaned up goes on; what it says is dropped"
            );
        }
    }

    /// What must be given up so that `bytes` more may be kept: the oldest first.
    fn make_room(&self, user: &UserId, bytes: u64) -> Result<Vec<Op>, StoreError> {
        let mut kept = self.0.store.all_purged()?;
        // An earlier one of the same visitor goes in any case.
        kept.retain(|purge| purge.kept && purge.user != *user);
        kept.sort_by_key(|purge| std::cmp::Reverse(purge.at));
        let mut total: u64 = bytes + kept.iter().map(|purge| purge.removed.bytes).sum::<u64>();
        let mut ops = Vec::new();
        while total > self.0.limits.all
            && let Some(oldest) = kept.pop()
        {
            total -= oldest.removed.bytes;
            ops.push(Op::ForgetPurged(oldest.user));
        }
        Ok(ops)
    }

    async fn undo_now(
        &self,
        user: &UserId,
        with: impl FnOnce() -> Vec<Op>,
    ) -> Result<Undone, NotUndone> {
        let shared = &*self.0;
        let stream = shared.outboxes.stream(user)?;
        let _nothing_comes_in = stream.intake.lock().await;
        let purge = match shared.store.purged(user)? {
            Some(purge) if clock::wall() >= purge.until => {
                return Err(NotUndone::Nothing(": its time is over"));
            }
            Some(purge) if !purge.kept => {
                return Err(NotUndone::Nothing(": it was too large to be kept"));
            }
            Some(purge) => purge,
            None => return Err(NotUndone::Nothing("")),
        };
        if !self.is_as_cleaned(user, &stream)? {
            return Err(NotUndone::WentOn);
        }
        let still = stream.hold_still(|| ());
        let visitor = VisitorRecord {
            epoch: clock::wall().0.max(still.record.epoch + 1),
            // Rights and counts are those of now.
            generation: still.record.generation,
            revoked_at: still.record.revoked_at,
            touched: clock::wall(),
            ..purge.before
        };
        let mut ops = with();
        ops.push(Op::PutBack(Box::new(PutBack {
            visitor: visitor.clone(),
        })));
        ops.push(Op::Count("cleanup.undone".to_owned(), 1));
        shared.committer.commit(ops).await?;
        // They come back at once, and are told to start over.
        stream.close_all(Close::Restart);
        stream.begin_again(still, &visitor, &shared.store.chunks(user)?);
        let unfinished: Vec<_> = shared
            .store
            .sessions_of(user, usize::MAX)?
            .into_iter()
            .filter(|session| !session.state.ended())
            .collect();
        Ok(Undone {
            restored: purge.removed,
            epoch: visitor.epoch,
            resumed: shared.intake.resume(unfinished)?,
        })
    }

    /// Whether nothing has come in since the clean-up.
    fn is_as_cleaned(&self, user: &UserId, stream: &Stream) -> Result<bool, StoreError> {
        Ok(stream.marks().next == 1
            && self.0.sessions.of(user).is_empty()
            && self.0.store.holdings(user)?.is_nothing())
    }
}

#[cfg(test)]
mod tests;
