//! How many requests must be served at once so that few wait: Erlang C.

mod advice;
mod pools;

use crate::agents::answer::Cell;
use crate::agents::catalog::Mode;
use crate::agents::ledger::{Prose, Value, say};
use crate::agents::scaling::{Lines, curve_series, lines, peak, peak_of};
use crate::agents::understand::{Kind, Metric, Quantity, Role};
use crate::agents::work::{Advice, Work, fact};
use crate::id::Complexity;
use advice::*;
use pools::*;

const ERLANG: &str = "Erlang 1917: the M/M/c queue";

/// More offered load than this needs another model than one queue.
const LOAD_MAX: f64 = 20_000.0;

/// A service time or waiting target is stated, or there is load and nothing else to compute.
pub(super) fn called_for(work: &Work<'_>) -> bool {
    let said = &work.said;
    let asked = said.first(Kind::ServiceTime).is_some()
        || said
            .all(Kind::Latency)
            .any(|q| q.metric == Some(Metric::Wait))
        || said.first(Kind::SlotsPerReplica).is_some();
    let load = said.first(Kind::Requests).is_some() || said.first(Kind::Users).is_some();
    let other = crate::agents::scaling::limits::states_limit(work)
        || crate::agents::scaling::states_hardware(work)
        || crate::agents::scaling::states_growth(work);
    asked || (load && !other)
}

/// Slots and replicas for every stated peak.
pub(super) fn staffing(work: &mut Work<'_>) -> Option<Prose> {
    let peaks: Vec<Quantity> = work
        .said
        .all(Kind::Requests)
        .filter(|q| q.q.as_deref() == Some("peak"))
        .cloned()
        .collect();
    let mut pools = Vec::new();
    if peaks.len() > 1 {
        for (i, quantity) in peaks.iter().take(4).enumerate() {
            let name = if i == 0 {
                "peak_rps".to_owned()
            } else {
                format!("peak_rps_{}", i + 1)
            };
            pools.push((
                format!("\"{}\"", quantity.quote),
                peak_of(work, &name, quantity)?,
            ));
        }
    } else {
        let today = peak(work)?;
        pools.push(("Peak".to_owned(), today.clone()));
        if let Some(then) = grown(work, &today) {
            pools[0].0 = "Today".to_owned();
            pools.push(("With the users you expect".to_owned(), then));
        }
    }
    let queue = queue(work)?;
    let mut told: Option<Prose> = None;
    for (name, load) in &pools {
        if load.value <= 0.0 || load.value * queue.service.value > LOAD_MAX {
            work.finding(
                "warning",
                "Not a load for one queue",
                say!(
                    "A load of {} requests a second is outside of what one queue can be sized for.",
                    load.count()
                ),
            );
            continue;
        }
        let prose = pool(work, name, load, &queue, pools.len() > 1)?;
        told = Some(told.take().unwrap_or_default().and(prose));
    }
    total(work, peaks.len());
    told
}

/// Replicas and rent of all pools together.
fn total(work: &mut Work<'_>, pools: usize) {
    if pools < 2 {
        return;
    }
    for (key, label, unit) in [
        ("replicas", "replicas in all pools", "replicas"),
        ("replica_cost", "replicas a month in all pools", "USD/month"),
    ] {
        let parts: Vec<Value> = (1..=pools).filter_map(|i| work.kept_of(key, i)).collect();
        let symbols = ["a", "b", "c", "d"];
        let inputs: Vec<(&str, &Value)> = symbols.iter().copied().zip(&parts).collect();
        if inputs.len() == pools.min(4) {
            let formula = symbols[..inputs.len()].join(" + ");
            let all = work
                .ledger
                .derive(label, &formula, "sum of the pools", &inputs, unit);
            work.keep(key, &all);
        }
    }
}

/// What a pool of slots comes to.
struct Pool {
    offered: Value,
    slots: Value,
    waits: Value,
    longest: Value,
    busy: Value,
    mean: Value,
    /// The wait at the percentile with one slot fewer, where that still keeps up.
    fewer: Option<Value>,
}

const WAIT: &str = "W_p = max(0, ln(C / (1 − p)) / (c / s − λ))";

