//! Figures over time: what is sampled, where it is kept, and reading it back.
//!
//! The [machine](crate::machine::history) folds the samples; here they are taken and its blocks
//! stored. A block that is complete is stored at once and nobody waits for it; at the drain the
//! open ones are. A crash takes the last minute at most.

use std::sync::{MutexGuard, PoisonError};

use super::Observer;
use super::readings::{Readings, ms};
use super::windows::{Percentiles, Span, Timing, Totals};
use crate::clock::{Duration, Wall};
use crate::machine::history::{Block, Figure, History, LEVELS, Point, level_for};
use crate::store::Op;

/// A figure that is kept.
pub struct Series {
    /// Its number in the store; never given to another.
    number: Figure,
    /// Its name in answers.
    pub name: &'static str,
    /// `count`, `per_s`, `ms`, `bytes` or `share` (0 to 1).
    pub unit: &'static str,
    from: fn(&Sample<'_>) -> Option<f64>,
}

/// What is looked at for one sample.
struct Sample<'a> {
    observer: &'a Observer,
    readings: &'a Readings,
}

impl Sample<'_> {
    fn rate(&self, of: fn(&Totals) -> u64) -> Option<f64> {
        self.observer.windows().rate(of)
    }

    fn ms(&self, timing: Timing, of: fn(Percentiles) -> u64) -> Option<f64> {
        let found = self.observer.percentiles(timing, Span::Minute);
        found.map(|found| of(found) as f64 / 1000.0)
    }
}

