//! The scaling agent: how much capacity, which limit binds, and when growth meets it.

mod capacity;
mod growth;
mod hardware;
mod limits;
mod report;

use super::answer::{Chart, Mark, Series};
use super::ledger::{Prose, Value};
use super::understand::{Kind, Per, Quantity};
use super::work::{Step, Work, step};
use crate::agents::work::axis;
use crate::id::Complexity::{Basic, Intermediate};

pub(super) use growth::{spend_growth, states_growth};
pub(super) use hardware::{gpu_price, self_host, states_hardware};

/// The agent's name.
pub(super) const NAME: &str = "Scaling Analysis Agent";

/// Which calculator runs when.
pub(super) const PLAN: &[Step] = &[
    step(
        "rate_limit",
        Basic,
        limits::states_limit,
        limits::rate_limit,
    ),
    step(
        "token_bucket",
        Intermediate,
        limits::states_tokens,
        limits::token_bucket,
    ),
    step(
        "erlang_capacity",
        Basic,
        capacity::called_for,
        capacity::staffing,
    ),
    step("kv_and_gpu", Basic, states_hardware, self_host),
    step("growth", Basic, states_growth, spend_growth),
    step("growth_of_load", Basic, states_growth, growth::load_growth),
    step("cost_per_month", Basic, report::priced, report::cost),
    step(
        "roadmap",
        Basic,
        |_| true,
        super::advanced::roadmap::roadmap,
    ),
    step("sensitivity", Basic, |_| true, report::questions),
];

/// Writes what the results mean.
pub(super) fn explain(work: &mut Work<'_>) {
    report::explain(work);
}

/// Requests a second at peak: stated, or the average times peak over average.
pub(super) fn peak(work: &mut Work<'_>) -> Option<Value> {
    if let Some(known) = work.kept("peak") {
        return Some(known);
    }
    let stated = work.said.qualified(Kind::Requests, "peak").cloned();
    let value = match stated {
        Some(q) => peak_of(work, "peak_rps", &q)?,
        None => peak_of_average(work)?,
    };
    work.keep("peak", &value);
    Some(value)
}

fn peak_of_average(work: &mut Work<'_>) -> Option<Value> {
    let n = work.requests()?;
    let short = work
        .said
        .requests()
        .and_then(|q| q.per)
        .is_some_and(|p| matches!(p, Per::Second | Per::Minute));
    let average = work.ledger.derive(
        "requests a second on average",
        "n / 2629800",
        super::facts::MONTH,
        &[("n", &n)],
        "requests/s",
    );
    let (factor, why) = match short {
        true => (
            1.0,
            "The rate is stated by the second or minute, so it is taken as the load to serve.",
        ),
        false => (
            3.0,
            "A placeholder without a source; read the busiest minute off your own logs.",
        ),
    };
    let factor = work.ledger.assume(
        "peak_to_average",
        "peak over average load",
        factor,
        "x",
        (1.0, 50.0),
        why,
    );
    let inputs = [("average", &average), ("factor", &factor)];
    Some(work.ledger.derive(
        "requests a second at peak",
        "average * factor",
        "peak over average",
        &inputs,
        "requests/s",
    ))
}

/// A stated peak as requests a second.
pub(super) fn peak_of(work: &mut Work<'_>, name: &str, quantity: &Quantity) -> Option<Value> {
    let stated = quantity.value.base()?;
    let per = quantity.per?;
    if per == Per::Second {
        return Some(work.stated(
            name,
            "requests a second at peak",
            quantity,
            stated,
            "requests/s",
            (0.0, 1e9),
        ));
    }
    let month = work.monthly(
        "peak_requests",
        "requests at peak, a month at that rate",
        quantity,
        "requests",
    )?;
    Some(work.ledger.derive(
        "requests a second at peak",
        "x / 2629800",
        super::facts::MONTH,
        &[("x", &month)],
        "requests/s",
    ))
}

/// A chart of curves over a numeric axis.
pub(super) struct Lines<'a> {
    pub(super) id: &'a str,
    pub(super) kind: &'a str,
    pub(super) title: &'a str,
    pub(super) x: (&'a str, &'a str),
    pub(super) y: (&'a str, &'a str),
    /// `linear` or `log`.
    pub(super) y_scale: &'a str,
    pub(super) table: &'a str,
}

/// Draws it.
pub(super) fn lines(
    work: &mut Work<'_>,
    about: &Lines<'_>,
    series: Vec<Series>,
    marks: Vec<Mark>,
    text: Prose,
) {
    work.chart(Chart {
        id: about.id.into(),
        kind: about.kind.into(),
        title: about.title.into(),
        x: axis(about.x.0, about.x.1, "linear"),
        y: axis(about.y.0, about.y.1, about.y_scale),
        series,
        marks,
        table: about.table.into(),
        source: "your numbers and the assumptions shown".into(),
        text: text.text,
        refs: text.refs,
    });
}

/// The series of a curve; the point at `strong` is emphasised.
pub(super) fn curve_series(
    name: &str,
    curve: &super::ledger::Curve,
    strong: Option<f64>,
) -> Series {
    let point = |(x, y): &(f64, f64)| super::answer::Point {
        x: Some(*x),
        y: *y,
        strong: strong == Some(*x),
        id: Some(curve.id.clone()),
        ..super::answer::Point::default()
    };
    Series {
        name: name.into(),
        points: curve.points.iter().map(point).collect(),
    }
}
