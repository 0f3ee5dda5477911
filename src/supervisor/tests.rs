//! A scripted backend over a real store. What is waited for is what a visitor would see.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{mpsc, watch};

use super::*;
use crate::agents::Event;
use crate::agents::backend::{Failure, Outcome as Answered};
use crate::agents::catalog::Catalog;
use crate::id::{BusinessValue, Category, Complexity, MessageId, SessionId, UserId};
use crate::intake::Intake;
use crate::machine::admission::{self, Admission};
use crate::machine::breaker;
use crate::outbox::{self, Outboxes};
use crate::protocol::request::ChatMessage;
use crate::store::testing::{options, reopen};
use crate::store::{Frame, Opened, Store};

/// A test that waits longer has failed; nothing is asserted about time.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
enum Act {
    /// Says so many things, and answers.
    Answer(usize),
    Fail,
    Panic,
    /// Panics before there is a future.
    PanicAtOnce,
    Hang,
    /// Answers, and leaves its sink with somebody who never drops it.
    LeakSink,
}

/// Plays its acts in turn, then answers for ever.
struct Script {
    name: &'static str,
    acts: Mutex<VecDeque<Act>>,
    calls: AtomicUsize,
    running: watch::Sender<usize>,
    leaked: Mutex<Vec<mpsc::Sender<Event>>>,
    broken: AtomicBool,
}

impl Script {
    fn new(name: &'static str, acts: &[Act]) -> Arc<Self> {
        Arc::new(Self {
            name,
            acts: Mutex::new(acts.iter().copied().collect()),
            calls: AtomicUsize::new(0),
            running: watch::Sender::new(0),
            leaked: Mutex::default(),
            broken: AtomicBool::new(false),
        })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Waits until so many futures of this backend are alive.
    async fn alive(&self, count: usize) {
        let mut running = self.running.subscribe();
        patient(running.wait_for(|now| *now == count))
            .await
            .unwrap();
    }
}

/// Counts a future that is alive: dropped with it.
struct Alive(watch::Sender<usize>);

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
                Act::LeakSink | Act::PanicAtOnce => 1,
            };
            for n in 0..things {
                let event = Event::Thinking {
                    message: format!("thought {n}"),
                    assumptions: Vec::new(),
                };
                if events.send(event).await.is_err() {
                    break;
                }
            }
            crate::agents::answer(&task, &Catalog::builtin(), &mut |_| {}).map_err(Failure::Refused)
        })
    }
}

async fn patient<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it never happens")
}

/// The rooms from the intake to the store, with a supervisor that runs.
struct House {
    store: Store,
    outboxes: Outboxes,
    queue: Arc<Queue>,
    intake: Intake,
    drain: Drain,
    supervisor: Supervisor,
    unfinished: Vec<SessionRecord>,
}

#[derive(Clone, Copy)]
struct Plan {
    agent_timeout: Duration,
    session_timeout: Duration,
    max_processing: usize,
}

const PLAN: Plan = Plan {
    agent_timeout: PATIENCE,
    session_timeout: Duration::from_secs(3600),
    max_processing: 100,
};

