//! What the model-selection results mean.

use super::super::answer::Source;
use super::super::facts::PRICE_PAGES;
use super::super::ledger::{Prose, say};
use super::super::understand::Kind;
use super::super::work::{Advice, Work, impact};

/// Two models and a share that goes on to the better one.
pub(super) fn two_models(work: &Work<'_>) -> bool {
    work.said.share("escalation").is_some()
}

/// The best-ranked cheap model first, the current or floor model for what it cannot do.
pub(super) fn cascade(work: &mut Work<'_>) -> Option<Prose> {
    let small = work.winner.clone()?;
    let big = work.model.clone().filter(|b| *b != small)?;
    let e = work.share("escalation", "share that goes on to the better model")?;
    let (c_small, c_big) = (
        work.cost_of_request(&small, false)?,
        work.cost_of_request(&big, true)?,
    );
    let n = work.requests_or_default();
    let paper = "FrugalGPT, arXiv:2305.05176";
    let inputs = [("n", &n), ("small", &c_small), ("e", &e), ("big", &c_big)];
    let cost = work.ledger.derive(
        "cascade a month",
        "n * (small + e * big)",
        paper,
        &inputs,
        "USD/month",
    );
    let alone = work.ledger.derive(
        "the better model alone a month",
        "n * big",
        PRICE_PAGES,
        &[("n", &n), ("big", &c_big)],
        "USD/month",
    );
    let saving = work.ledger.derive(
        "saving of the cascade a month",
        "alone - cascade",
        paper,
        &[("alone", &alone), ("cascade", &cost)],
        "USD/month",
    );
    let (small, big) = (work.name(&small), work.name(&big));
    let why = say!(
        "{} first, {} of the requests on to {}: {} a month instead of {} for {} alone. It pays only if the small model's failures are recognised.",
        &small,
        e.percent(),
        &big,
        cost.money(),
        alone.money(),
        &big
    );
    let advice = Advice::new(why, "high", impact(saving.value, alone.value), "medium");
    let gain = (saving.value > 0.0).then(|| saving.figure(saving.money().then(" a month")));
    work.recommend("Put a cascade in front", advice, &saving, gain);
    Some(say!("Cascade: {} a month.", cost.money()))
}

/// Asks for what was assumed.
pub(super) fn questions(work: &mut Work<'_>) -> Option<Prose> {
    let assumed = |work: &Work<'_>, name: &str| {
        work.ledger
            .quantities()
            .iter()
            .any(|q| q.name == name && q.source == Source::Assumption)
    };
    if assumed(work, "weight_cost") && work.said.priorities.is_empty() {
        work.ask(
            "weight_cost",
            "How much do cost, quality and latency matter to you?",
            say!("The order of the ranking follows the weights."),
        );
    }
    for (name, text) in [
        ("tokens_in", "How many tokens does a request send?"),
        ("tokens_out", "How many tokens does an answer have?"),
    ] {
        if assumed(work, name) {
            work.ask(
                name,
                text,
                say!("Cost and latency of every candidate grow with it."),
            );
        }
    }
    None
}

/// Headline, summary, money and a way to introduce the choice.
pub(super) fn explain(work: &mut Work<'_>) {
    let Some(winner) = work.winner.clone() else {
        if let Some(best) = work.kept("best_cost") {
            let name = best
                .label
                .split(':')
                .next()
                .unwrap_or("The cheapest")
                .to_owned();
            work.headline(&name, best.figure(best.money().then(" a month")));
            work.summary(say!("Too little is published to rank all three criteria; by price alone {} is the cheapest that fits, at {} a month.", name, best.money()));
        } else {
            work.summary(say!("Too few candidates have published figures to be ranked; the tables show what they cost."));
        }
        return;
    };
    let name = work.name(&winner);
    if let (Some(cost), Some(quality), Some(time)) = (
        work.kept("winner_cost"),
        work.kept("winner_quality"),
        work.kept("winner_latency"),
    ) {
        work.headline(
            &format!("{name}, 1,000 requests"),
            cost.figure(cost.money()),
        );
        work.headline("Its quality index", quality.figure(quality.digits(4)));
        work.headline("Its whole answer, p50", time.figure(time.seconds()));
        work.summary(say!("With these weights {} is the first choice: {} for a thousand requests, index {}, {} for the whole answer at p50.", &name, cost.money(), quality.digits(4), time.seconds()));
    }
    let second = work
        .draft
        .recommendations
        .iter()
        .find(|r| r.title.ends_with("balanced choice"))
        .map(|r| r.title.clone());
    if let Some(second) = second {
        let second = second
            .trim_start_matches("Keep ")
            .trim_end_matches(" as the balanced choice")
            .to_owned();
        work.summary(say!("Judged by its worst criterion {} is the safer one; the two rankings are explained below.", second));
    }
    monthly(work, &winner);
    work.measure(
        "Quality on your own requests",
        say!("not measured"),
        say!("no worse than today's model"),
        "A blind comparison on a sample of your own requests, judged by people who know the work.",
    );
    work.measure(
        "Time of the whole answer, p50",
        say!("not measured"),
        say!("as published or better"),
        "Timestamps at request, first token and end, per request.",
    );
}

/// What the choice costs a month, where a volume is stated.
fn monthly(work: &mut Work<'_>, winner: &str) {
    if work.requests().is_none() {
        return;
    }
    let Some(cost) = work.cost_of_month(winner, false) else {
        return;
    };
    let mut text = say!(
        "{} costs {} a month at your volume.",
        work.name(winner),
        cost.money()
    );
    let mut figures = vec![cost.figure(cost.money().then(" a month"))];
    if let Some(today) = work.model.clone().filter(|m| m != winner)
        && let Some(now) = work.cost_of_month(&today, true)
    {
        let saving = work.ledger.derive(
            "saving a month",
            "today - then",
            PRICE_PAGES,
            &[("today", &now), ("then", &cost)],
            "USD/month",
        );
        let verb = if saving.value >= 0.0 {
            "less"
        } else {
            "less (negative: more)"
        };
        text = text.and(say!(
            "That is {} {} than {}.",
            saving.money(),
            verb,
            work.name(&today)
        ));
        figures.push(saving.figure(saving.money().then(" a month")));
    }
    if let Some(budget) = work
        .said
        .first(Kind::Budget)
        .cloned()
        .filter(|q| q.unit == "USD")
        && let Some(budget) = work.monthly("budget", "budget a month", &budget, "USD")
    {
        let fits = if cost.value <= budget.value {
            "within"
        } else {
            "above"
        };
        text = text.and(say!("That is {} the budget of {}.", fits, budget.money()));
    }
    work.summary(text.clone());
    work.draft.business_impact.text = text.text;
    work.draft.business_impact.refs = text.refs;
    work.draft.business_impact.figures = figures;
}
