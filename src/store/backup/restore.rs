//! From a backup to a store, and the proof that it can be done.

use std::path::{Path, PathBuf};

use super::swap::{self, BUILDING, NEW};
use super::{BackupError, GoOn, Summary, folder, io, open, sync, to_the_end};
use crate::clock::Wall;
use crate::store::audit::{Audit, Totals};
use crate::store::commit::FORGOTTEN;
use crate::store::fault;
use crate::store::record::{self, VisitorRecord};
use crate::store::recover::{self, open_free};
use crate::store::watermark::{Mark, Watermark};
use crate::store::{Options, StoreError, files, key, upgrade};

/// Entries in one batch.
const BATCH: usize = 512;
/// Bytes in one batch (about).
const BATCH_BYTES: usize = 4 << 20;

/// What the name of a scratch directory begins with.
pub const SCRATCH: &str = ".emflow-verify-";

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What was read.
    pub backup: Summary,
    /// The epoch that begins.
    pub epoch: u64,
    /// Visitors known.
    pub visitors: u64,
    /// Frames held.
    pub frames: u64,
    /// Where the store that was there before is kept.
    pub aside: Option<PathBuf>,
}

/// Makes the store of `options.dir` from a backup. A new epoch begins, so that every client is
/// told that it is not where it was.
///
/// Until all of it is built, checked and synced the directory keeps what it holds; with `force`
/// a store that was there is moved aside then, not removed.
///
/// # Errors
/// [`BackupError`]; the directory is as it was.
pub fn restore(
    file: &Path,
    options: &Options,
    force: bool,
    now: Wall,
) -> Result<Restored, BackupError> {
    let dir = &options.dir;
    // Before the directory is made or touched.
    drop(open(file)?);
    files::make_dir(dir)?;
    let _lock = files::lock(dir)?;
    swap::finish(dir)?;
    if swap::holds_store(dir) && !force {
        return Err(BackupError::NotEmpty(dir.clone()));
    }
    // A clock that went back must not bring an epoch that clients have seen.
    let present = Watermark::read(&dir.join("watermark")).map_or(0, |mark| mark.epoch);
    let building = dir.join(BUILDING);
    let built = Built {
        options,
        at: building.join(NEW),
        go_on: &to_the_end,
    };
    let begin = |_, highest: u64| now.0.max(highest + 1).max(present + 1);
    let result = built.build(file, begin).and_then(|restored| {
        let aside = swap::replace(dir, &format!("before-restore-{}", restored.epoch))?;
        // What was on trial is out of the way.
        upgrade::end_trial(dir)?;
        Ok(Restored { aside, ..restored })
    });
    if result.is_err() {
        // Not decided: nothing but rubbish, which the next opening would remove too.
        let _ = std::fs::remove_dir_all(&building);
    }
    result
}

/// Restores into a directory of its own under `scratch`, opens that, and compares every entry.
///
/// # Errors
/// [`BackupError`], where anything differs.
pub fn verify(
    file: &Path,
    scratch: &Path,
    options: &Options,
    go_on: GoOn<'_>,
) -> Result<Restored, BackupError> {
    let room = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(scratch);
    let room = io("could not write in", scratch, room)?;
    let options = Options {
        dir: room.path().to_owned(),
        ..options.clone()
    };
    let built = Built {
        options: &options,
        at: options.dir.clone(),
        go_on,
    };
    let restored = built.build(file, |epoch, _| epoch)?;
    // Opened anew: from what was written, not from what is in memory.
    let db = open_free(&options.dir.join("sled"), &options)?;
    let mut reader = open(file)?;
    let account = Totals::key();
    let format = reader.header().record_format;
    for entry in db.iter() {
        let (key, value) = entry.map_err(StoreError::from)?;
        if *key == *account {
            continue;
        }
        let written = match reader.next()? {
            Some((k, v)) if *key == *k => Some(upgrade::convert(format, &k, v)?),
            _ => None,
        };
        if written.as_deref() != Some(&*value) {
            return Err(reader.damaged("an entry came back from the disk as another one"));
        }
    }
    match reader.next()? {
        None => Ok(restored),
        Some(_) => Err(reader.damaged("entries did not come back from the disk")),
    }
}

/// A store that is being built where nobody looks.
struct Built<'a> {
    options: &'a Options,
    at: PathBuf,
    go_on: GoOn<'a>,
}

impl Built<'_> {
    /// `begin` gives the epoch, told that of the backup and the highest one in it.
    fn build(
        &self,
        file: &Path,
        begin: impl FnOnce(u64, u64) -> u64,
    ) -> Result<Restored, BackupError> {
        let mut reader = open(file)?;
        files::make_dir(&self.at)?;
        let sled = self.at.join("sled");
        let db = recover::open_at(&sled, self.options)?;
        let (mut batch, mut waiting, mut bytes) = (sled::Batch::default(), 0, 0);
        let mut totals = Totals::new(reader.header().epoch);
        let mut highest = totals.epoch;
        let forgotten = key::setting(FORGOTTEN);
        let format = reader.header().record_format;
        while let Some((k, value)) = reader.next()? {
            let value = upgrade::convert(format, &k, value)?;
            if k.first() == Some(&key::VISITOR) {
                let visitor: VisitorRecord = record::decode(&k, &value)?;
                highest = highest.max(visitor.epoch);
            }
            if k == forgotten {
                highest = highest.max(record::decode(&k, &value)?);
            }
            totals.add(&k, &value);
            bytes += k.len() + value.len();
            waiting += 1;
            batch.insert(k, value);
            if waiting >= BATCH || bytes >= BATCH_BYTES {
                (self.go_on)()?;
                let full = std::mem::take(&mut batch);
                db.apply_batch(full).map_err(StoreError::from)?;
                (waiting, bytes) = (0, 0);
            }
        }
        totals.epoch = begin(totals.epoch, highest);
        totals.commits = reader.header().commits + 1;
        batch.insert(Totals::key(), record::encode(&Totals::key(), &totals));
        db.apply_batch(batch).map_err(StoreError::from)?;
        db.flush().map_err(StoreError::from)?;
        let mark = Mark {
            epoch: totals.epoch,
            commits: totals.commits,
        };
        let path = self.at.join("watermark");
        let written = Watermark::open(&path).and_then(|(watermark, _)| watermark.write(mark, true));
        io("could not write", &path, written)?;
        // The same questions as at every start, and the same answers.
        let audit = Audit::run(&db, Some(mark))?;
        if !audit.faults.is_empty() {
            return Err(reader.damaged(&fault::told(&audit.faults)));
        }
        drop(db);
        upgrade::stamp(&self.at)?;
        files::sync_tree(&self.at)?;
        sync(folder(&self.at))?;
        Ok(Restored {
            backup: reader.summary(),
            epoch: totals.epoch,
            visitors: audit.visitors.len() as u64,
            frames: audit.frames,
            aside: None,
        })
    }
}
