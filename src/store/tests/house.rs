//! What tests of several rooms need: a small store in a directory of its own.

use std::path::Path;

use super::super::{Committer, Opened, Options, StoreError, open};
use crate::clock::Wall;

/// Small, and synced like any other.
pub(crate) fn options(dir: &Path) -> Options {
    Options {
        dir: dir.to_owned(),
        cache: 8 << 20,
        segment_size: 512 << 10,
        flush_every_ms: 50,
        accept_loss: false,
        sync: true,
        ballast: 0,
    }
}

/// Opens again once the committer of an earlier opening has let go of the directory.
pub(crate) fn reopen(options: &Options) -> Result<Opened, StoreError> {
    loop {
        match open(options, Wall(1000)) {
            Err(StoreError::InUse(_)) => std::thread::yield_now(),
            // sled's own lock goes a moment after ours.
            Err(StoreError::Sled(sled::Error::Io(e))) if e.to_string().contains("lock") => {
                std::thread::yield_now()
            }
            other => return other,
        }
    }
}

/// Nothing that is queued after this is told to be durable until what it returns is dropped.
pub(crate) async fn hold_back(committer: &Committer) -> std::sync::mpsc::Sender<()> {
    let (open, gate) = std::sync::mpsc::channel();
    let permit = committer.reserve().await.unwrap();
    permit.send(
        Vec::new(),
        Box::new(move |_| {
            let _ = gate.recv();
        }),
    );
    open
}
