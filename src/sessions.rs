//! Sessions that have not ended: found by id, moved through their states, ended once.
//!
//! What has ended lives in the store alone. A session in memory is its record,
//! its visitor's stream, its promised room, and a way to be told to stop.

mod search;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

pub use search::{Found, Place, Told, Wanted};

use crate::clock::{self, Instant};
use crate::id::{SessionId, UserId};
use crate::machine::session::{Fact, State};
use crate::meter::{Draft, EventKind, Meters};
use crate::outbox::{Reservation, Stream};
use crate::protocol::frame::Kind;
use crate::store::{Committer, Frame, Op, SessionRecord, Store, StoreError};

/// Why a session is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The visitor pressed Stop.
    Cancelled,
    /// The session's own limit passed.
    Expired,
    /// An administrator ended it.
    ByAdministrator,
}

/// A session that has not ended.
pub struct Session {
    record: Mutex<SessionRecord>,
    stream: Arc<Stream>,
    stop: watch::Sender<Option<Stop>>,
    meters: Meters,
    entered: Instant,
    /// When the attempt began.
    begun: OnceLock<Instant>,
    /// Given back when the session is dropped.
    _room: Reservation,
}

/// All of them.
#[derive(Clone)]
pub struct Sessions(Arc<Shared>);

struct Shared {
    store: Store,
    committer: Committer,
    meters: Meters,
    live: Mutex<HashMap<SessionId, Arc<Session>>>,
    /// Ticks when one leaves.
    left: watch::Sender<()>,
}

/// What ends a session, in the form of its last frame.
#[derive(Debug)]
pub struct End {
    /// One of the five.
    pub state: State,
    /// Its frame.
    pub kind: Kind,
    /// Its payload.
    pub payload: Value,
    /// False where it is what the visitor wanted or caused: it does not count as an error.
    pub fault: bool,
}

impl End {
    /// No result.
    pub fn error(state: State, code: &str, message: &str, retryable: bool, recovery: &str) -> Self {
        let payload =
            json!({"code": code, "message": message, "retryable": retryable, "recovery": recovery});
        Self {
            state,
            kind: Kind::Error,
            payload,
            fault: true,
        }
    }

    /// The word by which it is counted.
    pub fn word(&self) -> &'static str {
        match self.state {
            State::Failed if !self.fault => "refused",
            state => state.as_str(),
        }
    }

    /// Told to stop.
    pub fn stopped(why: Stop) -> Self {
        let (state, kind, reason) = match why {
            Stop::Cancelled => (
                State::Cancelled,
                Kind::SessionCancelled,
                "cancelled by the visitor",
            ),
            Stop::ByAdministrator => (
                State::Cancelled,
                Kind::SessionCancelled,
                "cancelled by an administrator",
            ),
            Stop::Expired => (
                State::Expired,
                Kind::SessionExpired,
                "the session's time limit passed",
            ),
        };
        Self {
            state,
            kind,
            payload: json!({"reason": reason}),
            fault: false,
        }
    }
}

/// Frames of a visitor among which those of one session are looked for: its own 60 and those of the
/// sessions beside it.
pub const LOOK_BACK: u64 = 1024;
/// Read at once.
const STEP_BACK: u64 = 64;

/// The first frame of a session that was not taken up again.
fn is_first(frame: &Frame) -> bool {
    frame.kind == Kind::ProcessingStarted && !frame.payload.contains("\"resumed\":true")
}

impl Sessions {
    /// None yet.
    pub fn new(store: Store, committer: Committer, meters: Meters) -> Self {
        Self(Arc::new(Shared {
            store,
            committer,
            meters,
            live: Mutex::default(),
            left: watch::Sender::new(()),
        }))
    }

    /// Where this room counts, and who knows it may.
    pub fn meters(&self) -> &Meters {
        &self.0.meters
    }

    fn live(&self) -> std::sync::MutexGuard<'_, HashMap<SessionId, Arc<Session>>> {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a durable session.
    pub fn enter(
        &self,
        record: SessionRecord,
        stream: Arc<Stream>,
        room: Reservation,
    ) -> Arc<Session> {
        let id = record.id;
        let session = Arc::new(Session {
            record: Mutex::new(record),
            stream,
            stop: watch::Sender::new(None),
            meters: self.0.meters.clone(),
            entered: clock::now(),
            begun: OnceLock::new(),
            _room: room,
        });
        self.live().insert(id, Arc::clone(&session));
        session
    }

    /// The session, if it has not ended.
    pub fn get(&self, id: SessionId) -> Option<Arc<Session>> {
        self.live().get(&id).cloned()
    }

    /// Takes an ended session out.
    pub fn leave(&self, id: SessionId) {
        self.live().remove(&id);
        self.0.left.send_replace(());
    }

