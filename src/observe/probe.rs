//! Health: what each part says of itself.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::Observer;
use super::guard::{NotChecked, within};
use super::windows::Span;
use crate::clock::{self, Instant};
use crate::store::Op;

/// How long what was found stands: anyone may ask, and each answer costs a write and a look at the disks.
const FRESH: Duration = Duration::from_secs(1);
/// How long a probe may take.
const LIMIT: Duration = Duration::from_millis(800);
/// A timer that comes later than this: whatever else is said, it is said late.
const LAG_LIMIT: Duration = Duration::from_millis(500);
/// Less time than this before the certificate ends is not well.
const CERTIFICATE_LIMIT_DAYS: f64 = 7.0;

/// What a probe found.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Which part.
    pub name: &'static str,
    /// True where it is well; none where it could not be told.
    pub well: Option<bool>,
    /// True where the appliance cannot do its work without it.
    pub vital: bool,
    /// What was found.
    pub detail: String,
    /// The figure behind it, and its unit.
    pub value: Option<(f64, &'static str)>,
    /// How long the probe took.
    pub took: Duration,
}

/// What a probe says of its part.
struct Finding {
    well: Option<bool>,
    detail: String,
    value: Option<(f64, &'static str)>,
}

impl Finding {
    fn new(well: bool, detail: impl Into<String>) -> Self {
        Self {
            well: Some(well),
            detail: detail.into(),
            value: None,
        }
    }

    fn unknown(detail: impl Into<String>) -> Self {
        Self {
            well: None,
            ..Self::new(true, detail)
        }
    }

    fn value(mut self, value: f64, unit: &'static str) -> Self {
        self.value = Some((value, unit));
        self
    }
}

impl Probe {
    /// The word of its part.
    pub fn status(&self) -> &'static str {
        match (self.well, self.vital) {
            (Some(true), _) => "healthy",
            (Some(false), true) => "unhealthy",
            (Some(false), false) => "degraded",
            (None, _) => "unknown",
        }
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name, "status": self.status(), "vital": self.vital, "detail": self.detail,
            "value": self.value.map(|(value, _)| value), "unit": self.value.map(|(_, unit)| unit),
            "took_ms": self.took.as_micros() as f64 / 1000.0,
        })
    }
}

/// The state of every part.
#[derive(Debug, Clone)]
pub struct Health(pub Vec<Probe>);

impl Health {
    /// True where a vital part is not well, or does not answer.
    pub fn unhealthy(&self) -> bool {
        self.0.iter().any(|p| p.vital && p.well != Some(true))
    }

    /// The word of the whole.
    pub fn status(&self) -> &'static str {
        match (
            self.unhealthy(),
            self.0.iter().all(|p| p.well == Some(true)),
        ) {
            (true, _) => "unhealthy",
            (false, true) => "healthy",
            (false, false) => "degraded",
        }
    }

    /// For anyone: the state of the whole; which part it is, is the administrator's business.
    pub fn summary(&self) -> Value {
        json!({
            "status": self.status(),
            "version": env!("CARGO_PKG_VERSION"),
            "timestamp": clock::wall().rfc3339(),
        })
    }

    /// For the administrator: part by part.
    pub fn components(&self) -> Value {
        self.0.iter().map(Probe::json).collect()
    }
}

