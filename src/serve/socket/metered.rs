//! A bound on what a socket may send, below the frames.
//!
//! Fragments of a message are put together out of our sight: a client that never ends its
//! message would be neither counted nor heard. So bytes and fragments are counted where they
//! come in.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::heads::{Heads, TooMany};
use crate::clock::{self, Instant};
use crate::meter::Meters;
use crate::serve::roster::Entry;

/// Bytes in one second: twice what the frames that are allowed in it could have.
const BYTES_PER_SECOND: usize = 4 * 1024 * 1024;

/// The client sends more than anything legal needs.
#[derive(Debug, thiserror::Error)]
#[error("more than {BYTES_PER_SECOND} bytes in a second")]
struct TooFast;

/// Whether reading failed because of the bound.
pub(super) fn is_too_fast(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<TooFast>())
}

/// Whether reading failed because a message came in too many fragments.
pub(super) fn is_too_many(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<TooMany>())
}

/// A stream whose reading fails once it is too fast; writing goes on.
pub(super) struct Metered<S> {
    inner: S,
    second: Instant,
    bytes: usize,
    heads: Heads,
    entry: Arc<Entry>,
    meters: Meters,
}

impl<S> Metered<S> {
    /// `already_read` came with the request for the upgrade.
    pub(super) fn new(inner: S, already_read: &[u8], entry: Arc<Entry>, meters: Meters) -> Self {
        entry.on_received(already_read.len(), clock::now());
        let mut heads = Heads::default();
        // Too short for too many: it is the rest of one read of a request's head.
        let _ = heads.feed(already_read);
        Self {
            inner,
            second: clock::now(),
            bytes: 0,
            heads,
            entry,
            meters,
        }
    }

    pub(super) fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    fn counted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = written {
            self.entry.on_sent(bytes);
            self.meters.door.bytes_out.add(bytes as u64);
        }
        written
    }

    fn count(&mut self, bytes: usize, now: Instant) -> io::Result<()> {
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            (self.second, self.bytes) = (now, 0);
        }
        self.bytes += bytes;
        if self.bytes > BYTES_PER_SECOND {
            return Err(io::Error::other(TooFast));
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        let fresh = &buf.filled()[before..];
        if !fresh.is_empty() {
            let now = clock::now();
            self.entry.on_received(fresh.len(), now);
            self.meters.door.bytes_in.add(fresh.len() as u64);
            self.count(fresh.len(), now)?;
            self.heads.feed(fresh).map_err(io::Error::other)?;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.counted(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.counted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Arc<Entry> {
        let origin = crate::serve::roster::Origin {
            address: std::net::IpAddr::from([127, 0, 0, 1]),
            user_agent: None,
        };
        let user = crate::id::UserId::parse("ann").unwrap();
        let roster = crate::serve::roster::Roster::default();
        let listed = roster.enter(crate::id::ConnectionId(1), &user, origin);
        Arc::clone(&listed.entry)
    }

    #[test]
    fn counts_by_the_second() {
        let mut meter = Metered::new((), &[], entry(), Meters::default());
        let start = meter.second;
        assert!(meter.count(BYTES_PER_SECOND, start).is_ok());
        assert!(is_too_fast(&meter.count(1, start).unwrap_err()));
        assert!(meter.count(1, start + Duration::from_secs(1)).is_ok());
        assert!(!is_too_fast(&io::Error::other("something else")));
    }
}
