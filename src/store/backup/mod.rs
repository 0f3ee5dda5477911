//! Backups: the whole store at one moment in one file, versioned and checksummed.
//!
//! The file is the store's own records in the order of their keys, so that equal
//! stores give equal entries, and another engine than sled can read them back. It
//! holds what visitors wrote and the keys that sign their tokens: it is as
//! confidential as the data directory, and written for its owner alone. The
//! authority and certificate (`tls/`) are not in it: a restored store serves with
//! those of the directory it is restored into.

pub mod format;
mod restore;
mod swap;
#[cfg(test)]
mod tests;
mod unfinished;

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

pub use format::Header;
pub use restore::{Restored, SCRATCH, restore, verify};
pub use swap::holds_store;
pub(super) use swap::{BUILDING, NEW, current, finish, replace};
pub use unfinished::Unfinished;

use super::StoreError;
use super::audit::Totals;
#[cfg(test)]
use super::files;
use super::snapshot::{Snapshot, SnapshotError};
use crate::clock::Wall;

/// What a backup's name ends with.
pub const ENDING: &str = "emflow-backup";
/// What the name of one that is being written begins with.
pub const UNFINISHED: &str = ".unfinished-";

const WRITING: &str = "could not write";

/// Why a backup could not be made, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system refused.
    #[error("{what} {path}: {source}{}", fix(source))]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it answered.
        source: std::io::Error,
    },
    /// A file of this name is there.
    #[error("{0} exists; name another file, backups are never overwritten")]
    Exists(PathBuf),
    /// Something else.
    #[error("{0} is not a backup of emflow; name a file that `emflow backup` has written")]
    NotABackup(PathBuf),
    /// Written by a newer version.
    #[error(
        "{path} was written by emflow {by} in a newer format than this version reads; use that version or a newer one"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that wrote it, where it says so.
        by: String,
    },
    /// Not what was written.
    #[error("{path} is damaged: {what}; take another backup, this one restores nothing")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// There is no room that may be used.
    #[error(
        "{dir} has {} MiB left, this needs about {} MiB and {} MiB must stay free for the store; free some space, keep fewer backups (`backup.keep`), or name another disk (`backup.directory`)",
        free >> 20, needs.div_ceil(1 << 20), least >> 20
    )]
    NoRoom {
        /// Where it is written.
        dir: PathBuf,
        /// Bytes that are free.
        free: u64,
        /// Bytes that it takes (about).
        needs: u64,
        /// Bytes that stay free.
        least: u64,
    },
    /// Too many.
    #[error("{0} holds {1} backups that were made by hand, which is the limit; delete some")]
    TooMany(PathBuf, usize),
    /// No such backup.
    #[error("there is no backup of the name `{0}`; the list tells which there are")]
    Unknown(String),
    /// The process ends.
    #[error(
        "the appliance is going away and the backup was given up; make it after the next start"
    )]
    Stopping,
    /// There is a store already.
    #[error(
        "{0} holds a store; name an empty directory with --data-dir, or move the present store aside with --force"
    )]
    NotEmpty(PathBuf),
}

fn fix(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; free some space or write to another disk. The store is untouched"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "; name a place that this user may read and write"
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => "; make the directory, or name another",
        _ => "",
    }
}

fn io<T>(what: &'static str, path: &Path, result: std::io::Result<T>) -> Result<T, BackupError> {
    result.map_err(|source| BackupError::Io {
        what,
        path: path.to_owned(),
        source,
    })
}

/// The directory of a file; the present one where it names none.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What was written or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The file.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// What its head says.
    pub header: Header,
    /// SHA-256 of everything before it, as stored at the end.
    pub sha256: [u8; 32],
}

/// Asked before each step of a long work: to go on, or why not.
pub type GoOn<'a> = &'a dyn Fn() -> Result<(), BackupError>;

/// Nobody wants it to end early.
///
/// # Errors
/// None.
pub fn to_the_end() -> Result<(), BackupError> {
    Ok(())
}

/// The name of a backup made at `now` begins with `first`.
pub fn name(first: &str, now: Wall) -> String {
    let stamp: String = now
        .rfc3339()
        .chars()
        .filter(|c| !"-:".contains(*c))
        .collect();
    format!("{first}-{stamp}.{ENDING}")
}

/// Writes a snapshot to `path`: complete under its name, or not at all.
///
/// Blocks while it reads and writes.
///
/// # Errors
/// [`BackupError`]; nothing is left behind then.
pub fn write(
    mut snapshot: Snapshot,
    path: &Path,
    now: Wall,
    go_on: GoOn<'_>,
) -> Result<Summary, BackupError> {
    let unfinished = Unfinished::begin(path)?;
    let totals = snapshot.totals().clone();
    let header = Header::new(&totals, now);
    let begun = format::Writer::begin(BufWriter::new(unfinished.file()), &header);
    let mut writer = io(WRITING, path, begun)?;
    let mut found = Totals::new(totals.epoch);
    while let Some(entries) = snapshot.next()? {
        go_on()?;
        for (key, value) in &entries {
            found.add(key, value);
            io(WRITING, path, writer.entry(key, value))?;
        }
    }
    drop(snapshot);
    // The account of the commit proves that nothing is torn.
    if (found.entries, found.sum) != (totals.entries, totals.sum) {
        let what = format!(
            "{} entries were committed, {} were read, or some have changed",
            totals.entries, found.entries
        );
        return Err(StoreError::Record(what).into());
    }
    let (bytes, sha256) = io(WRITING, path, writer.finish())?;
    unfinished.finish()?;
    Ok(Summary {
        path: path.to_owned(),
        bytes,
        header,
        sha256,
    })
}

/// Reads a backup from beginning to end: its framing, its checksums, its counts.
///
/// # Errors
/// [`BackupError`].
pub fn inspect(path: &Path) -> Result<Summary, BackupError> {
    let mut reader = open(path)?;
    while reader.next()?.is_some() {}
    Ok(reader.summary())
}

/// What the head of a backup says; nothing behind it is read.
///
/// # Errors
/// [`BackupError`].
pub fn head(path: &Path) -> Result<Header, BackupError> {
    Ok(open(path)?.header().clone())
}

/// Forces a file, or the names in a directory, to the disk.
fn sync(path: &Path) -> Result<(), BackupError> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    io("could not sync", path, synced)
}

fn open(path: &Path) -> Result<format::Reader<BufReader<File>>, BackupError> {
    let file = io("could not open", path, File::open(path))?;
    format::Reader::begin(BufReader::new(file), path)
}
