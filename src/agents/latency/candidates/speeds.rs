//! Published speed of a model as the time of a request.

use super::*;

impl Timing {
    /// The seconds that a target limits.
    pub(in crate::agents) fn against(&self, target: &Target) -> &Value {
        match (target.first_token, target.stat) {
            (true, Stat::P50) => &self.ttft50,
            (true, Stat::P95) => &self.ttft95,
            (false, Stat::P50) => &self.total50,
            (false, Stat::P95) => &self.total95,
        }
    }

    /// True where the target is met: "under 2 s" is not met by 2 s.
    pub(in crate::agents) fn meets(&self, target: &Target) -> bool {
        self.against(target).value < target.limit.value
    }
}

/// Published speed of a model; none where nothing without reasoning is published.
pub(in crate::agents) fn timing(work: &mut Work<'_>, id: &str) -> Option<Timing> {
    let speed = work.catalog.speed(id, Mode::Direct)?.clone();
    let row = work.speed_row(id);
    let name = work.name(id);
    let mut enter = |what: &str, value: f64, unit: &str| {
        work.ledger
            .catalog(&format!("{name}: {what}"), value, unit, &row)
    };
    let ttft50 = enter("time to first token, p50", speed.ttft.p50, "s");
    let ttft95 = enter("time to first token, p95", speed.ttft.p95, "s");
    let tps50 = enter("tokens a second, p50", speed.tps.p50, "tokens/s");
    let tps05 = enter("tokens a second, slow end (p05)", speed.tps.p05, "tokens/s");
    let n_out = work.tokens_out();
    let queue = work.ledger.assume(
        "queue_time",
        "queue and network",
        0.0,
        "s",
        (0.0, 3600.0),
        "Nothing is stated; add your own queue and network time.",
    );
    let mut total = |label: &str, ttft: &Value, tps: &Value| {
        let inputs = [
            ("queue", &queue),
            ("ttft", ttft),
            ("n_out", &n_out),
            ("tps", tps),
        ];
        work.ledger.derive(
            &format!("{name}: {label}"),
            "queue + ttft + n_out / tps",
            PARTS,
            &inputs,
            "s",
        )
    };
    Some(Timing {
        total50: total("whole answer, p50", &ttft50, &tps50),
        total95: total("whole answer, p95 upper bound", &ttft95, &tps05),
        id: id.into(),
        name: name.clone(),
        ttft50,
        ttft95,
        tps50,
        tps05,
    })
}

impl Work<'_> {
    /// The row of a model's speed, with publisher and date.
    pub(in crate::agents) fn speed_row(&self, id: &str) -> String {
        let has = |p: &&crate::agents::catalog::Pack| p.speed.iter().any(|s| s.model == id);
        match self.catalog.packs().iter().find(has) {
            Some(pack) => format!("{id}, no reasoning: {} of {}", pack.name, pack.as_of),
            None => id.to_owned(),
        }
    }
}
