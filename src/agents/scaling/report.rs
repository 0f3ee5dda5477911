//! What the scaling agent's results mean.

use super::super::answer::Source;
use super::super::ledger::{Prose, say};
use super::super::understand::Kind;
use super::super::work::Work;

/// A model and volume from which the load can be priced.
pub(super) fn priced(work: &Work<'_>) -> bool {
    work.model.is_some()
        && !super::states_hardware(work)
        && work.said.first(Kind::TokensIn).is_some()
        && work.said.requests_per_month().is_some()
}

/// What the load costs a month.
pub(super) fn cost(work: &mut Work<'_>) -> Option<Prose> {
    let model = work.model.clone()?;
    let cost = work.cost_of_month(&model, true)?;
    work.keep("baseline", &cost);
    Some(say!(
        "The load costs {} a month on {}.",
        cost.money(),
        work.name(&model)
    ))
}

/// Asks for what was assumed and moves the result most.
pub(super) fn questions(work: &mut Work<'_>) -> Option<Prose> {
    let ask: &[(&str, &str, &str)] = &[
        (
            "requests_per_user_day",
            "How many requests does a user send a day?",
            "The load is proportional to it.",
        ),
        (
            "peak_to_average",
            "How many times the average is your busiest minute?",
            "Capacity and limits must hold then, not on average.",
        ),
        (
            "service_time",
            "How long does a request hold a slot, at the batch size you will run?",
            "The offered load is proportional to it.",
        ),
        (
            "growth_spread",
            "How sure is the growth, from which range of months is it?",
            "The fan shows how far the month moves.",
        ),
        (
            "tokens_in",
            "How many tokens does a request send?",
            "Limits in tokens and costs follow it.",
        ),
    ];
    for (name, text, effect) in ask {
        let assumed = work
            .ledger
            .quantities()
            .iter()
            .any(|q| q.name == *name && q.source == Source::Assumption);
        if assumed {
            work.ask(name, text, say!(effect));
        }
    }
    None
}

/// Headline, summary and the limits of the answer.
pub(super) fn explain(work: &mut Work<'_>) {
    capacity(work);
    limit(work);
    hardware(work);
    spend(work);
    if work.kept("limit").is_none() && work.said.first(Kind::RateLimit).is_none() {
        work.finding("info", "Rate limits are not in the catalog", say!(
            "Providers set them by account and tier. Read them from the headers of your own responses and state them here to see which binds."
        ));
    }
}

fn capacity(work: &mut Work<'_>) {
    let (Some(slots), Some(wait), Some(busy)) = (
        work.kept("slots"),
        work.kept("wait"),
        work.kept("utilisation"),
    ) else {
        return;
    };
    if work.kept_of("pool", 2).is_some() {
        let pools = [work.kept_of("pool", 1), work.kept_of("pool", 2)];
        for pool in pools.into_iter().flatten() {
            let shown = pool.digits(6).then(" slots");
            work.headline(&pool.label, pool.figure(shown));
        }
    } else {
        work.headline("Concurrent slots", slots.figure(slots.digits(6)));
    }
    if let Some(replicas) = work.kept("replicas") {
        work.headline("Replicas", replicas.figure(replicas.digits(6)));
    }
    work.headline("Wait at the percentile", wait.figure(wait.seconds()));
    work.headline("Utilisation", busy.figure(busy.percent()));
    let verdicts = std::mem::take(&mut work.verdicts);
    if verdicts.len() > 1 {
        verdicts.into_iter().for_each(|v| work.summary(v));
        if let Some(replicas) = work.kept("replicas") {
            work.summary(say!("In all that is {} replicas.", replicas.digits(6)));
        }
        return;
    }
    let first = say!(
        "{} slots serve the peak: the wait at the percentile asked for is {}, at {} utilisation.",
        slots.digits(6),
        wait.seconds(),
        busy.percent()
    );
    let prose = match work.kept("replicas") {
        Some(replicas) => first.and(say!("That makes {} replicas.", replicas.digits(6))),
        None => first,
    };
    work.summary(prose);
}

