//! One pass over everything that is stored: is it there, readable, and what was promised?
//!
//! sled opens a file with its last bytes cut off without a word, and loses or
//! panics over flipped bits. So three things are checked that sled does not know of:
//! the commit counter against the [watermark](super::watermark), a sum over all
//! entries, and the numbering of each visitor's frames.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::commit::FORGOTTEN;
use super::fault::{self, Fault};
use super::record::{self, Chunk, SessionRecord, VisitorRecord};
use super::watermark::Mark;
use super::{StoreError, key};
use crate::clock::Wall;
use crate::id::UserId;

/// How far a new epoch goes beyond every known one. The part that is lost may have given epochs too,
/// each one above the one before while the clock was behind; none may be given again.
const EPOCH_LEAP: u64 = 1_000_000;

/// The store's own account, rewritten with every group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    /// The store's epoch: the wall time of its making, of a restore or of an accepted loss.
    pub(super) epoch: u64,
    /// Groups committed.
    pub(super) commits: u64,
    /// Entries besides this one.
    pub(super) entries: u64,
    /// Wrapping sum of a 64-bit mix of every entry: an entry that vanished or went back shows.
    pub(super) sum: u64,
}

impl Totals {
    const NAME: &'static str = "totals";

    /// Where it is kept.
    pub(super) fn key() -> Vec<u8> {
        key::setting(Self::NAME)
    }

    pub(super) fn new(epoch: u64) -> Self {
        Self {
            epoch,
            commits: 0,
            entries: 0,
            sum: 0,
        }
    }
    pub(super) fn add(&mut self, k: &[u8], value: &[u8]) {
        self.entries += 1;
        self.sum = self.sum.wrapping_add(mix(k, value));
    }
    pub(super) fn remove(&mut self, k: &[u8], value: &[u8]) {
        self.entries = self.entries.saturating_sub(1);
        self.sum = self.sum.wrapping_sub(mix(k, value));
    }
}

