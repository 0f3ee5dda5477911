//! What the advanced results mean together.

use super::super::ledger::{Prose, say};
use super::super::work::Work;

/// Asks what the result depends on most.
pub(super) fn questions(work: &mut Work<'_>) -> Option<Prose> {
    if super::super::latency::targets(work)
        .iter()
        .any(|t| t.reading)
    {
        let effect = match (work.kept("current_total50"), work.kept("best_cost")) {
            (Some(total), Some(best)) => say!(
                "It decides whether a model at {} a month may do the work; today's whole answer takes {} at p50.",
                best.money(),
                total.seconds()
            ),
            _ => say!("It decides which models come into question."),
        };
        work.ask(
            "latency_metric",
            "Is the latency meant until the first word or until the whole answer stands?",
            effect,
        );
    }
    if let Some(gap) = work.kept("gap").filter(|_| {
        work.kept("ratio")
            .is_some_and(|r| !(0.8..=1.25).contains(&r.value))
    }) {
        work.ask(
            "calls_per_request",
            "Which calls, retries, hidden tokens or other services are in the bill?",
            say!("It settles {} a month.", gap.money()),
        );
    }
    if let Some(name) = work.widest.clone() {
        work.ask(
            "range",
            &format!("How sure are you of this number: {}?", name.to_lowercase()),
            say!("No other input moves the result as far."),
        );
    }
    None
}

/// Headline, summary, impact and measures.
pub(super) fn explain(work: &mut Work<'_>) {
    owning(work);
    reconciled(work);
    budget(work);
    switched(work);
    invested(work);
    ranked(work);
    impact(work);
    work.measure(
        "Cost a month",
        baseline_text(work),
        target_text(work),
        "The provider's usage export, by model and by day.",
    );
    if let Some(bound) = work.kept("current_total95") {
        work.measure(
            "Latency at p95",
            say!(
                "at most {} by the published bound, not measured",
                bound.seconds()
            ),
            say!("the target, once it is clear what it means"),
            "Timestamps at request, first token and end, per request.",
        );
    }
}

fn baseline_text(work: &Work<'_>) -> Prose {
    match work.kept("baseline") {
        Some(cost) => say!("{}", cost.money()),
        None => say!("not measured"),
    }
}

fn target_text(work: &Work<'_>) -> Prose {
    match work
        .kept("best_cost")
        .or_else(|| work.kept("allowed"))
        .or_else(|| work.kept("baseline"))
    {
        Some(cost) => say!("{}", cost.money()),
        None => say!("to be set after measuring"),
    }
}

fn owning(work: &mut Work<'_>) {
    let (Some(net), Some(even), Some(cheaper)) =
        (work.kept("net"), work.kept("even"), work.kept("mc_cheaper"))
    else {
        return;
    };
    work.headline(
        "Net saving of owning, base case",
        net.figure(net.money().then(" a month")),
    );
    work.headline(
        "Break-even",
        even.figure(even.count().then(" requests a month")),
    );
    work.headline(
        "Owning is cheaper in",
        cheaper.figure(cheaper.percent().then(" of the draws")),
    );
    let base = match net.value >= 0.0 {
        true => say!(
            "In the base case owning the GPUs saves {} a month; it breaks even at {} requests a month.",
            net.amount(),
            even.count()
        ),
        false => say!(
            "In the base case owning the GPUs costs {} a month more than the API; it breaks even at {} requests a month.",
            net.amount(),
            even.count()
        ),
    };
    work.summary(base.and(say!(
        "Over the stated ranges it is cheaper in {} of the draws.",
        cheaper.percent()
    )));
    if let (Some(low), Some(high)) = (work.kept("mc_p05"), work.kept("mc_p95")) {
        work.summary(say!(
            "In nine of ten draws its net saving lies between {} and {} a month.",
            low.money(),
            high.money()
        ));
    }
}

fn reconciled(work: &mut Work<'_>) {
    let Some(cost) = work.kept("baseline") else {
        return;
    };
    let off = work
        .kept("ratio")
        .filter(|r| !(0.8..=1.25).contains(&r.value));
    if let (Some(ratio), Some(gap), Some(spend)) = (
        off,
        work.kept("gap"),
        super::super::cost::spend_per_month(work),
    ) {
        work.headline(
            "Explained by the traffic",
            cost.figure(cost.money().then(" a month")),
        );
        if gap.value < 0.0 {
            work.summary(super::super::cost::reconcile::below_list(&spend, &cost));
            return per_request(work, &spend);
        }
        work.headline("Not explained", gap.figure(gap.money().then(" a month")));
        work.summary(say!("Before anything else: you state {} a month, this traffic costs {} at list price; {} is not explained: the bill is {} times what this traffic costs.", spend.money(), cost.money(), gap.money(), ratio.digits(3)));
        per_request(work, &spend);
    } else {
        work.headline(
            "Cost today, at list price",
            cost.figure(cost.money().then(" a month")),
        );
        if work.kept("net").is_none() {
            work.summary(say!("Today this costs {} a month.", cost.money()));
        }
    }
    if let Some(then) = work.kept("spend_then") {
        let listed = work.kept("growth_factor").map(|m| {
            work.ledger.derive(
                "list cost a month after the growth",
                "list * m",
                "compound interest",
                &[("list", &cost), ("m", &m)],
                "USD/month",
            )
        });
        if let Some(listed) = listed {
            work.finding("info", "After the growth", say!("By the date named the traffic costs {} a month at list price on the current model; the stated bill would be {}.", listed.money(), then.money()));
        }
    }
}

