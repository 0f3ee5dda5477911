//! One WebSocket: a single task that reads, writes and waits.
//!
//! Everything that is due is fed, then flushed once, under a write timeout; while
//! a write is under way the task goes on reading, so a slow reader never keeps its
//! own acknowledgements from being heard. What to do is decided by the pure machines
//! [`Connection`] and [`Cursor`](crate::machine::outbox::Cursor).

mod conversation;
mod farewell;
mod heads;
mod metered;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::accept::Io;
use super::line::Line;
use super::roster::{Listed, Origin};
use super::{Peer, Services};
use crate::access::Identity;
use crate::clock;
use crate::id::{ConnectionId, UserId};
use crate::intake::random_u128;
use crate::machine::outbox::Resume;
use crate::meter::{Draft, EventKind};
use crate::protocol::close::Close;
use conversation::Conversation;
use metered::Metered;

type Socket = WebSocketStream<Metered<Line>>;
type Sink = SplitSink<Socket, Message>;
type Source = SplitStream<Socket>;

/// Read at once; a larger one costs its size for every idle socket.
const READ_BUFFER: usize = 4 * 1024;
/// Gathered before a write.
const WRITE_BUFFER: usize = 16 * 1024;
/// Beyond this a write is refused; one batch and its control frames fit.
const MAX_WRITE_BUFFER: usize = 1024 * 1024;

/// Starts the socket once hyper has sent the 101.
pub(super) fn start(
    upgrade: OnUpgrade,
    identity: Identity,
    resume: Resume,
    origin: Origin,
    peer: Peer,
    services: Arc<Services>,
) {
    let drain = services.drain.clone();
    drain.spawn(
        "socket",
        Box::pin(async move {
            let Ok(upgraded) = upgrade.await else { return };
            let Ok(parts) = upgraded.downcast::<Io>() else {
                return;
            };
            let line = TokioIo::into_inner(parts.io);
            let config = WebSocketConfig::default()
                .read_buffer_size(READ_BUFFER)
                .write_buffer_size(WRITE_BUFFER)
                .max_write_buffer_size(MAX_WRITE_BUFFER)
                .max_message_size(Some(services.settings.max_frame))
                .max_frame_size(Some(services.settings.max_frame));
            let already_read = parts.read_buf.to_vec();
            // Hyper's buffer of 8 KiB would live as long as the socket.
            drop(parts.read_buf);
            let id = ConnectionId(random_u128());
            let listed = services.roster.enter(id, &identity.user_id, origin);
            let metered = Metered::new(
                line,
                &already_read,
                Arc::clone(&listed.entry),
                services.meters.clone(),
            );
            let socket = WebSocketStream::from_partially_read(
                metered,
                already_read,
                Role::Server,
                Some(config),
            )
            .await;
            Box::pin(run(socket, listed, identity, resume, &services)).await;
            drop(peer);
        }),
    );
}

async fn run(
    socket: Socket,
    listed: Listed,
    identity: Identity,
    resume: Resume,
    services: &Arc<Services>,
) {
    let id = listed.entry.id();
    let user = identity.user_id.clone();
    let (mut sink, mut source) = socket.split();
    let mut conversation = match Conversation::open(listed, identity, &resume, services) {
        Ok(conversation) => conversation,
        Err(error) => {
            tracing::error!(connection = %id, %error, "a stream could not be opened");
            return farewell::close(sink, source, Vec::new(), Close::Internal).await;
        }
    };
    tracing::info!(connection = %id, visitor = %user, "connected");
    let door = &services.meters.door;
    door.opened.one();
    door.sockets.add(1);
    let ending = talk(&mut conversation, &mut sink, &mut source).await;
    tracing::info!(connection = %id, visitor = %user, ending = ?ending, "disconnected");
    door.sockets.add(-1);
    count_ending(services, id, &user, ending);
    let words = conversation.last_words();
    drop(conversation);
    match ending {
        Ending::Gone => {}
        Ending::Farewell => farewell::answer(sink, source).await,
        // A peer that does not read would only keep us waiting.
        Ending::Close(Close::NotReading) => {}
        Ending::Close(close) => farewell::close(sink, source, words, close).await,
    }
}

fn count_ending(services: &Services, id: ConnectionId, user: &UserId, ending: Ending) {
    let close = match ending {
        Ending::Gone => return services.meters.door.closed.one(0),
        Ending::Farewell => Close::Done,
        Ending::Close(close) => close,
    };
    services.meters.door.closed.one(close.code());
    if close.is_fault() {
        let event = Draft::new(EventKind::ConnectionClosed, close.reason());
        let mut event = event.code(close.code().to_string());
        (event.connection, event.user) = (Some(id), Some(user.clone()));
        services.meters.feed.tell(event, clock::wall());
    }
}

/// How a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The other side went without a word.
    Gone,
    /// The other side said goodbye and waits for ours.
    Farewell,
    /// We close.
    Close(Close),
}

async fn talk(conversation: &mut Conversation, sink: &mut Sink, source: &mut Source) -> Ending {
    loop {
        let batch = match conversation.due() {
            Ok(batch) => batch,
            Err(close) => return Ending::Close(close),
        };
        if batch.is_empty() {
            let event = conversation.next(source).await;
            if let Err(ending) = conversation.handle(event, source).await {
                return ending;
            }
            continue;
        }
        let limit = conversation.write_timeout();
        let delay = conversation.delay();
        let mut write = std::pin::pin!(async {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            tokio::time::timeout(limit, write(sink, batch)).await
        });
        loop {
            tokio::select! {
                written = &mut write => match written {
                    Ok(Ok(())) => break,
                    Ok(Err(_)) => return Ending::Gone,
                    Err(_) => return Ending::Close(Close::NotReading),
                },
                event = conversation.next(source) => if let Err(ending) = conversation.handle(event, source).await {
                    // What was to be said is said before we close, as far as the other side reads.
                    if ending != Ending::Gone {
                        let _ = tokio::time::timeout(Duration::from_secs(1), &mut write).await;
                    }
                    return ending;
                },
            }
        }
        conversation.on_written(clock::now());
    }
}

async fn write(
    sink: &mut Sink,
    batch: Vec<Message>,
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    for message in batch {
        sink.feed(message).await?;
    }
    sink.flush().await
}

/// A composed frame as a message; composed texts are UTF-8, so nothing is lost.
fn message(text: Bytes) -> Message {
    Message::Text(Utf8Bytes::try_from(text).unwrap_or_default())
}
