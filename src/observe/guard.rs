//! Checks that cannot hurt each other: each runs by itself, within a time limit, and what panics
//! or hangs is a finding about that check alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::shutdown::Drain;

/// Why a check found nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotChecked {
    /// It is not over yet.
    #[error("the check takes longer than {} ms", .0.as_millis())]
    TooLong(Duration),
    /// The last one is not over yet; a second one is not begun beside it.
    #[error("the check of before still hangs")]
    StillHangs,
    /// It panicked.
    #[error("the check broke off")]
    Panicked,
}

/// A check that waits.
pub(super) async fn within<T: Send + 'static>(
    drain: &Drain,
    limit: Duration,
    check: impl Future<Output = T> + Send + 'static,
) -> Result<T, NotChecked> {
    let mut task = drain.spawn("check", check);
    match tokio::time::timeout(limit, &mut task).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(_)) => Err(NotChecked::Panicked),
        Err(_) => {
            task.abort();
            Err(NotChecked::TooLong(limit))
        }
    }
}

/// A check that blocks. One at a time: a thread that hangs cannot be stopped, so it is not joined
/// by others.
#[derive(Clone, Default)]
pub(super) struct Blocking(Arc<AtomicBool>);

/// Cleared when the check is over, also where it panics.
struct Running(Arc<AtomicBool>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Blocking {
    /// Runs it on a thread for blocking work.
    pub(super) async fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        check: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotChecked> {
        if self.0.swap(true, Ordering::Acquire) {
            return Err(NotChecked::StillHangs);
        }
        let running = Running(Arc::clone(&self.0));
        let task = tokio::task::spawn_blocking(move || {
            let _running = running;
            check()
        });
        match tokio::time::timeout(limit, task).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(_)) => Err(NotChecked::Panicked),
            Err(_) => Err(NotChecked::TooLong(limit)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_check_that_hangs_or_panics_is_told_and_stopped_or_not_begun_again() {
        // req: M5
        let drain = Drain::new();
        assert_eq!(within(&drain, LIMIT, async { 7 }).await, Ok(7));
        let hangs = within(&drain, LIMIT, std::future::pending::<u8>());
        assert_eq!(hangs.await, Err(NotChecked::TooLong(LIMIT)));
        let panics = within(&drain, LIMIT, async { panic!("planted") as u8 });
        assert_eq!(panics.await, Err(NotChecked::Panicked));

        let blocking = Blocking::default();
        let patient = Duration::from_secs(60);
        assert_eq!(blocking.within(patient, || 7).await, Ok(7));
        let panics = blocking.within(patient, || panic!("planted") as u8).await;
        assert_eq!(panics, Err(NotChecked::Panicked));
        let (release, held) = std::sync::mpsc::channel::<()>();
        let hangs = blocking.within(LIMIT, move || held.recv().is_err());
        assert_eq!(hangs.await, Err(NotChecked::TooLong(LIMIT)));
        let again = blocking.within(patient, || true).await;
        assert_eq!(again, Err(NotChecked::StillHangs));
        drop(release);
        let free = async {
            while blocking.within(patient, || true).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(patient, free).await.unwrap();
    }
}
