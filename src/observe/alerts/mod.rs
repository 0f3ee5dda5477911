//! Alerts: which figures are judged, by which limits, and where each stands.
//!
//! Every check runs by itself and within a time limit; one that hangs or panics is told as its own
//! `check_error`, keeps its alert as it was, and hides no other.

mod figure;
#[cfg(test)]
mod shell_tests;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

pub(super) use figure::Kind;

use self::figure::Figure;
use super::Observer;
use super::guard::within;
use crate::clock::{self, Instant, Wall};
use crate::machine::alert::{Alert, Change, Rule};
use crate::meter::{Draft, EventKind};
use crate::store::commit::setting;
use crate::store::{Store, StoreError};

/// How long a check may take.
const LIMIT: Duration = Duration::from_millis(800);
/// Changes that wait for the receiver; beyond, new ones are dropped and counted.
const OUTGOING: usize = 64;

/// What the operator thinks too much, or too little.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The slowest session of five minutes, in milliseconds.
    pub processing_ms: f64,
    /// Failed of ended sessions, 0 to 1.
    pub error_rate: f64,
    /// Bytes of memory more than at the start.
    pub memory_growth: f64,
    /// How long a breaker may refuse calls, in milliseconds.
    pub breaker_open_ms: f64,
    /// Failed of all connections, 0 to 1.
    pub failed_connections: f64,
    /// Free bytes of the disk, at least.
    pub disk_free: f64,
    /// Days before the certificate ends, at least.
    pub certificate_days: f64,
    /// Days since the catalog's prices were looked up.
    pub catalog_days: f64,
    /// Days since the last backup.
    pub backup_days: f64,
    /// How late a timer may come, in milliseconds.
    pub lag_ms: f64,
    /// How long a figure must be bad.
    pub hold: Duration,
    /// How long it must be good again.
    pub settle: Duration,
}

/// When figures are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Instant,
    pub(super) wall: Wall,
}

impl Moment {
    pub(super) fn present() -> Self {
        Self {
            now: clock::now(),
            wall: clock::wall(),
        }
    }
}

/// The setting that holds which alerts fire.
const STANDING: &str = "alerts_firing";

/// An alert that fires, as it is kept for the next process: it goes on there, or is told as over,
/// so that no receiver is left with an alert that never ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    kind: String,
    since: Wall,
    seen: Option<Seen>,
}

impl Standing {
    /// What the process before has left.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn of(store: &Store) -> Result<Vec<Self>, StoreError> {
        Ok(store.setting(STANDING)?.unwrap_or_default())
    }
}

/// Somebody who has seen an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Seen {
    at: Wall,
    by: String,
    note: Option<String>,
}

struct Watched {
    kind: Kind,
    alert: Alert,
    figure: Figure,
    error: Option<String>,
    seen: Option<Seen>,
    fired: Option<Wall>,
    resolved: Option<Wall>,
}

/// A change for the receiver.
#[derive(Debug, Clone)]
pub struct Told {
    /// `alert.raised`, `alert.resolved` or `alert.acknowledged`.
    pub event: &'static str,
    /// The alert, as in the list.
    pub alert: Value,
}

/// Why an alert could not be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSeen {
    /// There is no such alert.
    #[error("there is no alert of this id")]
    Unknown,
    /// Nothing to acknowledge.
    #[error("this alert does not fire")]
    Quiet,
}

/// All alerts.
pub struct Alerts {
    all: Mutex<Vec<Watched>>,
    outgoing: mpsc::Sender<Told>,
    /// Taken by the one who sends them on.
    incoming: Mutex<Option<mpsc::Receiver<Told>>>,
    dropped: crate::meter::Counter,
    /// Changes that wait for the receiver, or are just being posted.
    unsent: crate::meter::Gauge,
}

