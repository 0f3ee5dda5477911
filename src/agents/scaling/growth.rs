//! Compound growth: when a limit or a budget is passed, and what it costs until then.

use time::{Date, Month};

use super::super::answer::{Mark, Series, Table};
use super::super::calculate::growth::months_between;
use super::super::ledger::{Prose, Value, say};
use super::super::understand::{Kind, Per, Quantity, Role};
use super::super::work::{Work, column, words};
use super::{Lines, curve_series, lines, peak};

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

/// The period of a repeated factor: "doubling every quarter".
pub(super) fn period(q: &Quantity) -> Option<Per> {
    let word = q.q.as_deref().and_then(|q| q.strip_prefix("every:"));
    let all = [Per::Day, Per::Week, Per::Month, Per::Quarter, Per::Year];
    q.per
        .or_else(|| all.into_iter().find(|p| Some(p.as_str()) == word))
}

/// Months from now to the first day of a stated month (`2027-06`).
pub(in crate::agents) fn months_until(work: &Work<'_>, by: &str) -> Option<f64> {
    let (year, month) = by.split_once('-')?;
    let month = Month::try_from(month.get(..2)?.parse::<u8>().ok()?).ok()?;
    let date = Date::from_calendar_date(year.parse().ok()?, month, 1).ok()?;
    let months = months_between(work.as_of, date);
    (months > 0.0).then_some(months)
}

/// Growth a month as a fraction.
pub(in crate::agents) fn growth_rate(work: &mut Work<'_>) -> Option<Value> {
    if let Some(known) = work.kept("growth") {
        return Some(known);
    }
    let own = rate_anew(work)?;
    let users = match work.said.first(Kind::GrowthRate) {
        Some(_) => users_rate(work),
        None => None,
    };
    let value = match users {
        Some(users) => {
            let inputs = [("g", &own), ("u", &users)];
            let label = "growth of the load a month";
            work.ledger.derive(
                label,
                "(1 + g) * (1 + u) - 1",
                COMPOUND,
                &inputs,
                "fraction/month",
            )
        }
        None => own,
    };
    work.keep("growth", &value);
    Some(value)
}

fn rate_anew(work: &mut Work<'_>) -> Option<Value> {
    let range = (-0.99, 10.0);
    if let Some(q) = work.said.first(Kind::GrowthRate).cloned() {
        let stated = q.value.base()?;
        let per = q.per.unwrap_or(Per::Month);
        if per == Per::Month {
            return Some(work.stated(
                "growth_per_month",
                "growth a month",
                &q,
                stated,
                "fraction/month",
                range,
            ));
        }
        let g = work.stated(
            &format!("growth_per_{}", per.as_str()),
            "stated growth",
            &q,
            stated,
            &format!("fraction/{}", per.as_str()),
            (-0.99, 1000.0),
        );
        let formula = match per {
            Per::Quarter => "(1 + g) ^ (1 / 3) - 1",
            Per::Year => "(1 + g) ^ (1 / 12) - 1",
            Per::Week => "(1 + g) ^ (30.4375 / 7) - 1",
            Per::Day => "(1 + g) ^ 30.4375 - 1",
            _ => return None,
        };
        return Some(work.ledger.derive(
            "growth a month",
            formula,
            COMPOUND,
            &[("g", &g)],
            "fraction/month",
        ));
    }
    if let Some(q) = work.said.first(Kind::GrowthMultiplier).cloned() {
        let factor = q.value.base().filter(|m| *m > 0.0)?;
        let m = work.stated(
            "growth_factor",
            "growth as a factor",
            &q,
            factor,
            "x",
            (0.001, 1e6),
        );
        let months = match (&q.by, period(&q)) {
            (Some(by), _) => {
                let months = months_until(work, by)?;
                work.ledger.assume(
                    "growth_months",
                    "months until then",
                    months,
                    "months",
                    (0.1, 240.0),
                    "From today to the first day of the month named.",
                )
            }
            (None, Some(per)) => {
                let months = per.per_month().map(|n| 1.0 / n)?;
                work.ledger.assume(
                    "growth_months",
                    "months for this factor",
                    months,
                    "months",
                    (0.1, 240.0),
                    "The period that the message names.",
                )
            }
            _ => return None,
        };
        work.keep("growth_months", &months);
        work.keep("growth_factor", &m);
        let inputs = [("m", &m), ("months", &months)];
        return Some(work.ledger.derive(
            "growth a month",
            "m ^ (1 / months) - 1",
            COMPOUND,
            &inputs,
            "fraction/month",
        ));
    }
    users_rate(work)
}

