//! Opening: is everything there that was promised? The audit says so.

use std::fs::File;
use std::path::Path;

use super::audit::Audit;
use super::blobs::Blobs;
use super::commit::{Committer, Disk};
use super::fault::{self, Fault};
use super::record::SessionRecord;
use super::snapshot::Slot;
use super::watermark::{Mark, Watermark};
use super::{Opened, Options, Store, StoreError, backup, files, panics, upgrade};
use crate::clock::{Duration, Wall};

/// How often a lock of our own is tried for, and the pause between: two seconds in all.
const LOCK_TRIES: u32 = 200;
/// What sled says where a store has another segment size.
const OTHER_SIZE: &str = "cannot change the io buffer size";
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Recovered {
    /// The store's epoch; a visitor's is the larger of this and its own.
    pub epoch: u64,
    /// The highest epoch of a visitor who was forgotten; new ones begin beyond it.
    pub forgotten: u64,
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
    backup::finish(dir)?;
    upgrade::prepare(options, now)?;
    let (watermark, mark) = open_watermark(options)?;
    let (db, was_full) = open_sled(options)?;
    files::sync_all(dir)?;
    // Over some damage sled panics only when it is read.
    let mut audit = panics::caught(|| Audit::run(&db, mark))
        .unwrap_or_else(|why| Err(damaged(options, &[Fault::Files(why)])))?;
    if !audit.faults.is_empty() {
        if !options.accept_loss {
            return Err(damaged(options, &audit.faults));
        }
        audit.accept(&db, now)?;
    }
    upgrade::stamp(dir)?;
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
        forgotten: audit.forgotten,
        unfinished: audit.unfinished,
        visitors: audit.visitors.len() as u64,
        frames: audit.frames,
        pending: audit.pending,
        pending_bytes: audit.pending_bytes,
        loss: audit.loss,
    };
    let cut = Slot::default();
    let disk = Disk {
        db: db.clone(),
        cut: Slot::clone(&cut),
        file,
        blobs: Blobs::new(&dir.join("sled")),
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
        cut,
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
            Err(damaged(options, &[Fault::Watermark]))
        }
        Err(source) => files::io("could not open", &path, Err(source)),
    }
}

fn damaged(options: &Options, faults: &[Fault]) -> StoreError {
    StoreError::Damaged {
        dir: options.dir.clone(),
        what: fault::told(faults),
    }
}

/// The store, and whether the ballast had to be given up for it.
fn open_sled(options: &Options) -> Result<(sled::Db, bool), StoreError> {
    let attempt = || open_at(&options.dir.join("sled"), options);
    match attempt() {
        Ok(db) => Ok((db, false)),
        Err(StoreError::Sled(sled::Error::Io(e)))
            if e.kind() == std::io::ErrorKind::StorageFull && files::drop_ballast(&options.dir) =>
        {
            tracing::warn!(
                dir = %options.dir.display(),
                "the disk is full: the reserve was given up so that the store opens; free some space, \
                 until then new messages are refused"
            );
            Ok((attempt()?, true))
        }
        Err(error) => Err(error),
    }
}

/// sled at a path, with the store's settings.
pub(super) fn open_at(path: &Path, options: &Options) -> Result<sled::Db, StoreError> {
    files::drop_half_written(path)?;
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(options.cache)
        .segment_size(options.segment_size)
        .flush_every_ms(Some(options.flush_every_ms));
    match panics::caught(|| config.open()) {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(sled::Error::Io(e))) => Err(sled::Error::Io(e).into()),
        // Of its other words for this some stand for a damaged `conf`; it does not insist on the checksum.
        Ok(Err(sled::Error::Unsupported(why))) if names_a_size(&why) => {
            Err(StoreError::OtherSettings {
                dir: options.dir.clone(),
                why,
            })
        }
        Ok(Err(error)) => Err(damaged(options, &[Fault::Files(error.to_string())])),
        Err(why) => Err(damaged(options, &[Fault::Files(why)])),
    }
}

/// Whether sled says that a store has another segment size, one that a store of ours can have: any
/// other number is a damaged one.
fn names_a_size(why: &str) -> bool {
    let size = why.rsplit(' ').next().and_then(|n| n.parse::<usize>().ok());
    why.contains(OTHER_SIZE)
        && size.is_some_and(|n| n.is_power_of_two() && (512 << 10..=16 << 20).contains(&n))
}

/// As [`open_at`], where this process has just closed it: sled lets go of its own lock a moment later.
pub(super) fn open_free(path: &Path, options: &Options) -> Result<sled::Db, StoreError> {
    let mut tries = 0;
    loop {
        match open_at(path, options) {
            Err(StoreError::Sled(sled::Error::Io(e)))
                if tries < LOCK_TRIES && e.to_string().contains("lock") =>
            {
                tries += 1;
                std::thread::sleep(LOCK_PAUSE);
            }
            other => return other,
        }
    }
}
