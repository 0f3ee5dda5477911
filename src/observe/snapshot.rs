//! What the administrator's overview shows, once a second.

use serde_json::{Value, json};

use super::Observer;
use super::readings::ms;
use super::windows::{Percentiles, Span, Timing, Totals};

impl Observer {
    /// The overview of this moment. Percentiles are of the last minute, rates of the last 10 s,
    /// shares of the last five minutes; none where nothing was measured.
    pub async fn snapshot(&self) -> Value {
        let health = self.health().await;
        let r = self.readings();
        let meters = &self.0.rooms.meters;
        let (places, slots) = self.0.rooms.intake.capacity();
        let rate = |of: fn(&Totals) -> u64| self.windows().rate(of);
        let timing = |timing| percentiles(self.percentiles(timing, Span::Minute));
        let (firing, unacknowledged) = self.firing();
        let breakers = r.breakers.iter();
        let breakers = breakers.map(|b| json!({"name": b.name, "state": b.state}));
        json!({
            "at": r.wall.rfc3339(), "status": health.status(), "version": env!("CARGO_PKG_VERSION"),
            "uptime_ms": ms(r.uptime),
            "components": health.components(),
            "connections": {"live": meters.door.sockets.get(), "tls": meters.door.connections.get()},
            "sessions": {
                "active": r.active(), "processing": r.processing, "queued": r.queued,
                "queue_capacity": places, "slots": slots,
            },
            "frames": {
                "sent_per_s": rate(|t| t.sent), "acknowledged_per_s": rate(|t| t.acknowledged),
                "redelivered_per_s": rate(|t| t.redelivered),
                "pending": meters.delivery.pending.get(),
                "pending_bytes": meters.delivery.pending_bytes.get(),
                "oldest_pending_ms": r.oldest_pending(self).map(ms),
            },
            "ack_ms": timing(Timing::Acknowledgement), "processing_ms": timing(Timing::Processing),
            "commit_ms": timing(Timing::Commit), "http_ms": timing(Timing::Http),
            "queue_ms": timing(Timing::Queue),
            "commits_per_s": rate(|t| t.commits), "commit_queue": r.commit_queue,
            "memory_bytes": r.machine.memory, "cpu_share": r.machine.cpu,
            "descriptors": r.machine.descriptors, "disk_bytes": r.machine.store,
            "disk_free_bytes": r.machine.disk.map(|(free, _)| free),
            "event_loop_lag_ms": r.lag_ms,
            "error_rate": r.errors.value(), "failed_connection_rate": r.connections.value(),
            "refused_per_s": rate(|t| t.refused),
            "breakers": breakers.collect::<Vec<_>>(),
            "alerts": {"firing": firing, "unacknowledged": unacknowledged},
        })
    }
}

fn percentiles(found: Option<Percentiles>) -> Value {
    let ms = |of: fn(Percentiles) -> u64| found.map(|p| of(p) as f64 / 1000.0);
    json!({"p50": ms(|p| p.p50), "p95": ms(|p| p.p95), "p99": ms(|p| p.p99)})
}
