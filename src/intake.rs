//! Taking a message in: admission → dedupe → one durable step → "accepted".
//!
//! Nothing partial is kept: a message is refused before anything is written, or
//! its session, its record for repetition and its visitor are written together.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest;
use tokio::sync::Notify;

use crate::business;
use crate::clock;
use crate::id::{MessageId, SessionId, UserId};
use crate::machine::admission::{Admission, Refused};
use crate::machine::session::State;
use crate::outbox::Outboxes;
use crate::protocol::fault::{Fault, FaultCode};
use crate::protocol::request::ChatMessage;
use crate::sessions::{End, Sessions, Stop};
use crate::shutdown::{Drain, Phase};
use crate::store::record::MessageRecord;
use crate::store::{Committer, Op, SessionRecord, Store, StoreError};

/// A message that is durable.
pub struct Accepted {
    /// The client's id.
    pub message: MessageId,
    /// Ours.
    pub session: SessionId,
    /// True where it had been accepted before.
    pub duplicate: bool,
    /// What begins its work.
    pub begin: Begin,
}

/// Begins the work of an accepted message, at the latest when dropped. Whoever asked is told
/// "accepted" first, so that no frame of the session can overtake it on the same socket.
pub struct Begin {
    queue: Arc<Queue>,
    /// None where the session had been accepted before.
    held: Option<UserId>,
    session: SessionId,
}

impl Begin {
    /// Enters the queue; the place in it, 0 where the session does not wait.
    pub fn now(mut self) -> usize {
        match self.held.take() {
            Some(user) => self.enter(&user),
            None => {
                let session = self.session;
                self.queue.with(|a| a.position(session)).unwrap_or(0)
            }
        }
    }

    fn enter(&self, user: &UserId) -> usize {
        // A place in the queue that is free already is no waiting.
        let position = self.queue.with(|a| {
            let place = a.enter(user, self.session).position;
            place.saturating_sub(a.free())
        });
        self.queue.ready.notify_one();
        position
    }
}

impl Drop for Begin {
    fn drop(&mut self) {
        if let Some(user) = self.held.take() {
            self.enter(&user);
        }
    }
}

/// A handle; cloned freely.
#[derive(Clone)]
pub struct Intake(Arc<Shared>);

/// What the intake shares with the supervisor.
pub struct Queue {
    admission: Mutex<Admission>,
    /// Told when a session may be ready.
    pub ready: Notify,
}

struct Shared {
    store: Store,
    committer: Committer,
    outboxes: Outboxes,
    sessions: Sessions,
    queue: Arc<Queue>,
    drain: Drain,
    /// Set while the disk is too full for new work.
    disk_low: Arc<AtomicBool>,
}

impl Queue {
    /// An empty queue.
    pub fn new(admission: Admission) -> Self {
        Self {
            admission: Mutex::new(admission),
            ready: Notify::new(),
        }
    }

