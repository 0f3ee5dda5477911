//! How the process ends: a phase to hear, a guard to hold, a deadline, the names of the late.
//!
//! Every task is spawned here, so that nothing outlives the drain unnoticed.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Where the process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Serving.
    Running,
    /// No new work; clients are told; what runs may end.
    Draining,
    /// Everybody lets go now.
    Closing,
}

/// A handle; cloned freely.
#[derive(Clone)]
pub struct Drain(Arc<Inner>);

struct Inner {
    phase: watch::Sender<Phase>,
    live: Mutex<Live>,
    changed: watch::Sender<usize>,
}

#[derive(Default)]
struct Live {
    next: u64,
    names: BTreeMap<u64, &'static str>,
}

/// Keeps the drain waiting until dropped.
pub struct Guard {
    drain: Drain,
    id: u64,
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

impl Drain {
    /// Running.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            phase: watch::Sender::new(Phase::Running),
            live: Mutex::default(),
            changed: watch::Sender::new(0),
        }))
    }

    /// Where the process stands now.
    pub fn phase(&self) -> Phase {
        *self.0.phase.borrow()
    }

    /// Waits until the process stands at `phase` or beyond.
    pub async fn reached(&self, phase: Phase) {
        let mut changes = self.0.phase.subscribe();
        // The sender lives in self, so this cannot fail.
        let _ = changes.wait_for(|now| *now >= phase).await;
    }

    /// Goes on to `phase`; never back.
    pub fn advance(&self, phase: Phase) {
        self.0.phase.send_if_modified(|now| {
            let later = phase > *now;
            *now = phase.max(*now);
            later
        });
    }

    /// Holds the end of the process until the guard is dropped.
    pub fn guard(&self, name: &'static str) -> Guard {
        let mut live = self.0.live.lock().unwrap_or_else(PoisonError::into_inner);
        let id = live.next;
        live.next += 1;
        live.names.insert(id, name);
        Guard {
            drain: self.clone(),
            id,
        }
    }

    /// Runs a task that the drain waits for.
    pub fn spawn<F>(&self, name: &'static str, task: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let guard = self.guard(name);
        tokio::spawn(async move {
            let output = task.await;
            drop(guard);
            output
        })
    }

    /// How many tasks and guards there are.
    pub fn count(&self) -> usize {
        let live = self.0.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.names.len()
    }

    /// Waits until every guard is dropped, at most `limit`; the names of the late, with how many.
    pub async fn finished(&self, limit: Duration) -> Vec<(&'static str, usize)> {
        let mut changes = self.0.changed.subscribe();
        let empty = async { while !self.live().is_empty() && changes.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(limit, empty).await;
        let mut late = BTreeMap::new();
        for name in self.live() {
            *late.entry(name).or_insert(0) += 1;
        }
        late.into_iter().collect()
    }

    fn live(&self) -> Vec<&'static str> {
        let live = self.0.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.names.values().copied().collect()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let left = {
            let mut live = self
                .drain
                .0
                .live
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            live.names.remove(&self.id);
            live.names.len()
        };
        self.drain.0.changed.send_replace(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waits_for_guards_and_names_the_late() {
        let drain = Drain::new();
        let held = drain.guard("held");
        let task = drain.clone();
        drain.spawn(
            "obedient",
            async move { task.reached(Phase::Closing).await },
        );
        drain.advance(Phase::Closing);
        drain.advance(Phase::Draining);
        assert_eq!(drain.phase(), Phase::Closing);
        assert_eq!(
            drain.finished(Duration::from_millis(50)).await,
            [("held", 1)]
        );
        drop(held);
        assert_eq!(drain.finished(Duration::from_secs(60)).await, []);
    }
}
