//! Opening: is everything there that was promised?
//!
//! sled opens a file with its last bytes cut off without a word, and loses or
//! panics over flipped bits. So three things are checked that sled does not know of:
//! the commit counter against the [watermark](super::watermark), a sum over all
//! entries, and the numbering of each visitor's frames.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::panic::AssertUnwindSafe;

use serde::{Deserialize, Serialize};

use super::commit::{Committer, Disk};
use super::record::{self, Chunk, SessionRecord, VisitorRecord};
use super::watermark::{Mark, Watermark};
use super::{Opened, Options, Store, StoreError, files, key};
use crate::clock::Wall;
use crate::id::{SessionId, UserId};

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
    pub(super) const NAME: &'static str = "totals";

    fn new(epoch: u64) -> Self {
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

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Recovered {
    /// The store's epoch; a visitor's is the larger of this and its own.
    pub epoch: u64,
    /// Sessions that had not ended, oldest first.
    pub unfinished: Vec<SessionRecord>,
    /// Visitors known.
    pub visitors: u64,
    /// Frames held.
    pub frames: u64,
    /// Of those, frames that are not acknowledged.
    pub pending: u64,
    /// Their payload bytes.
    pub pending_bytes: u64,
    /// What was lost and accepted, in words; none where all is there.
    pub loss: Option<String>,
}

pub(super) fn open(options: &Options, now: Wall) -> Result<Opened, StoreError> {
    let dir = &options.dir;
    files::make_dir(dir)?;
    let lock = files::lock(dir)?;
    let (watermark, mark) = open_watermark(options)?;
    let (db, was_full) = open_sled(options)?;
    files::sync_all(dir)?;
    let mut audit = Audit::run(&db, mark)?;
    if !audit.faults.is_empty() {
        let what = audit.faults.join("; ");
        if !options.accept_loss {
            return Err(damaged(options, what));
        }
        audit.accept(&db, now, what)?;
    }
    if audit.totals.epoch == 0 {
        audit.totals.epoch = now.0.max(1);
    }
    // Made again at the next start that finds room: at once it would fill the disk again.
    if !was_full {
        files::make_ballast(dir, options.ballast);
    }
    let file_path = dir.join("sled").join("db");
    let file = files::io(
        "could not open",
        &file_path,
        File::options().read(true).write(true).open(&file_path),
    )?;
    let recovered = Recovered {
        epoch: audit.totals.epoch,
        unfinished: audit.unfinished,
        visitors: audit.visitors.len() as u64,
        frames: audit.frames,
        pending: audit.pending,
        pending_bytes: audit.pending_bytes,
        loss: audit.loss,
    };
    let disk = Disk {
        db: db.clone(),
        file,
        watermark,
        totals: audit.totals,
        sync: options.sync,
    };
    let (committer, _thread) = files::io(
        "could not start the committer of",
        dir,
        Committer::start(disk),
    )?;
    let store = Store {
        db,
        dir: dir.as_path().into(),
        lock: lock.into(),
    };
    Ok(Opened {
        store,
        committer,
        recovered,
    })
}

fn open_watermark(options: &Options) -> Result<(Watermark, Option<Mark>), StoreError> {
    let path = options.dir.join("watermark");
    match Watermark::open(&path) {
        Ok(found) => Ok(found),
        Err(e) if e.kind() == std::io::ErrorKind::InvalidData && options.accept_loss => {
            files::io("could not remove", &path, std::fs::remove_file(&path))?;
            files::io("could not open", &path, Watermark::open(&path))
        }
        Err(e) if e.kind() == std::io::ErrorKind::InvalidData => {
            Err(damaged(options, e.to_string()))
        }
        Err(source) => files::io("could not open", &path, Err(source)),
    }
}

fn damaged(options: &Options, what: String) -> StoreError {
    StoreError::Damaged {
        dir: options.dir.clone(),
        what,
    }
}

/// The store, and whether the ballast had to be given up for it.
fn open_sled(options: &Options) -> Result<(sled::Db, bool), StoreError> {
    let attempt = || {
        let config = sled::Config::new()
            .path(options.dir.join("sled"))
            .cache_capacity(options.cache)
            .segment_size(options.segment_size)
            .flush_every_ms(Some(options.flush_every_ms));
        std::panic::catch_unwind(AssertUnwindSafe(|| config.open()))
            .map_err(|_| damaged(options, "sled cannot read its files".into()))
    };
    match attempt()? {
        Ok(db) => Ok((db, false)),
        Err(sled::Error::Io(e))
            if e.kind() == std::io::ErrorKind::StorageFull && files::drop_ballast(&options.dir) =>
        {
            tracing::warn!(
                dir = %options.dir.display(),
                "the disk is full: the reserve was given up so that the store opens; free some space, \
                 until then new messages are refused"
            );
            Ok((attempt()??, true))
        }
        Err(sled::Error::Io(e)) => Err(sled::Error::Io(e).into()),
        Err(error) => Err(damaged(options, error.to_string())),
    }
}

/// One pass over everything that is stored.
struct Audit {
    totals: Totals,
    faults: Vec<String>,
    visitors: BTreeMap<UserId, VisitorRecord>,
    unfinished: Vec<SessionRecord>,
    frames: u64,
    pending: u64,
    pending_bytes: u64,
    /// Up to where each visitor has acknowledged: chunks come before visitors in key order.
    acked: HashMap<UserId, u64>,
    loss: Option<String>,
    /// Keys of entries that cannot be read.
    unreadable: Vec<Vec<u8>>,
    /// Chunks that stand before a gap: visitor, first sequence, last sequence.
    before_gap: Vec<(UserId, u64, u64)>,
}

impl Audit {
    fn run(db: &sled::Db, mark: Option<Mark>) -> Result<Self, StoreError> {
        let mut audit = Self {
            totals: Totals::new(0),
            faults: Vec::new(),
            visitors: BTreeMap::new(),
            unfinished: Vec::new(),
            frames: 0,
            pending: 0,
            pending_bytes: 0,
            acked: HashMap::new(),
            loss: None,
            unreadable: Vec::new(),
            before_gap: Vec::new(),
        };
        let stored = audit.scan(db)?;
        audit.compare(stored, mark);
        audit.unfinished.sort_by_key(|s| (s.created, s.id));
        Ok(audit)
    }

    /// Reads every entry; gives the account that was stored. Chunks come before sessions and
    /// visitors in key order, so what they say about each other is compared at the end.
    fn scan(&mut self, db: &sled::Db) -> Result<Option<Totals>, StoreError> {
        let mut stored = None;
        let mut spans: BTreeMap<UserId, (u64, u64)> = BTreeMap::new();
        let mut live: HashSet<SessionId> = HashSet::new();
        for entry in db.scan_prefix([key::VISITOR]) {
            let (k, value) = entry?;
            // One that cannot be read is told of below.
            if let Ok(visitor) = record::decode::<VisitorRecord>(&k, &value) {
                self.acked.insert(visitor.user, visitor.acked);
            }
        }
        for entry in db.iter() {
            let (k, value) = entry?;
            if *k == *key::setting(Totals::NAME) {
                stored = self.read::<Totals>(&k, &value);
                continue;
            }
            self.totals.add(&k, &value);
            match k[0] {
                key::CHUNK => {
                    if let Some(chunk) = self.read::<Chunk>(&k, &value) {
                        self.chunk(&mut spans, &chunk);
                    }
                }
                key::SESSION => {
                    if let Some(session) = self.read::<SessionRecord>(&k, &value) {
                        live.insert(session.id);
                        if !session.state.ended() {
                            self.unfinished.push(session);
                        }
                    }
                }
                key::VISITOR => {
                    if let Some(visitor) = self.read::<VisitorRecord>(&k, &value) {
                        self.visitors.insert(visitor.user.clone(), visitor);
                    }
                }
                _ => {}
            }
        }
        for visitor in self
            .visitors
            .values()
            .filter(|v| !spans.contains_key(&v.user) && v.acked + 1 < v.next)
        {
            self.faults.push(format!(
                "{} misses the frames {} to {}",
                visitor.user,
                visitor.acked + 1,
                visitor.next - 1
            ));
        }
        for (user, (oldest, last)) in spans {
            match self.visitors.get(&user) {
                None => self.faults.push(format!("{user} has frames but no record")),
                Some(v) if oldest > v.acked + 1 => {
                    self.faults.push(format!(
                        "{user} misses the frames {} to {}",
                        v.acked + 1,
                        oldest - 1
                    ));
                }
                Some(v) if last + 1 < v.next => self
                    .faults
                    .push(format!("{user} misses frames up to {}", v.next - 1)),
                Some(_) => {}
            }
        }
        Ok(stored)
    }

    fn chunk(&mut self, spans: &mut BTreeMap<UserId, (u64, u64)>, chunk: &Chunk) {
        self.frames += chunk.frames.len() as u64;
        let acked = self.acked.get(&chunk.user).copied().unwrap_or(0);
        for (_, frame) in (chunk.first..)
            .zip(&chunk.frames)
            .filter(|(sequence, _)| *sequence > acked)
        {
            self.pending += 1;
            self.pending_bytes += frame.payload.len() as u64;
        }
        match spans.get_mut(&chunk.user) {
            Some((_, last)) if *last + 1 == chunk.first => *last = chunk.last(),
            Some((oldest, last)) => {
                self.faults
                    .push(format!("{} has a gap after frame {last}", chunk.user));
                self.before_gap.push((chunk.user.clone(), *oldest, *last));
                (*oldest, *last) = (chunk.first, chunk.last());
            }
            None => {
                spans.insert(chunk.user.clone(), (chunk.first, chunk.last()));
            }
        }
    }

    fn read<T: serde::de::DeserializeOwned>(&mut self, k: &[u8], value: &[u8]) -> Option<T> {
        match record::decode(k, value) {
            Ok(read) => Some(read),
            Err(error) => {
                self.faults.push(error.to_string());
                self.unreadable.push(k.to_vec());
                None
            }
        }
    }

    fn compare(&mut self, stored: Option<Totals>, mark: Option<Mark>) {
        let found = (self.totals.entries, self.totals.sum);
        match (&stored, mark) {
            (None, None) if found.0 == 0 => {}
            (None, None) => self
                .faults
                .push("the store's account and its watermark are missing".into()),
            (None, Some(mark)) => {
                self.faults.push(format!(
                    "nothing is left of {} commits that were durable",
                    mark.commits
                ));
            }
            (Some(stored), None) => {
                self.faults.push(format!(
                    "the watermark of {} commits is missing",
                    stored.commits
                ));
            }
            (Some(stored), Some(mark))
                if (stored.epoch, stored.commits) < (mark.epoch, mark.commits) =>
            {
                let lost = mark.commits.saturating_sub(stored.commits);
                self.faults.push(format!(
                    "{lost} of {} durable commits are missing",
                    mark.commits
                ));
            }
            _ => {}
        }
        if let Some(stored) = stored {
            if (stored.entries, stored.sum) != found {
                let text = format!(
                    "{} entries were committed, {} were found, or some are not the last ones",
                    stored.entries, found.0
                );
                self.faults.push(text);
            }
            self.totals.epoch = stored.epoch;
            self.totals.commits = stored.commits;
        }
        if let Some(mark) = mark {
            self.totals.epoch = self.totals.epoch.max(mark.epoch);
            self.totals.commits = self.totals.commits.max(mark.commits);
        }
    }

    /// Goes on with what is left, in a new epoch: clients are told, and nothing is repaired in silence.
    fn accept(&mut self, db: &sled::Db, now: Wall, what: String) -> Result<(), StoreError> {
        let epoch = now.0.max(self.totals.epoch + 1);
        for k in std::mem::take(&mut self.unreadable) {
            db.remove(k)?;
        }
        for (user, oldest, last) in std::mem::take(&mut self.before_gap) {
            for entry in db.range(key::chunk(&user, oldest)..key::chunk(&user, last + 1)) {
                db.remove(entry?.0)?;
            }
        }
        let mut fresh = Self::run(db, None)?;
        fresh.mend_visitors(db, now)?;
        let mut fresh = Self::run(db, None)?;
        fresh.totals.epoch = epoch;
        fresh.totals.commits = self.totals.commits;
        fresh.loss = Some(what);
        *self = fresh;
        Ok(())
    }

    /// Gives every visitor with frames a record that fits what is left.
    fn mend_visitors(&mut self, db: &sled::Db, now: Wall) -> Result<(), StoreError> {
        let mut spans: BTreeMap<UserId, (u64, u64)> = BTreeMap::new();
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
