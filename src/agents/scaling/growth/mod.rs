//! Compound growth: when a limit or a budget is passed, and what it costs until then.

mod load;
mod rate;

use time::{Date, Month};

use crate::agents::answer::{Cell, Mark, Series};
use crate::agents::calculate::growth::months_between;
use crate::agents::ledger::{Prose, Value, say};
use crate::agents::scaling::{Lines, curve_series, lines, peak};
use crate::agents::understand::{Kind, Per, Quantity, Role};
use crate::agents::work::{Work, fact, mark};
pub(super) use load::*;
pub(super) use rate::*;

const COMPOUND: &str = "compound interest; month 0 is now";

/// Growth is stated: a rate, a factor by a date or a period, or a target.
pub(in crate::agents) fn states_growth(work: &Work<'_>) -> bool {
    let said = &work.said;
    said.first(Kind::GrowthRate).is_some()
        || said
            .first(Kind::GrowthMultiplier)
            .is_some_and(|q| q.by.is_some() || period(q).is_some())
        || said
            .all(Kind::Users)
            .any(|q| q.role == Some(Role::Target) && q.by.is_some())
}

/// The first month above a limit; none where it is never reached or already passed.
fn crossing(
    work: &mut Work<'_>,
    label: &str,
    limit: &Value,
    now: &Value,
    g: &Value,
) -> Option<Value> {
    if !(g.value > 0.0 && now.value > 0.0 && limit.value >= now.value) {
        return None;
    }
    let inputs = [("limit", limit), ("now", now), ("g", g)];
    Some(work.ledger.derive(
        label,
        // Demand that equals the limit is not above it; logarithms land a hair beside the whole
        // month in which it does.
        "floor(ln(limit / now) / ln(1 + g) + 0.0000001) + 1",
        COMPOUND,
        &inputs,
        "months",
    ))
}

fn after(
    work: &mut Work<'_>,
    label: &str,
    now: &Value,
    g: &Value,
    months: &Value,
    unit: &str,
) -> Value {
    let inputs = [("now", now), ("g", g), ("m", months)];
    work.ledger
        .derive(label, "now * (1 + g) ^ m", COMPOUND, &inputs, unit)
}

/// How far ahead: to the date that the message names, else a year.
fn outlook(work: &mut Work<'_>) -> Value {
    let named = work.kept("growth_months").map(|m| m.value.clamp(1.0, 60.0));
    let why = if named.is_some() {
        "Until the date or period that the message names."
    } else {
        "One year."
    };
    work.ledger.assume(
        "outlook_months",
        "months looked ahead",
        named.unwrap_or(12.0),
        "months",
        (1.0, 60.0),
        why,
    )
}

/// What is spent as volume grows, and when it passes the budget.
pub(in crate::agents) fn spend_growth(work: &mut Work<'_>) -> Option<Prose> {
    let g = growth_rate(work)?;
    let spend = crate::agents::cost::spend_per_month(work).or_else(|| work.kept("baseline"))?;
    let unit = spend.unit.clone();
    let horizon = outlook(work);
    let last = after(
        work,
        "spend in the last month looked at",
        &spend,
        &g,
        &horizon,
        &unit,
    );
    let currency = unit.split('/').next().unwrap_or("USD").to_owned();
    let formula = if g.value == 0.0 {
        "now * m"
    } else {
        "now * ((1 + g) ^ m - 1) / g"
    };
    let total = work.ledger.derive(
        "spend of all months from now on",
        formula,
        COMPOUND,
        &[("now", &spend), ("g", &g), ("m", &horizon)],
        &currency,
    );
    work.keep("year_total", &total);
    let mut rows = vec![
        fact("Now", spend.cell(spend.money().then(" a month"))),
        fact("Growth a month", g.cell(g.percent())),
        fact(
            "At the end of the outlook",
            last.cell(last.money().then(" a month")),
        ),
        fact("All months of the outlook", total.cell(total.money())),
    ];
    rows.extend(by_the_date(work, &spend));
    let mut told = say!(
        "{} a month growing {} a month: {} at the end of the outlook, {} in all until then.",
        spend.money(),
        g.percent(),
        last.money(),
        total.money()
    );
    let mut marks = Vec::new();
    if let Some(budget) = budget(work).filter(|b| b.unit == unit) {
        rows.push(fact("Budget", budget.cell(budget.money().then(" a month"))));
        marks.push(mark("y", budget.value, "budget"));
        if let Some(prose) = exceeded(work, &budget, &spend, &g, &mut rows, &mut marks) {
            told = told.and(prose);
        }
    }
    work.facts("spend", "Spend under growth", &unit, rows);
    let about = Lines {
        id: "spend",
        kind: "fan",
        title: "Spend a month",
        x: ("Month", "months"),
        y: ("Spend a month", &unit),
        y_scale: "linear",
        table: "spend",
    };
    fan(work, &about, &spend, &g, marks, told.clone());
    Some(told)
}

