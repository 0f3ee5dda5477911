//! The only room that knows sled.
//!
//! *Durable* means: batch applied, `flush()`, then `sync_data()` on a second
//! handle of the file (sled itself never calls fsync), then the watermark.
//! One committer thread does it for everybody who waits; nothing is visible
//! before. A failed write or sync is final: see [`commit`].

mod audit;
pub mod audit_log;
pub mod backup;
mod blobs;
pub mod check;
pub mod commit;
mod cut;
pub mod fault;
pub mod files;
mod history;
pub mod key;
pub mod look;
mod panics;
pub mod purge;
pub mod record;
pub mod recover;
pub mod snapshot;
mod stuck;
pub mod upgrade;
pub mod watermark;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use audit_log::AuditRecord;
pub use commit::{Append, Committer, Op};
pub use files::space;
pub use record::{Chunk, Frame, SessionRecord, VisitorRecord};
pub use recover::Recovered;

use crate::clock::Wall;
use crate::id::{MessageId, SessionId, UserId};

/// How the store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory; made where it does not exist.
    pub dir: PathBuf,
    /// Bytes of page cache: this is process memory.
    pub cache: u64,
    /// Bytes of a segment; larger ones keep the file from growing under churn.
    pub segment_size: usize,
    /// How often sled writes on its own; visibility never waits for it.
    pub flush_every_ms: u64,
    /// Open although data was lost; a new epoch begins.
    pub accept_loss: bool,
    /// False only in the control run of the power-cut test, which must lose data.
    pub sync: bool,
    /// Bytes of the ballast file that is given up when the disk is full at start.
    pub ballast: u64,
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the directory.
    #[error(
        "the data directory {0} is in use by another process; stop it, or use another --data-dir"
    )]
    InUse(PathBuf),
    /// Nothing is there.
    #[error("{0} holds no store; name its directory with --data-dir (`server.data_dir`)")]
    Absent(PathBuf),
    /// Proven damage or loss.
    #[error(
        "the store in {dir} is damaged: {what}. Nothing was changed. Restore a backup, or start with --accept-loss to go on with what is left; `emflow store check` says what that would cost"
    )]
    Damaged {
        /// The data directory.
        dir: PathBuf,
        /// What was found.
        what: String,
    },
    /// Written by a newer version.
    #[error(
        "a newer version of emflow wrote this store (record format {found}, this version reads {}); \
         nothing was changed. Start that version or a newer one, or restore a backup that this version can read",
        record::FORMAT
    )]
    Newer {
        /// The format found.
        found: u8,
    },
    /// Written by an older version.
    #[error(
        "an older version of emflow wrote this store (record format {found}); start the appliance once, which keeps a copy and converts it"
    )]
    Older {
        /// The format found.
        found: u8,
    },
    /// An upgrade never became ready.
    #[error(
        "the upgrade of the store in {dir} never became ready; the store of version {from} is back in its place and holds all it held. Start that version, or this one to try again; what failed is in {failed}"
    )]
    RolledBack {
        /// The data directory.
        dir: PathBuf,
        /// The version that wrote the store.
        from: String,
        /// Where the converted store is, in the data directory.
        failed: String,
    },
    /// Made with settings that cannot be changed afterwards.
    #[error(
        "the store in {dir} was made with another `store.segment_size`: {why}. Set it back, or restore a backup: that makes a store of the new size"
    )]
    OtherSettings {
        /// The data directory.
        dir: PathBuf,
        /// What the engine says.
        why: String,
    },
    /// A record that this version does not read.
    #[error("the store holds a record that cannot be read: {0}")]
    Record(String),
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
    /// sled refused.
    #[error("the store failed: {}{}", .0, fix_of_sled(.0))]
    Sled(#[from] sled::Error),
    /// The committer has stopped after a failed write; the process must end.
    #[error("the store has stopped after a failed write")]
    Stopped,
}

/// What to do about it, where that is known.
fn fix(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; free some space and start again, nothing that was accepted is lost"
        }
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::AlreadyExists
        | ErrorKind::NotADirectory
        | ErrorKind::NotFound => {
            "; name a directory that this user may write with --data-dir (`server.data_dir`)"
        }
        _ => "",
    }
}

fn fix_of_sled(error: &sled::Error) -> &'static str {
    match error {
        sled::Error::Io(error) => fix(error),
        _ => "",
    }
}

/// The open store: reads here, writes through the [`Committer`].
#[derive(Clone)]
pub struct Store {
    db: sled::Db,
    dir: Arc<Path>,
    /// Where the committer puts aside what a backup still needs.
    cut: snapshot::Slot,
    /// Held as long as anybody can read or write.
    #[expect(dead_code, reason = "it works by being held")]
    lock: Arc<std::fs::File>,
}

impl Store {
    /// Reads a visitor's record.
    ///
    /// # Errors
    /// Where sled fails or the record is damaged.
    pub fn visitor(&self, user: &UserId) -> Result<Option<VisitorRecord>, StoreError> {
        self.read(&key::visitor(user))
    }

    /// Reads a session's record.
    ///
    /// # Errors
    /// Where sled fails or the record is damaged.
    pub fn session(&self, id: SessionId) -> Result<Option<SessionRecord>, StoreError> {
        self.read(&key::session(id))
    }

