//! Is it well, what has it done, and what is to be done about it.
//!
//! The rooms count for themselves, in [`crate::meter`]. Here it becomes health ([`Health`]),
//! percentiles and rates over sliding windows ([`Windows`]), Prometheus text and
//! answers for the administrator. Every check runs by itself and within a time limit, so that one
//! that fails or hangs never hides another.

mod alerts;
mod families;
mod guard;
mod metrics;
mod probe;
mod readings;
mod snapshot;
mod stats;
pub mod system;
pub mod windows;

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use alerts::{Alerts, Limits, NotSeen, Told};
pub use probe::{Health, Probe};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::business;
use crate::clock::{self, Instant, Wall};
use crate::intake::Intake;
use crate::meter::{Draft, EventKind, Meters};
use crate::outbox::Outboxes;
use crate::protocol::request::Track;
use crate::sessions::Sessions;
use crate::shutdown::{Drain, Phase};
use crate::store::{Committer, SessionRecord, Store};
use crate::supervisor::Breakers;
use system::Machine;
use windows::{Timing, Totals, Windows};

/// Between two looks at all counters.
const TICK: Duration = Duration::from_secs(1);
/// Between two looks at the machine, and two judgements of the alerts, in ticks.
const MACHINE_EVERY: u64 = 5;
/// Who may look on at once: each costs a snapshot a second.
const WATCHERS: usize = 16;

/// A fact that a room above knows.
pub type Fact<T> = Arc<dyn Fn() -> T + Send + Sync>;

/// What is looked at.
pub struct Rooms {
    /// Reads.
    pub store: Store,
    /// Writes.
    pub committer: Committer,
    /// Streams.
    pub outboxes: Outboxes,
    /// Sessions.
    pub sessions: Sessions,
    /// The queue.
    pub intake: Intake,
    /// Breakers.
    pub breakers: Breakers,
    /// The end.
    pub drain: Drain,
    /// Counters.
    pub meters: Meters,
    /// Set here where the disk is too full for new work, and heeded by the intake.
    pub disk_low: Arc<AtomicBool>,
    /// Free bytes below which it is.
    pub min_free: u64,
    /// When to raise an alert.
    pub limits: Limits,
    /// What grows old.
    pub ages: Ages,
}

/// What grows old without anybody's doing.
pub struct Ages {
    /// When the certificate ends.
    pub certificate_ends: Fact<Wall>,
    /// How many days old the catalog's prices are.
    pub catalog_days: Fact<i64>,
    /// When the last backup succeeded (none: never yet); none where none is configured.
    pub last_backup: Fact<Option<Option<Wall>>>,
}

/// A handle; cloned freely.
#[derive(Clone)]
pub struct Observer(Arc<Shared>);

struct Shared {
    rooms: Rooms,
    started: (Instant, Wall),
    machine: Machine,
    windows: Mutex<Windows>,
    probes: AtomicU64,
    watchers: Arc<Semaphore>,
    alerts: Alerts,
    /// Held while the probes run, so that those who ask meanwhile get the same answer.
    found: tokio::sync::Mutex<Option<(Instant, Health)>>,
    /// What happened once and is not counted again.
    seen: Mutex<business::Seen>,
}

impl Observer {
    /// Looks at `rooms`; nothing runs before [`Observer::run`].
    pub fn new(rooms: Rooms) -> Self {
        let (now, wall) = (clock::now(), clock::wall());
        Self(Arc::new(Shared {
            alerts: Alerts::new(&rooms.limits),
            rooms,
            started: (now, wall),
            machine: Machine::default(),
            windows: Mutex::new(Windows::new(now)),
            probes: AtomicU64::new(wall.0),
            watchers: Arc::new(Semaphore::new(WATCHERS)),
            found: tokio::sync::Mutex::default(),
            seen: Mutex::default(),
        }))
    }

    /// Looks at everything once a second, until the drain.
    pub async fn run(self) {
        let lag = self.clone();
        let drain = self.0.rooms.drain.clone();
        drain.spawn("event loop lag", async move {
            lag.0.machine.watch_lag(&lag.0.rooms.drain).await;
        });
        let mut failed = self.0.rooms.committer.failed();
        let mut next = tokio::time::interval(TICK);
        next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for tick in 0u64.. {
            tokio::select! {
                _ = next.tick() => {}
                why = async { failed.wait_for(Option::is_some).await.ok()?.clone() } => {
                    let why = why.unwrap_or_default();
                    self.tell(EventKind::StoreFailed, why);
                    self.check_alerts().await;
                    return;
                }
                () = drain.reached(Phase::Draining) => return,
            }
            self.tick(clock::now());
            if tick.is_multiple_of(MACHINE_EVERY) {
                self.look_at_machine().await;
                self.check_alerts().await;
            }
        }
    }

