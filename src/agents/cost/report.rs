//! What the cost agent's results mean: headline, summary, impact, questions.

use super::super::answer::Source;
use super::super::ledger::{Value, say};
use super::super::work::Work;
use crate::id::Complexity;

/// Asks for what was assumed, the largest effect on the bill first.
pub(super) fn questions(work: &mut Work<'_>) -> Option<super::super::ledger::Prose> {
    let cost = work.kept("baseline")?;
    if work.kept("gap").is_some_and(|_| {
        work.kept("ratio")
            .is_some_and(|r| !(0.8..=1.25).contains(&r.value))
    }) {
        let gap = work.kept("gap")?;
        work.ask("calls_per_request", "Which calls, retries, hidden tokens or other services are in the bill beside the requests you describe?", say!("It settles {} a month.", gap.money()));
    }
    let model = work.model.clone()?;
    let (n, t_in, t_out) = (work.requests()?, work.tokens_in(), work.tokens_out());
    let prices = work.prices(&model, t_in.value, true)?;
    let assumed = |v: &Value| v.source() == Source::Assumption;
    let mut open = Vec::new();
    for (value, price, name, text) in [
        (
            &t_in,
            &prices.input,
            "tokens_in",
            "How many tokens does a request send, instructions and history included?",
        ),
        (
            &t_out,
            &prices.output,
            "tokens_out",
            "How many tokens does an answer have?",
        ),
    ] {
        if assumed(value) {
            let inputs = [("n", &n), ("t", value), ("p", price)];
            let effect = work.ledger.derive(
                "cost of these tokens a month",
                "n * t * p / 1e6",
                "price list",
                &inputs,
                "USD/month",
            );
            open.push((effect, name, text));
        }
    }
    if assumed(&n)
        || work.said.requests_per_month().is_none() && work.kept("implied_requests").is_none()
    {
        open.push((
            cost.clone(),
            "requests_per_month",
            "How many requests do you send a month?",
        ));
    }
    open.sort_by(|a, b| b.0.value.total_cmp(&a.0.value));
    for (effect, name, text) in open {
        work.ask(
            name,
            text,
            say!("Twice as many would add {} a month.", effect.money()),
        );
    }
    None
}

/// Headline, summary, business impact and success measures.
pub(super) fn explain(work: &mut Work<'_>) {
    let baseline = work.kept("baseline");
    let growth_first =
        baseline.as_ref().is_some_and(|b| b.unit.starts_with("EUR")) || work.model.is_none();
    if !growth_first || work.kept("crossing").is_none() {
        current(work, baseline.as_ref());
        saved(work);
    }
    invested(work);
    grown(work);
    current(work, baseline.as_ref());
    impact(work);
    measures(work);
    if work.task.complexity == Complexity::Basic {
        keep_best(work);
    }
}

/// Nothing is known about today: the cheapest model that fits, unless more was answered.
fn cheapest(work: &mut Work<'_>) {
    let Some(best) = work
        .kept("best_cost")
        .filter(|_| work.kept("answered").is_none())
    else {
        return;
    };
    let figure = best.figure(best.money().then(" a month"));
    work.headline("Cheapest fit", figure);
    let name = best
        .label
        .split(':')
        .next()
        .unwrap_or("The cheapest")
        .to_owned();
    if work.draft.summary.is_empty() {
        work.summary(say!(
            "For this work {} is the cheapest eligible model at {} a month.",
            name,
            best.money()
        ));
    }
}

fn current(work: &mut Work<'_>, baseline: Option<&Value>) {
    let Some(cost) = baseline else {
        return cheapest(work);
    };
    let stated = super::spend_per_month(work)
        .filter(|s| s.id == cost.id)
        .is_some();
    let own = work
        .said
        .first(super::super::understand::Kind::UnitPrice)
        .is_some()
        && work.model.is_none();
    let label = if own {
        "Cost today, at your price"
    } else if stated {
        "Bill today"
    } else {
        "Cost today, at list price"
    };
    work.headline(label, cost.figure(cost.money().then(" a month")));
    if !work.draft.summary.is_empty() {
        return;
    }
    let contradiction = work
        .kept("ratio")
        .filter(|r| !(0.8..=1.25).contains(&r.value));
    if let (Some(ratio), Some(gap), Some(spend)) = (
        contradiction,
        work.kept("gap"),
        super::spend_per_month(work),
    ) {
        if gap.value < 0.0 {
            work.summary(super::reconcile::below_list(&spend, cost));
            return;
        }
        work.summary(say!("You state {} a month, but this traffic costs {} at list price (the bill is {} times that): {} is not explained, and finding it comes first.", spend.money(), cost.money(), ratio.digits(3), gap.money()));
        work.headline("Not explained", gap.figure(gap.money().then(" a month")));
    } else if stated {
        work.summary(say!("You pay {} a month.", cost.money()));
    } else if let (Some(each), Some(n)) = (work.kept("baseline_request"), work.requests()) {
        work.summary(say!(
            "This traffic costs {} a month at list price: {} requests at {} each.",
            cost.money(),
            n.count(),
            each.money()
        ));
    } else if own {
        work.summary(say!(
            "At your price this volume costs {} a month.",
            cost.money()
        ));
    } else {
        work.summary(say!(
            "This traffic costs {} a month at list price.",
            cost.money()
        ));
    }
}