impl Alerts {
    /// All quiet but those that the process before has left firing.
    pub(super) fn new(limits: &Limits, standing: &[Standing], at: Moment) -> Self {
        let watched = |kind: &Kind| {
            let rule = rule(*kind, limits);
            let left = standing.iter().find(|left| left.kind == kind.as_str());
            let alert = match left {
                None => Alert::new(rule),
                Some(left) => {
                    // Where the machine was started since, as long ago as can be told.
                    let ago = at.wall.since(left.since);
                    let since = at.now.checked_sub(ago).unwrap_or(at.now);
                    Alert::resumed(rule, since, left.seen.is_some())
                }
            };
            Watched {
                kind: *kind,
                alert,
                figure: Figure::unknown("not checked yet"),
                error: None,
                seen: left.and_then(|left| left.seen.clone()),
                fired: left.map(|left| left.since),
                resolved: None,
            }
        };
        let (outgoing, incoming) = mpsc::channel(OUTGOING);
        Self {
            all: Mutex::new(Kind::ALL.iter().map(watched).collect()),
            outgoing,
            incoming: Mutex::new(Some(incoming)),
            dropped: crate::meter::Counter::default(),
            unsent: crate::meter::Gauge::default(),
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a check found, or why it found nothing; what there is to tell of it.
    fn on_figure(
        &self,
        kind: Kind,
        found: Result<Figure, String>,
        now: Instant,
        wall: Wall,
    ) -> Option<Draft> {
        let mut all = self.all();
        let watched = all.iter_mut().find(|watched| watched.kind == kind)?;
        let figure = match found {
            Ok(figure) => figure,
            Err(why) => {
                watched.error = Some(why);
                return None;
            }
        };
        watched.error = None;
        let change = watched.alert.on_value(figure.value, now);
        watched.figure = figure;
        let event = match change? {
            Change::Raised => {
                watched.fired = Some(wall);
                EventKind::AlertRaised
            }
            Change::Resolved => {
                watched.resolved = Some(wall);
                watched.seen = None;
                EventKind::AlertResolved
            }
        };
        let draft = watched.draft(event);
        self.send(watched, event, now, wall);
        Some(draft)
    }

    fn acknowledge(&self, id: &str, seen: Seen, now: Instant) -> Result<(Value, Draft), NotSeen> {
        let mut all = self.all();
        let mut found = all.iter_mut();
        let watched = found.find(|watched| watched.kind.as_str() == id);
        let watched = watched.ok_or(NotSeen::Unknown)?;
        if !watched.alert.acknowledge() {
            return Err(NotSeen::Quiet);
        }
        let wall = seen.at;
        watched.seen = Some(seen);
        self.send(watched, EventKind::AlertAcknowledged, now, wall);
        let draft = watched.draft(EventKind::AlertAcknowledged);
        Ok((watched.json(now, wall), draft))
    }

    /// To the receiver. Where it is too slow for so many, what happens is still in the list.
    fn send(&self, watched: &Watched, event: EventKind, now: Instant, wall: Wall) {
        let told = Told {
            event: event.as_str(),
            alert: watched.json(now, wall),
        };
        // Counted before: it may be taken and posted before this goes on.
        self.unsent.add(1);
        if self.outgoing.try_send(told).is_err() {
            self.unsent.add(-1);
            self.dropped.one();
        }
    }
}

/// Which fire. That the store has failed is not among them: it cannot be written down.
fn standing(all: &[Watched]) -> Vec<Standing> {
    let firing = all
        .iter()
        .filter(|w| w.kind != Kind::StoreFailed && w.alert.phase().firing_since().is_some());
    let standing = firing.map(|watched| Standing {
        kind: watched.kind.as_str().to_owned(),
        since: watched.fired.unwrap_or_default(),
        seen: watched.seen.clone(),
    });
    standing.collect()
}

/// When a kind's figure is bad.
fn rule(kind: Kind, limits: &Limits) -> Rule {
    let limit = kind.limit(limits);
    let above = kind.bad_above();
    // What is a duration already, or can be bad but once, is not waited for again.
    let at_once = matches!(kind, Kind::BreakerOpen | Kind::StoreFailed);
    Rule {
        limit,
        clear: limit * if above { 0.8 } else { 1.2 },
        above,
        hold: if at_once { Duration::ZERO } else { limits.hold },
        settle: limits.settle,
    }
}

impl Watched {
    fn draft(&self, event: EventKind) -> Draft {
        let mut draft = Draft::new(event, format!("{}: {}", self.title(), self.figure.why));
        draft.alert = Some(self.kind.as_str());
        draft
    }

    fn title(&self) -> String {
        self.kind.title(self.alert.rule().limit)
    }

    fn state(&self) -> &'static str {
        let phase = self.alert.phase().as_str();
        if phase == "firing" && self.alert.is_acknowledged() {
            return "acknowledged";
        }
        phase
    }

    fn json(&self, now: Instant, wall: Wall) -> Value {
        use crate::machine::alert::Phase::{Clearing, Firing, Ok, Pending};
        let since = match self.alert.phase() {
            Ok => None,
            Pending { since } | Firing { since } | Clearing { since, .. } => Some(since),
        };
        let ago = |at: Instant| {
            let span = now.saturating_duration_since(at);
            Wall(wall.0.saturating_sub(super::readings::ms(span)))
        };
        let rule = self.alert.rule();
        let seen = self.seen.as_ref();
        json!({
            "id": self.kind.as_str(), "title": self.title(), "state": self.state(),
            "severity": self.kind.severity(), "since": since.map(|at| ago(at).rfc3339()),
            "why": self.figure.why, "value": self.figure.value, "threshold": rule.limit,
            "clears_at": rule.clear, "unit": self.kind.unit(), "advice": self.kind.advice(),
            "acknowledged": seen.map(|s| json!({"at": s.at.rfc3339(), "by": s.by, "note": s.note})),
            "event_kinds": self.kind.events(),
            "last_fired": self.fired.map(Wall::rfc3339),
            "last_resolved": self.resolved.map(Wall::rfc3339),
            "check_error": self.error,
        })
    }
}

impl Observer {
    /// Judges every figure, each for itself.
    pub(super) async fn check_alerts(&self, at: Moment) {
        let checks = Kind::ALL.iter().map(|kind| self.check_alert(*kind, at));
        let changed = futures_util::future::join_all(checks).await;
        if changed.contains(&true) {
            self.keep_alerts();
        }
    }

