//! The sockets of a visitor: who is in, who is told to go, what wakes them.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::Stream;
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
    }
}

impl Stream {
    /// Enters a socket: where sending starts, and the oldest socket's end where there are too many.
    pub fn attach(
        self: &Arc<Self>,
        id: ConnectionId,
        resume: &Resume,
    ) -> (Attachment, Start, Marks) {
        let (order, close) = mpsc::channel(1);
        let changed = self.changed.subscribe();
        let mut state = self.lock();
        state.sockets.push((id, order));
        while state.sockets.len() > self.limits.sockets {
            let (_, oldest) = state.sockets.remove(0);
            // A full channel holds an order to close already.
            let _ = oldest.try_send(Close::Replaced);
        }
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
}
