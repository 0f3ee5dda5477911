//! Growth a month, from rates, factors, periods and dates.

use super::*;

/// The period of a repeated factor: "doubling every quarter".
pub(in crate::agents) fn period(q: &Quantity) -> Option<Per> {
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

/// The rate: stated, from a factor, or from users now and by a date.
pub(super) fn rate_anew(work: &mut Work<'_>) -> Option<Value> {
    if let Some(q) = work.said.first(Kind::GrowthRate).cloned() {
        return stated_rate(work, &q);
    }
    if let Some(q) = work.said.first(Kind::GrowthMultiplier).cloned() {
        return from_factor(work, &q);
    }
    users_rate(work)
}

/// A stated rate of a period, as a rate a month.
fn stated_rate(work: &mut Work<'_>, q: &Quantity) -> Option<Value> {
    let stated = q.value.base()?;
    let unit = "fraction/month";
    let per = q.per.unwrap_or(Per::Month);
    let formula = match per {
        Per::Month => {
            let (name, label) = ("growth_per_month", "growth a month");
            return Some(work.stated(name, label, q, stated, unit, (-0.99, 10.0)));
        }
        Per::Quarter => "(1 + g) ^ (1 / 3) - 1",
        Per::Year => "(1 + g) ^ (1 / 12) - 1",
        Per::Week => "(1 + g) ^ (30.4375 / 7) - 1",
        Per::Day => "(1 + g) ^ 30.4375 - 1",
        _ => return None,
    };
    let name = format!("growth_per_{}", per.as_str());
    let own = format!("fraction/{}", per.as_str());
    let g = work.stated(&name, "stated growth", q, stated, &own, (-0.99, 1000.0));
    let inputs = [("g", &g)];
    Some(
        work.ledger
            .derive("growth a month", formula, COMPOUND, &inputs, unit),
    )
}

/// A factor by a date, or in each period, as a rate a month.
fn from_factor(work: &mut Work<'_>, q: &Quantity) -> Option<Value> {
    let factor = q.value.base().filter(|m| *m > 0.0)?;
    let label = "growth as a factor";
    let m = work.stated("growth_factor", label, q, factor, "x", (0.001, 1e6));
    let (label, months, why) = match (&q.by, period(q)) {
        (Some(by), _) => {
            let why = "From today to the first day of the month named.";
            ("months until then", months_until(work, by)?, why)
        }
        (None, Some(per)) => {
            let months = per.per_month().map(|n| 1.0 / n)?;
            (
                "months for this factor",
                months,
                "The period that the message names.",
            )
        }
        _ => return None,
    };
    let range = (0.1, 240.0);
    let months = work
        .ledger
        .assume("growth_months", label, months, "months", range, why);
    work.keep("growth_months", &months);
    work.keep("growth_factor", &m);
    let inputs = [("m", &m), ("months", &months)];
    let formula = "m ^ (1 / months) - 1";
    Some(work.ledger.derive(
        "growth a month",
        formula,
        COMPOUND,
        &inputs,
        "fraction/month",
    ))
}

/// Users now and users by a date.
pub(super) fn users_rate(work: &mut Work<'_>) -> Option<Value> {
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