/// The spend by the date that the message names for a factor.
fn by_the_date(work: &mut Work<'_>, spend: &Value) -> Option<Vec<Cell>> {
    let factor = work.kept("growth_factor")?;
    let inputs = [("now", spend), ("m", &factor)];
    let label = "spend a month by the date named";
    let then = work
        .ledger
        .derive(label, "now * m", COMPOUND, &inputs, &spend.unit);
    work.keep("spend_then", &then);
    Some(fact(
        "By the date named",
        then.cell(then.money().then(" a month")),
    ))
}

/// The month in which the budget is exceeded, and what it costs then.
fn exceeded(
    work: &mut Work<'_>,
    budget: &Value,
    spend: &Value,
    g: &Value,
    rows: &mut Vec<Vec<Cell>>,
    marks: &mut Vec<Mark>,
) -> Option<Prose> {
    let month = crossing(work, "first month above the budget", budget, spend, g)?;
    let then = after(work, "spend in that month", spend, g, &month, &spend.unit);
    rows.push(fact(
        "First month above the budget",
        month.cell(month.digits(4)),
    ));
    rows.push(fact("Spend in that month", then.cell(then.money())));
    marks.push(mark("x", month.value, "budget exceeded"));
    work.keep("crossing", &month);
    work.keep("crossing_spend", &then);
    let prose = say!(
        "At {} growth a month, {} a month passes the budget of {} in month {}.",
        g.percent(),
        spend.money(),
        budget.money(),
        month.digits(4)
    );
    work.finding("warning", "The budget will be exceeded", prose);
    room(work, budget, spend, g, &then);
    Some(say!(
        "The budget of {} is exceeded in month {}, with {}.",
        budget.money(),
        month.digits(4),
        then.money()
    ))
}

/// What must be saved for the budget to hold until the end of the outlook.
fn room(work: &mut Work<'_>, budget: &Value, spend: &Value, g: &Value, then: &Value) {
    let inputs = [("then", then), ("budget", budget)];
    let share = work.ledger.derive(
        "saving that keeps the budget in that month",
        "1 - budget / then",
        COMPOUND,
        &inputs,
        "fraction",
    );
    let why = say!(
        "Spend of {} a month grows by {} a month. To stay within {} in that month, {} less per unit of traffic is needed; each further month of delay needs more.",
        spend.money(),
        g.percent(),
        budget.money(),
        share.percent()
    );
    let advice = crate::agents::work::Advice::new(why, "medium", "high", "high");
    let gain = share.figure(share.percent().then(" less"));
    work.recommend(
        "Lower the cost per request before the budget is passed",
        advice,
        &share,
        Some(gain),
    );
    work.measure(
        "Spend a month",
        say!("{}", spend.money()),
        say!("below {}", budget.money()),
        "The invoice, and the provider's usage export every week.",
    );
}

fn budget(work: &mut Work<'_>) -> Option<Value> {
    let quantity = work.said.first(Kind::Budget)?.clone();
    let unit = quantity.unit.to_string();
    work.monthly("budget", "budget a month", &quantity, &unit)
}

/// Low, base and high: half, all and one and a half times the stated growth.
fn fan(
    work: &mut Work<'_>,
    about: &Lines<'_>,
    now: &Value,
    g: &Value,
    marks: Vec<Mark>,
    text: Prose,
) {
    let spread = work.ledger.assume(
        "growth_spread",
        "growth may be off by",
        0.5,
        "fraction",
        (0.0, 1.0),
        "A placeholder without a source: growth is rarely known better than by half.",
    );
    let horizon = outlook(work);
    let months = horizon.value.round().clamp(1.0, 60.0) as u32;
    let xs: Vec<f64> = (0..=months).map(f64::from).collect();
    let inputs = [("now", now), ("g", g), ("spread", &spread), ("m", &horizon)];
    let mut series: Vec<Series> = Vec::new();
    for (name, formula) in [
        ("Low", "now * max(0; 1 + g * (1 - spread)) ^ m"),
        ("Base", "now * (1 + g) ^ m"),
        ("High", "now * max(0; 1 + g * (1 + spread)) ^ m"),
    ] {
        let label = format!("{}: {}", about.title, name.to_lowercase());
        let curve = work
            .ledger
            .curve(&label, formula, COMPOUND, &inputs, about.y.1, ("m", &xs));
        series.push(curve_series(name, &curve, None));
    }
    lines(work, about, series, marks, text);
}
