//! Many calls at once: the slowest counts. What hedging really changes.

use super::super::ledger::{Prose, Value, say};
use super::super::scaling::{Lines, curve_series, lines};
use super::super::understand::{Kind, Quantity, Role};
use super::super::work::{Advice, Work, fact, mark};

const TAIL: &str =
    "Dean & Barroso, The Tail at Scale, CACM 56(2) 2013; single calls lognormal and independent";

/// A stated percentile of today's latency.
fn stated(work: &mut Work<'_>, stats: &[&str], name: &str, label: &str) -> Option<Value> {
    let find = |q: &&Quantity| {
        q.role != Some(Role::Target) && q.q.as_deref().is_some_and(|s| stats.contains(&s))
    };
    let quantity = work.said.all(Kind::Latency).find(find)?.clone();
    let value = quantity.value.base().filter(|v| *v > 0.0)?;
    Some(work.stated(name, label, &quantity, value, "s", (0.001, 86_400.0)))
}

/// Median and p95 of a single call: stated, fitted through a stated p99, or published.
fn single(work: &mut Work<'_>) -> Option<(Value, Value)> {
    let median = stated(work, &["p50", "avg"], "median", "median of a call");
    let p95 = stated(work, &["p95"], "p95", "p95 of a call");
    match (median, p95) {
        (Some(median), Some(p95)) => Some((median, p95)),
        (Some(median), None) => {
            let p95 = match stated(work, &["p99"], "p99", "p99 of a call") {
                Some(p99) => {
                    let inputs = [("median", &median), ("p99", &p99)];
                    work.ledger.derive(
                        "p95 of the lognormal through median and p99",
                        "median * (p99 / median) ^ (1.6448536 / 2.3263479)",
                        TAIL,
                        &inputs,
                        "s",
                    )
                }
                None => {
                    let two = work.ledger.assume(
                        "p95_over_median",
                        "p95 over median of a call",
                        2.0,
                        "x",
                        (1.01, 100.0),
                        "A placeholder: only the median is stated.",
                    );
                    work.ledger.derive(
                        "p95 of a call",
                        "median * x",
                        "assumed spread",
                        &[("median", &median), ("x", &two)],
                        "s",
                    )
                }
            };
            Some((median, p95))
        }
        _ => {
            let id = work.model.clone()?;
            let t = super::timing(work, &id)?;
            Some((t.total50, t.total95))
        }
    }
}

/// The percentile asked for: of a stated target, else the 95th.
fn percentile(work: &mut Work<'_>) -> Value {
    let find = |q: &&Quantity| {
        q.role == Some(Role::Target) && q.q.as_deref().is_some_and(|s| s.starts_with('p'))
    };
    let asked = work
        .said
        .quantities
        .iter()
        .filter(|q| q.kind == Kind::Latency)
        .find(find)
        .cloned();
    let p = asked
        .as_ref()
        .and_then(|q| q.q.as_deref()?.strip_prefix('p')?.parse::<f64>().ok());
    match (asked, p) {
        (Some(q), Some(p)) => work.stated(
            "percentile",
            "percentile asked for",
            &q,
            p / 100.0,
            "fraction",
            (0.5, 0.9999),
        ),
        _ => work.ledger.assume(
            "percentile",
            "percentile asked for",
            0.95,
            "fraction",
            (0.5, 0.9999),
            "The percentile that service levels usually name.",
        ),
    }
}

fn hedge_after(work: &mut Work<'_>, median: &Value, p95: &Value) -> Value {
    if let Some(after) = work.first(
        Kind::HedgeAfter,
        "a second copy is sent after",
        "s",
        (0.001, 86_400.0),
    ) {
        return after;
    }
    if let Some(p) = work.first(
        Kind::HedgePercentile,
        "percentile after which a second copy is sent",
        "fraction",
        (0.01, 0.9999),
    ) {
        let one = work.ledger.assume(
            "single",
            "a single call",
            1.0,
            "calls",
            (1.0, 1.0),
            "By definition.",
        );
        let inputs = [("p", &p), ("one", &one), ("median", median), ("p95", p95)];
        return work.ledger.derive(
            "a second copy is sent after",
            "fan_out(p; one; median; p95)",
            TAIL,
            &inputs,
            "s",
        );
    }
    p95.clone()
}

fn no_spread(work: &mut Work<'_>, median: &Value, p95: &Value) -> Option<Prose> {
    let prose = say!(
        "A p95 of {} beside a median of {} is no spread that can be computed with.",
        p95.seconds(),
        median.seconds()
    );
    work.finding("warning", "The p95 is not above the median", prose);
    None
}