    /// Asks or tells the admission something.
    pub fn with<T>(&self, act: impl FnOnce(&mut Admission) -> T) -> T {
        act(&mut self
            .admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intake {
    /// `disk_low` is set by whoever watches the disk.
    pub fn new(
        store: Store,
        committer: Committer,
        outboxes: Outboxes,
        sessions: Sessions,
        queue: Arc<Queue>,
        drain: Drain,
        disk_low: Arc<AtomicBool>,
    ) -> Self {
        Self(Arc::new(Shared {
            store,
            committer,
            outboxes,
            sessions,
            queue,
            drain,
            disk_low,
        }))
    }

    /// Takes a message in; it is durable when this returns.
    ///
    /// # Errors
    /// A [`Fault`] for the client; nothing was kept then.
    pub async fn submit(&self, user: UserId, chat: ChatMessage) -> Result<Accepted, Fault> {
        let message = chat.example_message_id.clone();
        let answer = self.try_submit(user, chat).await;
        let word = match &answer {
            Ok(accepted) if accepted.duplicate => "duplicate",
            Ok(_) => "accepted",
            Err(fault) => fault.code.as_str(),
        };
        self.0.sessions.meters().work.admissions.one(word);
        answer.map_err(|fault| fault.about(message.as_str()))
    }

    async fn try_submit(&self, user: UserId, chat: ChatMessage) -> Result<Accepted, Fault> {
        let shared = &*self.0;
        let stream = shared.outboxes.stream(&user).map_err(internal)?;
        let _one_at_a_time = stream.intake.lock().await;
        let digest = digest(&chat);
        if let Some(known) = shared
            .store
            .message(&user, &chat.example_message_id)
            .map_err(internal)?
        {
            return self.repeated(chat.example_message_id, &known, digest);
        }
        if shared.drain.phase() > Phase::Running {
            return Err(Fault::new(
                FaultCode::Draining,
                "the server is going away; send it again after reconnecting",
            ));
        }
        if shared.disk_low.load(Ordering::Relaxed) {
            let fault = Fault::new(
                FaultCode::Overloaded,
                "the server's disk is nearly full; what was accepted is kept",
            );
            return Err(fault.retry_after_ms(60_000));
        }
        let id = SessionId(random_u128());
        // Room now, the queue only once it is durable: the supervisor must not find it before.
        shared
            .queue
            .with(|a| a.hold(&user, id, clock::now()))
            .map_err(refused)?;
        let cancel = Withdraw {
            queue: &shared.queue,
            id: Some(id),
        };
        let Some(room) = stream.reserve() else {
            let text = "too many frames of yours wait to be acknowledged; acknowledge them, then send it again";
            return Err(Fault::new(FaultCode::BacklogFull, text).retry_after_ms(5_000));
        };
        let now = clock::wall();
        let record = record(&user, id, &chat, now);
        let mut ops: Vec<Op> = stream.first_record(now).into_iter().collect();
        ops.push(Op::PutSession(Box::new(record.clone())));
        let known = MessageRecord {
            session: id,
            digest,
        };
        let put = Op::PutMessage(user.clone(), chat.example_message_id.clone(), known);
        ops.push(put);
        ops.push(business::accepted(&record));
        shared.committer.commit(ops).await.map_err(internal)?;
        let topic = (record.category, record.complexity, record.business_value);
        shared.sessions.meters().work.accepted.one(topic);
        shared.sessions.enter(record, Arc::clone(&stream), room);
        cancel.keep();
        Ok(Accepted {
            message: chat.example_message_id,
            session: id,
            duplicate: false,
            begin: Begin {
                queue: Arc::clone(&shared.queue),
                held: Some(user),
                session: id,
            },
        })
    }

    fn repeated(
        &self,
        message: MessageId,
        known: &MessageRecord,
        digest: [u8; 32],
    ) -> Result<Accepted, Fault> {
        if known.digest != digest {
            let text = format!(
                "`{message}` was accepted before with another content, and is answered by {}; use a new example_message_id",
                known.session
            );
            return Err(Fault::new(FaultCode::Conflict, text));
        }
        Ok(Accepted {
            message,
            session: known.session,
            duplicate: true,
            begin: Begin {
                queue: Arc::clone(&self.0.queue),
                held: None,
                session: known.session,
            },
        })
    }

    /// Stops a visitor's session. A waiting one ends at once, a running one as soon as its agent is stopped.
    ///
    /// # Errors
    /// A [`Fault`]: not the visitor's, or ended already.
    pub async fn cancel(&self, user: &UserId, id: SessionId) -> Result<(), Fault> {
        self.stop(user, id, Stop::Cancelled, Vec::new())
            .await
            .map(|_| ())
    }

    /// The same for whatever reason; `with` becomes durable with the end where it ends at once.
    /// True where it has ended, false where its agent is still being stopped.
    ///
    /// # Errors
    /// As [`Intake::cancel`].
    pub async fn stop(
        &self,
        user: &UserId,
        id: SessionId,
        why: Stop,
        with: Vec<Op>,
    ) -> Result<bool, Fault> {
        let shared = &*self.0;
        let found = shared.sessions.find(user, id).map_err(internal)?;
        let Some(record) = found else {
            return Err(Fault::new(
                FaultCode::NotFound,
                format!("you have no session {id}"),
            ));
        };
        let live = shared.sessions.get(id).filter(|_| !record.state.ended());
        let Some(session) = live else {
            let text = format!("session {id} has ended already: {}", record.state.as_str());
            return Err(Fault::new(FaultCode::AlreadyEnded, text));
        };
        if !self.take_out(id) {
            shared.committer.commit(with).await.map_err(internal)?;
            session.stop(why);
            return Ok(false);
        }
        let mut ops = business::ended(&record, State::Cancelled.as_str(), clock::Duration::ZERO);
        ops.extend(with);
        session
            .end(End::stopped(why), ops)
            .await
            .map_err(internal)?;
        shared.sessions.leave(id);
        shared.queue.ready.notify_one();
        Ok(true)
    }

    /// Takes a waiting session out of the queue; false where it is not waiting. Asked and taken
    /// out in one step: the supervisor starts it, or the caller ends it.
    pub(crate) fn take_out(&self, id: SessionId) -> bool {
        self.0
            .queue
            .with(|a| a.position(id).is_some_and(|p| p > 0) && a.cancel(id))
    }

    /// The place of a session: 0 while it is processed, none where it is not in the queue.
    pub fn position(&self, id: SessionId) -> Option<usize> {
        self.0.queue.with(|a| a.position(id))
    }

    /// How many sessions may be live, and how many of them processed at once.
    pub fn capacity(&self) -> (usize, usize) {
        let limits = self.0.queue.with(|a| a.limits());
        (limits.max_concurrent, limits.max_processing)
    }

    /// Sessions that wait for a place.
    pub fn waiting(&self) -> usize {
        self.0.queue.with(|a| a.waiting())
    }

    /// Sessions that are processing.
    pub fn processing(&self) -> usize {
        self.0.queue.with(|a| a.processing())
    }

    /// Puts the sessions of before a restart back into the queue, oldest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn resume(&self, unfinished: Vec<SessionRecord>) -> Result<usize, StoreError> {
        let shared = &*self.0;
        let count = unfinished.len();
        shared.sessions.meters().work.resumed.add(count as u64);
        for record in unfinished {
            let stream = shared.outboxes.stream(&record.user)?;
            let room = stream.reserve_again();
            let (user, id) = (record.user.clone(), record.id);
            shared.sessions.enter(record, stream, room);
            shared.queue.with(|a| a.enter(&user, id));
        }
        shared.queue.ready.notify_one();
        Ok(count)
    }
}

/// Gives the place back unless it is kept.
struct Withdraw<'a> {
    queue: &'a Queue,
    id: Option<SessionId>,
}

impl Withdraw<'_> {
    fn keep(mut self) {
        self.id = None;
    }
}