/// SplitMix64's finaliser over two checksums.
fn mix(k: &[u8], value: &[u8]) -> u64 {
    let mut z = (u64::from(crc32c::crc32c(k)) << 32) | u64::from(crc32c::crc32c(value));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// What a pass found.
pub(super) struct Audit {
    pub(super) totals: Totals,
    pub(super) faults: Vec<Fault>,
    pub(super) visitors: BTreeMap<UserId, VisitorRecord>,
    pub(super) unfinished: Vec<SessionRecord>,
    pub(super) frames: u64,
    /// Frames that are not acknowledged, and their payload bytes.
    pub(super) pending: u64,
    pub(super) pending_bytes: u64,
    /// Up to where each visitor has acknowledged: chunks come before visitors in key order.
    acked: HashMap<UserId, u64>,
    /// The highest epoch of a visitor who was forgotten.
    pub(super) forgotten: u64,
    pub(super) sessions: u64,
    /// Bytes of keys and values.
    pub(super) live_bytes: u64,
    /// What was lost and accepted, in words.
    pub(super) loss: Option<String>,
    /// Keys of entries that cannot be read.
    unreadable: Vec<Vec<u8>>,
}

/// First and last frame of each visitor's chunks.
type Spans = BTreeMap<UserId, (u64, u64)>;

impl Audit {
    /// # Errors
    /// Where sled fails, or [`StoreError::Newer`].
    pub(super) fn run(db: &sled::Db, mark: Option<Mark>) -> Result<Self, StoreError> {
        let mut audit = Self {
            totals: Totals::new(0),
            faults: Vec::new(),
            visitors: BTreeMap::new(),
            unfinished: Vec::new(),
            frames: 0,
            pending: 0,
            pending_bytes: 0,
            acked: HashMap::new(),
            forgotten: 0,
            sessions: 0,
            live_bytes: 0,
            loss: None,
            unreadable: Vec::new(),
        };
        // A newer version writes its account in its own format: then nothing here is for us.
        let account = db.get(Totals::key())?;
        if let Some(found) = account.and_then(|v| record::newer(&Totals::key(), &v)) {
            return Err(StoreError::Newer { found });
        }
        let stored = audit.scan(db)?;
        audit.compare(stored, mark);
        audit.unfinished.sort_by_key(|s| (s.created, s.id));
        Ok(audit)
    }

    /// Reads every entry; gives the account that was stored. Chunks come before sessions and
    /// visitors in key order, so what they say about each other is compared at the end.
    fn scan(&mut self, db: &sled::Db) -> Result<Option<Totals>, StoreError> {
        let mut stored = None;
        let mut spans = Spans::new();
        let totals = Totals::key();
        let forgotten = key::setting(FORGOTTEN);
        for entry in db.scan_prefix([key::VISITOR]) {
            let (k, value) = entry?;
            // One that cannot be read is told of below.
            if let Ok(visitor) = record::decode::<VisitorRecord>(&k, &value) {
                self.acked.insert(visitor.user, visitor.acked);
            }
        }
        for entry in db.iter() {
            let (k, value) = entry?;
            self.live_bytes += (k.len() + value.len()) as u64;
            if *k == *totals {
                stored = self.read::<Totals>(&k, &value);
                continue;
            }
            self.totals.add(&k, &value);
            match k.first() {
                Some(&key::CHUNK) => {
                    if let Some(chunk) = self.read::<Chunk>(&k, &value) {
                        self.chunk(&mut spans, &chunk);
                    }
                }
                Some(&key::SESSION) => {
                    if let Some(session) = self.read::<SessionRecord>(&k, &value) {
                        self.sessions += 1;
                        if !session.state.ended() {
                            self.unfinished.push(session);
                        }
                    }
                }
                Some(&key::VISITOR) => {
                    if let Some(visitor) = self.read::<VisitorRecord>(&k, &value) {
                        self.visitors.insert(visitor.user.clone(), visitor);
                    }
                }
                _ if *k == *forgotten => {
                    self.forgotten = self.read::<u64>(&k, &value).unwrap_or_default();
                }
                _ => {}
            }
        }
        self.compare_numbers(&spans);
        Ok(stored)
    }

    fn chunk(&mut self, spans: &mut Spans, chunk: &Chunk) {
        self.frames += chunk.frames.len() as u64;
        let acked = self.acked.get(&chunk.user).copied().unwrap_or(0);
        let frames = (chunk.first..).zip(&chunk.frames);
        for (_, frame) in frames.filter(|(sequence, _)| *sequence > acked) {
            self.pending += 1;
            self.pending_bytes += frame.payload.len() as u64;
        }
        match spans.get_mut(&chunk.user) {
            Some((_, last)) if *last + 1 == chunk.first => *last = chunk.last(),
            Some((oldest, last)) => {
                self.faults.push(Fault::Gap {
                    user: chunk.user.clone(),
                    oldest: *oldest,
                    after: *last,
                    next: chunk.first,
                });
                (*oldest, *last) = (chunk.first, chunk.last());
            }
            None => {
                spans.insert(chunk.user.clone(), (chunk.first, chunk.last()));
            }
        }
    }

    /// Is every frame there that a visitor's record promises?
    fn compare_numbers(&mut self, spans: &Spans) {
        let missing = |user: &UserId, first, last| Fault::Missing {
            user: user.clone(),
            first,
            last,
        };
        for v in self.visitors.values() {
            // Without a chunk everything must be acknowledged.
            let (oldest, last) = spans.get(&v.user).copied().unwrap_or((v.next, v.next - 1));
            if oldest > v.acked + 1 {
                self.faults.push(missing(&v.user, v.acked + 1, oldest - 1));
            }
            if last + 1 < v.next {
                self.faults.push(missing(&v.user, last + 1, v.next - 1));
            }
        }
        let unowned = spans.keys().filter(|u| !self.visitors.contains_key(*u));
        self.faults.extend(unowned.cloned().map(Fault::Unowned));
    }

    fn read<T: serde::de::DeserializeOwned>(&mut self, k: &[u8], value: &[u8]) -> Option<T> {
        match record::decode(k, value) {
            Ok(read) => Some(read),
            Err(error) => {
                self.faults.push(Fault::Unreadable(error.to_string()));
                self.unreadable.push(k.to_vec());
                None
            }
        }
    }

    fn compare(&mut self, stored: Option<Totals>, mark: Option<Mark>) {
        let found = (self.totals.entries, self.totals.sum);
        let fault = match (&stored, mark) {
            (None, None) if found.0 == 0 => None,
            (None, None) => Some(Fault::NoAccount),
            (None, Some(mark)) => Some(Fault::Emptied {
                commits: mark.commits,
            }),
            (Some(stored), None) => Some(Fault::NoWatermark {
                commits: stored.commits,
            }),
            (Some(stored), Some(mark))
                if (stored.epoch, stored.commits) < (mark.epoch, mark.commits) =>
            {
                Some(Fault::Behind {
                    lost: mark.commits.saturating_sub(stored.commits),
                    of: mark.commits,
                })
            }
            _ => None,
        };
        self.faults.extend(fault);
        if let Some(stored) = stored {
            if (stored.entries, stored.sum) != found {
                self.faults.push(Fault::Sum {
                    committed: stored.entries,
                    found: found.0,
                });
            }
            self.totals.epoch = stored.epoch;
            self.totals.commits = stored.commits;
        }
        if let Some(mark) = mark {
            self.totals.epoch = self.totals.epoch.max(mark.epoch);
            self.totals.commits = self.totals.commits.max(mark.commits);
        }
    }

    /// The highest epoch that anybody may have been told of.
    pub(super) fn highest_epoch(&self) -> u64 {
        let visitors = self.visitors.values().map(|v| v.epoch).max();
        let told = self.totals.epoch.max(self.forgotten);
        told.max(visitors.unwrap_or(0))
    }

    /// Goes on with what is left, in a new epoch: clients are told, and nothing is repaired in silence.
    pub(super) fn accept(&mut self, db: &sled::Db, now: Wall) -> Result<(), StoreError> {
        let epoch = now.0.max(self.highest_epoch() + EPOCH_LEAP);
        for k in std::mem::take(&mut self.unreadable) {
            db.remove(k)?;
        }
        for fault in &self.faults {
            let Fault::Gap {
                user,
                oldest,
                after,
                ..
            } = fault
            else {
                continue;
            };
            for entry in db.range(key::chunk(user, *oldest)..key::chunk(user, *after + 1)) {
                db.remove(entry?.0)?;
            }
        }
        let mut fresh = Self::run(db, None)?;
        fresh.mend_visitors(db, now)?;
        let mut fresh = Self::run(db, None)?;
        fresh.totals.epoch = epoch;
        fresh.totals.commits = self.totals.commits;
        fresh.loss = Some(fault::told(&self.faults));
        *self = fresh;
        Ok(())
    }

    /// Gives every visitor with frames a record that fits what is left.
    fn mend_visitors(&mut self, db: &sled::Db, now: Wall) -> Result<(), StoreError> {
        let mut spans = Spans::new();
        for entry in db.scan_prefix([key::CHUNK]) {
            let (k, value) = entry?;
            let chunk: Chunk = record::decode(&k, &value)?;
            let span = spans
                .entry(chunk.user.clone())
                .or_insert((chunk.first, chunk.last()));
            span.1 = chunk.last();
        }
        for visitor in self
            .visitors
            .values_mut()
            .filter(|v| !spans.contains_key(&v.user) && v.acked + 1 < v.next)
        {
            visitor.acked = visitor.next - 1;
            let k = key::visitor(&visitor.user);
            db.insert(&*k, record::encode(&k, &*visitor))?;
        }
        for (user, (oldest, last)) in spans {
            let known = self.visitors.get(&user).cloned();
            let mut visitor = known.unwrap_or_else(|| VisitorRecord::new(user.clone(), 0, now));
            visitor.acked = visitor.acked.max(oldest - 1).min(last);
            visitor.next = last + 1;
            let k = key::visitor(&user);
            db.insert(&*k, record::encode(&k, &visitor))?;
            self.visitors.insert(user, visitor);
        }
        Ok(())
    }
}
