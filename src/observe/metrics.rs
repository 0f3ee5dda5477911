//! `/metrics`: every figure by its Prometheus name.
//!
//! Conventional names: `emflow_`, the base unit, `_total` on what only rises; `process_` for what
//! every exporter calls so. Labels are words of our own enums.

mod door;
mod work;

use super::Observer;
use super::families::{Families, Labels};
use super::readings::Readings;

/// A table of counters with its labels spelled out.
type Rows<const N: usize> = Vec<([(&'static str, String); N], u64)>;

fn rows<const N: usize>(families: &mut Families, name: &str, help: &str, rows: Rows<N>) {
    let spelled: Vec<(Vec<(&str, &str)>, u64)> = rows
        .iter()
        .map(|(labels, n)| (labels.iter().map(|(l, v)| (*l, v.as_str())).collect(), *n))
        .collect();
    let borrowed = spelled.iter().map(|(labels, n)| (labels.as_slice(), *n));
    families.counters(name, help, borrowed);
}

fn of_word(label: &'static str, tally: Vec<(&str, u64)>) -> Rows<1> {
    let row = |(word, n): (&str, u64)| ([(label, word.to_owned())], n);
    tally.into_iter().map(row).collect()
}

impl Observer {
    /// The Prometheus text.
    ///
    /// # Errors
    /// What the encoder says: a bug of ours.
    pub fn metrics(&self) -> Result<Vec<u8>, String> {
        let readings = self.readings();
        let mut families = Families::default();
        self.process(&mut families, &readings);
        self.delivery(&mut families, &readings);
        self.work(&mut families);
        self.live(&mut families, &readings);
        self.backends(&mut families, &readings);
        self.door(&mut families);
        self.requests(&mut families);
        self.store(&mut families, &readings);
        self.upkeep(&mut families, &readings);
        families.encode().map_err(|error| error.to_string())
    }

    fn process(&self, f: &mut Families, r: &Readings) {
        let labels: Labels<'_> = &[("version", env!("CARGO_PKG_VERSION"))];
        f.gauges("emflow_build_info", "The running version.", [(labels, 1.0)]);
        let number = |n: Option<u64>| n.map(|n| n as f64);
        f.gauge(
            "process_start_time_seconds",
            "Start of the process, in seconds since 1970.",
            Some(r.started.0 as f64 / 1000.0),
        );
        f.gauge(
            "process_resident_memory_bytes",
            "Resident memory.",
            number(r.machine.memory),
        );
        f.gauge(
            "process_open_fds",
            "Open file descriptors.",
            number(r.machine.descriptors),
        );
        f.gauge(
            "process_max_fds",
            "Most file descriptors that may be open.",
            number(r.machine.descriptors_limit),
        );
        if let Some(seconds) = r.machine.cpu_seconds {
            f.counter(
                "process_cpu_seconds_total",
                "Processor time, in whole seconds.",
                seconds as u64,
            );
        }
        f.gauge(
            "emflow_memory_growth_bytes",
            "Resident memory beyond that of the first look after the start.",
            number(r.machine.memory_growth()),
        );
        f.seconds(
            "emflow_event_loop_lag_seconds",
            "How late timers of the runtime come.",
            &self.0.machine.lag,
        );
        f.gauge(
            "emflow_tasks",
            "Tasks that the drain waits for.",
            Some(self.0.rooms.drain.count() as f64),
        );
    }

    fn delivery(&self, f: &mut Families, r: &Readings) {
        let d = &self.0.rooms.meters.delivery;
        let counters = [
            (
                "emflow_frames_appended_total",
                "Frames made durable.",
                &d.appended,
            ),
            (
                "emflow_frames_sent_total",
                "Frames handed to sockets.",
                &d.sent,
            ),
            (
                "emflow_frames_redelivered_total",
                "Frames handed to a socket of a visitor who may have had them before.",
                &d.redelivered,
            ),
            (
                "emflow_frames_acknowledged_total",
                "Frames acknowledged.",
                &d.acknowledged,
            ),
            (
                "emflow_frames_expired_total",
                "Frames given up unacknowledged.",
                &d.expired,
            ),
        ];
        for (name, help, counter) in counters {
            f.counter(name, help, counter.get());
        }
        f.seconds(
            "emflow_acknowledgement_seconds",
            "From handing a frame to a socket to its acknowledgement; one at a time a socket.",
            &d.acknowledgement,
        );
        f.gauge(
            "emflow_frames_pending",
            "Frames not acknowledged, of all visitors.",
            Some(d.pending.get() as f64),
        );
        f.gauge(
            "emflow_frames_pending_bytes",
            "Payload bytes of the frames not acknowledged.",
            Some(d.pending_bytes.get() as f64),
        );
        f.gauge(
            "emflow_frames_oldest_pending_seconds",
            "Age of the oldest pending frame, as the last round of cleaning found it.",
            r.oldest_pending(self).map(|age| age.as_secs_f64()),
        );
    }

    fn store(&self, f: &mut Families, r: &Readings) {
        let counts = self.0.rooms.committer.counts();
        f.seconds(
            "emflow_commit_seconds",
            "A commit group, from applying it to its watermark.",
            &counts.latency,
        );
        f.numbers(
            "emflow_commit_jobs",
            "Jobs in a commit group.",
            &counts.size,
        );
        f.gauge(
            "emflow_commit_queue",
            "Jobs that wait for the next commit group.",
            Some(r.commit_queue as f64),
        );
        let failed = self.0.rooms.committer.failed().borrow().is_some();
        f.gauge(
            "emflow_store_failed",
            "1 once a write or sync has failed for good.",
            Some(f64::from(u8::from(failed))),
        );
        f.gauge(
            "emflow_store_bytes",
            "Bytes of the store's files.",
            r.machine.store.map(|n| n as f64),
        );
        f.gauge(
            "emflow_disk_free_bytes",
            "Free bytes of the store's file system.",
            r.machine.disk.map(|(free, _)| free as f64),
        );
        f.gauge(
            "emflow_disk_size_bytes",
            "Bytes of the store's file system.",
            r.machine.disk.map(|(_, total)| total as f64),
        );
    }

    fn upkeep(&self, f: &mut Families, r: &Readings) {
        let c = &self.0.rooms.meters.cleanup;
        f.counter(
            "emflow_cleanup_rounds_total",
            "Rounds of cleaning.",
            c.rounds.get(),
        );
        f.counter(
            "emflow_cleanup_failed_total",
            "Rounds of cleaning that could not be finished.",
            c.failed.get(),
        );
        let rooms = &self.0.rooms;
        f.gauge(
            "emflow_certificate_expiry_timestamp_seconds",
            "End of the certificate, in seconds since 1970.",
            Some((rooms.ages.certificate_ends)().0 as f64 / 1000.0),
        );
        f.gauge(
            "emflow_catalog_age_seconds",
            "Age of the catalog's prices.",
            Some((rooms.ages.catalog_days)() as f64 * 86_400.0),
        );
        let firing = self.firing_by_kind();
        let firing: Vec<([(&str, &str); 1], f64)> = firing
            .iter()
            .map(|(kind, fires)| ([("alert", kind.as_str())], f64::from(u8::from(*fires))))
            .collect();
        let firing = firing.iter().map(|(labels, value)| (&labels[..], *value));
        f.gauges("emflow_alert_firing", "1 where the alert fires.", firing);
        let backup = (rooms.ages.last_backup)().flatten();
        f.gauge(
            "emflow_backup_age_seconds",
            "Age of the last backup that succeeded; absent where there is none.",
            backup.map(|at| r.wall.since(at).as_secs_f64()),
        );
    }
}