const fn series(
    number: Figure,
    name: &'static str,
    unit: &'static str,
    from: fn(&Sample<'_>) -> Option<f64>,
) -> Series {
    Series {
        number,
        name,
        unit,
        from,
    }
}

fn known(value: u64) -> Option<f64> {
    Some(value as f64)
}

fn whole(value: Option<u64>) -> Option<f64> {
    value.map(|value| value as f64)
}

/// Every figure that is kept. Percentiles are of the minute before each sample.
pub static SERIES: [Series; 38] = [
    series(1, "connections", "count", |s| {
        known(s.observer.0.rooms.meters.door.sockets.get())
    }),
    series(2, "sessions_active", "count", |s| {
        known(s.readings.active())
    }),
    series(3, "processing", "count", |s| known(s.readings.processing)),
    series(4, "queued", "count", |s| known(s.readings.queued)),
    series(5, "frames_sent_per_s", "per_s", |s| s.rate(|t| t.sent)),
    series(6, "frames_acknowledged_per_s", "per_s", |s| {
        s.rate(|t| t.acknowledged)
    }),
    series(7, "frames_redelivered_per_s", "per_s", |s| {
        s.rate(|t| t.redelivered)
    }),
    series(8, "frames_pending", "count", |s| {
        known(s.observer.0.rooms.meters.delivery.pending.get())
    }),
    series(9, "frames_pending_bytes", "bytes", |s| {
        known(s.observer.0.rooms.meters.delivery.pending_bytes.get())
    }),
    series(10, "ack_p50_ms", "ms", |s| {
        s.ms(Timing::Acknowledgement, |p| p.p50)
    }),
    series(11, "ack_p95_ms", "ms", |s| {
        s.ms(Timing::Acknowledgement, |p| p.p95)
    }),
    series(12, "ack_p99_ms", "ms", |s| {
        s.ms(Timing::Acknowledgement, |p| p.p99)
    }),
    series(13, "processing_p50_ms", "ms", |s| {
        s.ms(Timing::Processing, |p| p.p50)
    }),
    series(14, "processing_p95_ms", "ms", |s| {
        s.ms(Timing::Processing, |p| p.p95)
    }),
    series(15, "processing_p99_ms", "ms", |s| {
        s.ms(Timing::Processing, |p| p.p99)
    }),
    series(16, "commit_p50_ms", "ms", |s| {
        s.ms(Timing::Commit, |p| p.p50)
    }),
    series(17, "commit_p95_ms", "ms", |s| {
        s.ms(Timing::Commit, |p| p.p95)
    }),
    series(18, "commit_p99_ms", "ms", |s| {
        s.ms(Timing::Commit, |p| p.p99)
    }),
    series(19, "http_p50_ms", "ms", |s| s.ms(Timing::Http, |p| p.p50)),
    series(20, "http_p95_ms", "ms", |s| s.ms(Timing::Http, |p| p.p95)),
    series(21, "http_p99_ms", "ms", |s| s.ms(Timing::Http, |p| p.p99)),
    series(22, "queue_p50_ms", "ms", |s| s.ms(Timing::Queue, |p| p.p50)),
    series(23, "queue_p95_ms", "ms", |s| s.ms(Timing::Queue, |p| p.p95)),
    series(24, "queue_p99_ms", "ms", |s| s.ms(Timing::Queue, |p| p.p99)),
    series(25, "commits_per_s", "per_s", |s| s.rate(|t| t.commits)),
    series(26, "accepted_per_s", "per_s", |s| s.rate(|t| t.accepted)),
    series(27, "results_per_s", "per_s", |s| s.rate(|t| t.results)),
    series(28, "refused_per_s", "per_s", |s| s.rate(|t| t.refused)),
    series(29, "requests_per_s", "per_s", |s| s.rate(|t| t.requests)),
    series(30, "error_rate", "share", |s| s.readings.errors.value()),
    series(31, "failed_connection_rate", "share", |s| {
        s.readings.connections.value()
    }),
    series(32, "memory_bytes", "bytes", |s| {
        whole(s.readings.machine.memory)
    }),
    series(33, "cpu_share", "share", |s| s.readings.machine.cpu),
    series(34, "descriptors", "count", |s| {
        whole(s.readings.machine.descriptors)
    }),
    series(35, "disk_bytes", "bytes", |s| {
        whole(s.readings.machine.store)
    }),
    series(36, "disk_free_bytes", "bytes", |s| {
        whole(s.readings.machine.disk.map(|(free, _)| free))
    }),
    series(37, "event_loop_lag_ms", "ms", |s| s.readings.lag_ms),
    series(38, "alerts_firing", "count", |s| {
        known(s.observer.firing().0 as u64)
    }),
];

/// A figure over a span.
pub struct Track {
    /// Which.
    pub series: &'static Series,
    /// When each slot began, and what was measured in it.
    pub points: Vec<(Wall, Point)>,
}

/// What was read.
pub struct Tracks {
    /// From.
    pub from: Wall,
    /// Before.
    pub to: Wall,
    /// From one slot to the next.
    pub step: Duration,
    /// Each figure that was wanted.
    pub tracks: Vec<Track>,
}

impl Observer {
    fn history(&self) -> MutexGuard<'_, History> {
        let history = self.0.history.lock();
        history.unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a sample of everything; what is complete is on its way into the store.
    pub(super) fn remember(&self) {
        let readings = self.readings();
        let sample = Sample {
            observer: self,
            readings: &readings,
        };
        // Read before the history is locked: a chart that is being read holds up no reading.
        let values: Vec<_> = SERIES
            .iter()
            .map(|series| (series.number, (series.from)(&sample)))
            .collect();
        let complete = self
            .history()
            .on_sample(readings.wall.0, values.into_iter());
        if complete.is_empty() {
            return;
        }
        let committer = self.0.rooms.committer.clone();
        let drain = &self.0.rooms.drain;
        // Where the store fails everybody is told of it elsewhere.
        drain.spawn(
            "history",
            async move { committer.commit(ops(complete)).await },
        );
    }

    /// Stores what is not complete, before the end.
    pub(super) async fn keep_history(&self) {
        let open = self.history().open_blocks();
        if let Err(error) = self.0.rooms.committer.commit(ops(open)).await {
            tracing::warn!(%error, "the last figures could not be kept");
        }
    }

    /// Figures of the span before `now`, at about so many points each, at most.
    pub fn tracks(
        &self,
        wanted: &[&'static Series],
        span: Duration,
        points: u64,
        now: Wall,
    ) -> Tracks {
        let from = Wall(now.0.saturating_sub(ms(span)));
        let step = LEVELS[level_for(ms(span))].step;
        let merge = (ms(span) / step).div_ceil(points.max(1)).max(1);
        let history = self.history();
        let track = |series: &&'static Series| {
            let points = history.read(series.number, from.0, now.0, merge);
            let points = points.into_iter().map(|(at, point)| (Wall(at), point));
            Track {
                series,
                points: points.collect(),
            }
        };
        Tracks {
            from,
            to: now,
            step: Duration::from_millis(step * merge),
            tracks: wanted.iter().map(track).collect(),
        }
    }
}

fn ops(blocks: Vec<Block>) -> Vec<Op> {
    let put = |block| Op::PutHistory(Box::new(block));
    blocks.into_iter().map(put).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_each_given_once() {
        let mut numbers: Vec<Figure> = SERIES.iter().map(|series| series.number).collect();
        let mut names: Vec<&str> = SERIES.iter().map(|series| series.name).collect();
        (numbers.sort_unstable(), names.sort_unstable());
        numbers.dedup();
        names.dedup();
        assert_eq!((numbers.len(), names.len()), (SERIES.len(), SERIES.len()));
        let units = ["count", "per_s", "ms", "bytes", "share"];
        assert!(SERIES.iter().all(|series| units.contains(&series.unit)));
    }
}
