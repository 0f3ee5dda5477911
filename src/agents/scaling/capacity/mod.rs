//! How many requests must be served at once so that few wait: Erlang C.

mod advice;
mod pools;

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

fn pool(work: &mut Work<'_>, name: &str, load: &Value, q: &Queue, several: bool) -> Option<Prose> {
    let base = [("lam", load), ("s", &q.service)];
    let offered = work
        .ledger
        .derive("offered load", "lam * s", "Little 1961", &base, "slots");
    let inputs = [
        ("lam", load),
        ("s", &q.service),
        ("t", &q.wait),
        ("p", &q.p),
    ];
    let slots = work.ledger.derive(
        "slots needed",
        "slots_needed(lam; s; t; p)",
        "Erlang 1917: the smallest c whose waiting-time percentile meets the target",
        &inputs,
        "slots",
    );
    let with = [("c", &slots), ("lam", load), ("s", &q.service), ("p", &q.p)];
    let waits = work.ledger.derive(
        "probability of waiting",
        "erlang_c(c; lam; s)",
        "Erlang C: B_k = a B_(k−1) / (k + a B_(k−1)), C = B / (1 − ρ (1 − B))",
        &with[..3],
        "fraction",
    );
    let longest = work.ledger.derive(
        "wait at the percentile",
        "erlang_wait(c; lam; s; p)",
        "W_p = max(0, ln(C / (1 − p)) / (c / s − λ))",
        &with,
        "s",
    );
    let busy = work
        .ledger
        .derive("utilisation", "lam * s / c", ERLANG, &with[..3], "fraction");
    let mean = work.ledger.derive(
        "mean wait",
        "w / (c / s - lam)",
        ERLANG,
        &[
            ("w", &waits),
            ("c", &slots),
            ("s", &q.service),
            ("lam", load),
        ],
        "s",
    );
    let fewer = work.ledger.derive(
        "one slot fewer",
        "c - 1",
        "for comparison",
        &[("c", &slots)],
        "slots",
    );
    let mut rows = vec![
        fact(
            "Offered load",
            offered.cell(offered.digits(4).then(" slots")),
        ),
        fact("Slots", slots.cell(slots.digits(6))),
        fact("Probability of waiting", waits.cell(waits.percent())),
        fact("Wait at the percentile", longest.cell(longest.seconds())),
        fact("Mean wait", mean.cell(mean.seconds())),
        fact("Utilisation", busy.cell(busy.percent())),
    ];
    if fewer.value > offered.value {
        let with = [("c", &fewer), ("lam", load), ("s", &q.service), ("p", &q.p)];
        let less = work.ledger.derive(
            "wait with one slot fewer",
            "erlang_wait(c; lam; s; p)",
            "W_p = max(0, ln(C / (1 − p)) / (c / s − λ))",
            &with,
            "s",
        );
        rows.push(fact("Wait with one slot fewer", less.cell(less.seconds())));
    }
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
        let replicas = work.ledger.derive(
            "replicas",
            "ceil(c / per)",
            "whole replicas",
            &[("c", &slots), ("per", per)],
            "replicas",
        );
        rows.push(fact("Replicas", replicas.cell(replicas.digits(6))));
        told = told.and(say!(
            "That is {} replicas of {} slots.",
            replicas.digits(6),
            per.digits(4)
        ));
        let replicas = spare(work, &replicas, &mut rows);
        work.keep_next("replicas", &replicas);
    }
    let id = if several {
        format!("capacity-{}", work.draft.tables.len() + 1)
    } else {
        "capacity".to_owned()
    };
    let title = if several {
        format!("Capacity: {name}")
    } else {
        "Capacity at peak".into()
    };
    work.facts(&id.clone(), &title, "", rows);
    let mut named = slots.clone();
    named.label = name.to_owned();
    work.keep_next("pool", &named);
    work.verdicts.push(say!(
        "{}: {} slots, {} busy.",
        name,
        slots.digits(6),
        busy.percent()
    ));
    for (key, value) in [
        ("slots", &slots),
        ("wait", &longest),
        ("utilisation", &busy),
        ("offered", &offered),
    ] {
        work.keep(key, value);
    }
    advise(
        work,
        several.then_some(name),
        load,
        q,
        &slots,
        &longest,
        &busy,
    );
    if !several && work.at_least(Complexity::Intermediate) {
        chart(work, load, q, &slots, &longest, &id);
    }
    Some(told)
}