fn per_request(work: &mut Work<'_>, spend: &super::super::ledger::Value) {
    let (Some(n), Some(each)) = (work.requests(), work.kept("baseline_request")) else {
        return;
    };
    if n.value > 0.0 {
        let stated = work.ledger.derive(
            "stated spend of a request",
            "spend / n",
            "the bill over the volume",
            &[("spend", spend), ("n", &n)],
            "USD/request",
        );
        work.insight(
            "A request",
            say!(
                "By your bill a request costs {}, by the list price {}.",
                stated.money(),
                each.money()
            ),
        );
    }
}

fn budget(work: &mut Work<'_>) {
    if let (Some(year), Some(p)) = (work.kept("budget_year"), work.kept("budget_percentile")) {
        work.headline(
            "Cost of a year at the percentile",
            year.figure(year.money().then(" a year")),
        );
        work.summary(say!(
            "A yearly budget of {} holds in {} of the draws on the model priced here.",
            year.money(),
            p.percent()
        ));
    }
}

fn switched(work: &mut Work<'_>) {
    let (Some(best), Some(saving)) = (work.kept("best_cost"), work.kept("switch_saving")) else {
        return;
    };
    let name = best
        .label
        .split(':')
        .next()
        .unwrap_or("another model")
        .to_owned();
    work.headline(
        "On the cheapest that fits",
        best.figure(best.money().then(" a month")),
    );
    let lead = match super::super::cost::workloads::several(work) {
        true => "With the cheapest model of the same index for each workload".to_owned(),
        false => format!("The cheapest model that fits one reading of the demands is {name}"),
    };
    let less = say!(
        "{}: {} a month, {} less than list price today",
        lead,
        best.money(),
        saving.money()
    );
    work.summary(match work.kept("switch_share") {
        Some(share) => less.and(say!("({}).", share.percent())),
        None => less.and(say!("at the same volume.")),
    });
    if let Some(grown) = work.kept("best_grown") {
        work.insight(
            "After the growth on that model",
            say!(
                "The grown traffic would cost {} a month on {}.",
                grown.money(),
                name
            ),
        );
    }
}

fn invested(work: &mut Work<'_>) {
    let Some(npv) = work.kept("npv") else {
        return;
    };
    work.headline("Net present value", npv.figure(npv.money()));
    if let (Some(payback), Some(roi)) = (work.kept("payback"), work.kept("roi")) {
        work.headline(
            "Paid back, undiscounted",
            payback.figure(payback.digits(2).then(" months")),
        );
        work.headline("Return", roi.figure(roi.percent()));
        let text = say!(
            "The investment has a net present value of {} and is",
            npv.money()
        );
        let paid = super::super::cost::invest::payback_in_words(work, &payback);
        work.summary(text.and(paid));
    } else {
        work.summary(say!(
            "The investment is never paid back; its net present value is {}.",
            npv.money()
        ));
    }
}

fn ranked(work: &mut Work<'_>) {
    let Some(winner) = work.winner.clone() else {
        return;
    };
    if let (Some(cost), Some(quality), Some(time)) = (
        work.kept("winner_cost"),
        work.kept("winner_quality"),
        work.kept("winner_latency"),
    ) {
        let name = work.name(&winner);
        work.headline(
            &format!("{name}, 1,000 requests"),
            cost.figure(cost.money()),
        );
        work.headline("Its quality index", quality.figure(quality.digits(4)));
        work.headline("Its whole answer, p50", time.figure(time.seconds()));
        if work.draft.summary.is_empty() || work.kept("gap").is_none() {
            work.summary(say!("As a compromise of cost, quality and latency {} comes first: {} for a thousand requests, index {}, {} for the whole answer at p50.", name, cost.money(), quality.digits(4), time.seconds()));
        }
    }
}

fn impact(work: &mut Work<'_>) {
    let Some(saving) = work
        .kept("switch_saving")
        .or_else(|| work.kept("net"))
        .or_else(|| work.kept("net_month"))
    else {
        return;
    };
    let unit = saving.unit.replace("/month", "/year");
    let year = work.ledger.derive(
        "a year of it",
        "x * 12",
        "twelve months at today's volume",
        &[("x", &saving)],
        &unit,
    );
    let text = match saving.value >= 0.0 {
        true => say!(
            "{} a month, {} a year at today's volume, if every assumption holds.",
            saving.money(),
            year.money()
        ),
        false => say!(
            "It would cost {} a month more than it saves, {} a year (negative: a loss).",
            saving.money(),
            year.money()
        ),
    };
    work.draft.business_impact.text = text.text;
    work.draft.business_impact.refs = text.refs;
    work.draft.business_impact.figures = vec![
        saving.figure(saving.money().then(" a month")),
        year.figure(year.money().then(" a year")),
    ];
}
