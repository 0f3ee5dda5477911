//! What a socket hears and what it has to say.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Ending, Source, message, metered};
use crate::access::Identity;
use crate::clock::{self, Instant};
use crate::intake::{Accepted, random_u128};
use crate::machine::connection::{Connection, Output, Verdict};
use crate::machine::outbox::{Cursor, Order, Resume};
use crate::meter::{Draft, EventKind};
use crate::outbox::{Attachment, Stream};
use crate::protocol::close::Close;
use crate::protocol::fault::{Fault, FaultCode};
use crate::protocol::frame::Control;
use crate::protocol::request::{self, Request};
use crate::serve::Services;
use crate::serve::roster::Listed;
use crate::shutdown::Phase;
use crate::store::StoreError;

/// Requests of this socket that are on their way to the disk; more waits in the kernel.
const UNDER_WAY: usize = 32;
/// Control frames that wait to be written; more stops the reading.
const UNSAID: usize = 64;
/// Frames read before acknowledgements are handed on.
const BURST: usize = 64;
/// What a frame costs, out of `max_cost_per_second`: acknowledgements are cheap and many.
const COST_ACK: u32 = 1;
const COST_OTHER: u32 = 100;

type Answer = Result<Accepted, Fault>;

/// What can happen to a socket.
pub(super) enum Event {
    Answered(Option<Answer>),
    Close(Close),
    Draining,
    Frame(Option<Result<Message, Error>>),
    Changed,
    Timer,
}

pub(super) struct Conversation {
    services: Arc<Services>,
    stream: Arc<Stream>,
    identity: Identity,
    attachment: Attachment,
    listed: Listed,
    machine: Connection,
    cursor: Cursor,
    epoch: u64,
    /// How often an administrator had everything sent again, when we last looked.
    rounds: u64,
    /// When the credential ends, or is to be looked at again.
    ends: Instant,
    /// Said before any sequenced frame.
    unsaid: VecDeque<Message>,
    /// The last sequence of the batch that is being written.
    writing: u64,
    under_way: FuturesUnordered<JoinHandle<Option<Answer>>>,
    told_to_go: bool,
}

impl Conversation {
    pub(super) fn open(
        listed: Listed,
        identity: Identity,
        resume: &Resume,
        services: &Arc<Services>,
    ) -> Result<Self, StoreError> {
        let id = listed.entry.id();
        let stream = services.outboxes.stream(&identity.user_id)?;
        let (attachment, start, marks) = stream.attach(id, resume);
        let now = clock::now();
        let settings = &services.settings;
        let established = Control::Established {
            connection_id: id,
            user_id: &identity.user_id,
            epoch: marks.epoch,
            not_recovered: start.not_recovered,
            last_sequence: marks.stable,
            acknowledged_sequence: marks.acked,
            oldest_sequence: marks.oldest,
            retention_ms: millis(settings.retention),
            heartbeat_interval_ms: millis(settings.connection.heartbeat),
            limits: &settings.limits,
        };
        let unsaid = VecDeque::from([Message::text(established.encode())]);
        let spread = (random_u128() as u32) as f64 / f64::from(u32::MAX);
        Ok(Self {
            machine: Connection::new(settings.connection, now, spread),
            cursor: Cursor::new(settings.send, start.after, marks.acked),
            epoch: marks.epoch,
            rounds: stream.rounds(),
            ends: next_check(&identity, now, clock::wall()),
            unsaid,
            writing: start.after,
            under_way: FuturesUnordered::new(),
            told_to_go: false,
            services: Arc::clone(services),
            stream,
            identity,
            attachment,
            listed,
        })
    }

    pub(super) fn write_timeout(&self) -> Duration {
        self.services.settings.write_timeout
    }