    /// Writes down which alerts fire; nobody waits for it.
    fn keep_alerts(&self) {
        let observer = self.clone();
        let drain = &self.0.rooms.drain;
        drain.spawn("alerts", async move {
            // Where the store fails everybody is told of it elsewhere.
            let Ok(place) = observer.0.rooms.committer.reserve().await else {
                return;
            };
            // Queued under the lock: what is newer is never overtaken by what is older.
            let all = observer.0.alerts.all();
            let keep = setting(STANDING, &standing(&all));
            place.send(vec![keep], Box::new(drop));
        });
    }

    /// True where it changed.
    async fn check_alert(&self, kind: Kind, at: Moment) -> bool {
        let observer = self.clone();
        let check = async move { observer.figure(kind, at) };
        let found = within(&self.0.rooms.drain, LIMIT, check).await;
        let found = found.map_err(|why| why.to_string());
        let told = self.0.alerts.on_figure(kind, found, at.now, at.wall);
        let changed = told.is_some();
        if let Some(draft) = told {
            if draft.kind == EventKind::AlertRaised {
                tracing::warn!(alert = kind.as_str(), why = draft.message, "an alert fires");
            } else {
                tracing::info!(
                    alert = kind.as_str(),
                    why = draft.message,
                    "an alert is over"
                );
            }
            self.0.rooms.meters.feed.tell(draft, at.wall);
        }
        changed
    }

    /// All alerts, always in the same order.
    pub fn alerts(&self) -> Vec<Value> {
        let (now, wall) = (clock::now(), clock::wall());
        let all = self.0.alerts.all();
        all.iter().map(|watched| watched.json(now, wall)).collect()
    }

    /// One alert.
    pub fn alert(&self, id: &str) -> Option<Value> {
        self.alerts().into_iter().find(|alert| alert["id"] == id)
    }

    /// Somebody has seen that it fires, until it is over.
    ///
    /// # Errors
    /// [`NotSeen`].
    pub fn acknowledge(&self, id: &str, by: &str, note: Option<&str>) -> Result<Value, NotSeen> {
        let seen = Seen {
            at: clock::wall(),
            by: by.to_owned(),
            note: note.map(str::to_owned),
        };
        let (alert, draft) = self.0.alerts.acknowledge(id, seen, clock::now())?;
        self.0.rooms.meters.feed.tell(draft, clock::wall());
        self.keep_alerts();
        Ok(alert)
    }

    /// How many fire, and how many of those nobody has acknowledged.
    pub(super) fn firing(&self) -> (usize, usize) {
        let all = self.0.alerts.all();
        let firing = all
            .iter()
            .filter(|w| w.alert.phase().firing_since().is_some());
        let (seen, unseen): (Vec<_>, Vec<_>) = firing.partition(|w| w.alert.is_acknowledged());
        (seen.len() + unseen.len(), unseen.len())
    }

    /// Whether each fires.
    pub(super) fn firing_by_kind(&self) -> Vec<(Kind, bool)> {
        let all = self.0.alerts.all();
        let fires = |w: &Watched| (w.kind, w.alert.phase().firing_since().is_some());
        all.iter().map(fires).collect()
    }

    /// Whether the alert that the store has failed was raised.
    pub fn told_of_failure(&self) -> bool {
        let firing = self.firing_by_kind();
        firing.contains(&(Kind::StoreFailed, true))
    }

    /// The changes to send on; none where somebody has them already.
    pub fn alert_changes(&self) -> Option<mpsc::Receiver<Told>> {
        let incoming = self.0.alerts.incoming.lock();
        incoming.unwrap_or_else(PoisonError::into_inner).take()
    }

    /// How many changes are not posted yet, and how many were dropped since the start.
    pub fn alert_queue(&self) -> (u64, u64) {
        let alerts = &self.0.alerts;
        (alerts.unsent.get(), alerts.dropped.get())
    }

    /// A change was posted, or given up.
    pub fn alert_sent(&self) {
        self.0.alerts.unsent.add(-1);
    }
}
