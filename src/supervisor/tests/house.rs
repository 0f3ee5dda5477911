//! The rooms from the intake to the store, and a backend that plays a script.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{mpsc, watch};

use super::super::*;
use crate::agents::Event;
use crate::agents::backend::{Failure, Outcome as Answered};
use crate::agents::catalog::Catalog;
use crate::id::{BusinessValue, Category, Complexity, MessageId, SessionId, UserId};
use crate::intake::Intake;
use crate::machine::admission::{self, Admission};
use crate::machine::breaker;
use crate::meter::Meters;
use crate::outbox::{self, Outboxes};
use crate::protocol::request::ChatMessage;
use crate::store::tests::house::{options, reopen};
use crate::store::{Committer, Frame, Opened, Store};

/// A test that waits longer has failed; nothing is asserted about time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// Says so many things, and answers.
    Answer(usize),
    Fail,
    Panic,
    /// Panics before there is a future.
    PanicAtOnce,
    Hang,
    /// Says one small thing after the other and never comes to an end.
    Drip,
    /// The same without a breath.
    Flood,
    /// Says something of so many bytes, and answers.
    Huge(usize),
    /// Answers, and leaves its sink with somebody who never drops it.
    LeakSink,
}

/// Plays its acts in turn, then answers for ever.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) acts: Mutex<VecDeque<Act>>,
    pub(crate) calls: AtomicUsize,
    pub(crate) running: watch::Sender<usize>,
    pub(crate) leaked: Mutex<Vec<mpsc::Sender<Event>>>,
    pub(crate) broken: AtomicBool,
}

impl Script {
    pub(crate) fn new(name: &'static str, acts: &[Act]) -> Arc<Self> {
        Arc::new(Self {
            name,
            acts: Mutex::new(acts.iter().copied().collect()),
            calls: AtomicUsize::new(0),
            running: watch::Sender::new(0),
            leaked: Mutex::default(),
            broken: AtomicBool::new(false),
        })
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Waits until so many futures of this backend are alive.
    pub(crate) async fn alive(&self, count: usize) {
        let mut running = self.running.subscribe();
        patient(running.wait_for(|now| *now == count))
            .await
            .unwrap();
    }
}

/// Counts a future that is alive: dropped with it.
pub(crate) struct Alive(watch::Sender<usize>);

impl Alive {
    fn new(running: watch::Sender<usize>) -> Self {
        running.send_modify(|n| *n += 1);
        Self(running)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n -= 1);
    }
}

impl Backend for Script {
    fn name(&self) -> &str {
        assert!(!self.broken.load(Ordering::SeqCst), "broken on purpose");
        self.name
    }

    fn run(
        &self,
        task: Task,
        events: mpsc::Sender<Event>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Answered> + Send>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let act = self.acts.lock().unwrap().pop_front();
        let act = act.unwrap_or(Act::Answer(2));
        assert!(!matches!(act, Act::PanicAtOnce), "panics on purpose");
        if let Act::LeakSink = act {
            self.leaked.lock().unwrap().push(events.clone());
        }
        let alive = Alive::new(self.running.clone());
        Box::pin(async move {
            let _alive = alive;
            let things = match act {
                Act::Answer(things) => things,
                Act::Fail => return Err(Failure::Broken("scripted".into())),
                Act::Panic => panic!("panics on purpose"),
                Act::Hang => std::future::pending().await,
                Act::Drip | Act::Flood => loop {
                    if events.send(thought("more".into())).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                    if matches!(act, Act::Drip) {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                },
                Act::Huge(bytes) => {
                    let _ = events.send(thought("a".repeat(bytes))).await;
                    1
                }
                Act::LeakSink | Act::PanicAtOnce => 1,
            };
            for n in 0..things {
                if events.send(thought(format!("thought {n}"))).await.is_err() {
                    break;
                }
            }
            crate::agents::answer(&task, &Catalog::builtin(), &mut |_| {}).map_err(Failure::Refused)
        })
    }
}

fn thought(message: String) -> Event {
    Event::Thinking {
        message,
        assumptions: Vec::new(),
    }
}

pub(crate) async fn patient<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it never happens")
}

/// The rooms from the intake to the store, with a supervisor that runs.
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) committer: Committer,
    pub(crate) outboxes: Outboxes,
    pub(crate) queue: Arc<Queue>,
    pub(crate) sessions: Sessions,
    pub(crate) intake: Intake,
    pub(crate) drain: Drain,
    pub(crate) supervisor: Supervisor,
    pub(crate) unfinished: Vec<SessionRecord>,
}

#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) agent_timeout: Duration,
    pub(crate) session_timeout: Duration,
    pub(crate) max_processing: usize,
}

pub(crate) const PLAN: Plan = Plan {
    agent_timeout: PATIENCE,
    session_timeout: Duration::from_secs(3600),
    max_processing: 100,
};