    /// Waits until none of these is there any more.
    pub async fn gone(&self, ids: &[SessionId]) {
        let mut left = self.0.left.subscribe();
        while ids.iter().any(|id| self.get(*id).is_some()) {
            // The sender lives in self.
            let _ = left.changed().await;
        }
    }

    /// How many have not ended.
    pub fn count(&self) -> usize {
        self.live().len()
    }

    /// How many have not ended, by state, and about how many bytes of memory their records take.
    pub fn census(&self) -> (BTreeMap<State, u64>, u64) {
        let (mut states, mut bytes) = (BTreeMap::new(), 0);
        for session in self.all() {
            let record = session
                .record
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *states.entry(record.state).or_insert(0) += 1;
            let texts = [&record.content, &record.title, &record.assumptions];
            let texts: usize = texts.iter().map(|text| text.capacity()).sum();
            bytes += (texts + size_of::<Session>()) as u64;
        }
        (states, bytes)
    }

    /// Everything that has not ended.
    pub fn all(&self) -> Vec<Arc<Session>> {
        self.live().values().cloned().collect()
    }

    /// A visitor's that have not ended.
    pub fn of(&self, user: &UserId) -> Vec<Arc<Session>> {
        let mut live = self.all();
        live.retain(|session| session.stream.user() == user);
        live
    }

    /// Up to `max` stored sessions after `after`, for the cleanup.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn stored_after(
        &self,
        after: Option<SessionId>,
        max: usize,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.0.store.sessions_after(after, max)
    }

    /// Whether a session is in memory or in the store. A store that cannot be read keeps it.
    pub fn known(&self, id: SessionId) -> bool {
        self.get(id).is_some()
            || self
                .0
                .store
                .session(id)
                .map_or(true, |found| found.is_some())
    }

    /// Removes an ended session; its frames follow when the stream is cleaned.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub async fn forget(&self, record: &SessionRecord) -> Result<(), StoreError> {
        let op = Op::RemoveSession(record.id, record.user.clone(), record.message.clone());
        self.0.committer.commit(vec![op]).await
    }

    /// The frame that ended a session, while it is held.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn last_frame(&self, record: &SessionRecord) -> Result<Option<(Kind, Value)>, StoreError> {
        if record.last_sequence == 0 {
            return Ok(None);
        }
        let frames = self
            .0
            .store
            .frames(&record.user, record.last_sequence, 1, usize::MAX)?;
        let frame = frames
            .into_iter()
            .find(|(_, f)| f.session == record.id && f.kind.ends_session());
        Ok(frame.map(|(_, f)| {
            (
                f.kind,
                serde_json::from_str(&f.payload).unwrap_or(Value::Null),
            )
        }))
    }

    /// The frames of a session with their sequences, and up to where its visitor has
    /// acknowledged. Looks at most [`LOOK_BACK`] frames of the visitor back from its end.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn frames(&self, record: &SessionRecord) -> Result<(Vec<(u64, Frame)>, u64), StoreError> {
        let store = &self.0.store;
        let last = record.last_sequence;
        let mut found = Vec::new();
        let mut before = last + 1;
        while last > 0 && before > 1 && last + 1 - before < LOOK_BACK {
            let first = before.saturating_sub(STEP_BACK).max(1);
            let count = usize::try_from(before - first).unwrap_or(usize::MAX);
            let mut page = store.frames(&record.user, first, count, usize::MAX)?;
            page.retain(|(sequence, f)| *sequence < before && f.session == record.id);
            let begun = page.iter().any(|(_, f)| is_first(f));
            page.append(&mut found);
            found = page;
            before = first;
            if begun {
                break;
            }
        }
        let visitor = store.visitor(&record.user)?;
        Ok((found, visitor.map_or(0, |v| v.acked)))
    }

    /// The record of a visitor's session, ended or not; none where it is not the visitor's.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn find(&self, user: &UserId, id: SessionId) -> Result<Option<SessionRecord>, StoreError> {
        let record = match self.get(id) {
            Some(session) => Some(session.record()),
            None => self.0.store.session(id)?,
        };
        Ok(record.filter(|r| r.user == *user))
    }
}

impl Session {
    /// A copy of the record.
    pub fn record(&self) -> SessionRecord {
        self.record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Ends it in memory alone, because all that is stored of it goes: it says nothing more.
    /// Under the stream's lock, as every step.
    pub(crate) fn discard(&self, now: clock::Wall) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.state = State::Cancelled;
        record.ended = Some(now);
        let topic = (record.category, record.complexity, record.business_value);
        let word = record.state.as_str();
        self.meters.work.ended.one((topic, word));
    }

