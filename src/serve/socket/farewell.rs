//! Closing so that the other side hears why.
//!
//! A socket that is dropped with unread bytes is reset by the kernel, and the reset
//! overtakes the close frame. So we say goodbye, stop writing, and read on for a
//! moment before letting go.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{Sink, Source};
use crate::protocol::close::Close;

/// How long the other side has to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes read and thrown away meanwhile.
const LEFTOVERS: usize = 4 * 1024 * 1024;

/// Says the last words and goodbye, and lets go.
pub(super) async fn close(mut sink: Sink, mut source: Source, words: Vec<Message>, why: Close) {
    let frame = CloseFrame {
        code: CloseCode::from(why.code()),
        reason: why.reason().into(),
    };
    let say = async {
        for message in words.into_iter().chain([Message::Close(Some(frame))]) {
            if sink.feed(message).await.is_err() {
                return;
            }
        }
        if sink.flush().await.is_err() {
            return;
        }
        // After these the stream of frames cannot be read on.
        let readable = !matches!(
            why,
            Close::TooBig | Close::Protocol | Close::NotUtf8 | Close::TooFast
        );
        while readable && matches!(source.next().await, Some(Ok(_))) {}
        let_go(sink, source).await;
    };
    let _ = tokio::time::timeout(PATIENCE, say).await;
}

/// Answers the other side's goodbye, and lets go.
pub(super) async fn answer(mut sink: Sink, source: Source) {
    let say = async {
        // The answer was made when the goodbye was read; this sends it.
        if sink.close().await.is_ok() {
            let_go(sink, source).await;
        }
    };
    let _ = tokio::time::timeout(PATIENCE, say).await;
}

async fn let_go(sink: Sink, source: Source) {
    let Ok(mut socket) = sink.reunite(source) else {
        return;
    };
    // Below the meter: what is thrown away has a bound of its own.
    let tls = socket.get_mut().get_mut();
    let _ = tls.shutdown().await;
    let mut buffer = [0; 4096];
    let mut left = LEFTOVERS;
    while let Ok(n) = tls.read(&mut buffer).await
        && n > 0
        && left > n
    {
        left -= n;
    }
}