impl Drop for Withdraw<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.queue.with(|a| a.cancel(id));
        }
    }
}

fn record(user: &UserId, id: SessionId, chat: &ChatMessage, now: clock::Wall) -> SessionRecord {
    SessionRecord {
        id,
        user: user.clone(),
        message: chat.example_message_id.clone(),
        content: chat.content.clone(),
        title: chat.title.clone(),
        category: chat.category,
        complexity: chat.complexity,
        business_value: chat.business_value,
        estimated_time: chat.estimated_time.clone(),
        parent: chat.parent_session_id,
        assumptions: serde_json::to_string(&chat.assumptions).unwrap_or_default(),
        state: State::Created,
        attempts: 0,
        created: now,
        ended: None,
        last_sequence: 0,
    }
}

/// SHA-256 of everything that decides the answer; titles and times may differ between repetitions.
fn digest(chat: &ChatMessage) -> [u8; 32] {
    let parts = serde_json::json!([
        chat.content,
        chat.category,
        chat.complexity,
        chat.assumptions,
        chat.parent_session_id
    ]);
    let sum = digest::digest(&digest::SHA256, parts.to_string().as_bytes());
    sum.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn refused(refused: Refused) -> Fault {
    let ms = u64::try_from(refused.retry_after().as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let (code, text) = match refused {
        Refused::Overloaded { .. } => (
            FaultCode::Overloaded,
            "every place is taken; send it again after retry_after_ms",
        ),
        Refused::VisitorBusy { .. } => (
            FaultCode::BacklogFull,
            "too many messages of yours wait for an answer; wait for one of them",
        ),
    };
    Fault::new(code, text).retry_after_ms(ms)
}

fn internal(error: StoreError) -> Fault {
    tracing::error!(%error, "a message could not be taken in");
    Fault::new(
        FaultCode::Internal,
        "it could not be stored; nothing was kept; send it again",
    )
}

/// 128 bits from the system.
pub fn random_u128() -> u128 {
    use ring::rand::{SecureRandom, SystemRandom};
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system gives random bytes, or nothing here is safe");
    u128::from_le_bytes(bytes)
}
