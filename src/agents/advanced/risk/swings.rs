//! One input at a time at its ends.

use super::*;
use crate::agents::work::{axis, mark};

/// A cost to vary, where nothing else drew a tornado.
pub(in crate::agents) fn sensitive(work: &Work<'_>) -> bool {
    work.model.is_some()
        && !crate::agents::advanced::own_gpus::called_for(work)
        && !states_range(work)
        && work.said.first(Kind::TokensTotal).is_none()
}

/// Each input a quarter lower and higher: which one moves the cost most.
pub(in crate::agents) fn tornado(work: &mut Work<'_>) -> Option<Prose> {
    if !work.at_least(crate::id::Complexity::Intermediate) {
        return None;
    }
    work.kept("baseline").filter(|b| b.unit == "USD/month")?;
    let n = work.requests()?;
    let mut s = traffic(work)?;
    let off = work.ledger.assume(
        "input_spread",
        "inputs may be off by",
        0.25,
        "fraction",
        (0.0, 0.95),
        "A placeholder: the message states numbers, not ranges.",
    );
    for (range, base) in s
        .ranges
        .iter_mut()
        .zip([n, work.tokens_in(), work.tokens_out()])
    {
        let mut end = |label: &str, formula: &str| {
            work.ledger.derive(
                &format!("{label} of {}", base.label),
                formula,
                "assumed range",
                &[("x", &base), ("off", &off)],
                &base.unit,
            )
        };
        range.low = end("least", "x * (1 - off)");
        range.high = end("most", "x * (1 + off)");
    }
    let none = work
        .ledger
        .catalog("no fixed cost", 0.0, "USD/month", "API only");
    let s = s.with_fixed(Range {
        name: "Fixed cost",
        low: none.clone(),
        mode: none.clone(),
        high: none,
    });
    draw_tornado(work, &s, "Cost a month", "USD/month")
}

/// The result with each input at its ends, the widest first.
pub(in crate::agents) fn draw_tornado(
    work: &mut Work<'_>,
    s: &Simulation,
    what: &str,
    unit: &str,
) -> Option<Prose> {
    let formula = "v * (i * p_in + o * p_out) / 1e6 - f";
    let result = |work: &mut Work<'_>, label: &str, values: [&Value; 4]| {
        let inputs = [
            ("v", values[0]),
            ("i", values[1]),
            ("o", values[2]),
            ("f", values[3]),
            ("p_in", &s.p_in),
            ("p_out", &s.p_out),
        ];
        work.ledger.derive(
            label,
            formula,
            "one input at a time, the others at their likeliest",
            &inputs,
            unit,
        )
    };
    let modes = || {
        [
            &s.ranges[0].mode,
            &s.ranges[1].mode,
            &s.ranges[2].mode,
            &s.ranges[3].mode,
        ]
    };
    let base = result(work, &format!("{what}, base case"), modes());
    let mut bars = Vec::new();
    for (k, range) in s.ranges.iter().enumerate().filter(|(_, r)| !r.is_point()) {
        let (mut low, mut high) = (modes(), modes());
        low[k] = &range.low;
        high[k] = &range.high;
        let at_low = result(
            work,
            &format!("{what} with least {}", range.name.to_lowercase()),
            low,
        );
        let at_high = result(
            work,
            &format!("{what} with most {}", range.name.to_lowercase()),
            high,
        );
        bars.push((
            range.name,
            range.low.clone(),
            range.high.clone(),
            at_low,
            at_high,
        ));
    }
    bars.sort_by(|a, b| {
        (b.4.value - b.3.value)
            .abs()
            .total_cmp(&(a.4.value - a.3.value).abs())
    });
    let (name, _, _, low, high) = bars.first()?;
    let text = say!(
        "The widest swing comes from {}: from {} to {} a month around {}.",
        name.to_lowercase(),
        low.money(),
        high.money(),
        base.money()
    );
    let rows = bars
        .iter()
        .map(|(name, from, to, low, high)| {
            vec![
                words(name),
                from.cell(from.count()),
                to.cell(to.count()),
                low.cell(low.money()),
                high.cell(high.money()),
            ]
        })
        .collect();
    work.table(Table {
        id: "tornado".into(),
        title: format!("{what} with one input at its ends"),
        columns: vec![
            column("Input", ""),
            column("Least", ""),
            column("Most", ""),
            column("Result at least", unit),
            column("Result at most", unit),
        ],
        rows,
    });
    let points = bars
        .iter()
        .map(|(name, _, _, low, high)| Point {
            low: Some(low.value),
            high: Some(high.value),
            ..base.bar(name)
        })
        .collect();
    work.chart(Chart {
        id: "tornado".into(),
        kind: "tornado".into(),
        title: format!("{what}: which input matters most"),
        x: axis(what, unit, "linear"),
        y: axis("Input", "", "category"),
        series: vec![Series {
            name: what.into(),
            points,
        }],
        marks: vec![mark("x", base.value, "base case")],
        table: "tornado".into(),
        source: "your numbers and the ranges shown".into(),
        text: text.text.clone(),
        refs: text.refs.clone(),
    });
    work.widest = Some((*name).to_owned());
    Some(text)
}
