//! The figures of a run, for people and for programs.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value, json};

use super::Work;
use super::tally::{Tally, Times};

pub(super) struct Report {
    pub(super) visitors: u32,
    /// How long messages were sent.
    pub(super) sent_for: Duration,
    /// How long it took until everything was answered.
    pub(super) took: Duration,
    pub(super) tally: Tally,
    /// Resident bytes of the server before the load and at most; known of a server of our own.
    pub(super) memory: Option<(u64, u64)>,
    pub(super) work: Work,
}

impl Report {
    /// Frames a second while messages were sent.
    fn rate(&self) -> f64 {
        self.tally.in_time as f64 / self.sent_for.as_secs_f64()
    }

    pub(super) fn print(&self, as_json: bool, out: &mut impl Write) -> io::Result<()> {
        if as_json {
            return writeln!(out, "{}", self.json());
        }
        let t = &self.tally;
        writeln!(
            out,
            "{} visitors, messages for {} s, all answered after {:.1} s",
            self.visitors,
            self.sent_for.as_secs(),
            self.took.as_secs_f64()
        )?;
        writeln!(
            out,
            "  frames    {:.0}/s delivered in order; {} in all, {} acknowledged, {} repeated",
            self.rate(),
            t.delivered,
            t.acknowledged,
            t.repeated
        )?;
        writeln!(
            out,
            "  messages  {} sent, {} accepted, {} refused; {} results, {} other ends",
            t.sent, t.accepted, t.refused, t.results, t.other_ends
        )?;
        for (name, times) in self.times() {
            let ms = |q| times.ms(q).map_or("-".to_owned(), |ms| format!("{ms:.2}"));
            writeln!(
                out,
                "  {name:<9} p50 {} ms, p95 {} ms, p99 {} ms, max {} ms",
                ms(0.5),
                ms(0.95),
                ms(0.99),
                ms(1.0)
            )?;
        }
        if let Some((before, most)) = self.memory {
            let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            writeln!(
                out,
                "  server    {:.1} MiB before the load, {:.1} MiB at most",
                mib(before),
                mib(most)
            )?;
        }
        writeln!(
            out,
            "  lost      {} frames, {} answers; {} frames acknowledged and not known to be",
            t.lost, t.unanswered, t.pending
        )?;
        t.reasons
            .iter()
            .try_for_each(|why| writeln!(out, "  ! {why}"))
    }

    fn times(&self) -> [(&'static str, &Times); 3] {
        let t = &self.tally;
        [
            ("accepted", &t.accept),
            ("first", &t.first),
            ("result", &t.result),
        ]
    }

    fn json(&self) -> Value {
        let t = &self.tally;
        let latency: serde_json::Map<String, Value> = self
            .times()
            .into_iter()
            .map(|(name, times)| {
                let ms = json!({
                    "p50": times.ms(0.5), "p95": times.ms(0.95), "p99": times.ms(0.99),
                    "max": times.ms(1.0),
                });
                (name.to_owned(), ms)
            })
            .collect();
        json!({
            "work": match self.work { Work::Answers => "answers", Work::Frames => "frames" },
            "visitors": self.visitors, "seconds": self.sent_for.as_secs(),
            "took_ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "frames_per_second": self.rate(), "delivered": t.delivered,
            "acknowledged": t.acknowledged, "repeated": t.repeated,
            "sent": t.sent, "accepted": t.accepted, "refused": t.refused,
            "results": t.results, "other_ends": t.other_ends,
            "lost": t.lost, "unanswered": t.unanswered, "pending": t.pending,
            "latency_ms": latency,
            "server_bytes": self.memory.map(|(before, most)| json!({"before": before, "most": most})),
            "reasons": t.reasons,
        })
    }
}
