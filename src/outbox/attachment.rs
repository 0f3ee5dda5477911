//! The sockets of a visitor: who is in, who is told to go, what wakes them.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::state::State;
use super::{Limits, Stream};
use crate::id::ConnectionId;
use crate::machine::outbox::{Marks, Resume, Start};
use crate::protocol::close::Close;

/// A socket among the visitor's; leaves when dropped.
pub struct Attachment {
    stream: Arc<Stream>,
    id: ConnectionId,
    /// Orders to close.
    pub close: mpsc::Receiver<Close>,
    /// Ticks when there may be something to send.
    pub changed: watch::Receiver<u64>,
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let mut state = self.stream.even_if_broken();
        state.sockets.retain(|(id, _)| *id != self.id);
        state.followers.retain(|id| *id != self.id);
    }
}

impl Stream {
    /// Enters a socket of the visitor, or of a device that follows: where sending starts, and the
    /// end of the oldest of its sort where there are too many. However many follow, the visitor's
    /// own sockets stay.
    pub fn attach(
        self: &Arc<Self>,
        id: ConnectionId,
        follows: bool,
        resume: &Resume,
    ) -> (Attachment, Start, Marks) {
        let (order, close) = mpsc::channel(1);
        let changed = self.changed.subscribe();
        let mut state = self.lock();
        state.sockets.push((id, order));
        if follows {
            state.followers.push(id);
        }
        state.close_oldest(follows, self.limits);
        let (start, marks) = (state.marks.start(resume), state.marks);
        drop(state);
        (
            Attachment {
                stream: Arc::clone(self),
                id,
                close,
                changed,
            },
            start,
            marks,
        )
    }

    /// Sockets of other devices that follow.
    pub fn followers(&self) -> usize {
        self.lock().followers.len()
    }

    /// Closes the sockets of other devices that follow; how many were told.
    pub fn close_followers(&self, why: Close) -> usize {
        let state = self.lock();
        let told = state
            .sockets
            .iter()
            .filter(|(id, order)| state.followers.contains(id) && order.try_send(why).is_ok());
        told.count()
    }
}

impl State {
    fn close_oldest(&mut self, follows: bool, limits: Limits) {
        let most = if follows {
            limits.followers
        } else {
            limits.sockets
        };
        loop {
            let of_sort = |(id, _): &&(ConnectionId, _)| self.followers.contains(id) == follows;
            if self.sockets.iter().filter(of_sort).count() <= most {
                return;
            }
            let oldest = self.sockets.iter().position(|entry| of_sort(&entry));
            let Some(oldest) = oldest else { return };
            let (oldest, order) = self.sockets.remove(oldest);
            self.followers.retain(|id| *id != oldest);
            // A full channel holds an order to close already.
            let _ = order.try_send(Close::Replaced);
        }
    }
}
