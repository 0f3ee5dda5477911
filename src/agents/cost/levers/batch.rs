//! The price of work that can wait.

use super::*;

/// A share of work that can wait is stated.
pub(in crate::agents) fn patient(work: &Work<'_>) -> bool {
    work.said.share("batch").is_some()
        || work.said.constraints.iter().any(|c| c.name == "batchable")
}

pub(in crate::agents) fn batch(work: &mut Work<'_>) -> Option<Prose> {
    if work.model.is_none() {
        return batch_of_bill(work);
    }
    pull(
        work,
        &Kindred {
            name: "Batch",
            title: "Send what can wait as batch jobs",
            effort: "low",
            confidence: "high",
            apply: |work, t| {
                let model = work.model.clone()?;
                let share = batch_share(work);
                let Some(batch) = work.catalog.model(&model)?.batch.clone() else {
                    let why = say!(
                        "A batch price for {} is not in the catalog, so none is counted for the {} that can wait. Look it up on the provider's page.",
                        work.name(&model),
                        share.percent()
                    );
                    work.finding("warning", "No published batch price", why);
                    return None;
                };
                let source = work
                    .catalog
                    .source(&batch.source)
                    .unwrap_or(&batch.source)
                    .to_owned();
                let m = work.ledger.catalog(
                    "price of batch over list price",
                    batch.multiplier,
                    "x",
                    &source,
                );
                let inputs = [("cost", &t.cost), ("share", &share), ("m", &m)];
                let saving = work.ledger.derive(
                    "saving of batch jobs a month",
                    "cost * share * (1 - m)",
                    &source,
                    &inputs,
                    "USD/month",
                );
                let why = say!(
                    "{} of the requests can wait; as batch jobs they cost {} of the list price, answered within a day, with limits of their own.",
                    share.percent(),
                    m.percent()
                );
                Some(Effect {
                    saving,
                    why,
                    after: t.clone(),
                })
            },
        },
    )
}

pub(super) fn batch_share(work: &mut Work<'_>) -> Value {
    match work.share("batch", "share of requests that can wait") {
        Some(share) => share,
        None => work.ledger.assume(
            "batch_share",
            "share of requests that can wait",
            1.0,
            "fraction",
            (0.0, 1.0),
            "The message says that this work can wait.",
        ),
    }
}

/// Without a model: on the bill itself, at the discount that the large providers share.
pub(super) fn batch_of_bill(work: &mut Work<'_>) -> Option<Prose> {
    let cost = work.kept("baseline")?;
    let share = batch_share(work);
    let m = work.ledger.assume(
        "batch_multiplier",
        "price of batch over list price",
        0.5,
        "x",
        (0.05, 1.0),
        "OpenAI, Anthropic and Google all publish half the list price within a day.",
    );
    let unit = cost.unit.clone();
    let inputs = [("cost", &cost), ("share", &share), ("m", &m)];
    let saving = work.ledger.derive(
        "saving of batch jobs a month",
        "cost * share * (1 - m)",
        "help.openai.com 9197833",
        &inputs,
        &unit,
    );
    let inputs = [("before", &cost), ("saving", &saving)];
    let after = work.ledger.derive(
        "cost a month after: Batch",
        "before - saving",
        "stacked in a fixed order",
        &inputs,
        &unit,
    );
    work.keep("stack.cost", &after);
    let told = say!("Batch: {} a month becomes {}.", cost.money(), after.money());
    work.levers.push(Lever {
        name: "Batch",
        alone: saving.clone(),
        marginal: saving.clone(),
        before: cost.clone(),
        after,
    });
    let why = say!(
        "{} of the bill can wait; as batch jobs it costs {} of the list price.",
        share.percent(),
        m.percent()
    );
    let advice = Advice::new(why, "low", impact(saving.value, cost.value), "high");
    let gain = saving.figure(saving.money().then(" a month"));
    work.recommend(
        "Send what can wait as batch jobs",
        advice,
        &saving,
        Some(gain),
    );
    Some(told)
}
