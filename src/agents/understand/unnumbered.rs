//! Quantities without a numeral: "triples", "an H100", "what p99", "two of them".

use std::borrow::Cow;

use super::capacity::gpu_name;
use super::lexer::{Shape, Token};
use super::lexicon::*;
use super::quantity::{Kind, Metric, Role, Value};
use super::rules::Draft;
use super::scene::period;
use super::times::percentile_name;

/// All of them, beside the quantities that the amounts state.
pub(super) fn find(tokens: &[Token], list: &[Draft]) -> Vec<Draft> {
    let counted = |at: usize| list.iter().any(|d| d.start <= at && at < d.end);
    let mut found: Vec<Draft> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let draft = if token.is(FACTOR) {
            Some(factor(tokens, at))
        } else if let Some(name) = gpu_name(&token.word) {
            let named = |d: &Draft| {
                d.kind == Kind::GpuCount && d.q.as_deref() == Some(name)
                    || d.kind == Kind::Gpu && d.unit == name
            };
            let twice = list.iter().chain(&found).any(named);
            (!twice).then(|| blank(at, Kind::Gpu, name, Value::Absent))
        } else if let Shape::Percentile(value) = token.shape {
            Some(value)
                .filter(|_| !counted(at))
                .and_then(|v| percentile(tokens, at, v))
        } else if token.is(NUMBER) && token.shape == Shape::Word && !counted(at) {
            independent(tokens, at)
        } else {
            None
        };
        found.extend(draft);
    }
    found
}

fn blank(at: usize, kind: Kind, unit: &'static str, value: Value) -> Draft {
    Draft {
        kind,
        value,
        unit: Cow::Borrowed(unit),
        per: None,
        q: None,
        metric: None,
        role: None,
        by: None,
        swallows: false,
        start: at,
        end: at + 1,
    }
}

/// "triples", "doubling every quarter".
fn factor(tokens: &[Token], at: usize) -> Draft {
    let value = Value::One(tokens[at].meaning.scale);
    let mut draft = blank(at, Kind::GrowthMultiplier, "x", value);
    let every = |t: &Token| matches!(t.word.as_str(), "every" | "each" | "per");
    if tokens.get(at + 1).is_some_and(every)
        && let Some((Some(per), 0, end)) = period(tokens, at + 1)
    {
        // The period is no denominator of a factor; it says how often.
        draft = draft.q(format!("every:{}", per.as_str()));
        draft.end = end;
    }
    draft
}

/// "hedge at p90", "the P90 annual budget", "what end-to-end p99".
fn percentile(tokens: &[Token], at: usize, value: f64) -> Option<Draft> {
    if tokens[at.saturating_sub(4)..at].iter().any(|t| t.is(HEDGE)) {
        return Some(blank(
            at,
            Kind::HedgePercentile,
            "fraction",
            Value::One(value),
        ));
    }
    if sum_of_money(tokens, at) {
        return Some(blank(
            at,
            Kind::PercentileWanted,
            "fraction",
            Value::One(value),
        ));
    }
    let total = tokens[at.saturating_sub(3)..at].iter().any(|t| t.is(TOTAL));
    let metric = match tokens.get(at + 1) {
        Some(t) if t.is(WAIT) => Metric::Wait,
        Some(t) if t.is(FIRST) => Metric::Ttft,
        _ if total => Metric::Total,
        _ => Metric::Unspecified,
    };
    asked(tokens, at).then(|| {
        let latency = blank(at, Kind::Latency, "s", Value::Absent);
        latency
            .q(percentile_name(value))
            .metric(metric)
            .role(Role::Target)
    })
}

/// "Two of them are independent."
fn independent(tokens: &[Token], at: usize) -> Option<Draft> {
    let word = |ahead: usize| tokens.get(at + ahead).map_or("", |t| t.word.as_str());
    let them = word(1) == "of" && matches!(word(2), "them" | "these" | "those" | "the");
    let mut near = tokens[at..].iter().take(12);
    let parallel = near.any(|t| t.is(PARALLEL) || t.word == "independent");
    let value = tokens[at].meaning.scale;
    (them && parallel && value >= 1.0)
        .then(|| blank(at, Kind::Parallelisable, "call", Value::One(value)))
}

/// "the P90 annual budget": a percentile of a simulated sum.
fn sum_of_money(tokens: &[Token], at: usize) -> bool {
    let after = tokens.iter().skip(at + 1).take(4);
    after
        .take_while(|t| t.shape == Shape::Word)
        .any(|t| t.is(BUDGET | PAY | COST) || t.lemma("save"))
}

/// "What p99 should we expect?": a percentile without a time, in a question.
fn asked(tokens: &[Token], at: usize) -> bool {
    let before = &tokens[at.saturating_sub(8)..at];
    let start = before
        .iter()
        .rposition(|t| t.shape == Shape::Break)
        .map_or(0, |i| i + 1);
    before[start..]
        .iter()
        .any(|t| matches!(t.word.as_str(), "what" | "which" | "whats" | "how"))
}
