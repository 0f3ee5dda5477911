//! What the latency agent's results mean.

use super::super::answer::Source;
use super::super::ledger::{Prose, say};
use super::super::work::Work;
use super::targets;

/// Asks which latency is meant, and for what was assumed.
pub(super) fn questions(work: &mut Work<'_>) -> Option<Prose> {
    let all = targets(work);
    if all.iter().any(|t| t.reading)
        && let (Some(first), Some(total)) = (work.kept("ttft50"), work.kept("total50"))
    {
        work.ask(
            "latency_metric",
            "Is the target meant until the first word or until the whole answer stands?",
            say!(
                "It decides between {} and {} at p50.",
                first.seconds(),
                total.seconds()
            ),
        );
    }
    let assumed = |name: &str| {
        work.ledger
            .quantities()
            .iter()
            .any(|q| q.name == name && q.source == Source::Assumption)
    };
    if assumed("tokens_out") {
        work.ask(
            "tokens_out",
            "How many tokens does an answer have?",
            say!("The time of the whole answer grows with it."),
        );
    }
    if work.model.is_none() && work.said.models.is_empty() && work.kept("plain").is_none() {
        work.ask(
            "model",
            "Which model answers today?",
            say!("It is the starting point of every comparison."),
        );
    }
    None
}

/// Headline and summary.
pub(super) fn explain(work: &mut Work<'_>) {
    beside_the_model(work);
    fanned(work);
    looped(work);
    gap(work);
    modelled(work);
    measures(work);
}

fn fanned(work: &mut Work<'_>) {
    let (Some(plain), Some(hedged), Some(extra), Some(all)) = (
        work.kept("plain"),
        work.kept("hedged"),
        work.kept("extra"),
        work.kept("all"),
    ) else {
        return;
    };
    work.headline("Overall, plain", plain.figure(plain.digits(4).then(" s")));
    work.headline(
        "Overall, hedged",
        hedged.figure(hedged.digits(4).then(" s")),
    );
    work.headline("Further requests by hedging", extra.figure(extra.percent()));
    work.summary(say!("All parallel calls stay under the single p95 in only {} of the requests, so the overall percentile is {}. Hedging brings it to {}, for {} more requests.", all.percent(), plain.seconds(), hedged.seconds(), extra.percent()));
}

fn looped(work: &mut Work<'_>) {
    if let Some(total) = work.kept("loop") {
        work.headline("Whole loop", total.figure(total.seconds()));
        let prose = say!("The loop takes {}.", total.seconds());
        let prose = match work.kept("loop_parallel") {
            Some(parallel) => {
                work.headline(
                    "With calls at once, at best",
                    parallel.figure(parallel.seconds()),
                );
                prose.and(say!(
                    "With independent calls at once it is {} at best.",
                    parallel.seconds()
                ))
            }
            None => prose,
        };
        let prose = match targets(work).into_iter().find(|t| !t.first_token) {
            Some(t) => prose.and(say!("The limit you name is {}.", t.limit.seconds())),
            None => prose,
        };
        work.summary(prose);
    }
    if let (Some(before), Some(after), Some(speedup)) = (
        work.kept("before"),
        work.kept("parallel"),
        work.kept("speedup"),
    ) {
        work.headline("In sequence", before.figure(before.seconds()));
        work.headline("At once", after.figure(after.seconds()));
        work.headline("Speed-up", speedup.figure(speedup.digits(3).then(" times")));
        work.summary(say!(
            "In sequence the steps take {}; with the independent ones at once {}, {} times faster.",
            before.seconds(),
            after.seconds(),
            speedup.digits(3)
        ));
    }
}

fn gap(work: &mut Work<'_>) {
    if let (Some(now), Some(factor), Some(less)) =
        (work.kept("now"), work.kept("factor"), work.kept("less"))
    {
        work.headline("Today", now.figure(now.seconds()));
        let prose = match less.value > 0.0 {
            true => say!(
                "Today's {} must become {} times faster: {} have to go.",
                now.seconds(),
                factor.digits(3),
                less.seconds()
            ),
            false => say!("Today's {} already meets the target.", now.seconds()),
        };
        work.summary(prose);
    }
}

fn modelled(work: &mut Work<'_>) {
    if let (Some(total), Some(bound)) = (work.kept("total50"), work.kept("total95")) {
        let name = total
            .label
            .split(':')
            .next()
            .unwrap_or("The model")
            .to_owned();
        work.headline(
            &format!("{name}, whole answer p50"),
            total.figure(total.seconds()),
        );
        work.headline(
            &format!("{name}, p95 upper bound"),
            bound.figure(bound.seconds()),
        );
        work.summary(say!(
            "{} takes {} for the whole answer at p50 and at most {} at p95.",
            name,
            total.seconds(),
            bound.seconds()
        ));
    }
    if let (Some(best), Some(bound)) = (work.kept("best_total50"), work.kept("best_total95")) {
        let name = best
            .label
            .split(':')
            .next()
            .unwrap_or("Another model")
            .to_owned();
        let known = work
            .kept("total50")
            .is_some_and(|t| t.id == best.id || t.label == best.label);
        if !known {
            work.headline(&format!("{name}, p50"), best.figure(best.seconds()));
            work.summary(say!(
                "The fastest that fits is {}: {} at p50, at most {} at p95.",
                name,
                best.seconds(),
                bound.seconds()
            ));
        }
    }
    for verdict in std::mem::take(&mut work.verdicts).into_iter().take(2) {
        work.summary(verdict);
    }
    if let (Some(wait), Some(ratio)) = (work.kept("stream_wait"), work.kept("stream_ratio")) {
        work.headline("First word with streaming", wait.figure(wait.seconds()));
        work.summary(say!(
            "With streaming the first word stands after {}, {} times sooner than the whole answer.",
            wait.seconds(),
            ratio.digits(3)
        ));
    }
}

fn measures(work: &mut Work<'_>) {
    let target = targets(work).into_iter().next();
    if let Some(target) = target {
        let now = match work.kept("now") {
            Some(now) => say!("{}", now.seconds()),
            None => say!("not measured"),
        };
        work.measure(&format!("Latency ({})", target.what()), now, say!("{} or less", target.limit.seconds()), "Timestamps at request, first token and end, per request; percentiles by nearest rank over a day.");
    }
}

/// Today's latency against the published one of the model: the rest is somewhere else.
fn beside_the_model(work: &mut Work<'_>) {
    let (Some(now), Some(total), Some(_)) =
        (work.kept("now"), work.kept("total50"), work.model.clone())
    else {
        return;
    };
    if now.value <= total.value * 1.25 {
        return;
    }
    let inputs = [("now", &now), ("model", &total)];
    let rest = work.ledger.derive(
        "time beside the model",
        "now - model",
        "your latency less the published one",
        &inputs,
        "s",
    );
    let name = total
        .label
        .split(':')
        .next()
        .unwrap_or("The model")
        .to_owned();
    work.headline("Not explained by the model", rest.figure(rest.seconds()));
    work.finding("warning", "The model explains only a part of your latency", say!(
        "{} is published with {} for such an answer at p50, you state {}: {} are somewhere else. Look at the queue, long prompts, retries, hidden reasoning and the steps around the call before you change the model.",
        name, total.seconds(), now.seconds(), rest.seconds()
    ));
}