    /// Counters into windows.
    fn tick(&self, now: Instant) {
        let totals = self.totals();
        let mut windows = self.windows();
        for timing in Timing::ALL {
            windows.on_counts(timing, self.recorder(timing).counts(), now);
        }
        windows.on_totals(totals, now);
    }

    async fn look_at_machine(&self) {
        for (what, why) in self.0.machine.refresh(&self.0.rooms.store).await {
            self.tell(EventKind::CheckFailed, format!("{what}: {why}"));
        }
    }

    fn tell(&self, kind: EventKind, text: String) {
        let feed = &self.0.rooms.meters.feed;
        feed.tell(Draft::new(kind, text), clock::wall());
    }

    fn windows(&self) -> MutexGuard<'_, Windows> {
        let windows = self.0.windows.lock();
        windows.unwrap_or_else(PoisonError::into_inner)
    }

    fn recorder(&self, timing: Timing) -> &crate::meter::Recorder {
        let meters = &self.0.rooms.meters;
        match timing {
            Timing::Processing => &meters.work.processing,
            Timing::Acknowledgement => &meters.delivery.acknowledgement,
            Timing::Commit => &self.0.rooms.committer.counts().latency,
            Timing::Http => &meters.door.request,
            Timing::Queue => &meters.work.queue,
            Timing::TimeToValue => &meters.work.time_to_value,
            Timing::Lag => &self.0.machine.lag,
        }
    }

    fn totals(&self) -> Totals {
        let meters = &self.0.rooms.meters;
        let mut totals = Totals {
            sent: meters.delivery.sent.get(),
            acknowledged: meters.delivery.acknowledged.get(),
            redelivered: meters.delivery.redelivered.get(),
            commits: self.0.rooms.committer.counts().groups.get(),
            requests: meters.door.requests.total(),
            refused: meters.door.refusals.total(),
            ..Totals::default()
        };
        totals.accepted = meters.work.accepted.total();
        for ((topic, word), count) in meters.work.ended.all() {
            let ended = totals.ended.entry(topic.0).or_default();
            // Stopped or expired by somebody's wish, or by waiting: neither a success nor an error.
            let by_itself = !["cancelled", "expired"].contains(&word);
            let error = ["failed", "timed_out"].contains(&word);
            ended.0 += count * u64::from(by_itself);
            ended.1 += count * u64::from(error);
            totals.results += count * u64::from(word == "completed");
        }
        let shaken = meters.door.handshakes.all();
        let closed = meters.door.closed.all();
        let of = |list: &[(&str, u64)], words: &[&str]| -> u64 {
            let wanted = list.iter().filter(|(word, _)| words.contains(word));
            wanted.map(|(_, n)| n).sum()
        };
        totals.connections = meters.door.handshakes.total() + meters.door.closed.total();
        totals.connections_failed = of(&shaken, &["failed", "timed_out"])
            + closed
                .iter()
                .filter(|(code, _)| readings::FAILED_CLOSES.contains(code))
                .map(|(_, n)| n)
                .sum::<u64>();
        totals
    }

    /// A place to look on, until it is dropped; none where 16 do.
    pub fn watcher(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.watchers).try_acquire_owned().ok()
    }

    /// Why the appliance takes no work; none where it does.
    pub fn not_ready(&self) -> Option<&'static str> {
        if self.0.rooms.committer.failed().borrow().is_some() {
            return Some("the store has stopped after a failed write");
        }
        (self.0.rooms.drain.phase() > Phase::Running).then_some("the server is going away")
    }

    /// A business event; durable soon. The same of a session, or of a visitor where there is no
    /// session, counts once.
    pub fn track(&self, user: &crate::id::UserId, track: &Track, session: Option<&SessionRecord>) {
        let first = {
            let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.first(user, track)
        };
        if first {
            self.count(business::tracked(track, session));
        }
    }

    /// Somebody came who had not been here.
    pub fn visit(&self) {
        self.count(business::visit());
    }

    fn count(&self, op: crate::store::Op) {
        let committer = self.0.rooms.committer.clone();
        let drain = &self.0.rooms.drain;
        drain.spawn("count", async move { committer.commit(vec![op]).await });
    }
}
