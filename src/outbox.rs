//! A visitor's stream: assign a sequence → commit → send within the window → acknowledge.
//!
//! [`Outboxes`] finds a visitor's [`Stream`], loading it from the store when it is
//! asked for and letting go of it when nobody needs it. The numbers are kept by
//! [`Marks`](crate::machine::outbox::Marks); frames come from a short tail in memory or from the store.

mod attachment;
mod care;
mod locked;
mod state;
mod stream;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use attachment::Attachment;
pub use care::{Pending, Still};
pub use stream::{Batch, Idle, Reservation, Stream};

use crate::clock::{self, Wall};
use crate::id::UserId;
use crate::meter::Meters;
use crate::store::{Committer, Frame, Recovered, Store, StoreError, VisitorRecord};

/// The limits of a stream.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Frames pending a visitor, those promised to running sessions included.
    pub max_pending: u64,
    /// Bytes pending a visitor, likewise.
    pub max_pending_bytes: u64,
    /// Live sockets a visitor.
    pub sockets: usize,
}

/// Frames that an answer may have; reserved before its message is accepted.
pub const ANSWER_FRAMES: u64 = 64;
/// Payload bytes that an answer may have; reserved likewise.
pub const ANSWER_BYTES: u64 = 512 * 1024;

/// All streams.
#[derive(Clone)]
pub struct Outboxes(Arc<Shared>);

struct Shared {
    store: Store,
    committer: Committer,
    limits: Limits,
    epoch: u64,
    meters: Meters,
    /// The highest epoch of a visitor who was forgotten: a new one begins beyond it.
    forgotten: AtomicU64,
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    streams: HashMap<UserId, Arc<Stream>>,
    /// How often streams were let go of.
    releases: u64,
}