    /// Everything that may be written now.
    pub(super) fn due(&mut self) -> Result<Vec<Message>, Close> {
        let mut batch: Vec<Message> = self.unsaid.drain(..).collect();
        let marks = self.stream.marks();
        if marks.epoch != self.epoch {
            let ordered = self.attachment.close.try_recv();
            return Err(ordered.unwrap_or(Close::ByAdministrator));
        }
        if let Some(took) = self.cursor.on_acked(marks.acked, clock::now()) {
            let delivery = &self.services.meters.delivery;
            delivery.acknowledgement.record_span(took);
        }
        let rounds = self.stream.rounds();
        if std::mem::replace(&mut self.rounds, rounds) != rounds {
            self.cursor.send_again();
        }
        self.listed.entry.set_in_flight(self.cursor.in_flight());
        if self.cursor.is_left_behind(&marks) {
            return Err(Close::Overloaded);
        }
        let range = self.cursor.sendable(&marks);
        if !range.is_empty() {
            let taken = self.stream.take(self.epoch, range).map_err(|error| {
                tracing::error!(%error, "frames could not be read");
                Close::Internal
            })?;
            let Some(frames) = taken else {
                // An administrator changes the stream; it ticks when that is done.
                return Ok(batch);
            };
            if frames.texts.is_empty() {
                return Err(Close::Internal);
            }
            self.writing = frames.last;
            batch.extend(frames.texts.into_iter().map(message));
        }
        Ok(batch)
    }

    pub(super) fn on_written(&mut self, now: Instant) {
        self.cursor.on_sent(self.writing, now);
    }

    /// Waits for one thing to happen. Cancel-safe: what was heard is given out, never kept half-done.
    pub(super) async fn next(&mut self, source: &mut Source) -> Event {
        let next_timer = [
            Some(self.machine.poll_timeout()),
            self.cursor.poll_timeout(),
            Some(self.ends),
        ];
        let timer = next_timer.into_iter().flatten().min().unwrap_or(self.ends);
        let listening = self.under_way.len() < UNDER_WAY && self.unsaid.len() < UNSAID;
        tokio::select! {
            biased;
            Some(answer) = self.under_way.next() => Event::Answered(answer.ok().flatten()),
            Some(close) = self.attachment.close.recv() => Event::Close(close),
            () = self.services.drain.reached(Phase::Draining), if !self.told_to_go => Event::Draining,
            () = self.services.drain.reached(Phase::Closing) => Event::Close(Close::GoingAway),
            frame = source.next(), if listening => Event::Frame(frame),
            _ = self.attachment.changed.changed() => Event::Changed,
            () = tokio::time::sleep_until(timer.into()) => Event::Timer,
        }
    }

    /// Deals with what happened.
    pub(super) async fn handle(&mut self, event: Event, source: &mut Source) -> Result<(), Ending> {
        match event {
            Event::Answered(answer) => self.on_answer(answer),
            Event::Close(close) => return Err(Ending::Close(close)),
            Event::Draining => self.say_draining(),
            Event::Frame(frame) => self.on_burst(frame, source).await?,
            Event::Changed => {}
            Event::Timer => self.on_timer().await?,
        }
        Ok(())
    }

    async fn on_timer(&mut self) -> Result<(), Ending> {
        let now = clock::now();
        if now >= self.ends {
            let wall = clock::wall();
            if self.services.access.recheck(&self.identity, wall).is_err() {
                return Err(Ending::Close(Close::CredentialEnded));
            }
            self.ends = next_check(&self.identity, now, wall);
        }
        while let Some(output) = self.machine.handle_timeout(now) {
            match output {
                Output::Ping => self.unsaid.push_back(Message::Ping(bytes::Bytes::new())),
                Output::CloseIdle => return Err(Ending::Close(Close::Idle)),
                Output::CloseMaxAge => return Err(Ending::Close(Close::MaxAge)),
            }
        }
        match self.cursor.handle_timeout(now, random_u128() as u64) {
            Order::Wait => {}
            Order::Resend { retry } => {
                self.stream
                    .on_resend(retry)
                    .await
                    .map_err(|_| Ending::Close(Close::Internal))?;
            }
            Order::GiveUp => return Err(Ending::Close(Close::NotAcknowledging)),
        }
        Ok(())
    }

    fn say_draining(&mut self) {
        self.told_to_go = true;
        self.listed.entry.set_draining();
        // Spread over the drain and a little more, so that the clients do not come back at once.
        let spread = millis(self.services.settings.drain_timeout).clamp(1000, 10_000);
        let reconnect_after_ms = 500 + (random_u128() as u64) % spread;
        self.say(&Control::Draining { reconnect_after_ms });
    }

