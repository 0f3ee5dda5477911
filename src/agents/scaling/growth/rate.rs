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

pub(super) fn rate_anew(work: &mut Work<'_>) -> Option<Value> {
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
