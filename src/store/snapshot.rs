//! Reading the whole store as it stood after one commit, while commits go on.

use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::audit::Totals;
use super::cut::{Cut, Entries};
use super::{Committer, Store, StoreError};

/// Entries read in one step.
const STEP: usize = 512;
/// Bytes read in one step (about). A group of commits waits for at most one step.
const STEP_BYTES: usize = 512 * 1024;

/// Where the committer finds the cut that is being read; at most one at a time.
pub(super) type Slot = Arc<Mutex<Option<Cut>>>;

/// Why a snapshot is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Another one is being read.
    #[error("another backup is being made; wait until it is done")]
    Busy,
    /// More than is kept for it was overwritten before it was read.
    #[error(
        "the store changed faster than it could be copied; write to a faster disk, or when there is less to do"
    )]
    Overtaken,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store at one moment. Dropping it ends the reading.
pub struct Snapshot {
    store: Store,
    totals: Totals,
    ended: bool,
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        *lock(&self.store.cut) = None;
    }
}

fn lock(slot: &Slot) -> std::sync::MutexGuard<'_, Option<Cut>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Snapshot {
    /// Begins after the next commit, an empty one where nobody else has anything to write.
    ///
    /// # Errors
    /// [`SnapshotError::Busy`], or where the store has stopped.
    pub async fn begin(store: &Store, committer: &Committer) -> Result<Self, SnapshotError> {
        let (tell, told) = oneshot::channel();
        let store = store.clone();
        let permit = committer.reserve().await?;
        // Runs on the committer's thread, between two groups. Where nobody waits any more, the
        // snapshot comes back from the channel and is dropped.
        let begin = move |durable: Result<(), StoreError>| {
            let snapshot = durable
                .map_err(Into::into)
                .and_then(|()| Self::start(store));
            drop(tell.send(snapshot));
        };
        permit.send(Vec::new(), Box::new(begin));
        told.await.unwrap_or(Err(StoreError::Stopped.into()))
    }

    fn start(store: Store) -> Result<Self, SnapshotError> {
        let totals = store.read(&Totals::key())?.ok_or(StoreError::Stopped)?;
        let mut slot = lock(&store.cut);
        if slot.is_some() {
            return Err(SnapshotError::Busy);
        }
        *slot = Some(Cut::default());
        drop(slot);
        Ok(Self {
            store,
            totals,
            ended: false,
        })
    }

    /// The account of what is read.
    pub(super) fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The next entries in the order of their keys; none at the end.
    ///
    /// # Errors
    /// [`SnapshotError::Overtaken`], or where sled fails.
    pub(super) fn next(&mut self) -> Result<Option<Entries>, SnapshotError> {
        if self.ended {
            return Ok(None);
        }
        let mut slot = lock(&self.store.cut);
        let cut = slot.get_or_insert_default();
        if cut.given_up() {
            return Err(SnapshotError::Overtaken);
        }
        let (mut now, mut bytes, mut last) = (Entries::new(), 0, true);
        let range = (cut.from(), Bound::Unbounded);
        for entry in self.store.db.range::<Vec<u8>, _>(range) {
            let (key, value) = entry.map_err(StoreError::from)?;
            bytes += key.len() + value.len();
            now.push((key.to_vec(), value.to_vec()));
            if now.len() >= STEP || bytes >= STEP_BYTES {
                last = false;
                break;
            }
        }
        let mut entries = cut.step(now, last);
        drop(slot);
        self.ended = last;
        let account = Totals::key();
        entries.retain(|(key, _)| *key != account);
        Ok(Some(entries))
    }
}

/// Puts aside what `cut` still needs of the keys that are about to be written.
pub(super) fn before_writing<'a>(
    cut: &mut Cut,
    db: &sled::Db,
    keys: impl Iterator<Item = &'a Vec<u8>>,
) -> Result<(), StoreError> {
    for key in keys {
        if cut.needs(key) {
            cut.put_aside(key, db.get(key)?.map(|old| old.to_vec()));
        }
    }
    Ok(())
}
