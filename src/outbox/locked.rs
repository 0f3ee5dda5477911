//! The state of a stream, held alone.

use std::sync::MutexGuard;

use super::stream::State;
use crate::meter::Meters;

/// What the holder changed of the pending frames is counted when the state is let go,
/// wherever that was, so that the gauges cannot drift.
pub(super) struct Locked<'a> {
    state: MutexGuard<'a, State>,
    meters: &'a Meters,
}

impl<'a> Locked<'a> {
    pub(super) fn new(state: MutexGuard<'a, State>, meters: &'a Meters) -> Self {
        Self { state, meters }
    }
}

impl std::ops::Deref for Locked<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        &self.state
    }
}

impl std::ops::DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let (frames, bytes) = (self.state.marks.pending(), self.state.pending_bytes);
        let told = std::mem::replace(&mut self.state.told, (frames, bytes));
        if told != (frames, bytes) {
            let delivery = &self.meters.delivery;
            let by = |now: u64, before: u64| now as i64 - before as i64;
            delivery.pending.add(by(frames, told.0));
            delivery.pending_bytes.add(by(bytes, told.1));
        }
    }
}
