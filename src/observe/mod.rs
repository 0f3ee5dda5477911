//! Is it well, and what has it done: probes, and counts of what happened.
//!
//! Every probe runs by itself and has a time limit, so that one that fails or
//! hangs never hides another.

pub mod business;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock;
use crate::protocol::close::Close;
use crate::protocol::fault::FaultCode;
use crate::protocol::request::TrackEvent;
use crate::shutdown::{Drain, Phase};
use crate::store::{Committer, Op, SessionRecord, Store, space};
use crate::supervisor::Breakers;

/// How long what was found stands: anyone may ask, and each answer costs a write and a look at the disks.
const FRESH: Duration = Duration::from_secs(1);
/// How long a probe may take.
const PROBE_LIMIT: Duration = Duration::from_millis(800);

/// A handle; cloned freely.
#[derive(Clone)]
pub struct Observer(Arc<Shared>);

struct Shared {
    store: Store,
    committer: Committer,
    breakers: Breakers,
    drain: Drain,
    disk_low: Arc<AtomicBool>,
    min_free: u64,
    probes: AtomicU64,
    sockets: AtomicU64,
    counts: Mutex<BTreeMap<String, u64>>,
    /// Held while the probes run, so that those who ask meanwhile get the same answer.
    found: tokio::sync::Mutex<Option<(clock::Instant, Health)>>,
}

/// What a probe found.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Which part.
    pub name: &'static str,
    /// True where it is well.
    pub well: bool,
    /// True where the appliance cannot do its work without it.
    pub vital: bool,
    /// What was found.
    pub detail: String,
}

/// The state of every part.
#[derive(Debug, Clone)]
pub struct Health(pub Vec<Probe>);

impl Health {
    /// True where a vital part is not well.
    pub fn unhealthy(&self) -> bool {
        self.0.iter().any(|p| p.vital && !p.well)
    }

    /// For anyone: the state of the whole; which part it is, is the administrator's business.
    pub fn summary(&self) -> Value {
        let status = match (self.unhealthy(), self.0.iter().all(|p| p.well)) {
            (true, _) => "unhealthy",
            (false, true) => "healthy",
            (false, false) => "degraded",
        };
        json!({
            "status": status,
            "version": env!("CARGO_PKG_VERSION"),
            "timestamp": clock::wall().rfc3339(),
        })
    }
}

impl Health {
    /// Part by part, for the administrator.
    pub fn components(&self) -> Value {
        let component = |probe: &Probe| {
            let status = match (probe.well, probe.vital) {
                (true, _) => "healthy",
                (false, true) => "unhealthy",
                (false, false) => "degraded",
            };
            json!({
                "name": probe.name, "status": status, "vital": probe.vital,
                "detail": probe.detail,
            })
        };
        self.0.iter().map(component).collect()
    }
}

impl Observer {
    /// `disk_low` is set here and heeded by the intake.
    pub fn new(
        store: Store,
        committer: Committer,
        breakers: Breakers,
        drain: Drain,
        disk_low: Arc<AtomicBool>,
        min_free: u64,
    ) -> Self {
        Self(Arc::new(Shared {
            store,
            committer,
            breakers,
            drain,
            disk_low,
            min_free,
            probes: AtomicU64::new(clock::wall().0),
            sockets: AtomicU64::new(0),
            counts: Mutex::default(),
            found: tokio::sync::Mutex::default(),
        }))
    }

