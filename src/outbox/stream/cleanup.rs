//! Letting go of frames: what is overdue is given up, what is acknowledged is forgotten.

use std::sync::Arc;

use super::Stream;
use crate::clock::Wall;
use crate::store::{Chunk, Frame, Op, StoreError};

impl Stream {
    /// Gives up pending frames older than `pending_horizon` and forgets chunks whose frames are
    /// all acknowledged and belong to no session that `holds` keeps. Returns expired frames and
    /// forgotten chunks.
    ///
    /// # Errors
    /// Where the store cannot be read, or has stopped.
    pub async fn cleanup(
        self: &Arc<Self>,
        pending_horizon: Wall,
        holds: impl Fn(&Frame) -> bool,
    ) -> Result<(u64, usize), StoreError> {
        let chunks = self.store.chunks(&self.user)?;
        // Asked before the lock, because it reads the store: a session that is gone stays gone.
        let held: Vec<bool> = chunks.iter().map(|c| c.frames.iter().any(&holds)).collect();
        let permit = self.committer.reserve().await?;
        let mut state = self.lock();
        let waiting = chunks.iter().find(|c| c.last() > state.marks.acked);
        if let Some(chunk) = waiting {
            let offset = (state.marks.acked + 1).saturating_sub(chunk.first) as usize;
            self.meters
                .delivery
                .oldest_pending
                .saw(chunk.frames[offset].at.0);
        }
        let before = state.marks.acked;
        let overdue = chunks
            .iter()
            .take_while(|c| c.frames.iter().all(|f| f.at < pending_horizon))
            .last();
        let expired = overdue.map_or(0, |chunk| state.marks.on_expired(chunk.last()));
        let retained: u64 = chunks.iter().map(size).sum();
        let mut excess = retained.saturating_sub(self.limits.max_pending_bytes);
        let mut ops = Vec::new();
        let acked = state.marks.acked;
        for (chunk, held) in chunks.iter().zip(held) {
            if chunk.last() > acked || (held && excess == 0) {
                break;
            }
            excess = excess.saturating_sub(size(chunk));
            state.marks.on_forgotten(chunk.last());
            ops.push(Op::RemoveChunk(self.user.clone(), chunk.first));
        }
        let forgotten = ops.len();
        if expired > 0 || forgotten > 0 {
            state.expired += expired;
            state.settle(before);
            self.queue_record(permit, &state, ops);
        }
        drop(state);
        self.meters.delivery.expired.add(expired);
        if expired > 0 {
            self.tick();
        }
        Ok((expired, forgotten))
    }
}

fn size(chunk: &Chunk) -> u64 {
    chunk.frames.iter().map(|f| f.payload.len() as u64).sum()
}
