//! Forgetting a visitor who has nothing and has not been seen for long.

use std::sync::Arc;

use super::Stream;
use crate::clock::Wall;
use crate::machine::outbox::Marks;
use crate::store::{Op, StoreError};

/// Who may be forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Idle {
    /// Nothing was written for the visitor, and no token revoked, since.
    pub since: Wall,
    /// One whose tokens were ever revoked is kept: nobody here knows how long they would be good.
    pub keep_revoked: bool,
}

impl Stream {
    /// Removes the visitor's record and turns the stream into that of somebody nobody has heard of,
    /// in an epoch of its own. `next_epoch` is told the present one, and gives one that no visitor
    /// had before. False where the visitor has something, or was seen.
    ///
    /// Decided under the stream's lock, and in place: whoever comes back in this moment has the
    /// new epoch at once, and what is written for them is queued behind the removal.
    pub(in super::super) async fn retire(
        self: &Arc<Self>,
        idle: Idle,
        next_epoch: impl FnOnce(u64) -> u64,
    ) -> Result<bool, StoreError> {
        // Asked before the lock, because it reads the store: a message that comes after this
        // is seen by when the visitor was touched.
        if self.store.has_messages(&self.user)? {
            return Ok(false);
        }
        let permit = self.committer.reserve().await?;
        let mut state = self.lock();
        let marks = state.marks;
        let has_something =
            marks.oldest < marks.next || state.reserved > 0 || !state.sockets.is_empty();
        let revoked = state.generation > 0 || state.revoked_at > Wall(0);
        if state.unwritten
            || state.still
            || has_something
            || state.touched >= idle.since
            || state.revoked_at >= idle.since
            || (revoked && idle.keep_revoked)
        {
            return Ok(false);
        }
        state.marks = Marks::recovered(next_epoch(marks.epoch), 1, 0, 1);
        state.unwritten = true;
        state.generation = 0;
        state.revoked_at = Wall(0);
        state.attempts = 0;
        state.expired = 0;
        let forget = Op::ForgetVisitor {
            user: self.user.clone(),
            epoch: marks.epoch,
        };
        // Held until it is on disk, as in `queue_record`.
        let stream = Arc::clone(self);
        permit.send(vec![forget], Box::new(move |_| drop(stream)));
        Ok(true)
    }
}
