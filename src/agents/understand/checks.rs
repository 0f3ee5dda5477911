//! Ranges and contradictions. What is out of range is kept, shown and not
//! computed with.

use super::quantity::{Kind, Quantity, Role, Value};
use super::{ListPrices, ModelRole, Understanding};

/// Beyond this a number is an overflow, not merely out of range.
const OVERFLOW: f64 = 1e15;
/// Stated over list price outside of this needs an explanation.
const SPEND_RATIO: std::ops::RangeInclusive<f64> = 0.8..=1.25;

/// The name of the guard and the range (lowest, highest) of a quantity, in its unit.
fn guard(q: &Quantity) -> Option<(&'static str, f64, f64)> {
    let per_second = q
        .per
        .and_then(|p| p.per_month())
        .map_or(1.0, |n| 2_629_800.0 / n);
    bounds(q.kind, per_second)
}

fn bounds(kind: Kind, per_second: f64) -> Option<(&'static str, f64, f64)> {
    const TINY: f64 = 1e-12;
    Some(match kind {
        Kind::Requests | Kind::Sessions => ("requests", TINY, 1e9 * per_second),
        Kind::RequestsPerUser | Kind::RateLimit => ("requests", TINY, 1e12),
        Kind::TokensIn
        | Kind::TokensOut
        | Kind::TokensPrefix
        | Kind::TokensInRest
        | Kind::TokensInPart
        | Kind::TokensPerRequest
        | Kind::Context => ("tokens", 1.0, 1e7),
        Kind::TokensTotal => ("tokens", TINY, 1e16),
        Kind::Spend
        | Kind::Budget
        | Kind::Saving
        | Kind::RunCost
        | Kind::Invest
        | Kind::Penalty
        | Kind::Threshold
        | Kind::UnitPrice
        | Kind::RequestPrice
        | Kind::GpuPrice
        | Kind::ReplicaPrice
        | Kind::EnergyPrice => ("money", 0.0, 1e12),
        Kind::Latency | Kind::ServiceTime | Kind::HedgeAfter => ("latency", 0.001, 86_400.0),
        Kind::Share
        | Kind::Weight
        | Kind::Availability
        | Kind::HedgePercentile
        | Kind::PercentileWanted
        | Kind::DiscountRate => ("share", 0.0, 1.0),
        Kind::GrowthRate => ("growth", -0.99, 10.0),
        Kind::GrowthMultiplier => ("growth", 0.01, 1e4),
        Kind::Users | Kind::Concurrent => ("users", TINY, 1e10),
        Kind::Fanout | Kind::Steps | Kind::CallsPerRequest | Kind::Turns => ("calls", TINY, 1e4),
        Kind::GpuCount | Kind::Replicas | Kind::SlotsPerReplica => ("hardware", TINY, 1e6),
        Kind::Horizon | Kind::Duration => ("time", TINY, 1e5),
        _ => return None,
    })
}

/// The name under which a kind is guarded.
pub(super) fn group(kind: Kind) -> &'static str {
    bounds(kind, 1.0).map_or("number", |guard| guard.0)
}

/// Marks what is out of range; returns the flags.
pub(super) fn ranges(quantities: &mut [Quantity]) -> Vec<String> {
    let mut flags = Vec::new();
    for q in quantities {
        let Some((name, low, high)) = guard(q) else {
            continue;
        };
        let outside = |v: &f64| !(low..=high).contains(v);
        if !q.value.numbers().iter().any(outside) {
            continue;
        }
        q.in_range = false;
        let huge = q.value.numbers().iter().any(|v| v.abs() >= OVERFLOW);
        if huge {
            flags.push(format!("overflow:{name}"));
        }
        flags.push(format!("out_of_range:{name}"));
    }
    flags
}

/// Statements that cannot all be true.
pub(super) fn contradictions(u: &Understanding, prices: &dyn ListPrices) -> Vec<String> {
    let mut flags = Vec::new();
    let mut flag = |raised: bool, name: &str| {
        if raised {
            flags.push(format!("contradiction:{name}"));
        }
    };
    flag(spend_differs(u, prices), "spend_vs_list_price");
    flag(percentiles_fall(u), "percentile_order");
    flag(several(u, Kind::Requests), "requests");
    flag(several(u, Kind::TokensIn), "tokens_in");
    flag(several(u, Kind::TokensOut), "tokens_out");
    flag(several(u, Kind::Spend), "spend");
    flags
}