impl Outboxes {
    /// No visitor's epoch is older than the store's, nor a new one's than that of any who was forgotten.
    pub fn new(
        store: Store,
        committer: Committer,
        limits: Limits,
        recovered: &Recovered,
        meters: Meters,
    ) -> Self {
        let delivery = &meters.delivery;
        delivery.pending.set(recovered.pending);
        delivery.pending_bytes.set(recovered.pending_bytes);
        delivery.visitors.set(recovered.visitors);
        Self(Arc::new(Shared {
            store,
            committer,
            limits,
            meters,
            epoch: recovered.epoch,
            forgotten: AtomicU64::new(recovered.forgotten),
            live: Mutex::default(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Live> {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The visitor's stream. There is one at a time: two would give the same numbers.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn stream(&self, user: &UserId) -> Result<Arc<Stream>, StoreError> {
        loop {
            let releases = {
                let live = self.lock();
                if let Some(stream) = live.streams.get(user) {
                    return Ok(Arc::clone(stream));
                }
                live.releases
            };
            // Read outside the lock: a large backlog must not hold up everybody.
            let fresh = self.load(user)?;
            if let Some(stream) = self.enter(user, fresh, releases) {
                return Ok(stream);
            }
        }
    }

    /// The stream that counts from now on; none where what was read may be out of date.
    fn enter(&self, user: &UserId, fresh: Stream, releases: u64) -> Option<Arc<Stream>> {
        let mut live = self.lock();
        if let Some(stream) = live.streams.get(user) {
            return Some(Arc::clone(stream));
        }
        // What was let go of meanwhile may have been this visitor's, written further than what
        // was read here.
        (live.releases == releases).then(|| {
            let fresh = Arc::new(fresh);
            live.streams.insert(user.clone(), Arc::clone(&fresh));
            fresh
        })
    }

    fn load(&self, user: &UserId) -> Result<Stream, StoreError> {
        let shared = &*self.0;
        let record = shared.store.visitor(user)?;
        let is_new = record.is_none();
        let new = || VisitorRecord::new(user.clone(), self.new_epoch(), clock::wall());
        let mut record = record.unwrap_or_else(new);
        record.epoch = record.epoch.max(shared.epoch);
        let chunks = if is_new {
            Vec::new()
        } else {
            shared.store.chunks(user)?
        };
        Ok(Stream::load(
            shared.store.clone(),
            shared.committer.clone(),
            shared.meters.clone(),
            shared.limits,
            record,
            is_new,
            &chunks,
        ))
    }

    /// What is pending of a visitor, without keeping the stream in memory.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn look(&self, user: &UserId) -> Result<Pending, StoreError> {
        match self.live(user) {
            Some(stream) => Ok(stream.pending()),
            None => Ok(self.load(user)?.pending()),
        }
    }

    /// Frames of a visitor from `first` on that are on disk: at most `max`, and about `max_bytes`.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn frames(
        &self,
        user: &UserId,
        first: u64,
        max: usize,
        max_bytes: usize,
    ) -> Result<Vec<(u64, Frame)>, StoreError> {
        self.0.store.frames(user, first, max, max_bytes)
    }

    /// Beyond every epoch in which somebody who was forgotten may have had numbers: with a name
    /// that comes back, none of them is given twice.
    fn new_epoch(&self) -> u64 {
        let forgotten = self.0.forgotten.load(Ordering::Relaxed);
        self.0.epoch.max(forgotten + 1)
    }

    /// Forgets a visitor who holds nothing and has not been seen for long. False where that is
    /// not so.
    ///
    /// # Errors
    /// Where the store cannot be read, or has stopped.
    pub async fn forget(&self, stream: &Arc<Stream>, idle: Idle) -> Result<bool, StoreError> {
        let next_epoch = |epoch| {
            self.0.forgotten.fetch_max(epoch, Ordering::Relaxed);
            self.new_epoch()
        };
        stream.retire(idle, next_epoch).await
    }

    fn live(&self, user: &UserId) -> Option<Arc<Stream>> {
        self.lock().streams.get(user).cloned()
    }

    /// Every stream in memory.
    pub fn all(&self) -> Vec<Arc<Stream>> {
        self.lock().streams.values().cloned().collect()
    }

    /// Lets go of streams that nobody holds; what is on its way to the disk holds its stream.
    /// Returns how many stay.
    pub fn release_idle(&self) -> usize {
        let mut live = self.lock();
        let before = live.streams.len();
        // Ours is the only handle, and new ones are only given out under this lock.
        live.streams
            .retain(|_, stream| Arc::strong_count(stream) > 1);
        live.releases += u64::from(live.streams.len() < before);
        live.streams.len()
    }

    /// Up to `max` visitors after `after` in the store's order, for the cleanup.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn visitors_after(
        &self,
        after: Option<&UserId>,
        max: usize,
    ) -> Result<Vec<VisitorRecord>, StoreError> {
        self.0.store.visitors_after(after, max)
    }

    /// The token generation of a visitor: older tokens are revoked.
    pub fn generation(&self, user: &UserId) -> u64 {
        match self.live(user) {
            Some(stream) => stream.generation(),
            None => self
                .0
                .store
                .visitor(user)
                .ok()
                .flatten()
                .map_or(0, |v| v.generation),
        }
    }

    /// When the visitor's tokens were last revoked.
    pub fn revoked_at(&self, user: &UserId) -> Option<Wall> {
        let revoked = match self.live(user) {
            Some(stream) => stream.revoked_at(),
            None => self
                .0
                .store
                .visitor(user)
                .ok()
                .flatten()
                .map_or(Wall(0), |v| v.revoked_at),
        };
        (revoked > Wall(0)).then_some(revoked)
    }

    /// Visitors whose stream is in memory.
    pub fn live_visitors(&self) -> usize {
        self.lock().streams.len()
    }

    /// Sockets that are attached now.
    pub fn sockets(&self) -> usize {
        self.all().iter().map(|s| s.sockets()).sum()
    }

    /// The first moment whose pending frames have not expired.
    pub fn horizon(now: Wall, ttl: clock::Duration) -> Wall {
        Wall(
            now.0
                .saturating_sub(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)),
        )
    }
}

#[cfg(test)]
mod tests;