/// Users now and users by a date.
fn users_rate(work: &mut Work<'_>) -> Option<Value> {
    let target = work
        .said
        .all(Kind::Users)
        .find(|q| q.role == Some(Role::Target))
        .cloned()?;
    let by = target.by.clone()?;
    let now = work
        .first(Kind::Users, "users", "users", (0.0, 1e10))
        .filter(|v| v.value > 0.0)?;
    let then = work.stated(
        "users_target",
        "users by then",
        &target,
        target.value.base()?,
        "users",
        (1.0, 1e10),
    );
    let months = months_until(work, &by)?;
    let months = work.ledger.assume(
        "growth_months",
        "months until then",
        months,
        "months",
        (0.1, 240.0),
        "From today to the first day of the month named.",
    );
    let inputs = [("now", &now), ("then", &then), ("months", &months)];
    Some(work.ledger.derive(
        "growth of users a month",
        "(then / now) ^ (1 / months) - 1",
        COMPOUND,
        &inputs,
        "fraction/month",
    ))
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
        "floor(ln(limit / now) / ln(1 + g)) + 1",
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
    let spend = super::super::cost::spend_per_month(work).or_else(|| work.kept("baseline"))?;
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
        vec![words("Now"), spend.cell(spend.money().then(" a month"))],
        vec![words("Growth a month"), g.cell(g.percent())],
        vec![
            words("At the end of the outlook"),
            last.cell(last.money().then(" a month")),
        ],
        vec![
            words("All months of the outlook"),
            total.cell(total.money()),
        ],
    ];
    if let (Some(m), Some(factor)) = (work.kept("growth_months"), work.kept("growth_factor")) {
        let then = work.ledger.derive(
            "spend a month by the date named",
            "now * m",
            COMPOUND,
            &[("now", &spend), ("m", &factor)],
            &unit,
        );
        rows.push(vec![
            words("By the date named"),
            then.cell(then.money().then(" a month")),
        ]);
        work.keep("spend_then", &then);
        work.keep("months_to_date", &m);
    }
    let mut told = say!(
        "{} a month growing {} a month: {} at the end of the outlook, {} in all until then.",
        spend.money(),
        g.percent(),
        last.money(),
        total.money()
    );
    let mut marks = Vec::new();
    if let Some(budget) = budget(work).filter(|b| b.unit == unit) {
        rows.push(vec![
            words("Budget"),
            budget.cell(budget.money().then(" a month")),
        ]);
        marks.push(Mark {
            axis: "y".into(),
            value: budget.value,
            label: "budget".into(),
        });
        if let Some(month) = crossing(work, "first month above the budget", &budget, &spend, &g) {
            let then = after(work, "spend in that month", &spend, &g, &month, &unit);
            rows.push(vec![
                words("First month above the budget"),
                month.cell(month.digits(4)),
            ]);
            rows.push(vec![words("Spend in that month"), then.cell(then.money())]);
            marks.push(Mark {
                axis: "x".into(),
                value: month.value,
                label: "budget exceeded".into(),
            });
            told = told.and(say!(
                "The budget of {} is exceeded in month {}, with {}.",
                budget.money(),
                month.digits(4),
                then.money()
            ));
            work.keep("crossing", &month);
            work.keep("crossing_spend", &then);
            work.finding(
                "warning",
                "The budget will be exceeded",
                say!(
                    "At {} growth a month, {} a month passes the budget of {} in month {}.",
                    g.percent(),
                    spend.money(),
                    budget.money(),
                    month.digits(4)
                ),
            );
            room(work, &budget, &spend, &g, &then);
        }
    }
    work.table(Table {
        id: "spend".into(),
        title: "Spend under growth".into(),
        columns: vec![column("", ""), column("Value", &unit)],
        rows,
    });
    let about = Lines {
        id: "spend",
        kind: "fan",
        title: "Spend a month",
        x: ("Month", "months"),
        y: ("Spend a month", &unit),
        table: "spend",
    };
    fan(work, &about, &spend, &g, marks, told.clone());
    Some(told)
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
    let advice = super::super::work::Advice {
        why,
        effort: "medium",
        impact: "high",
        confidence: "high",
    };
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

