//! Syncing what sled keeps outside its one file.
//!
//! A page that is larger than a quarter of a segment becomes a file of its own in `blobs/`, and
//! sixteen entries of one visitor with long frames are such a page. sled never syncs these files,
//! so a power cut could take acknowledged frames with them. They are synced with every group, each
//! once. Rejected: entries so small that no page grows so large. One frame alone may have 256 KiB.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::StoreError;
use super::files::{io, sync_dir};

/// The files, and what of each is known to be on the disk.
pub(super) struct Blobs {
    dir: PathBuf,
    /// Their lengths when they were synced: sled may be writing one just then, and it is synced
    /// again when it has grown.
    synced: BTreeMap<OsString, u64>,
}

impl Blobs {
    /// Those of sled's directory; the first group syncs what is there.
    pub(super) fn new(sled: &Path) -> Self {
        Self {
            dir: sled.join("blobs"),
            synced: BTreeMap::new(),
        }
    }

    /// Makes durable what came since. Called when sled has flushed: everything that its log
    /// speaks of is complete then.
    ///
    /// # Errors
    /// What the system refused; never to be tried again.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        let mut there = BTreeMap::new();
        let mut fresh = false;
        for entry in io("could not read", &self.dir, fs::read_dir(&self.dir))? {
            let entry = io("could not read", &self.dir, entry)?;
            let (name, path) = (entry.file_name(), entry.path());
            // sled removes one whenever nothing needs it any more.
            let Some(about) = unless_gone(&path, entry.metadata())? else {
                continue;
            };
            let length = about.len();
            if self.synced.get(&name) != Some(&length) {
                let synced = File::open(&path).and_then(|file| file.sync_data());
                if unless_gone(&path, synced)?.is_none() {
                    continue;
                }
                fresh = true;
            }
            there.insert(name, length);
        }
        if fresh {
            sync_dir(&self.dir)?;
        }
        self.synced = there;
        Ok(())
    }

    /// How many there were, and how many of these files are as they were synced.
    #[cfg(test)]
    fn state(&self) -> (usize, usize) {
        let is_synced = |(name, length): &(&OsString, &u64)| {
            fs::metadata(self.dir.join(name)).is_ok_and(|about| about.len() == **length)
        };
        (
            self.synced.len(),
            self.synced.iter().filter(is_synced).count(),
        )
    }
}

fn unless_gone<T>(path: &Path, result: std::io::Result<T>) -> Result<Option<T>, StoreError> {
    match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        other => io("could not sync", path, other).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::id::{SessionId, UserId};
    use crate::protocol::frame::Kind;
    use crate::store::tests::house::{options, reopen};
    use crate::store::{Append, Frame, Op, VisitorRecord, open};

    /// Frames as long as they may be: sled makes blobs of the pages that hold them.
    #[test]
    fn what_sled_keeps_in_blobs_is_synced_and_comes_back() {
        // req: D6
        let dir = tempfile::tempdir().unwrap();
        let options = options(dir.path());
        let user = UserId::parse("visitor").unwrap();
        let frame = |n: u64| Frame {
            kind: Kind::AgentThinking,
            session: SessionId(7),
            at: Wall(1),
            payload: format!("\"{n}{}\"", "x".repeat(200_000)),
        };
        let opened = open(&options, Wall(1000)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for first in 1..=40 {
            let append = Op::Append(Append {
                user: user.clone(),
                epoch: 1000,
                first,
                frames: vec![frame(first)],
            });
            let record = VisitorRecord {
                next: first + 1,
                ..VisitorRecord::new(user.clone(), 1000, Wall(1))
            };
            let ops = vec![append, Op::PutVisitor(record)];
            runtime.block_on(opened.committer.commit(ops)).unwrap();
        }
        let mut blobs = Blobs::new(&dir.path().join("sled"));
        assert_eq!(blobs.state(), (0, 0));
        blobs.sync().unwrap();
        let (there, synced) = blobs.state();
        assert!(there > 3, "sled has made no blobs, so this proves nothing");
        assert_eq!(there, synced);
        drop(opened);

        let opened = reopen(&options).unwrap();
        let frames = opened.store.frames(&user, 1, 100, usize::MAX).unwrap();
        assert_eq!(frames.len(), 40);
        assert!(frames.iter().all(|(n, found)| *found == frame(*n)));
        // One that is gone is not looked for, one that changed is synced again.
        let before = blobs.synced.clone();
        let name = before.keys().next().unwrap();
        fs::write(blobs.dir.join(name), "grown").unwrap();
        blobs.sync().unwrap();
        assert_eq!(blobs.synced[name], 5);
        fs::remove_file(blobs.dir.join(name)).unwrap();
        blobs.sync().unwrap();
        assert!(!blobs.synced.contains_key(name));
    }
}
