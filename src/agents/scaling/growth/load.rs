//! Load under growth, and when it passes a limit.

use super::*;

/// What grows, the limit it meets, and their unit: the peak against a provider's limit, or
/// a month's requests against a stated number.
fn what_grows(work: &mut Work<'_>) -> Option<(Value, Option<Value>, &'static str)> {
    let stated = work
        .said
        .all(Kind::Requests)
        .find(|q| q.role == Some(Role::Limit))
        .cloned();
    Some(match (work.kept("limit"), stated) {
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
    })
}

/// When the load passes the limit, a stated volume, or simply how it grows.
pub(in crate::agents) fn load_growth(work: &mut Work<'_>) -> Option<Prose> {
    let g = growth_rate(work)?;
    let (now, limit, unit) = what_grows(work)?;
    let horizon = outlook(work);
    let last = after(
        work,
        "load at the end of the outlook",
        &now,
        &g,
        &horizon,
        unit,
    );
    let per = format!(" {unit}");
    let mut rows = vec![
        fact("Now", now.cell(now.digits(4).then(&per))),
        fact("Growth a month", g.cell(g.percent())),
        fact(
            "At the end of the outlook",
            last.cell(last.digits(4).then(&per)),
        ),
    ];
    let mut told = say!(
        "Load of {} grows {} a month to {} at the end of the outlook.",
        now.count(),
        g.percent(),
        last.count()
    );
    let mut marks = Vec::new();
    if let Some(limit) = limit {
        rows.push(fact("Limit", limit.cell(limit.digits(4).then(&per))));
        marks.push(mark("y", limit.value, "limit"));
        if let Some(month) = crossing(work, "first month above the limit", &limit, &now, &g) {
            rows.push(fact(
                "First month above the limit",
                month.cell(month.digits(4)),
            ));
            marks.push(mark("x", month.value, "limit passed"));
            told = told.and(say!(
                "The limit of {} is passed in month {}.",
                limit.count(),
                month.digits(4)
            ));
            work.keep("limit_month", &month);
            passed(work, &now, &limit, &g, &month);
        } else if limit.value < now.value {
            told = told.and(say!("The limit of {} is already passed.", limit.count()));
        }
    }
    needed(work, &last, &mut rows);
    work.facts("load", "Load under growth", unit, rows);
    let about = Lines {
        id: "load",
        kind: "fan",
        title: "Load",
        x: ("Month", "months"),
        y: ("Load", unit),
        y_scale: "linear",
        table: "load",
    };
    fan(work, &about, &now, &g, marks, told.clone());
    Some(told)
}

/// What it means that a limit or a stated volume is passed.
fn passed(work: &mut Work<'_>, now: &Value, limit: &Value, g: &Value, month: &Value) {
    if work.kept("limit").is_some() {
        let prose = say!(
            "At {} growth a month the peak of {} requests a second passes the limit of {} in month {}.",
            g.percent(),
            now.digits(4),
            limit.digits(4),
            month.digits(4)
        );
        return work.finding("warning", "The limit will be passed", prose);
    }
    work.keep("volume_limit", limit);
    let why = say!(
        "{} a month becomes {} in month {}, at {} growth a month. Limits, budget and capacity for it take time to arrange: fix the month by which they must stand, and watch whether the growth holds.",
        now.count(),
        limit.count(),
        month.digits(4),
        g.percent()
    );
    let gain = month.figure(month.digits(4).then(" months"));
    let advice = crate::agents::work::Advice::new(why, "low", "medium", "medium");
    let title = "Arrange capacity and limits before that month";
    work.recommend(title, advice, month, Some(gain));
}

/// Tokens a minute that the grown load needs, where tokens are limited.
pub(super) fn needed(
    work: &mut Work<'_>,
    last: &Value,
    rows: &mut Vec<Vec<crate::agents::answer::Cell>>,
) {
    if !crate::agents::scaling::limits::states_tokens(work) {
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
    rows.push(fact(
        "Tokens a minute needed by then",
        tpm.cell(tpm.count()),
    ));
    work.keep("tpm_needed", &tpm);
    let why = say!(
        "At the end of the outlook the load needs {} tokens a minute. Ask the provider for it before the month in which the limit is passed; approval takes its time.",
        tpm.count()
    );
    let advice = crate::agents::work::Advice::new(why, "low", "high", "high");
    let gain = tpm.figure(tpm.count().then(" tokens a minute"));
    work.recommend("Have the limit raised in time", advice, &tpm, Some(gain));
}