impl House {
    pub(crate) fn open(
        dir: &Path,
        plan: Plan,
        primary: &Arc<Script>,
        fallback: Option<&Arc<Script>>,
    ) -> Self {
        let opened = reopen(&options(dir)).unwrap();
        let Opened {
            store,
            committer,
            recovered,
        } = opened;
        let limits = outbox::Limits {
            max_pending: 10_000,
            max_pending_bytes: 16 << 20,
            sockets: 8,
            followers: 8,
        };
        let meters = Meters::default();
        let outboxes = Outboxes::new(
            store.clone(),
            committer.clone(),
            limits,
            &recovered,
            meters.clone(),
        );
        let sessions = Sessions::new(store.clone(), committer.clone(), meters.clone());
        let queue = Arc::new(Queue::new(Admission::new(admission::Limits {
            max_processing: plan.max_processing,
            ..admission::Limits::default()
        })));
        let drain = Drain::new();
        let intake = Intake::new(
            store.clone(),
            committer.clone(),
            outboxes.clone(),
            sessions.clone(),
            Arc::clone(&queue),
            drain.clone(),
            Arc::new(AtomicBool::new(false)),
        );
        let supervisor = Supervisor::new(
            Policy {
                agent_timeout: plan.agent_timeout,
                pace: Duration::ZERO,
                session_timeout: plan.session_timeout,
                as_of: None,
            },
            sessions.clone(),
            Arc::clone(&queue),
            drain.clone(),
            Arc::clone(primary) as Arc<dyn Backend>,
            fallback.map(|f| Arc::clone(f) as Arc<dyn Backend>),
            Breakers::new(
                breaker::Policy {
                    recovery_timeout: Duration::from_secs(3600),
                    ..breaker::Policy::default()
                },
                meters,
            ),
        );
        drain.spawn("supervisor", supervisor.clone().run());
        Self {
            store,
            committer,
            outboxes,
            queue,
            sessions,
            intake,
            drain,
            supervisor,
            unfinished: recovered.unfinished,
        }
    }

    pub(crate) async fn send(&self, user: &str, message: &str) -> SessionId {
        let accepted = self.intake.submit(visitor(user), chat(message)).await;
        accepted.unwrap().session
    }

    /// All frames of the session once one has ended it.
    pub(crate) async fn frames(&self, user: &str, session: SessionId) -> Vec<Frame> {
        let stream = self.outboxes.stream(&visitor(user)).unwrap();
        let resume = crate::machine::outbox::Resume::Pending;
        let (mut socket, ..) = stream.attach(crate::id::ConnectionId(1), false, &resume);
        patient(async {
            loop {
                let frames = self.stored(user, session);
                if frames.iter().any(|f| f.kind.ends_session()) {
                    return frames;
                }
                socket.changed.changed().await.unwrap();
            }
        })
        .await
    }

    pub(crate) fn stored(&self, user: &str, session: SessionId) -> Vec<Frame> {
        let frames = self.store.frames(&visitor(user), 1, 10_000, usize::MAX);
        let frames = frames.unwrap().into_iter().map(|(_, frame)| frame);
        frames.filter(|f| f.session == session).collect()
    }

    /// Sends a message; the payload that ended its session, which is the last frame and the only end.
    pub(crate) async fn ask(&self, message: &str) -> (Kind, Value) {
        let session = self.send("ann", message).await;
        the_end(&self.frames("ann", session).await)
    }

    /// Every place is free again.
    pub(crate) async fn idle(&self) {
        let free = || self.queue.with(|a| a.processing() + a.waiting()) == 0;
        patient(async {
            while !free() || !self.supervisor.0.sessions.all().is_empty() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    pub(crate) async fn close(self) {
        self.drain.advance(Phase::Draining);
        self.drain.advance(Phase::Closing);
        assert_eq!(self.drain.finished(PATIENCE).await, []);
    }
}

pub(crate) fn the_end(frames: &[Frame]) -> (Kind, Value) {
    let ends = frames.iter().filter(|f| f.kind.ends_session()).count();
    let last = frames.last().unwrap();
    assert!(ends == 1 && last.kind.ends_session(), "{frames:?}");
    (last.kind, serde_json::from_str(&last.payload).unwrap())
}

pub(crate) fn kinds(frames: &[Frame]) -> Vec<&'static str> {
    frames.iter().map(|f| f.kind.as_str()).collect()
}

pub(crate) fn visitor(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

pub(crate) fn chat(message: &str) -> ChatMessage {
    ChatMessage {
        content: "We send 1 million requests a day to GPT-4o, 900 tokens in and 300 out.".into(),
        example_message_id: MessageId::parse(message).unwrap(),
        title: "t".into(),
        category: Category::Cost,
        complexity: Complexity::Basic,
        business_value: BusinessValue::Conversion,
        estimated_time: "1 s".into(),
        parent_session_id: None,
        assumptions: BTreeMap::new(),
    }
}