    fn say(&mut self, control: &Control<'_>) {
        self.unsaid.push_back(Message::text(control.encode()));
    }

    /// Reads until nothing is left, up to a cap, then hands on one acknowledgement.
    async fn on_burst(
        &mut self,
        first: Option<Result<Message, Error>>,
        source: &mut Source,
    ) -> Result<(), Ending> {
        let mut highest = None;
        let mut next = Some(first);
        let mut read = 0;
        while let Some(frame) = next.take() {
            read += 1;
            if let Err(ending) = self.on_frame(frame, &mut highest) {
                self.acknowledge(highest).await?;
                return Err(ending);
            }
            if read < BURST && self.under_way.len() < UNDER_WAY && self.unsaid.len() < UNSAID {
                next = source.next().now_or_never();
            }
        }
        self.acknowledge(highest).await
    }

    async fn acknowledge(&mut self, highest: Option<u64>) -> Result<(), Ending> {
        let Some(sequence) = highest else {
            return Ok(());
        };
        match self.stream.ack(sequence, None).await {
            Ok(Ok(())) => Ok(()),
            // Checked when the frame was read, and the mark never goes back within an epoch.
            Ok(Err(_)) => Err(Ending::Close(Close::ByAdministrator)),
            Err(_) => Err(Ending::Close(Close::Internal)),
        }
    }

    fn on_frame(
        &mut self,
        frame: Option<Result<Message, Error>>,
        highest: &mut Option<u64>,
    ) -> Result<(), Ending> {
        let frame = match frame {
            None => return Err(Ending::Gone),
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Err(ending_of(&error)),
        };
        match frame {
            Message::Text(text) => self.on_text(text.as_str(), highest),
            Message::Binary(_) => {
                self.spend(COST_OTHER)?;
                self.refuse(Fault::new(
                    FaultCode::BinaryFrame,
                    "binary frames are not understood; send JSON text",
                ))
            }
            Message::Ping(_) | Message::Pong(_) => self.spend(COST_OTHER),
            Message::Close(_) => Err(Ending::Farewell),
            Message::Frame(_) => Ok(()),
        }
    }

    fn spend(&mut self, cost: u32) -> Result<(), Ending> {
        match self.machine.on_frame(clock::now(), cost) {
            Verdict::Go => Ok(()),
            Verdict::TooFast => Err(Ending::Close(Close::TooFast)),
        }
    }

    fn on_text(&mut self, text: &str, highest: &mut Option<u64>) -> Result<(), Ending> {
        let request = request::parse(text, &self.identity.user_id);
        let is_ack = matches!(request, Ok(Request::Ack { .. }));
        self.spend(if is_ack { COST_ACK } else { COST_OTHER })?;
        if !is_ack {
            let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
            if let Err(wait) = self
                .services
                .limits
                .bytes
                .check_n(&self.identity.user_id, bytes)
            {
                self.services.meters.door.rate_limited.one("bytes");
                return self.refuse(rate_limited("bytes", wait.0));
            }
        }
        match request {
            Err(fault) => self.refuse(fault),
            Ok(request) => self.on_request(request, highest),
        }
    }