/// The smallest pool that meets the target, and how it fares.
fn size(work: &mut Work<'_>, load: &Value, q: &Queue) -> Pool {
    let l = &mut work.ledger;
    let base = [("lam", load), ("s", &q.service)];
    let offered = l.derive("offered load", "lam * s", "Little 1961", &base, "slots");
    let inputs = [base[0], base[1], ("t", &q.wait), ("p", &q.p)];
    let why = "Erlang 1917: the smallest c whose waiting-time percentile meets the target";
    let slots = l.derive(
        "slots needed",
        "slots_needed(lam; s; t; p)",
        why,
        &inputs,
        "slots",
    );
    let with = [("c", &slots), base[0], base[1], ("p", &q.p)];
    let why = "Erlang C: B_k = a B_(k−1) / (k + a B_(k−1)), C = B / (1 − ρ (1 − B))";
    let label = "probability of waiting";
    let waits = l.derive(label, "erlang_c(c; lam; s)", why, &with[..3], "fraction");
    let formula = "erlang_wait(c; lam; s; p)";
    let longest = l.derive("wait at the percentile", formula, WAIT, &with, "s");
    let busy = l.derive("utilisation", "lam * s / c", ERLANG, &with[..3], "fraction");
    let inputs = [("w", &waits), with[0], with[1], with[2]];
    let mean = l.derive("mean wait", "w / (c / s - lam)", ERLANG, &inputs, "s");
    let one = l.derive(
        "one slot fewer",
        "c - 1",
        "for comparison",
        &with[..1],
        "slots",
    );
    let with = [("c", &one), base[0], base[1], ("p", &q.p)];
    let fewer = (one.value > offered.value)
        .then(|| l.derive("wait with one slot fewer", formula, WAIT, &with, "s"));
    Pool {
        offered,
        slots,
        waits,
        longest,
        busy,
        mean,
        fewer,
    }
}

fn rows(pool: &Pool) -> Vec<Vec<Cell>> {
    let offered = &pool.offered;
    let mut rows = vec![
        fact(
            "Offered load",
            offered.cell(offered.digits(4).then(" slots")),
        ),
        fact("Slots", pool.slots.cell(pool.slots.digits(6))),
        fact(
            "Probability of waiting",
            pool.waits.cell(pool.waits.percent()),
        ),
        fact(
            "Wait at the percentile",
            pool.longest.cell(pool.longest.seconds()),
        ),
        fact("Mean wait", pool.mean.cell(pool.mean.seconds())),
        fact("Utilisation", pool.busy.cell(pool.busy.percent())),
    ];
    if let Some(less) = &pool.fewer {
        rows.push(fact("Wait with one slot fewer", less.cell(less.seconds())));
    }
    rows
}

fn pool(work: &mut Work<'_>, name: &str, load: &Value, q: &Queue, several: bool) -> Option<Prose> {
    let sized = size(work, load, q);
    let mut rows = rows(&sized);
    let Pool {
        slots,
        waits,
        longest,
        busy,
        ..
    } = &sized;
    let mut told = say!(
        "{}: {} requests a second, {} each: {} slots, {} busy, {} wait at all.",
        name,
        load.count(),
        q.service.seconds(),
        slots.digits(6),
        busy.percent(),
        waits.percent()
    );
    if let Some(per) = &q.per_replica {
        let replicas = replicas(work, slots, per, &mut rows);
        told = told.and(say!(
            "That is {} replicas of {} slots.",
            replicas.digits(6),
            per.digits(4)
        ));
    }
    let (id, title) = match several {
        true => (
            format!("capacity-{}", work.draft.tables.len() + 1),
            format!("Capacity: {name}"),
        ),
        false => ("capacity".to_owned(), "Capacity at peak".to_owned()),
    };
    work.facts(&id, &title, "", rows);
    let mut named = slots.clone();
    named.label = name.to_owned();
    work.keep_next("pool", &named);
    let verdict = say!(
        "{}: {} slots, {} busy.",
        name,
        slots.digits(6),
        busy.percent()
    );
    work.verdicts.push(verdict);
    for (key, value) in [("slots", slots), ("wait", longest), ("utilisation", busy)] {
        work.keep(key, value);
    }
    advise(work, several.then_some(name), load, q, &sized);
    if !several && work.at_least(Complexity::Intermediate) {
        chart(work, load, q, slots, longest, &id);
    }
    Some(told)
}

/// Whole replicas for the slots, with one to spare where that is asked for.
fn replicas(work: &mut Work<'_>, slots: &Value, per: &Value, rows: &mut Vec<Vec<Cell>>) -> Value {
    let inputs = [("c", slots), ("per", per)];
    let reference = "whole replicas";
    let needed = work
        .ledger
        .derive("replicas", "ceil(c / per)", reference, &inputs, "replicas");
    rows.push(fact("Replicas", needed.cell(needed.digits(6))));
    let all = spare(work, &needed, rows);
    work.keep_next("replicas", &all);
    needed
}
