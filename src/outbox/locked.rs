//! The state of a stream, held alone.

use std::sync::MutexGuard;

use super::state::State;
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
        let now = self.state.share();
        let told = std::mem::replace(&mut self.state.told, now);
        if told != now {
            let delivery = &self.meters.delivery;
            let gauges = [
                &delivery.pending,
                &delivery.pending_bytes,
                &delivery.visitors,
            ];
            for (gauge, (now, told)) in gauges.into_iter().zip(now.into_iter().zip(told)) {
                gauge.add(now as i64 - told as i64);
            }
        }
    }
}
