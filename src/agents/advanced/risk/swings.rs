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

/// The result with one input at its ends.
struct Bar {
    name: &'static str,
    from: Value,
    to: Value,
    low: Value,
    high: Value,
}

impl Bar {
    fn swing(&self) -> f64 {
        (self.high.value - self.low.value).abs()
    }
}

/// The base case, and every input at its ends, the widest swing first.
fn bars(work: &mut Work<'_>, s: &Simulation, what: &str, unit: &str) -> (Value, Vec<Bar>) {
    let reference = "one input at a time, the others at their likeliest";
    let formula = "v * (i * p_in + o * p_out) / 1e6 - f";
    let mut result = |label: &str, values: &[&Value]| {
        let mut inputs: Vec<(&str, &Value)> = ["v", "i", "o", "f"]
            .into_iter()
            .zip(values.iter().copied())
            .collect();
        inputs.extend([("p_in", &s.p_in), ("p_out", &s.p_out)]);
        work.ledger.derive(label, formula, reference, &inputs, unit)
    };
    let modes: Vec<&Value> = s.ranges.iter().map(|r| &r.mode).collect();
    let base = result(&format!("{what}, base case"), &modes);
    let mut all = Vec::new();
    for (k, range) in s.ranges.iter().enumerate().filter(|(_, r)| !r.is_point()) {
        let mut at = |word: &str, end| {
            let mut values = modes.clone();
            values[k] = end;
            let label = format!("{what} with {word} {}", range.name.to_lowercase());
            result(&label, &values)
        };
        all.push(Bar {
            name: range.name,
            low: at("least", &range.low),
            high: at("most", &range.high),
            from: range.low.clone(),
            to: range.high.clone(),
        });
    }
    all.sort_by(|a, b| b.swing().total_cmp(&a.swing()));
    (base, all)
}

/// The result with each input at its ends, the widest first.
pub(in crate::agents) fn draw_tornado(
    work: &mut Work<'_>,
    s: &Simulation,
    what: &str,
    unit: &str,
) -> Option<Prose> {
    let (base, bars) = bars(work, s, what, unit);
    let widest = bars.first()?;
    let text = say!(
        "The widest swing comes from {}: from {} to {} a month around {}.",
        widest.name.to_lowercase(),
        widest.low.money(),
        widest.high.money(),
        base.money()
    );
    let row = |b: &Bar| {
        let (from, to) = (b.from.cell(b.from.count()), b.to.cell(b.to.count()));
        vec![
            words(b.name),
            from,
            to,
            b.low.cell(b.low.money()),
            b.high.cell(b.high.money()),
        ]
    };
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
        rows: bars.iter().map(row).collect(),
    });
    let point = |b: &Bar| Point {
        low: Some(b.low.value),
        high: Some(b.high.value),
        ..base.bar(b.name)
    };
    work.chart(Chart {
        id: "tornado".into(),
        kind: "tornado".into(),
        title: format!("{what}: which input matters most"),
        x: axis(what, unit, "linear"),
        y: axis("Input", "", "category"),
        series: vec![Series {
            name: what.into(),
            points: bars.iter().map(point).collect(),
        }],
        marks: vec![mark("x", base.value, "base case")],
        table: "tornado".into(),
        source: "your numbers and the ranges shown".into(),
        text: text.text.clone(),
        refs: text.refs.clone(),
    });
    work.widest = Some(widest.name.to_owned());
    Some(text)
}
