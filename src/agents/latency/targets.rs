//! What the visitor wants to be fast: the first token, or the whole answer.

use super::super::ledger::{Value, say};
use super::super::understand::{Kind, Metric, Quantity, Role};
use super::super::work::Work;

/// Which percentile a target is checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agents) enum Stat {
    /// The median.
    P50,
    /// The conservative bound of the 95th percentile.
    P95,
}

/// A limit in seconds and what it limits.
#[derive(Debug, Clone)]
pub(in crate::agents) struct Target {
    /// Seconds left for the model.
    pub(in crate::agents) limit: Value,
    /// True for the first token, false for the whole answer.
    pub(in crate::agents) first_token: bool,
    pub(in crate::agents) stat: Stat,
    /// True where the message does not say which is meant, and this is one of two readings.
    pub(in crate::agents) reading: bool,
}

impl Target {
    /// What is limited, in words.
    pub(in crate::agents) fn what(&self) -> &'static str {
        match (self.first_token, self.stat) {
            (true, Stat::P50) => "first token (p50)",
            (true, Stat::P95) => "first token (p95)",
            (false, Stat::P50) => "whole answer (p50)",
            (false, Stat::P95) => "whole answer (p95, upper bound)",
        }
    }
}

fn stat_of(q: &Quantity) -> Option<Stat> {
    match q.q.as_deref()? {
        "p50" | "avg" => Some(Stat::P50),
        _ => Some(Stat::P95),
    }
}

/// The stated targets; an ambiguous one gives two readings.
pub(in crate::agents) fn targets(work: &mut Work<'_>) -> Vec<Target> {
    let stated: Vec<Quantity> = work
        .said
        .all(Kind::Latency)
        .filter(|q| matches!(q.role, Some(Role::Target | Role::Limit)))
        .filter(|q| {
            matches!(
                q.metric,
                Some(Metric::Ttft | Metric::Total | Metric::Unspecified) | None
            )
        })
        .cloned()
        .collect();
    let elsewhere = stated.iter().find_map(stat_of).unwrap_or(Stat::P95);
    let mut all = Vec::new();
    for (i, quantity) in stated.iter().take(3).enumerate() {
        let Some(seconds) = quantity.value.base().filter(|s| *s > 0.0) else {
            continue;
        };
        let stat = stat_of(quantity).unwrap_or(elsewhere);
        let name = match (quantity.metric, i) {
            (Some(Metric::Ttft), _) => "first_token_target".to_owned(),
            (_, 0) => "latency_target".to_owned(),
            (_, i) => format!("latency_target_{}", i + 1),
        };
        let limit = work.stated(
            &name,
            "latency target",
            quantity,
            seconds,
            "s",
            (0.001, 86_400.0),
        );
        let limit = less_fixed(work, limit);
        let mut add = |first_token, reading| {
            all.push(Target {
                limit: limit.clone(),
                first_token,
                stat,
                reading,
            });
        };
        match quantity.metric {
            Some(Metric::Ttft) => add(true, false),
            Some(Metric::Total) => add(false, false),
            _ => {
                add(false, true);
                add(true, true);
            }
        }
    }
    all
}

/// The limit less the parts beside the model, such as speech recognition.
fn less_fixed(work: &mut Work<'_>, limit: Value) -> Value {
    let fixed: Vec<Quantity> = work
        .said
        .all(Kind::Latency)
        .filter(|q| q.metric == Some(Metric::Component))
        .cloned()
        .collect();
    let mut left = limit;
    for (i, quantity) in fixed.iter().take(4).enumerate() {
        let Some(seconds) = quantity.value.base() else {
            continue;
        };
        let name = format!("fixed_part_{}", i + 1);
        let part = work.stated(
            &name,
            "time beside the model",
            quantity,
            seconds,
            "s",
            (0.0, 86_400.0),
        );
        let inputs = [("limit", &left), ("part", &part)];
        left = work.ledger.derive(
            "time left for the model",
            "limit - part",
            "sum of the parts",
            &inputs,
            "s",
        );
    }
    if !fixed.is_empty()
        && work
            .draft
            .findings
            .iter()
            .all(|f| f.title != "Time left for the model")
    {
        let prose = say!(
            "After the fixed parts {} are left for the model.",
            left.seconds()
        );
        work.finding("info", "Time left for the model", prose);
    }
    left
}