/// When the load passes the limit, a stated volume, or simply how it grows.
pub(super) fn load_growth(work: &mut Work<'_>) -> Option<Prose> {
    let g = growth_rate(work)?;
    let stated = work
        .said
        .all(Kind::Requests)
        .find(|q| q.role == Some(Role::Limit))
        .cloned();
    let (now, limit, unit) = match (work.kept("limit"), stated) {
        (Some(limit), _) => (peak(work)?, Some(limit), "requests/s"),
        (None, Some(q)) => {
            let limit = work.monthly(
                "requests_limit",
                "requests a month to be passed",
                &q,
                "requests",
            )?;
            (work.requests()?, Some(limit), "requests/month")
        }
        _ => (peak(work)?, None, "requests/s"),
    };
    let horizon = outlook(work);
    let last = after(
        work,
        "load at the end of the outlook",
        &now,
        &g,
        &horizon,
        unit,
    );
    let mut rows = vec![
        vec![words("Now"), now.cell(now.digits(4))],
        vec![words("Growth a month"), g.cell(g.percent())],
        vec![
            words("At the end of the outlook"),
            last.cell(last.digits(4)),
        ],
    ];
    let mut told = say!(
        "Load of {} grows {} a month to {} at the end of the outlook.",
        now.count(),
        g.percent(),
        last.count()
    );
    let mut marks = Vec::new();
    if let Some(limit) = limit {
        rows.push(vec![words("Limit"), limit.cell(limit.digits(4))]);
        marks.push(Mark {
            axis: "y".into(),
            value: limit.value,
            label: "limit".into(),
        });
        if let Some(month) = crossing(work, "first month above the limit", &limit, &now, &g) {
            rows.push(vec![
                words("First month above the limit"),
                month.cell(month.digits(4)),
            ]);
            marks.push(Mark {
                axis: "x".into(),
                value: month.value,
                label: "limit passed".into(),
            });
            told = told.and(say!(
                "The limit of {} is passed in month {}.",
                limit.count(),
                month.digits(4)
            ));
            work.keep("limit_month", &month);
            if work.kept("limit").is_none() {
                work.keep("volume_limit", &limit);
                let why = say!(
                    "{} a month becomes {} in month {}, at {} growth a month. Limits, budget and capacity for it take time to arrange: fix the month by which they must stand, and watch whether the growth holds.",
                    now.count(),
                    limit.count(),
                    month.digits(4),
                    g.percent()
                );
                let advice = super::super::work::Advice {
                    why,
                    effort: "low",
                    impact: "medium",
                    confidence: "medium",
                };
                let gain = month.figure(month.digits(4).then(" months"));
                work.recommend(
                    "Arrange capacity and limits before that month",
                    advice,
                    &month,
                    Some(gain),
                );
            }
        } else if limit.value < now.value {
            told = told.and(say!("The limit of {} is already passed.", limit.count()));
        }
    }
    needed(work, &last, &mut rows);
    work.table(Table {
        id: "load".into(),
        title: "Load under growth".into(),
        columns: vec![column("", ""), column("Value", unit)],
        rows,
    });
    let about = Lines {
        id: "load",
        kind: "fan",
        title: "Load",
        x: ("Month", "months"),
        y: ("Load", unit),
        table: "load",
    };
    fan(work, &about, &now, &g, marks, told.clone());
    Some(told)
}

/// Tokens a minute that the grown load needs, where tokens are limited.
fn needed(work: &mut Work<'_>, last: &Value, rows: &mut Vec<Vec<super::super::answer::Cell>>) {
    if !super::limits::states_tokens(work) {
        return;
    }
    let tokens = match work.first(
        Kind::TokensPerRequest,
        "tokens of a request, all in",
        "tokens/request",
        (1.0, 1e7),
    ) {
        Some(tokens) => tokens,
        None => {
            let (t_in, t_out) = (work.tokens_in(), work.tokens_out());
            work.ledger.derive(
                "tokens of a request",
                "t_in + t_out",
                "limits count input and output",
                &[("t_in", &t_in), ("t_out", &t_out)],
                "tokens/request",
            )
        }
    };
    let inputs = [("load", last), ("tok", &tokens)];
    let tpm = work.ledger.derive(
        "tokens a minute needed by then",
        "load * 60 * tok",
        "limits count input and output",
        &inputs,
        "tokens/min",
    );
    rows.push(vec![
        words("Tokens a minute needed by then"),
        tpm.cell(tpm.count()),
    ]);
    work.keep("tpm_needed", &tpm);
    let why = say!(
        "At the end of the outlook the load needs {} tokens a minute. Ask the provider for it before the month in which the limit is passed; approval takes its time.",
        tpm.count()
    );
    let advice = super::super::work::Advice {
        why,
        effort: "low",
        impact: "high",
        confidence: "high",
    };
    let gain = tpm.figure(tpm.count().then(" tokens a minute"));
    work.recommend("Have the limit raised in time", advice, &tpm, Some(gain));
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
