//! The machine and the process: memory, processor, descriptors, disk, the lag of the event loop.
//!
//! Each figure is read by itself and keeps its last value; one that cannot be read is none, and
//! hides no other.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::guard::{Blocking, NotChecked};
use crate::clock;
use crate::meter::Recorder;
use crate::shutdown::{Drain, Phase};
use crate::store::{Store, space};

/// How long reading one figure may take.
const LIMIT: Duration = Duration::from_secs(2);
/// Between two looks at the event loop's lag.
const LAG_EVERY: Duration = Duration::from_millis(250);

/// What was read last; none for what is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Resident bytes of the process.
    pub memory: Option<u64>,
    /// Resident bytes when it was first looked at.
    pub memory_at_start: Option<u64>,
    /// Share of all processors, 0 to 1, since the look before.
    pub cpu: Option<f64>,
    /// Processor seconds since the start of the process.
    pub cpu_seconds: Option<f64>,
    /// Open descriptors.
    pub descriptors: Option<u64>,
    /// Descriptors that it may open.
    pub descriptors_limit: Option<u64>,
    /// Free and total bytes of the store's file system.
    pub disk: Option<(u64, u64)>,
    /// Bytes of the store's files.
    pub store: Option<u64>,
}

impl Figures {
    /// How much the process has grown since it was first looked at.
    pub fn memory_growth(&self) -> Option<u64> {
        Some(self.memory?.saturating_sub(self.memory_at_start?))
    }
}

/// The reader.
pub struct Machine {
    figures: Mutex<Figures>,
    /// The processor's share is that since the look before, so its reader is kept.
    system: Arc<Mutex<System>>,
    processors: f64,
    process: Blocking,
    disk: Blocking,
    store: Blocking,
    /// Microseconds that a timer of the runtime came late.
    pub lag: Recorder,
}

impl Default for Machine {
    fn default() -> Self {
        let processors = std::thread::available_parallelism();
        Self {
            figures: Mutex::default(),
            system: Arc::default(),
            processors: processors.map_or(1.0, |n| n.get() as f64),
            process: Blocking::default(),
            disk: Blocking::default(),
            store: Blocking::default(),
            lag: Recorder::default(),
        }
    }
}

impl Machine {
    /// What was read last.
    pub fn figures(&self) -> Figures {
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn update(&self, with: impl FnOnce(&mut Figures)) {
        with(&mut self.figures.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Reads all of it; what could not be read, by its name.
    pub(super) async fn refresh(&self, store: &Store) -> Vec<(&'static str, NotChecked)> {
        let (process, disk, bytes) = tokio::join!(
            self.read_process(),
            self.read_disk(store.dir().to_owned()),
            self.read_store(store.clone()),
        );
        let named = [("process", process), ("disk", disk), ("store", bytes)];
        let failed = named.into_iter().filter_map(|(n, r)| Some((n, r.err()?)));
        failed.collect()
    }

    async fn read_process(&self) -> Result<(), NotChecked> {
        let (system, processors) = (Arc::clone(&self.system), self.processors);
        let read = move || {
            let mut system = system.lock().unwrap_or_else(PoisonError::into_inner);
            let pid = Pid::from_u32(std::process::id());
            let kind = ProcessRefreshKind::nothing().with_memory().with_cpu();
            let only = ProcessesToUpdate::Some(&[pid]);
            system.refresh_processes_specifics(only, false, kind);
            let process = system.process(pid)?;
            let count = |n: Option<usize>| n.map(|n| n as u64);
            Some(Figures {
                memory: Some(process.memory()),
                cpu: Some(f64::from(process.cpu_usage()) / 100.0 / processors),
                cpu_seconds: Some(process.accumulated_cpu_time() as f64 / 1000.0),
                descriptors: count(process.open_files()),
                descriptors_limit: count(process.open_files_limit()),
                ..Figures::default()
            })
        };
        let read = self.process.within(LIMIT, read).await;
        let found = *read.as_ref().unwrap_or(&None);
        let found = found.unwrap_or_default();
        self.update(|figures| {
            *figures = Figures {
                memory_at_start: figures.memory_at_start.or(found.memory),
                disk: figures.disk,
                store: figures.store,
                ..found
            };
        });
        read.map(drop)
    }

    /// Also where the health is asked, so that it stands on a fresh look.
    pub(super) async fn read_disk(&self, dir: PathBuf) -> Result<(), NotChecked> {
        let read = self.disk.within(LIMIT, move || space(&dir).ok()).await;
        let disk = *read.as_ref().unwrap_or(&None);
        self.update(|figures| figures.disk = disk);
        read.map(drop)
    }

    async fn read_store(&self, store: Store) -> Result<(), NotChecked> {
        let read = self.store.within(LIMIT, move || store.bytes_on_disk().ok());
        let read = read.await;
        let bytes = *read.as_ref().unwrap_or(&None);
        self.update(|figures| figures.store = bytes);
        read.map(drop)
    }

    /// Times how late the runtime's timers are, until the drain.
    pub(super) async fn watch_lag(&self, drain: &Drain) {
        loop {
            let due = clock::now() + LAG_EVERY;
            tokio::select! {
                () = tokio::time::sleep_until(due.into()) => {}
                () = drain.reached(Phase::Draining) => return,
            }
            let late = clock::now().saturating_duration_since(due);
            self.lag.record_span(late);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::house::{options, reopen};

    #[tokio::test]
    async fn reads_this_process_and_this_disk() {
        let dir = tempfile::tempdir().unwrap();
        let opened = reopen(&options(dir.path())).unwrap();
        let machine = Machine::default();
        assert_eq!(machine.figures(), Figures::default());
        assert_eq!(machine.refresh(&opened.store).await, []);
        let figures = machine.figures();
        assert!(figures.memory > Some(1 << 20), "{figures:?}");
        assert!(figures.descriptors > Some(3) && figures.descriptors < figures.descriptors_limit);
        assert!(
            figures
                .disk
                .is_some_and(|(free, total)| free <= total && total > 0)
        );
        // A new store may not have written its first segment yet.
        assert!(figures.store.is_some());
        assert_eq!(
            figures.memory_growth(),
            Some(0),
            "the first look is the base"
        );
    }
}