    /// The session that answers this message of the visitor.
    ///
    /// # Errors
    /// Where sled fails or the record is damaged.
    pub fn message(
        &self,
        user: &UserId,
        id: &MessageId,
    ) -> Result<Option<record::MessageRecord>, StoreError> {
        self.read(&key::message(user, id))
    }

    /// Whether any message of the visitor is remembered, and so a session of it.
    ///
    /// # Errors
    /// Where sled fails.
    pub fn has_messages(&self, user: &UserId) -> Result<bool, StoreError> {
        let first = self.db.scan_prefix(key::messages(user)).next();
        Ok(first.transpose()?.is_some())
    }

    /// A counter that [`Op::Count`] raises.
    ///
    /// # Errors
    /// Where sled fails or the record is damaged.
    pub fn counter(&self, name: &str) -> Result<u64, StoreError> {
        Ok(self.read(&key::counter(name))?.unwrap_or(0))
    }

    /// What the health probe wrote last.
    ///
    /// # Errors
    /// Where sled fails or the record is damaged.
    pub fn probe(&self) -> Result<Option<u64>, StoreError> {
        self.read(key::PROBE)
    }

    /// A named value such as a signing key.
    ///
    /// # Errors
    /// Where sled fails or the record is damaged.
    pub fn setting<T: serde::de::DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, StoreError> {
        self.read(&key::setting(name))
    }

    /// Frames of a visitor from `first` on, with their sequences: at most `max` frames and
    /// about `max_bytes`, at least one where there is one.
    ///
    /// # Errors
    /// Where sled fails or a chunk is damaged.
    pub fn frames(
        &self,
        user: &UserId,
        first: u64,
        max: usize,
        max_bytes: usize,
    ) -> Result<Vec<(u64, Frame)>, StoreError> {
        let mut frames = Vec::new();
        let mut bytes = 0;
        // The chunk that holds `first` may begin before it.
        let begin = match self.db.get_lt(key::chunk(user, first + 1))? {
            Some((k, _)) if k.starts_with(&key::chunks(user)) => k.to_vec(),
            _ => key::chunk(user, first),
        };
        for entry in self.db.range(begin..key::chunks_end(user)) {
            let (k, value) = entry?;
            let chunk: Chunk = record::decode(&k, &value)?;
            for (offset, frame) in chunk.frames.into_iter().enumerate() {
                let sequence = chunk.first + offset as u64;
                if sequence < first {
                    continue;
                }
                if frames.len() >= max || (bytes >= max_bytes && !frames.is_empty()) {
                    return Ok(frames);
                }
                bytes += frame.payload.len();
                frames.push((sequence, frame));
            }
        }
        Ok(frames)
    }

    /// The chunks of a visitor: first sequence, frames, bytes, oldest first.
    ///
    /// # Errors
    /// Where sled fails or a chunk is damaged.
    pub fn chunks(&self, user: &UserId) -> Result<Vec<Chunk>, StoreError> {
        self.records(key::chunks(user)..key::chunks_end(user), usize::MAX)
    }

    /// Up to `max` visitor records after `after`, in key order: the cleanup walks in steps.
    ///
    /// # Errors
    /// Where sled fails or a record is damaged.
    pub fn visitors_after(
        &self,
        after: Option<&UserId>,
        max: usize,
    ) -> Result<Vec<VisitorRecord>, StoreError> {
        let begin = match after {
            // The byte 0 after a key is the smallest key beyond it.
            Some(user) => [key::visitor(user), vec![0]].concat(),
            None => vec![key::VISITOR],
        };
        self.records(begin..vec![key::VISITOR + 1], max)
    }

    /// Up to `max` session records of all visitors, from the key after `after`.
    ///
    /// # Errors
    /// Where sled fails or a record is damaged.
    pub fn sessions_after(
        &self,
        after: Option<SessionId>,
        max: usize,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let begin = match after {
            Some(id) => [key::session(id), vec![0]].concat(),
            None => vec![key::SESSION],
        };
        self.records(begin..vec![key::SESSION + 1], max)
    }

    /// The directory the store lives in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Bytes on disk, as sled counts them.
    ///
    /// # Errors
    /// Where sled fails.
    pub fn bytes_on_disk(&self) -> Result<u64, StoreError> {
        Ok(self.db.size_on_disk()?)
    }

    /// Up to `max` records of a range of keys.
    fn records<T: serde::de::DeserializeOwned>(
        &self,
        keys: std::ops::Range<Vec<u8>>,
        max: usize,
    ) -> Result<Vec<T>, StoreError> {
        let entries = self.db.range(keys).take(max);
        let read = |entry: sled::Result<_>| {
            let (k, value): (sled::IVec, sled::IVec) = entry?;
            record::decode(&k, &value)
        };
        entries.map(read).collect()
    }

    fn read<T: serde::de::DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        match self.db.get(key)? {
            Some(value) => record::decode(key, &value).map(Some),
            None => Ok(None),
        }
    }
}

/// What opening gives: the store, its committer, and what was found.
pub struct Opened {
    /// Reads.
    pub store: Store,
    /// Writes.
    pub committer: Committer,
    /// What was found.
    pub recovered: Recovered,
}

/// Opens the store, checks all of it, and starts the committer.
///
/// # Errors
/// [`StoreError::InUse`], [`StoreError::Damaged`] or what the system refused.
pub fn open(options: &Options, now: Wall) -> Result<Opened, StoreError> {
    recover::open(options, now)
}

#[cfg(test)]
pub(crate) mod tests;