impl House {
    fn open(dir: &Path, plan: Plan, primary: &Arc<Script>, fallback: Option<&Arc<Script>>) -> Self {
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
        };
        let outboxes = Outboxes::new(store.clone(), committer.clone(), limits, recovered.epoch);
        let sessions = Sessions::new(store.clone(), committer.clone());
        let queue = Arc::new(Queue::new(Admission::new(admission::Limits {
            max_processing: plan.max_processing,
            ..admission::Limits::default()
        })));
        let drain = Drain::new();
        let intake = Intake::new(
            store.clone(),
            committer,
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
            Breakers::new(breaker::Policy {
                recovery_timeout: Duration::from_secs(3600),
                ..breaker::Policy::default()
            }),
        );
        drain.spawn("supervisor", supervisor.clone().run());
        Self {
            store,
            outboxes,
            queue,
            intake,
            drain,
            supervisor,
            unfinished: recovered.unfinished,
        }
    }

    async fn send(&self, user: &str, message: &str) -> SessionId {
        let accepted = self.intake.submit(visitor(user), chat(message)).await;
        accepted.unwrap().session
    }

    /// All frames of the session once one has ended it.
    async fn frames(&self, user: &str, session: SessionId) -> Vec<Frame> {
        let stream = self.outboxes.stream(&visitor(user)).unwrap();
        let resume = crate::machine::outbox::Resume::Pending;
        let (mut socket, ..) = stream.attach(crate::id::ConnectionId(1), &resume);
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

    fn stored(&self, user: &str, session: SessionId) -> Vec<Frame> {
        let frames = self.store.frames(&visitor(user), 1, 10_000, usize::MAX);
        let frames = frames.unwrap().into_iter().map(|(_, frame)| frame);
        frames.filter(|f| f.session == session).collect()
    }

    /// Sends a message; the payload that ended its session, which is the last frame and the only end.
    async fn ask(&self, message: &str) -> (Kind, Value) {
        let session = self.send("ann", message).await;
        the_end(&self.frames("ann", session).await)
    }

    /// Every place is free again.
    async fn idle(&self) {
        let free = || self.queue.with(|a| a.processing() + a.waiting()) == 0;
        patient(async {
            while !free() || !self.supervisor.0.sessions.all().is_empty() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    async fn close(self) {
        self.drain.advance(Phase::Draining);
        self.drain.advance(Phase::Closing);
        assert_eq!(self.drain.finished(PATIENCE).await, []);
    }
}

fn the_end(frames: &[Frame]) -> (Kind, Value) {
    let ends = frames.iter().filter(|f| f.kind.ends_session()).count();
    let last = frames.last().unwrap();
    assert!(ends == 1 && last.kind.ends_session(), "{frames:?}");
    (last.kind, serde_json::from_str(&last.payload).unwrap())
}

fn kinds(frames: &[Frame]) -> Vec<&'static str> {
    frames.iter().map(|f| f.kind.as_str()).collect()
}

fn visitor(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn chat(message: &str) -> ChatMessage {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_told_from_the_beginning_to_the_end() {
    // req: D6
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Answer(2), Act::LeakSink]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    let session = house.send("ann", "m1").await;
    let frames = house.frames("ann", session).await;
    assert_eq!(
        kinds(&frames),
        [
            "processing_started",
            "agent_started",
            "agent_thinking",
            "agent_thinking",
            "agent_completed"
        ]
    );
    let (_, end) = the_end(&frames);
    assert_eq!(end["real_agent_execution"], true);
    assert_eq!(end["fallback_reason"], Value::Null);
    assert_eq!(end["result"]["execution"]["backend"], "primary");
    let again = house.intake.submit(visitor("ann"), chat("m1")).await;
    let again = again.unwrap();
    assert!(again.duplicate && again.session == session);
    assert_eq!(primary.calls(), 1);
    assert_eq!(house.ask("leaked-sink").await.0, Kind::AgentCompleted);
    house.idle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_agent_is_replaced_and_the_reason_is_told() {
    // req: B3, B4
    let check = async |act: Act, reason: &str, code: &str| {
        let dir = tempfile::tempdir().unwrap();
        let plan = Plan {
            agent_timeout: Duration::from_millis(if matches!(act, Act::Hang) {
                20
            } else {
                60_000
            }),
            ..PLAN
        };
        let (primary, fallback) = (
            Script::new("primary", &[act, act]),
            Script::new("spare", &[]),
        );
        let house = House::open(dir.path(), plan, &primary, Some(&fallback));
        let (kind, end) = house.ask("with-a-fallback").await;
        assert_eq!(kind, Kind::AgentCompleted, "{end}");
        assert_eq!(end["real_agent_execution"], true);
        assert_eq!(end["result"]["execution"]["backend"], "spare");
        let told = end["fallback_reason"].as_str().unwrap();
        assert!(told.starts_with(reason), "{told}");
        assert_eq!((primary.calls(), fallback.calls()), (1, 1));
        primary.alive(0).await;
        house.close().await;

        let alone = House::open(dir.path(), plan, &primary, None);
        let (kind, end) = alone.ask("without-one").await;
        assert_eq!((kind, end["code"].as_str()), (Kind::Error, Some(code)));
        assert_eq!(end["retryable"], true);
        primary.alive(0).await;
        alone.idle().await;
    };
    check(Act::Fail, "agent_failed: ", "agent_failed").await;
    check(Act::Panic, "agent_failed: ", "agent_failed").await;
    check(Act::PanicAtOnce, "agent_failed: ", "agent_failed").await;
    check(Act::Hang, "timeout: ", "timeout").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_failures_open_the_breaker_and_the_agent_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Fail; 5]);
    let fallback = Script::new("spare", &[]);
    let house = House::open(dir.path(), PLAN, &primary, Some(&fallback));
    for n in 0..7 {
        let (_, end) = house.ask(&format!("m{n}")).await;
        let reason = end["fallback_reason"].as_str().unwrap();
        let expected = if n < 5 {
            "agent_failed"
        } else {
            "breaker_open"
        };
        assert!(reason.starts_with(expected), "message {n}: {reason}");
    }
    assert_eq!((primary.calls(), fallback.calls()), (5, 7));
    house.supervisor.0.breakers.reset("primary");
    assert_eq!(house.ask("m7").await.1["fallback_reason"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_session_is_cancelled_and_its_agent_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Hang]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    let session = house.send("ann", "m1").await;
    primary.alive(1).await;
    let foreign = house.intake.cancel(&visitor("bob"), session).await;
    assert!(foreign.is_err(), "another visitor's session");
    house.intake.cancel(&visitor("ann"), session).await.unwrap();
    let (kind, _) = the_end(&house.frames("ann", session).await);
    assert_eq!(kind, Kind::SessionCancelled);
    primary.alive(0).await;
    house.idle().await;
    assert!(house.intake.cancel(&visitor("ann"), session).await.is_err());
    assert_eq!(house.ask("m2").await.0, Kind::AgentCompleted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_session_is_cancelled_without_being_begun() {
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Hang]);
    let plan = Plan {
        max_processing: 1,
        ..PLAN
    };
    let house = House::open(dir.path(), plan, &primary, None);
    let first = house.send("ann", "m1").await;
    primary.alive(1).await;
    let second = house.send("ann", "m2").await;
    house.intake.cancel(&visitor("ann"), second).await.unwrap();
    let frames = house.frames("ann", second).await;
    assert_eq!(kinds(&frames), ["session_cancelled"]);
    house.intake.cancel(&visitor("ann"), first).await.unwrap();
    house.idle().await;
    assert_eq!(primary.calls(), 1, "the second was never begun");
    assert_eq!(house.ask("m3").await.0, Kind::AgentCompleted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_over_its_limit_expires_running_or_waiting() {
    // req: S3
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Hang; 2]);
    let plan = Plan {
        session_timeout: Duration::from_millis(20),
        max_processing: 1,
        ..PLAN
    };
    let house = House::open(dir.path(), plan, &primary, None);
    let running = house.send("ann", "m1").await;
    let waiting = house.send("ann", "m2").await;
    patient(async {
        while house.stored("ann", waiting).is_empty() {
            house.supervisor.expire().await.unwrap();
            tokio::task::yield_now().await;
        }
    })
    .await;
    for session in [running, waiting] {
        let (kind, _) = the_end(&house.frames("ann", session).await);
        assert_eq!(kind, Kind::SessionExpired);
    }
    primary.alive(0).await;
    house.idle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_drain_leaves_is_resumed_and_ends_once() {
    // req: D7, S1
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Hang]);
    let plan = Plan {
        max_processing: 1,
        ..PLAN
    };
    let house = House::open(dir.path(), plan, &primary, None);
    let running = house.send("ann", "m1").await;
    primary.alive(1).await;
    let waiting = house.send("bob", "m1").await;
    house.drain.advance(Phase::Draining);
    let late = house.intake.submit(visitor("ann"), chat("late")).await;
    assert!(late.is_err(), "nothing new during a drain");
    house.close().await;
    primary.alive(0).await;

    let house = House::open(dir.path(), plan, &primary, None);
    let ids: Vec<_> = house.unfinished.iter().map(|s| s.id).collect();
    assert_eq!(ids, [running, waiting], "oldest first");
    let resumed = house.intake.resume(house.unfinished.clone()).unwrap();
    assert_eq!(resumed, 2);
    let frames = house.frames("ann", running).await;
    assert_eq!(the_end(&frames).0, Kind::AgentCompleted);
    let beginnings = frames.iter().filter(|f| f.kind == Kind::ProcessingStarted);
    let resumed: Vec<bool> = beginnings
        .map(|f| f.payload.contains("\"resumed\":true"))
        .collect();
    assert_eq!(resumed, [false, true]);
    let frames = house.frames("bob", waiting).await;
    assert_eq!(the_end(&frames).0, Kind::AgentCompleted);
    house.idle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_says_too_much_is_cut_to_the_reserved_room() {
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Answer(500)]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    let session = house.send("ann", "m1").await;
    let frames = house.frames("ann", session).await;
    assert_eq!(the_end(&frames).0, Kind::AgentCompleted);
    let thoughts = kinds(&frames)
        .iter()
        .filter(|k| **k == "agent_thinking")
        .count();
    assert_eq!(thoughts, 56);
    assert!(frames.len() as u64 <= outbox::ANSWER_FRAMES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_of_ours_ends_the_session_and_frees_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    primary.broken.store(true, Ordering::SeqCst);
    let (kind, end) = house.ask("m1").await;
    assert_eq!((kind, &end["code"]), (Kind::Error, &json!("internal")));
    house.idle().await;
    primary.broken.store(false, Ordering::SeqCst);
    assert_eq!(house.ask("m2").await.0, Kind::AgentCompleted);
}

/// The supervisor looks for work all the time while messages are on their way to the disk: none
/// is begun before it is durable, and none is overlooked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_of_a_crowd_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[]);
    let house = Arc::new(House::open(dir.path(), PLAN, &primary, None));
    let crowd = (0..40).map(|n| {
        let house = Arc::clone(&house);
        tokio::spawn(async move {
            let user = format!("v{n}");
            for m in 0..4 {
                let session = house.send(&user, &format!("m{m}")).await;
                let (kind, _) = the_end(&house.frames(&user, session).await);
                assert_eq!(kind, Kind::AgentCompleted);
            }
        })
    });
    for visitor in crowd.collect::<Vec<_>>() {
        visitor.await.unwrap();
    }
    assert_eq!(primary.calls(), 160);
    house.idle().await;
}