/// The overall percentile of parallel calls, plain and hedged.
pub(super) fn fan_out(work: &mut Work<'_>) -> Option<Prose> {
    let label = "parallel calls of a request";
    let n = work.first(Kind::Fanout, label, "calls", (1.0, 10_000.0))?;
    let (median, p95) = single(work)?;
    if p95.value <= median.value {
        return no_spread(work, &median, &p95);
    }
    let p = percentile(work);
    let after = hedge_after(work, &median, &p95);
    let l = &mut work.ledger;
    let label = "probability that all calls stay under the single p95";
    let all = l.derive(label, "0.95 ^ n", TAIL, &[("n", &n)], "fraction");
    let inputs = [
        ("p", &p),
        ("n", &n),
        ("median", &median),
        ("p95", &p95),
        ("after", &after),
    ];
    let label = "percentile each call must meet";
    let needed = l.derive(label, "p ^ (1 / n)", TAIL, &inputs[..2], "fraction");
    let formula = "fan_out(p; n; median; p95)";
    let plain = l.derive(
        "overall percentile, plain",
        formula,
        TAIL,
        &inputs[..4],
        "s",
    );
    let formula = "fan_out_hedged(p; n; median; p95; after)";
    let hedged = l.derive("overall percentile, hedged", formula, TAIL, &inputs, "s");
    let formula = "lognormal_over(after; median; p95)";
    let extra = l.derive(
        "further requests by hedging",
        formula,
        TAIL,
        &inputs[2..],
        "fraction",
    );
    let both = [("plain", &plain), ("hedged", &hedged)];
    let gain = l.derive("time gained by hedging", "plain - hedged", TAIL, &both, "s");
    let rows = vec![
        fact("Parallel calls", n.cell(n.digits(5))),
        fact("All under the single p95", all.cell(all.percent())),
        fact("Percentile of each call", needed.cell(needed.digits(5))),
        fact("Overall, plain", plain.cell(plain.digits(4).then(" s"))),
        fact("Overall, hedged", hedged.cell(hedged.digits(4).then(" s"))),
        fact("Hedge after", after.cell(after.seconds())),
        fact("Further requests", extra.cell(extra.percent())),
    ];
    work.facts("fanout", "Parallel calls: the slowest counts", "", rows);
    for (key, value) in [
        ("plain", &plain),
        ("hedged", &hedged),
        ("extra", &extra),
        ("all", &all),
    ] {
        work.keep(key, value);
    }
    advise(work, &plain, &hedged, &extra, &gain, &needed);
    chart(work, &inputs, &plain, &hedged);
    Some(say!(
        "{} parallel calls: {} plain, {} hedged, for {} more requests.",
        n.digits(5),
        plain.seconds(),
        hedged.seconds(),
        extra.percent()
    ))
}

fn advise(
    work: &mut Work<'_>,
    plain: &Value,
    hedged: &Value,
    extra: &Value,
    gain: &Value,
    needed: &Value,
) {
    let little = gain.value < 0.1 * plain.value;
    let why = if little {
        say!(
            "Hedging moves the overall percentile from {} to {} only, for {} more requests: the tail of a single call is not heavy enough for it. Shorten the calls or make fewer of them: each must meet its {} percentile.",
            plain.seconds(),
            hedged.seconds(),
            extra.percent(),
            needed.percent()
        )
    } else {
        say!(
            "Hedging moves the overall percentile from {} to {} for {} more requests. Cancel the slower copy, and never hedge while refused for rate limits.",
            plain.seconds(),
            hedged.seconds(),
            extra.percent()
        )
    };
    let title = if little {
        "Shorten the calls before hedging them"
    } else {
        "Send a second copy of late calls"
    };
    let advice = Advice::new(
        why,
        if little { "medium" } else { "low" },
        if little { "low" } else { "high" },
        "medium",
    );
    let figure = gain.figure(gain.seconds().then(" less by hedging"));
    work.recommend(title, advice, gain, Some(figure));
    work.finding("info", "Independence is assumed", say!(
        "Calls that slow down together (one overloaded provider, one shared limit) gain less from hedging than independent ones. Measure how the latencies of sibling calls correlate."
    ));
    work.measure(
        "Overall latency at the percentile",
        say!("{} computed, not measured", plain.seconds()),
        say!("{} or less", hedged.seconds()),
        "Time from fan-out until the last call is back, per request.",
    );
}

fn chart(work: &mut Work<'_>, inputs: &[(&str, &Value)], plain: &Value, hedged: &Value) {
    let xs: Vec<f64> = (1..=32).map(f64::from).collect();
    let a = work.ledger.curve(
        "overall percentile by calls, plain",
        "fan_out(p; n; median; p95)",
        TAIL,
        &inputs[..4],
        "s",
        ("n", &xs),
    );
    let b = work.ledger.curve(
        "overall percentile by calls, hedged",
        "fan_out_hedged(p; n; median; p95; after)",
        TAIL,
        inputs,
        "s",
        ("n", &xs),
    );
    let n = inputs[1].1;
    let text = say!(
        "With {} calls: {} plain, {} hedged.",
        n.digits(5),
        plain.seconds(),
        hedged.seconds()
    );
    let about = Lines {
        id: "fanout",
        kind: "line",
        title: "Overall latency by number of parallel calls",
        x: ("Parallel calls", "calls"),
        y: ("Overall latency", "s"),
        y_scale: "linear",
        table: "fanout",
    };
    let marks = vec![mark("x", n.value, "yours")];
    lines(
        work,
        &about,
        vec![
            curve_series("Plain", &a, Some(n.value)),
            curve_series("Hedged", &b, Some(n.value)),
        ],
        marks,
        text,
    );
}