fn saved(work: &mut Work<'_>) {
    let (saving, share, after) = (
        work.kept("saving"),
        work.kept("saving_share"),
        work.kept("after"),
    );
    if let (Some(saving), Some(share), Some(after)) = (saving, share, after) {
        let names: Vec<String> = work.levers.iter().map(|l| l.name.to_lowercase()).collect();
        work.headline(
            "After the levers",
            after.figure(after.money().then(" a month")),
        );
        work.headline("Saved", saving.figure(saving.money().then(" a month")));
        work.summary(say!(
            "With {} it falls to {} a month: {} saved, {}.",
            names.join(", then "),
            after.money(),
            saving.money(),
            share.percent()
        ));
    }
    if let (Some(switch), Some(best)) = (work.kept("switch_saving"), work.kept("best_cost")) {
        let name = best
            .label
            .split(':')
            .next()
            .unwrap_or("another model")
            .to_owned();
        work.headline(
            "On another model",
            best.figure(best.money().then(" a month")),
        );
        let quality = match work.kept("floor") {
            Some(_) => ", of at least the same published quality,",
            None => "",
        };
        work.summary(say!(
            "On {}{} it would be {} a month, {} less; test it on your own requests first.",
            name,
            quality,
            best.money(),
            switch.money()
        ));
    }
}

fn invested(work: &mut Work<'_>) {
    let Some(npv) = work.kept("npv") else {
        return;
    };
    work.headline("Net present value", npv.figure(npv.money()));
    if let (Some(payback), Some(roi), Some(net)) = (
        work.kept("payback"),
        work.kept("roi"),
        work.kept("net_month"),
    ) {
        work.headline(
            "Paid back, undiscounted",
            payback.figure(payback.digits(2).then(" months")),
        );
        work.headline("Return", roi.figure(roi.percent()));
        let verdict = if npv.value > 0.0 {
            "The investment pays"
        } else {
            "The investment does not pay within the horizon"
        };
        let text = say!(
            &format!("{verdict}: {{}} a month net, net present value {{}}, "),
            net.money(),
            npv.money()
        );
        let paid = super::invest::payback_in_words(work, &payback);
        work.summary(text.and(paid));
    } else {
        work.summary(say!(
            "The investment is never paid back: its net present value is {}.",
            npv.money()
        ));
    }
}

fn grown(work: &mut Work<'_>) {
    if let (Some(month), Some(then)) = (work.kept("crossing"), work.kept("crossing_spend")) {
        work.headline(
            "Budget exceeded in",
            month.figure(month.digits(4).then(" months")),
        );
        work.headline(
            "Spend in that month",
            then.figure(then.money().then(" a month")),
        );
        work.summary(say!(
            "At this growth the budget is exceeded in month {}, with {} a month.",
            month.digits(4),
            then.money()
        ));
    }
    if let Some(total) = work.kept("year_total") {
        work.headline("Spend over the next year", total.figure(total.money()));
    }
}

fn impact(work: &mut Work<'_>) {
    let best = [work.kept("saving"), work.kept("switch_saving")]
        .into_iter()
        .flatten()
        .max_by(|a, b| a.value.total_cmp(&b.value));
    let Some(saving) = best.filter(|s| s.value > 0.0) else {
        return;
    };
    let unit = saving.unit.replace("/month", "/year");
    let year = work.ledger.derive(
        "saving a year",
        "saving * 12",
        "twelve months at today's volume",
        &[("saving", &saving)],
        &unit,
    );
    let text = say!(
        "{} a month, {} a year at today's volume, if every assumption holds.",
        saving.money(),
        year.money()
    );
    work.draft.business_impact.text = text.text;
    work.draft.business_impact.refs = text.refs;
    work.draft.business_impact.figures = vec![
        saving.figure(saving.money().then(" a month")),
        year.figure(year.money().then(" a year")),
    ];
}

fn measures(work: &mut Work<'_>) {
    let Some(cost) = work.kept("baseline") else {
        return;
    };
    let target = work.kept("after").unwrap_or_else(|| cost.clone());
    work.measure(
        "Cost a month",
        say!("{}", cost.money()),
        say!("{}", target.money()),
        "The provider's usage export, by model and by day.",
    );
    if work.levers.iter().any(|l| l.name == "Prompt caching")
        && let Some(hits) = work.share("cached", "share of requests that hit the cache")
    {
        work.measure(
            "Cache hits",
            say!("not measured"),
            say!("{} of the requests", hits.percent()),
            "Cached tokens over prompt tokens in the usage of each response.",
        );
    }
    if work.kept("switch_saving").is_some() {
        work.measure(
            "Quality on your own requests",
            say!("not measured"),
            say!("no worse than today"),
            "A blind comparison on a sample of your own requests, before and after.",
        );
    }
}

/// A basic answer gives one lever: the one worth most.
fn keep_best(work: &mut Work<'_>) {
    let score = |r: &super::super::answer::Recommendation| r.gain.as_ref().map_or(0.0, |g| g.value);
    work.draft
        .recommendations
        .sort_by(|a, b| score(b).total_cmp(&score(a)));
    work.draft.recommendations.truncate(1);
}