impl Observer {
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
        let (store, breakers, disk, memory, lag, certificate) = tokio::join!(
            self.probe("store", true, |o| async move { o.probe_store().await }),
            self.probe("breakers", false, |o| async move { o.probe_breakers() }),
            self.probe("disk", false, |o| async move { o.probe_disk().await }),
            self.probe("memory", false, |o| async move { o.probe_memory() }),
            self.probe("event_loop", false, |o| async move { o.probe_lag().await }),
            self.probe(
                "certificate",
                false,
                |o| async move { o.probe_certificate() }
            ),
        );
        Health(vec![store, breakers, disk, memory, lag, certificate])
    }

    async fn probe<F>(
        &self,
        name: &'static str,
        vital: bool,
        check: impl FnOnce(Observer) -> F,
    ) -> Probe
    where
        F: Future<Output = Finding> + Send + 'static,
    {
        let started = clock::now();
        let found = within(&self.0.rooms.drain, LIMIT, check(self.clone())).await;
        let finding = found.unwrap_or_else(|why: NotChecked| match vital {
            true => Finding::new(false, why.to_string()),
            false => Finding::unknown(why.to_string()),
        });
        Probe {
            name,
            vital,
            well: finding.well,
            detail: finding.detail,
            value: finding.value,
            took: clock::now().duration_since(started),
        }
    }

    /// Writes a number, waits until it is durable, and reads it back.
    async fn probe_store(&self) -> Finding {
        let number = self.0.probes.fetch_add(1, Ordering::Relaxed);
        let started = clock::now();
        let write = self.0.rooms.committer.commit(vec![Op::Probe(number)]);
        if let Err(error) = write.await {
            return Finding::new(false, error.to_string());
        }
        let took = millis_since(started);
        match self.0.rooms.store.probe() {
            // Another probe may have written since.
            Ok(Some(read)) if read >= number => {
                let text = format!("written, synced and read back in {took:.1} ms");
                Finding::new(true, text).value(took, "ms")
            }
            Ok(read) => Finding::new(false, format!("wrote {number}, read {read:?}")),
            Err(error) => Finding::new(false, error.to_string()),
        }
    }

    fn probe_breakers(&self) -> Finding {
        let all = self.0.rooms.breakers.all();
        let open: Vec<String> = all
            .into_iter()
            .filter(|(_, state, _)| *state == "open")
            .map(|(name, ..)| name)
            .collect();
        if open.is_empty() {
            return Finding::new(true, "all closed").value(0.0, "open");
        }
        let text = format!("open: {}", open.join(", "));
        Finding::new(false, text).value(open.len() as f64, "open")
    }

    async fn probe_disk(&self) -> Finding {
        if let Err(why) = self.look_at_disk().await {
            return Finding::unknown(why.to_string());
        }
        let Some((free, total)) = self.0.machine.figures().disk else {
            return Finding::unknown("not known");
        };
        let low = self.0.rooms.disk_low.load(Ordering::Relaxed);
        let text = format!("{} MiB free of {} MiB", free >> 20, total >> 20);
        Finding::new(!low, text).value(free as f64, "bytes")
    }

    /// Looks at the disk and tells the intake.
    ///
    /// # Errors
    /// Where the look hangs or breaks off; the intake keeps what it was told last.
    pub async fn look_at_disk(&self) -> Result<(), NotChecked> {
        let rooms = &self.0.rooms;
        let dir = rooms.store.dir().to_owned();
        self.0.machine.read_disk(dir).await?;
        if let Some((free, total)) = self.0.machine.figures().disk {
            // On a disk so small that the limit could never be met, half of it counts.
            let least = rooms.min_free.min(total / 2);
            rooms.disk_low.store(free < least, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Growth is told, not judged: what is too much is the alert's setting.
    fn probe_memory(&self) -> Finding {
        let figures = self.0.machine.figures();
        let (Some(memory), Some(growth)) = (figures.memory, figures.memory_growth()) else {
            return Finding::unknown("not known yet");
        };
        let text = format!(
            "{} MiB resident, {} MiB more than at the start",
            memory >> 20,
            growth >> 20
        );
        Finding::new(true, text).value(memory as f64, "bytes")
    }

    /// How late a timer is that is set now.
    async fn probe_lag(&self) -> Finding {
        let due = clock::now() + Duration::from_millis(1);
        tokio::time::sleep_until(due.into()).await;
        let late = clock::now().saturating_duration_since(due);
        let ms = late.as_micros() as f64 / 1000.0;
        Finding::new(late < LAG_LIMIT, format!("a timer came {ms:.1} ms late")).value(ms, "ms")
    }

    fn probe_certificate(&self) -> Finding {
        let ends = (self.0.rooms.ages.certificate_ends)();
        let left = ends.since(clock::wall()).as_secs_f64() / 86_400.0;
        let text = format!("ends at {}, in {left:.0} days", ends.rfc3339());
        Finding::new(left >= CERTIFICATE_LIMIT_DAYS, text).value(left, "days")
    }

    /// The longest a timer of the runtime was late in the last minute, in milliseconds.
    pub(super) fn lag_ms(&self, now: Instant) -> Option<f64> {
        let found = self
            .windows()
            .percentiles(super::Timing::Lag, Span::Minute, now)?;
        Some(found.max as f64 / 1000.0)
    }
}

fn millis_since(started: Instant) -> f64 {
    clock::now().duration_since(started).as_micros() as f64 / 1000.0
}