fn limit(work: &mut Work<'_>) {
    if let Some(limit) = work.kept("limit") {
        work.headline("Allowed", limit.figure(limit.digits(4).then(" requests/s")));
        let prose = say!(
            "The binding limit allows {} requests a second.",
            limit.digits(4)
        );
        let prose = match work.kept("headroom") {
            Some(room) if room.value >= 0.0 => {
                prose.and(say!("{} of it is free at today's peak.", room.percent()))
            }
            Some(_) => prose.and(say!("Today's peak is already above it.")),
            None => prose,
        };
        work.summary(prose);
    }
    if let Some(month) = work.kept("limit_month") {
        work.headline("Limit passed in month", month.figure(month.digits(4)));
        match work.kept("limit") {
            Some(_) => work.summary(say!(
                "At this growth it is passed in month {}.",
                month.digits(4)
            )),
            None => growing(work, &month),
        }
    }
    if let (Some(at), Some(used)) = (work.kept("spike"), work.kept("spike_use")) {
        work.headline("Use in the spike", used.figure(used.percent()));
        work.summary(say!(
            "The spike of {} requests a second uses {} of the limit.",
            at.digits(4),
            used.percent()
        ));
    }
    if let Some(room) = work.kept("headroom") {
        work.headline("Room left", room.figure(room.percent()));
    }
}

fn hardware(work: &mut Work<'_>) {
    let (Some(gpus), Some(user)) = (work.kept("gpus"), work.kept("tps_user")) else {
        return;
    };
    work.headline("GPUs", gpus.figure(gpus.digits(4)));
    work.headline("Tokens a second, each user", user.figure(user.digits(3)));
    let prose = say!(
        "{} GPUs hold the model and its cache and give each user {} tokens a second.",
        gpus.digits(4),
        user.digits(3)
    );
    let prose = match work.kept("gpu_cost") {
        Some(cost) => {
            work.headline("Rent a month", cost.figure(cost.money().then(" a month")));
            prose.and(say!("They rent for {} a month.", cost.money()))
        }
        None => prose,
    };
    work.summary(prose);
}

fn spend(work: &mut Work<'_>) {
    if let (Some(month), Some(then)) = (work.kept("crossing"), work.kept("crossing_spend")) {
        work.headline("Budget exceeded in month", month.figure(month.digits(4)));
        work.headline(
            "Spend in that month",
            then.figure(then.money().then(" a month")),
        );
        work.summary(say!(
            "The budget is exceeded in month {}, with {} a month.",
            month.digits(4),
            then.money()
        ));
    }
    if let Some(total) = work.kept("year_total") {
        work.headline("Spend over the outlook", total.figure(total.money()));
        work.draft.business_impact.text = String::new();
        let text = say!("All months of the outlook together cost {}.", total.money());
        work.draft.business_impact.text = text.text;
        work.draft.business_impact.refs = text.refs;
        work.draft.business_impact.figures = vec![total.figure(total.money())];
    }
    if let Some(cost) = work.kept("baseline") {
        work.headline("Cost a month", cost.figure(cost.money().then(" a month")));
        work.summary(say!(
            "The load costs {} a month at list price.",
            cost.money()
        ));
    }
    if let Some(cost) = work.kept("replica_cost") {
        work.headline(
            "Replicas a month",
            cost.figure(cost.money().then(" a month")),
        );
        work.summary(say!("The replicas cost {} a month.", cost.money()));
    }
}

/// A stated volume is passed, without a limit of a provider.
fn growing(work: &mut Work<'_>, month: &super::super::ledger::Value) {
    if let (Some(now), Some(limit)) = (work.requests(), work.kept("volume_limit")) {
        work.headline("Today", now.figure(now.count().then(" requests a month")));
        work.summary(say!(
            "From {} requests a month today, {} are passed in month {} at this growth.",
            now.count(),
            limit.count(),
            month.digits(4)
        ));
    }
}
