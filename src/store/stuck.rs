//! A commit that waits for a write which failed elsewhere.
//!
//! Where a write fails in one of sled's own threads, a flush that is just going to wait can miss the
//! word of it and wait forever: nothing is acknowledged, and nothing ends either. Another flush, of
//! another thread, is told of the failure at once. So one is tried beside every commit that takes long.
//! Rejected: a time limit for commits. A slow disk is no failed one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::panics;
use crate::clock::{self, Duration, Instant};

/// Between two looks at the commit that is being made.
const LOOK: Duration = Duration::from_secs(1);
/// A commit that takes longer is looked into.
const LONG: Duration = Duration::from_secs(2);

/// Since when the committer is at a group; none between two.
pub(super) type Since = Arc<Mutex<Option<Instant>>>;

/// Looks until it is dropped.
pub(super) struct Watcher {
    since: Since,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Watches the commits to `db`; why they have failed goes to `fail`.
    pub(super) fn start(
        db: sled::Db,
        fail: Arc<watch::Sender<Option<String>>>,
    ) -> std::io::Result<Self> {
        let since = Since::default();
        let looked = Arc::clone(&since);
        let ended = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&ended);
        let look = move || {
            while !over.load(Ordering::Acquire) {
                std::thread::park_timeout(LOOK);
                let began = *looked.lock().unwrap_or_else(PoisonError::into_inner);
                if began.is_none_or(|at| clock::now().duration_since(at) < LONG) {
                    continue;
                }
                let why = match panics::caught(|| db.flush()) {
                    Ok(Ok(_)) => continue,
                    Ok(Err(error)) => error.to_string(),
                    Err(why) => why,
                };
                fail.send_replace(Some(format!("a write failed beside a commit: {why}")));
                return;
            }
        };
        let thread = std::thread::Builder::new()
            .name("commit watcher".into())
            .spawn(look)?;
        Ok(Self {
            since,
            ended,
            thread: Some(thread),
        })
    }

    /// A group begins, or is done.
    pub(super) fn set(&self, since: Option<Instant>) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.set(None);
        self.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It has nothing to say: what it found is told already.
            let _ = thread.join();
        }
    }
}
