//! Whether an investment pays: payback, net present value, return.

use super::super::answer::{Chart, Point, Series};
use super::super::ledger::{Prose, Value, say};
use super::super::understand::{Kind, Quantity};
use super::super::work::{Advice, Fallback, Work, axis, fact, mark};

const FINANCE: &str = "corporate finance: discounted cash flow, flows at month end";

const RATE: Fallback<'_> = Fallback {
    label: "discount rate a year",
    unit: "fraction/year",
    range: (0.0, 10.0),
    value: 0.1,
    why: "A customary rate; your finance department has its own.",
};

const HORIZON: Fallback<'_> = Fallback {
    label: "months looked ahead",
    unit: "months",
    range: (1.0, 120.0),
    value: 12.0,
    why: "One year, where the message names no horizon.",
};

/// An investment is named.
pub(in crate::agents) fn states_investment(work: &Work<'_>) -> bool {
    work.said.first(Kind::Invest).is_some()
}

fn money_a_month(work: &mut Work<'_>, kind: Kind, label: &str) -> Option<Value> {
    let quantity: Quantity = work.said.first(kind)?.clone();
    let unit = quantity.unit.to_string();
    work.monthly(kind.as_str(), label, &quantity, &unit)
}

/// The saving a month: stated, else what the levers save.
fn saving(work: &mut Work<'_>) -> Option<Value> {
    money_a_month(work, Kind::Saving, "saving a month").or_else(|| {
        // They overlap, so they are not added.
        let found = [work.kept("saving"), work.kept("switch_saving")];
        found
            .into_iter()
            .flatten()
            .max_by(|a, b| a.value.total_cmp(&b.value))
    })
}

/// Net present value, payback and return of the investment.
pub(in crate::agents) fn investment(work: &mut Work<'_>) -> Option<Prose> {
    let quantity = work.said.first(Kind::Invest)?.clone();
    let currency = quantity.unit.to_string();
    let amount = quantity.value.base()?;
    let invest = work.stated(
        "invest",
        "investment",
        &quantity,
        amount,
        &currency,
        (0.0, 1e12),
    );
    let saving = saving(work)?;
    let per_month = format!("{currency}/month");
    if saving.unit != per_month {
        return None;
    }
    let net = match money_a_month(work, Kind::RunCost, "cost of running it a month")
        .filter(|r| r.unit == per_month)
    {
        Some(run) => work.ledger.derive(
            "net saving a month",
            "saving - run",
            FINANCE,
            &[("saving", &saving), ("run", &run)],
            &per_month,
        ),
        None => saving.clone(),
    };
    let rate = work.first_or(Kind::DiscountRate, "discount_rate", &RATE);
    let months = work.first_or(Kind::Horizon, "horizon_months", &HORIZON);
    let inputs = [("I", &invest), ("f", &net), ("r", &rate), ("m", &months)];
    let npv = work.ledger.derive(
        "net present value",
        "npv(I; f; r; m)",
        "NPV = −I + sum over months t of f / (1 + r) ^ (t / 12); corporate finance",
        &inputs,
        &currency,
    );
    work.keep("npv", &npv);
    work.keep("net_month", &net);
    verdict(work, &invest, &net, &npv, &months);
    curve(work, &inputs, &npv, &currency);
    Some(say!(
        "{} once for {} a month over {} months: net present value {}.",
        invest.money(),
        net.money(),
        months.digits(3),
        npv.money()
    ))
}