    /// Hears when it is told to stop.
    pub fn stopped(&self) -> watch::Receiver<Option<Stop>> {
        self.stop.subscribe()
    }

    /// Tells it to stop; the first reason counts.
    pub fn stop(&self, why: Stop) {
        self.stop.send_if_modified(|now| {
            let first = now.is_none();
            *now = now.or(Some(why));
            first
        });
    }

    /// One step of its life: the state, the frame and the changes become durable together, or
    /// nothing happens because it has ended before. `write` gives the payload and the changes,
    /// and is told the frame's sequence.
    ///
    /// Decided under the stream's lock, so that of two who step at the same time the later one's
    /// frame comes later, and nothing comes after the end.
    async fn step(
        &self,
        fact: Fact,
        kind: Kind,
        write: impl FnOnce(&mut SessionRecord, u64) -> (String, Vec<Op>),
    ) -> Result<bool, StoreError> {
        let decide = |sequence| {
            let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
            record.state = record.state.after(fact).ok()?;
            let (payload, ops) = write(&mut record, sequence);
            let frame = Frame {
                kind,
                session: record.id,
                at: clock::wall(),
                payload,
            };
            Some((vec![frame], ops))
        };
        Ok(self.stream.append(decide).await?.is_some())
    }

    /// An attempt begins: the first frame, and the record of it, in one step.
    ///
    /// # Errors
    /// [`StoreError::Stopped`]; `Ok(false)` where it has ended already.
    pub async fn begin(&self) -> Result<bool, StoreError> {
        let began = self.step(Fact::Began, Kind::ProcessingStarted, |record, _| {
            record.attempts += 1;
            let payload = json!({
                "example_message_id": record.message, "category": record.category, "complexity": record.complexity,
                "estimated_time": record.estimated_time, "resumed": record.attempts > 1,
            });
            (payload.to_string(), vec![Op::PutSession(Box::new(record.clone()))])
        });
        let began = began.await?;
        if began {
            let now = *self.begun.get_or_init(clock::now);
            let waited = now.duration_since(self.entered);
            self.meters.work.queue.record_span(waited);
        }
        Ok(began)
    }

    /// Frames between the beginning and the end, in one step; each payload is JSON text.
    /// `Ok(false)` where it has ended already.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub async fn say(&self, said: Vec<(Kind, String)>) -> Result<bool, StoreError> {
        if said.is_empty() {
            return Ok(true);
        }
        let decide = |_| {
            let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
            let mut frames = Vec::with_capacity(said.len());
            for (kind, payload) in said {
                let fact = match kind {
                    Kind::PartialResult => Fact::GavePart,
                    _ => Fact::Thought,
                };
                record.state = record.state.after(fact).ok()?;
                frames.push(Frame {
                    kind,
                    session: record.id,
                    at: clock::wall(),
                    payload,
                });
            }
            Some((frames, Vec::new()))
        };
        Ok(self.stream.append(decide).await?.is_some())
    }

    /// The end: the last frame, the record and `with` in one step. `Ok(false)` where somebody
    /// else has ended it before.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub async fn end(&self, end: End, with: Vec<Op>) -> Result<bool, StoreError> {
        let payload = end.payload.to_string();
        let step = self.step(Fact::Ended(end.state), end.kind, |record, sequence| {
            record.ended = Some(clock::wall());
            record.last_sequence = sequence;
            let mut ops = vec![Op::PutSession(Box::new(record.clone()))];
            ops.extend(with);
            (payload, ops)
        });
        let ended = step.await?;
        if ended {
            self.count_end(&end);
        }
        Ok(ended)
    }

    fn count_end(&self, end: &End) {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let topic = (record.category, record.complexity, record.business_value);
        let work = &self.meters.work;
        work.ended.one((topic, end.word()));
        let now = clock::now();
        if let Some(begun) = self.begun.get() {
            work.processing.record_span(now.duration_since(*begun));
        }
        let kind = match end.state {
            State::TimedOut => EventKind::SessionTimedOut,
            State::Cancelled => EventKind::SessionCancelled,
            State::Expired => EventKind::SessionExpired,
            State::Failed => EventKind::SessionFailed,
            _ => {
                let took = now.duration_since(self.entered);
                return work.time_to_value.record_span(took);
            }
        };
        let said = |name: &str| end.payload[name].as_str().map(str::to_owned);
        let text = said("message").or_else(|| said("reason"));
        let mut event = Draft::new(kind, text.unwrap_or_default());
        event.code = said("code");
        event.session = Some(record.id);
        event.user = Some(record.user.clone());
        event.category = Some(record.category);
        self.meters.feed.tell(event, clock::wall());
    }
}