    fn on_request(&mut self, request: Request, highest: &mut Option<u64>) -> Result<(), Ending> {
        let user = &self.identity.user_id;
        match request {
            Request::Ack { sequence, epoch } => {
                let marks = self.stream.marks();
                if epoch.is_some_and(|epoch| epoch != marks.epoch.to_string()) {
                    return Ok(());
                }
                if sequence > marks.sent {
                    let text = format!(
                        "`sequence` is {sequence}, but nothing above {} was ever sent to you; nothing changed",
                        marks.sent
                    );
                    return self.refuse(Fault::new(FaultCode::AckOutOfRange, text));
                }
                *highest = (*highest).max(Some(sequence));
                Ok(())
            }
            Request::Chat(chat) => {
                if let Err(wait) = self.services.limits.messages.check(user) {
                    self.services.meters.door.rate_limited.one("messages");
                    let fault =
                        rate_limited("messages", wait.0).about(chat.example_message_id.as_str());
                    return self.refuse(fault);
                }
                // A task of its own: once it is on its way to the disk it must be entered, whatever the socket does.
                let (intake, user) = (self.services.intake.clone(), user.clone());
                let submit = async move { Some(intake.submit(user, *chat).await) };
                self.under_way
                    .push(self.services.drain.spawn("intake", submit));
                Ok(())
            }
            Request::Cancel { session_id } => {
                let (intake, user) = (self.services.intake.clone(), user.clone());
                let cancel = async move { intake.cancel(&user, session_id).await.err().map(Err) };
                self.under_way
                    .push(self.services.drain.spawn("cancel", cancel));
                Ok(())
            }
            Request::Ping { nonce } => {
                self.say(&Control::Pong {
                    nonce: nonce.as_ref(),
                });
                Ok(())
            }
            Request::Track(track) => {
                // Somebody else's session, or one that is gone, is counted without its category.
                let sessions = &self.services.sessions;
                let record = track
                    .session_id
                    .and_then(|id| sessions.find(user, id).ok().flatten());
                let observer = &self.services.observer;
                observer.track(user, &track, record.as_ref());
                Ok(())
            }
        }
    }

    fn on_answer(&mut self, answer: Option<Answer>) {
        match answer {
            Some(Ok(accepted)) => {
                let queue_position = accepted.begin.now();
                self.say(&Control::Accepted {
                    example_message_id: &accepted.message,
                    session_id: accepted.session,
                    duplicate: accepted.duplicate,
                    queue_position,
                });
            }
            Some(Err(fault)) => {
                self.say(&Control::Error(&fault));
                self.count_refusal(fault.code);
            }
            None => {}
        }
    }

    /// Says why a frame was refused; the tenth that was wrong in itself is the last.
    fn refuse(&mut self, fault: Fault) -> Result<(), Ending> {
        self.say(&Control::Error(&fault));
        self.count_refusal(fault.code);
        if fault.code.counts() {
            self.listed.entry.on_error();
        }
        if fault.code.counts() && self.machine.on_error() {
            return Err(Ending::Close(Close::TooManyErrors));
        }
        Ok(())
    }

    fn count_refusal(&self, code: FaultCode) {
        let meters = &self.services.meters;
        meters.door.refusals.one(code.as_str());
        let (kind, text) = match code {
            FaultCode::RateLimited => (EventKind::RateLimited, "a visitor sends too much"),
            _ => (EventKind::Refused, "a frame was refused"),
        };
        let mut event = Draft::new(kind, text).code(code.as_str());
        event.user = Some(self.identity.user_id.clone());
        meters.feed.tell(event, clock::wall());
    }

    /// The last words before we close.
    pub(super) fn last_words(&mut self) -> Vec<Message> {
        self.unsaid.drain(..).collect()
    }
}

/// When the credential is looked at: at its end, at least once a day, and never at once, so that
/// a wall clock that was put back does not keep the socket busy.
fn next_check(identity: &Identity, now: Instant, wall: clock::Wall) -> Instant {
    let left = identity.expires.since(wall);
    now + left.clamp(Duration::from_secs(1), Duration::from_secs(86_400))
}

fn rate_limited(what: &str, wait: Duration) -> Fault {
    let text = format!("too many {what} a minute; send it again after retry_after_ms");
    Fault::new(FaultCode::RateLimited, text).retry_after_ms(millis(wait).max(1))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn ending_of(error: &Error) -> Ending {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Ending::Close(Close::TooBig),
        Error::Utf8(_) => Ending::Close(Close::NotUtf8),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ending::Gone,
        Error::Protocol(_) => Ending::Close(Close::Protocol),
        Error::Io(error) if metered::is_too_many(error) => Ending::Close(Close::TooBig),
        Error::Io(error) if metered::is_too_fast(error) => Ending::Close(Close::TooFast),
        Error::ConnectionClosed | Error::AlreadyClosed | Error::Io(_) => Ending::Gone,
        _ => Ending::Close(Close::Internal),
    }
}