/// What the stated volume costs a month at list price, in USD, with one model in use.
fn list_cost(u: &Understanding, prices: &dyn ListPrices) -> Option<f64> {
    let models = u.models_in(ModelRole::Current);
    let [model] = models.as_slice() else {
        return None;
    };
    let (p_in, p_out) = prices.usd_per_mtok(model)?;
    let (n_in, n_out) = (u.tokens_in()?, u.tokens_out()?);
    Some(u.requests_per_month()? * (n_in * p_in + n_out * p_out) / 1e6)
}

fn spend_differs(u: &Understanding, prices: &dyn ListPrices) -> bool {
    let single =
        u.all(Kind::Requests).filter(|q| q.role.is_none()).count() <= 1 && u.currency() == "USD";
    match (list_cost(u, prices), u.spend_per_month()) {
        (Some(list), Some(spend)) if list > 0.0 && single => !SPEND_RATIO.contains(&(spend / list)),
        _ => false,
    }
}

/// p50 <= p95 <= p99 within what measures the same in the same role.
fn percentiles_fall(u: &Understanding) -> bool {
    let rank = |q: &Quantity| q.q.as_deref()?.strip_prefix('p')?.parse::<f64>().ok();
    let stated: Vec<(f64, f64, &Quantity)> = u
        .all(Kind::Latency)
        .filter_map(|q| Some((rank(q)?, q.value.base()?, q)))
        .collect();
    let falls = |a: &(f64, f64, &Quantity), b: &(f64, f64, &Quantity)| {
        a.0 < b.0 && a.1 > b.1 && a.2.metric == b.2.metric && a.2.role == b.2.role
    };
    stated
        .iter()
        .take(40)
        .any(|a| stated.iter().take(40).any(|b| falls(a, b)))
}

/// Two values for one thing, where the message lists no several workloads.
fn several(u: &Understanding, kind: Kind) -> bool {
    let plain = |q: &&Quantity| {
        !matches!(q.role, Some(Role::Target | Role::Limit))
            && q.workload.is_none()
            && q.by.is_none()
            && q.q.as_deref() != Some("peak")
            && matches!(q.value, Value::One(_))
    };
    let canonical = |q: &Quantity| u.per_month(q).or(q.value.base()).unwrap_or(0.0);
    let values: Vec<f64> = u.all(kind).filter(plain).map(canonical).collect();
    let workloads = u.quantities.iter().any(|q| q.workload.is_some())
        || u.models_in(ModelRole::Current).len() > 1;
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    // Rounding of a period is no contradiction.
    !workloads && values.len() > 1 && high > 1.25 * low
}

/// What is missing, by what the message talks about.
pub(super) fn missing(u: &Understanding) -> Vec<String> {
    let mut flags = Vec::new();
    let mut flag = |open: bool, name: &str| {
        if open {
            flags.push(format!("missing:{name}"));
        }
    };
    let volume = u.requests_per_month().is_some() || u.first(Kind::TokensTotal).is_some();
    let users = u.first(Kind::Users).is_some();
    flag(u.quantities.is_empty() && u.models.is_empty(), "all");
    flag(u.models.is_empty(), "model");
    flag(!volume, "requests");
    flag(
        users && u.first(Kind::RequestsPerUser).is_none() && u.first(Kind::Requests).is_none(),
        "requests_per_user",
    );
    let total = u.first(Kind::TokensTotal).is_some() || u.first(Kind::TokensPerRequest).is_some();
    flag(u.tokens_in().is_none() && !total, "tokens_in");
    flag(u.tokens_out().is_none() && !total, "tokens_out");
    let latency = |q: &&Quantity| q.value.base().is_some() && q.role == Some(Role::Target);
    let wanted = u.quantities.iter().any(|q| q.kind == Kind::Latency);
    flag(
        wanted && !u.all(Kind::Latency).any(|q| latency(&q)),
        "latency_target",
    );
    flags
}