fn verdict(work: &mut Work<'_>, invest: &Value, net: &Value, npv: &Value, months: &Value) {
    let currency = invest.unit.clone();
    let worth = npv.value > 0.0;
    let decision = if worth {
        "Invest"
    } else {
        "Do not invest on these numbers"
    };
    let mut rows = vec![
        fact("Investment", invest.cell(invest.money())),
        fact("Net saving a month", net.cell(net.money())),
        fact("Net present value", npv.cell(npv.money())),
    ];
    let mut why = say!(
        "Over {} months the investment of {} returns {} a month; discounted, it is worth {}.",
        months.digits(3),
        invest.money(),
        net.money(),
        npv.money()
    );
    if net.value > 0.0 && invest.value > 0.0 {
        let inputs = [("I", invest), ("f", net), ("m", months)];
        let payback = work
            .ledger
            .derive("payback", "I / f", FINANCE, &inputs[..2], "months");
        let roi = work.ledger.derive(
            "return on investment over the horizon",
            "(f * m - I) / I",
            FINANCE,
            &inputs,
            "fraction",
        );
        rows.push(fact(
            "Payback, undiscounted",
            payback.cell(payback.digits(2).then(" months")),
        ));
        rows.push(fact("Return over the horizon", roi.cell(roi.percent())));
        if let Some(month) = discounted(work, invest, net) {
            rows.push(fact(
                "First month paid back, discounted",
                month.cell(month.digits(4)),
            ));
            why = why.and(say!(
                "Discounted, month {} is the first in which it has paid.",
                month.digits(4)
            ));
            work.keep("discounted_payback", &month);
        }
        work.keep("payback", &payback);
        work.keep("roi", &roi);
    } else {
        why = why.and(say!("It is never paid back."));
    }
    work.facts(
        "investment",
        &format!("The investment: {}", decision.to_lowercase()),
        &currency,
        rows,
    );
    let advice = Advice::new(why, "medium", if worth { "high" } else { "low" }, "high");
    let gain = worth.then(|| npv.figure(npv.money().then(" net present value")));
    work.recommend(decision, advice, npv, gain);
}

/// Both paybacks, since they differ: the plain ratio, and the month in which the discounted
/// flows have paid, which is what the curve shows.
pub(in crate::agents) fn payback_in_words(work: &Work<'_>, payback: &Value) -> Prose {
    match work.kept("discounted_payback") {
        Some(month) => say!(
            "paid back after {} months undiscounted (discounted: in month {}).",
            payback.digits(2),
            month.digits(4)
        ),
        None => say!("paid back after {} months undiscounted.", payback.digits(2)),
    }
}

/// First month in which the discounted flows have paid the investment back.
fn discounted(work: &mut Work<'_>, invest: &Value, net: &Value) -> Option<Value> {
    let mut known = work.ledger.quantities().iter();
    let rate = known
        .find(|q| q.name == "discount_rate")
        .map_or(0.1, |q| q.value);
    let paid = super::super::calculate::finance::discounted_payback_month(
        invest.value,
        net.value,
        rate,
        600,
    );
    paid.ok().flatten()?;
    let rate = work.ledger.assume(
        "discount_rate",
        "discount rate a year",
        rate,
        "fraction/year",
        (0.0, 10.0),
        "",
    );
    let inputs = [("I", invest), ("f", net), ("r", &rate)];
    Some(work.ledger.derive(
        "month in which the discounted flows have paid it back",
        "discounted_payback(I; f; r)",
        FINANCE,
        &inputs,
        "months",
    ))
}

fn curve(work: &mut Work<'_>, inputs: &[(&str, &Value)], npv: &Value, currency: &str) {
    let months = inputs[3].1.value.round().clamp(1.0, 120.0) as u32;
    let xs: Vec<f64> = (0..=months).map(f64::from).collect();
    let curve = work.ledger.curve(
        "cumulative discounted flow",
        "npv(I; f; r; m)",
        FINANCE,
        inputs,
        currency,
        ("m", &xs),
    );
    let points: Vec<Point> = curve
        .points
        .iter()
        .map(|(x, y)| Point {
            x: Some(*x),
            y: *y,
            id: Some(curve.id.clone()),
            ..Point::default()
        })
        .collect();
    let mut text = say!(
        "The discounted flows reach {} at the end of the horizon.",
        npv.money()
    );
    let mut marks = vec![mark("y", 0.0, "paid back")];
    if let Some(month) = work.kept("discounted_payback") {
        text = text.and(say!("They cross zero in month {}.", month.digits(4)));
        marks.push(mark("x", month.value, "first month above zero"));
    }
    work.chart(Chart {
        id: "payback".into(),
        kind: "line".into(),
        title: "Cumulative discounted flow".into(),
        x: axis("Month", "months", "linear"),
        y: axis("Cumulative, discounted", currency, "linear"),
        series: vec![Series {
            name: "Cumulative, discounted".into(),
            points,
        }],
        marks,
        table: "investment".into(),
        source: "your numbers".into(),
        text: text.text,
        refs: text.refs,
    });
}
