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

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

pub use format::Header;
pub use restore::{Restored, restore, verify};
pub use swap::holds_store;
pub(super) use swap::{current, finish};

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

/// The name of a backup made at `now`.
pub fn name(now: Wall) -> String {
    let stamp: String = now
        .rfc3339()
        .chars()
        .filter(|c| !"-:".contains(*c))
        .collect();
    format!("emflow-{stamp}.{ENDING}")
}

/// Writes a snapshot to `path`: complete under its name, or not at all.
///
/// Blocks while it reads and writes.
///
/// # Errors
/// [`BackupError`]; nothing is left behind then.
pub fn write(mut snapshot: Snapshot, path: &Path, now: Wall) -> Result<Summary, BackupError> {
    let folder = folder(path);
    if path.exists() {
        return Err(BackupError::Exists(path.to_owned()));
    }
    // Mode 0600, and removed when it is dropped before it has its name.
    let unfinished = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(folder);
    let unfinished = io("could not write in", folder, unfinished)?;
    let totals = snapshot.totals().clone();
    let header = Header::new(&totals, now);
    let begun = format::Writer::begin(BufWriter::new(unfinished.as_file()), &header);
    let mut writer = io(WRITING, path, begun)?;
    let mut found = Totals::new(totals.epoch);
    while let Some(entries) = snapshot.next()? {
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
    io(WRITING, path, unfinished.as_file().sync_all())?;
    unfinished
        .persist_noclobber(path)
        .map_err(|e| match e.error.kind() {
            std::io::ErrorKind::AlreadyExists => BackupError::Exists(path.to_owned()),
            _ => BackupError::Io {
                what: "could not name",
                path: path.to_owned(),
                source: e.error,
            },
        })?;
    sync(folder)?;
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

/// Forces a file, or the names in a directory, to the disk.
fn sync(path: &Path) -> Result<(), BackupError> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    io("could not sync", path, synced)
}

fn open(path: &Path) -> Result<format::Reader<BufReader<File>>, BackupError> {
    let file = io("could not open", path, File::open(path))?;
    format::Reader::begin(BufReader::new(file), path)
}