    /// Why the appliance takes no work; none where it does.
    pub fn not_ready(&self) -> Option<&'static str> {
        if self.0.committer.failed().borrow().is_some() {
            return Some("the store has stopped after a failed write");
        }
        (self.0.drain.phase() > Phase::Running).then_some("the server is going away")
    }

    /// What the probes find, each for itself; at most a second old.
    pub async fn health(&self) -> Health {
        let mut found = self.0.found.lock().await;
        if let Some((at, health)) = &*found
            && clock::now().duration_since(*at) < FRESH
        {
            return health.clone();
        }
        let health = self.run_probes().await;
        *found = Some((clock::now(), health.clone()));
        health
    }

    async fn run_probes(&self) -> Health {
        let (store, breakers, disk) = tokio::join!(
            self.probe_store(),
            async { self.probe_breakers() },
            self.probe_disk()
        );
        Health(vec![store, breakers, disk])
    }

    /// Writes a number, waits until it is durable, and reads it back.
    async fn probe_store(&self) -> Probe {
        let probe = |well, detail: String| Probe {
            name: "store",
            well,
            vital: true,
            detail,
        };
        let number = self.0.probes.fetch_add(1, Ordering::Relaxed);
        let write = self.0.committer.commit(vec![Op::Probe(number)]);
        match tokio::time::timeout(PROBE_LIMIT, write).await {
            Err(_) => probe(
                false,
                format!("a write took longer than {} ms", PROBE_LIMIT.as_millis()),
            ),
            Ok(Err(error)) => probe(false, error.to_string()),
            Ok(Ok(())) => match self.0.store.probe() {
                // Another probe may have written since.
                Ok(Some(read)) if read >= number => {
                    probe(true, "written, synced and read back".into())
                }
                Ok(read) => probe(false, format!("wrote {number}, read {read:?}")),
                Err(error) => probe(false, error.to_string()),
            },
        }
    }

    fn probe_breakers(&self) -> Probe {
        let open: Vec<String> = self
            .0
            .breakers
            .all()
            .into_iter()
            .filter(|(_, state, _)| *state == "open")
            .map(|(name, ..)| name)
            .collect();
        let detail = if open.is_empty() {
            "all closed".to_owned()
        } else {
            format!("open: {}", open.join(", "))
        };
        Probe {
            name: "breakers",
            well: open.is_empty(),
            vital: false,
            detail,
        }
    }

    /// Looks at the disk and tells the intake.
    pub async fn probe_disk(&self) -> Probe {
        let dir = self.0.store.dir().to_owned();
        let look = tokio::task::spawn_blocking(move || space(&dir).ok());
        let free = match tokio::time::timeout(PROBE_LIMIT, look).await {
            Ok(Ok(free)) => free,
            _ => None,
        };
        let Some((free, total)) = free else {
            return Probe {
                name: "disk",
                well: true,
                vital: false,
                detail: "not known".into(),
            };
        };
        // On a disk so small that the limit could never be met, half of it counts.
        let least = self.0.min_free.min(total / 2);
        let well = free >= least;
        self.0.disk_low.store(!well, Ordering::Relaxed);
        let detail = format!("{} MiB free of {} MiB", free >> 20, total >> 20);
        Probe {
            name: "disk",
            well,
            vital: false,
            detail,
        }
    }

    fn count(&self, name: &str) {
        let mut counts = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        // Names come from our own enums: the map is bounded by them.
        *counts.entry(name.to_owned()).or_insert(0) += 1;
    }

    /// A socket is open.
    pub fn socket_opened(&self) {
        self.0.sockets.fetch_add(1, Ordering::Relaxed);
        self.count("sockets.opened");
    }

    /// A socket is closed; by whom.
    pub fn socket_closed(&self, close: Option<Close>) {
        self.0.sockets.fetch_sub(1, Ordering::Relaxed);
        self.count(&close.map_or("sockets.gone".to_owned(), |close| {
            format!("sockets.closed.{}", close.code())
        }));
    }

    /// A frame was refused.
    pub fn refused(&self, code: FaultCode) {
        self.count(&format!("refused.{code:?}"));
    }

    /// A business event; durable soon.
    pub fn track(&self, event: TrackEvent, session: Option<&SessionRecord>) {
        let committer = self.0.committer.clone();
        let op = business::tracked(event, session);
        self.0
            .drain
            .spawn("track", async move { committer.commit(vec![op]).await });
    }

    /// Sockets open now.
    pub fn sockets(&self) -> u64 {
        self.0.sockets.load(Ordering::Relaxed)
    }

    /// Everything counted since the start.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
