//! `GET /api/v1/example-messages/stats`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Observer;
use super::readings::{Readings, ms};
use super::windows::{Percentiles, Span, Timing};
use crate::business::Funnel;
use crate::clock::Wall;
use crate::machine::session::State;
use crate::store::StoreError;

/// How a session can end, in the words of the answers.
const ENDS: [&str; 6] = [
    "completed",
    "failed",
    "timed_out",
    "refused",
    "cancelled",
    "expired",
];

impl Observer {
    /// Everything, for the administrator.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn stats(&self) -> Result<Value, StoreError> {
        let r = self.readings();
        Ok(json!({
            "at": r.wall.rfc3339(),
            "version": env!("CARGO_PKG_VERSION"),
            "started": r.started.rfc3339(),
            "uptime_ms": ms(r.uptime),
            "sessions": self.sessions_json(&r),
            "sequencing": self.sequencing_json(&r),
            "routing": self.routing_json(),
            "cleanup": self.cleanup_json(),
            "connections": self.connections_json(&r),
            "admission": word_counts(self.0.rooms.meters.work.admissions.all()),
            "refusals": word_counts(self.0.rooms.meters.door.refusals.all()),
            "rate_limited": word_counts(self.0.rooms.meters.door.rate_limited.all()),
            "http": self.http_json(),
            "breakers": breakers_json(&r),
            "latency": self.latency_json(),
            "errors": self.errors_json(&r),
            "business": self.business_json()?,
            "store": self.store_json(&r),
            "system": self.system_json(&r),
            "alerts": {"firing": self.firing().0},
        }))
    }

    fn sessions_json(&self, r: &Readings) -> Value {
        let work = &self.0.rooms.meters.work;
        let (mut by_category, mut by_complexity) = (BTreeMap::new(), BTreeMap::new());
        let mut all: Map<String, Value> = ENDS
            .map(|end| (end.to_owned(), 0.into()))
            .into_iter()
            .collect();
        let mut add =
            |category: &'static str, complexity: &'static str, word: &'static str, n: u64| {
                for (table, key) in [
                    (&mut by_category, category),
                    (&mut by_complexity, complexity),
                ] {
                    let row: &mut BTreeMap<&str, u64> = table.entry(key).or_default();
                    for end in ENDS.iter().chain(&["accepted"]) {
                        row.entry(end).or_insert(0);
                    }
                    *row.entry(word).or_insert(0) += n;
                }
            };
        for ((category, complexity, _), n) in work.accepted.all() {
            add(category.as_str(), complexity.as_str(), "accepted", n);
        }
        for (((category, complexity, _), word), n) in work.ended.all() {
            add(category.as_str(), complexity.as_str(), word, n);
            let sum = all.get(word).and_then(Value::as_u64).unwrap_or(0) + n;
            all.insert(word.to_owned(), sum.into());
        }
        let live = State::ALL.iter().filter(|state| !state.ended());
        let by_state: Map<String, Value> = live
            .map(|s| {
                (
                    s.as_str().to_owned(),
                    r.states.get(s).copied().unwrap_or(0).into(),
                )
            })
            .collect();
        json!({
            "active": r.active(), "processing": r.processing, "queued": r.queued,
            "by_state": by_state,
            "visitors": {"live": self.0.rooms.outboxes.live_visitors(), "known": self.0.rooms.meters.delivery.visitors.get()},
            "memory_bytes": r.session_bytes,
            "accepted": work.accepted.total(),
            "duplicates": work.admissions.get(&"duplicate"),
            "resumed": work.resumed.get(),
            "expired": all.get("expired"),
            "ended": all,
            "by_category": by_category,
            "by_complexity": by_complexity,
        })
    }

    fn sequencing_json(&self, r: &Readings) -> Value {
        let d = &self.0.rooms.meters.delivery;
        json!({
            "appended": d.appended.get(), "sent": d.sent.get(), "acknowledged": d.acknowledged.get(),
            "redelivered": d.redelivered.get(), "expired": d.expired.get(),
            "pending": d.pending.get(), "pending_bytes": d.pending_bytes.get(),
            "oldest_pending_ms": r.oldest_pending(self).map(ms),
        })
    }

    fn routing_json(&self) -> Value {
        let work = &self.0.rooms.meters.work;
        let mut agents: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        for ((backend, outcome), n) in work.attempts.all() {
            let row = agents.entry(backend).or_default();
            row.insert(outcome.to_owned(), n.into());
        }
        let agents: Vec<Value> = agents
            .into_iter()
            .map(|(backend, mut row)| {
                for word in [
                    "answered",
                    "refused",
                    "failed",
                    "timed_out",
                    "stopped",
                    "breaker_open",
                ] {
                    row.entry(word).or_insert(0.into());
                }
                row.insert("backend".into(), backend.into());
                Value::Object(row)
            })
            .collect();
        json!({"agents": agents, "fallbacks": work.fallbacks.get()})
    }

    fn cleanup_json(&self) -> Value {
        let meters = &self.0.rooms.meters;
        let c = &meters.cleanup;
        let (rounds, failed) = (c.rounds.get(), c.failed.get());
        let last = (rounds > 0).then(|| Wall(c.last.get()).rfc3339());
        json!({
            "rounds": rounds, "failed": failed,
            "success_rate": (rounds > 0).then(|| (rounds - failed) as f64 / rounds as f64),
            "last": last, "last_ms": last.as_ref().map(|_| c.last_ms.get()),
            "sessions_forgotten": c.sessions.get(), "chunks_forgotten": c.chunks.get(),
            "frames_expired": meters.delivery.expired.get(),
        })
    }

    fn connections_json(&self, r: &Readings) -> Value {
        let d = &self.0.rooms.meters.door;
        let name = |code: u16| {
            if code == 0 {
                "gone".to_owned()
            } else {
                code.to_string()
            }
        };
        let closed: Map<String, Value> = d
            .closed
            .all()
            .into_iter()
            .map(|(code, n)| (name(code), n.into()))
            .collect();
        json!({
            "live": d.sockets.get(), "opened": d.opened.get(), "closed": closed,
            "tls": d.connections.get(), "handshakes": word_counts(d.handshakes.all()),
            "refused": word_counts(d.no_place.all()),
            "failed_rate": r.connections.value(),
            "bytes_in": d.bytes_in.get(), "bytes_out": d.bytes_out.get(),
        })
    }

    fn http_json(&self) -> Value {
        let mut by_status: BTreeMap<String, u64> = BTreeMap::new();
        for ((_, _, status), n) in self.0.rooms.meters.door.requests.all() {
            *by_status.entry(status.to_string()).or_default() += n;
        }
        json!({"requests": by_status.values().sum::<u64>(), "by_status": by_status})
    }

    fn latency_json(&self) -> Value {
        let names = [
            ("processing", Timing::Processing),
            ("acknowledgement", Timing::Acknowledgement),
            ("commit", Timing::Commit),
            ("http", Timing::Http),
            ("queue", Timing::Queue),
        ];
        let mut latency = Map::new();
        for (name, timing) in names {
            let spans = Span::ALL.map(|(word, span)| {
                (
                    word.to_owned(),
                    percentiles_json(self.percentiles(timing, span)),
                )
            });
            latency.insert(name.into(), Value::Object(spans.into_iter().collect()));
        }
        Value::Object(latency)
    }

    fn errors_json(&self, r: &Readings) -> Value {
        let mut by_category = Map::new();
        for category in crate::id::Category::ALL {
            let of = |t: &super::Totals| t.ended.get(category).copied().unwrap_or_default();
            let share = self.windows().share(of);
            let row = json!({"ended": share.of, "errors": share.failed, "rate": share.value()});
            by_category.insert(category.to_string(), row);
        }
        json!({"window_ms": 300_000, "rate": r.errors.value(), "by_category": by_category})
    }

    fn business_json(&self) -> Result<Value, StoreError> {
        let mut business = Funnel::read(&self.0.rooms.store)?.json();
        let hour = self.percentiles(Timing::TimeToValue, Span::Hour);
        let took = &mut business["time_to_value_ms"];
        took["p50"] = json!(hour.map(|p| p.p50 as f64 / 1000.0));
        took["p95"] = json!(hour.map(|p| p.p95 as f64 / 1000.0));
        took["window_ms"] = 3_600_000.into();
        Ok(business)
    }

    fn store_json(&self, r: &Readings) -> Value {
        let rooms = &self.0.rooms;
        let counts = rooms.committer.counts();
        json!({
            "bytes": r.machine.store, "commits": counts.groups.get(), "jobs": counts.jobs.get(),
            "queue": r.commit_queue, "failed": rooms.committer.why(),
        })
    }

    fn system_json(&self, r: &Readings) -> Value {
        json!({
            "memory_bytes": r.machine.memory, "memory_growth_bytes": r.machine.memory_growth(),
            "cpu_share": r.machine.cpu, "descriptors": r.machine.descriptors,
            "tasks": self.0.rooms.drain.count(), "event_loop_lag_ms": r.lag_ms,
            "disk_free_bytes": r.machine.disk.map(|(free, _)| free),
            "disk_total_bytes": r.machine.disk.map(|(_, total)| total),
        })
    }
}

fn word_counts(counts: Vec<(&'static str, u64)>) -> Value {
    let pairs = counts
        .into_iter()
        .map(|(word, n)| (word.to_owned(), n.into()));
    Value::Object(pairs.collect())
}

fn breakers_json(r: &Readings) -> Vec<Value> {
    let breaker = |b: &super::readings::BreakerReading| {
        json!({
            "name": b.name, "state": b.state, "transitions": b.statistics.transitions,
            "open_ms": b.open_for.map(ms), "consecutive_failures": b.statistics.consecutive_failures,
        })
    };
    r.breakers.iter().map(breaker).collect()
}

fn percentiles_json(found: Option<Percentiles>) -> Value {
    let ms = |us: u64| us as f64 / 1000.0;
    match found {
        None => json!({"count": 0, "p50_ms": null, "p95_ms": null, "p99_ms": null, "max_ms": null}),
        Some(p) => json!({
            "count": p.count, "p50_ms": ms(p.p50), "p95_ms": ms(p.p95), "p99_ms": ms(p.p99), "max_ms": ms(p.max),
        }),
    }
}
