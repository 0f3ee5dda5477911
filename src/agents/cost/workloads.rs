//! Several workloads in one message: each priced alone, then the sum.

use super::super::answer::Table;
use super::super::catalog::{Metric, Mode};
use super::super::facts::PRICE_PAGES;
use super::super::ledger::{Prose, Value, say};
use super::super::understand::{Kind, ModelRole, Quantity};
use super::super::work::{Advice, Work, column, impact, words};

/// The most workloads that are priced.
const WORKLOADS_MAX: usize = 6;

/// A part of the traffic with a volume and tokens of its own.
struct Workload {
    label: String,
    model: String,
    cost: Value,
    /// Cost on the cheapest eligible model of at least the same index.
    best: Option<(String, Value)>,
    batch: Option<Value>,
}

fn labels(work: &Work<'_>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for q in work.said.all(Kind::Requests) {
        if let Some(label) = &q.workload
            && !all.contains(label)
        {
            all.push(label.clone());
        }
    }
    all.truncate(WORKLOADS_MAX);
    all
}

/// The message lists at least two workloads.
pub(in crate::agents) fn several(work: &Work<'_>) -> bool {
    labels(work).len() >= 2 && work.model.is_some()
}

/// The quantity of a workload: labelled, or the one that follows its volume in the text.
fn of(work: &Work<'_>, label: &str, index: usize, kind: Kind) -> Option<Quantity> {
    let own = work
        .said
        .all(kind)
        .find(|q| q.workload.as_deref() == Some(label))
        .cloned();
    own.or_else(|| {
        work.said
            .all(kind)
            .filter(|q| q.workload.is_none())
            .nth(index)
            .cloned()
    })
}

/// Cost of all workloads, what can wait, and cheaper models for each.
pub(in crate::agents) fn price(work: &mut Work<'_>) -> Option<Prose> {
    let current: Vec<String> = work
        .said
        .models_in(ModelRole::Current)
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut all = Vec::new();
    for (i, label) in labels(work).iter().enumerate() {
        // One model for each workload in the order of the text, else one for all.
        let own = (current.len() > 1)
            .then(|| current.get(i).cloned())
            .flatten();
        let model = own.or_else(|| work.model.clone())?;
        all.extend(one(work, label, i, &model));
    }
    if all.len() < 2 {
        return None;
    }
    let total = sum(
        work,
        "cost a month of all workloads",
        all.iter().map(|w| &w.cost),
    );
    work.keep("baseline", &total);
    table(work, &all);
    if work.said.first(Kind::Latency).is_some() {
        work.finding("info", "Latency by workload", say!("Limits in seconds are stated for single workloads. They are not combined here: ask about one workload at a time to see which models meet its limit."));
    }
    patient(work, &all, &total);
    cheaper(work, &all, &total);
    Some(say!(
        "{} workloads cost {} a month together.",
        if all.len() == 2 { "Two" } else { "All" },
        total.money()
    ))
}

fn sum<'v>(work: &mut Work<'_>, label: &str, parts: impl Iterator<Item = &'v Value>) -> Value {
    let symbols = ["a", "b", "c", "d", "e", "f"];
    let inputs: Vec<(&str, &Value)> = symbols.iter().copied().zip(parts).collect();
    let formula = inputs.iter().map(|i| i.0).collect::<Vec<_>>().join(" + ");
    work.ledger.derive(
        label,
        &formula,
        "sum of the workloads",
        &inputs,
        "USD/month",
    )
}

fn one(work: &mut Work<'_>, label: &str, index: usize, model: &str) -> Option<Workload> {
    let volume = of(work, label, index, Kind::Requests)?;
    let (t_in, t_out) = (
        of(work, label, index, Kind::TokensIn)?,
        of(work, label, index, Kind::TokensOut)?,
    );
    let key = format!("workload_{}", index + 1);
    let short: String = label.chars().take(40).collect();
    let n = work.monthly(
        &format!("{key}_requests"),
        &format!("{short}: requests a month"),
        &volume,
        "requests",
    )?;
    let mut tokens = |name: &str, what: &str, q: &Quantity| {
        let value = q.value.base()?;
        Some(work.stated(
            &format!("{key}_{name}"),
            &format!("{short}: {what} tokens"),
            q,
            value,
            "tokens/request",
            (0.0, 1e7),
        ))
    };
    let (t_in, t_out) = (
        tokens("tokens_in", "input", &t_in)?,
        tokens("tokens_out", "output", &t_out)?,
    );
    let cost = cost(work, &short, model, &n, &t_in, &t_out, true)?;
    let best = best(work, &short, model, &n, &t_in, &t_out).filter(|b| b.1.value < cost.value);
    let wait = format!("batchable:{label}");
    let batch = (work.said.wants(&wait)
        || work
            .said
            .wants(&format!("batchable:{}", label.to_lowercase())))
    .then(|| saved_by_batch(work, &short, model, &cost))
    .flatten();
    Some(Workload {
        label: short,
        model: work.name(model),
        cost,
        best,
        batch,
    })
}

fn cost(
    work: &mut Work<'_>,
    label: &str,
    model: &str,
    n: &Value,
    t_in: &Value,
    t_out: &Value,
    editable: bool,
) -> Option<Value> {
    let p = work.prices(model, t_in.value, editable)?;
    let inputs = [
        ("n", n),
        ("t_in", t_in),
        ("p_in", &p.input),
        ("t_out", t_out),
        ("p_out", &p.output),
    ];
    let label = format!("{label}: cost a month on {}", work.name(model));
    Some(work.ledger.derive(
        &label,
        "n * (t_in * p_in + t_out * p_out) / 1e6",
        PRICE_PAGES,
        &inputs,
        "USD/month",
    ))
}

fn best(
    work: &mut Work<'_>,
    label: &str,
    model: &str,
    n: &Value,
    t_in: &Value,
    t_out: &Value,
) -> Option<(String, Value)> {
    let index = |work: &Work<'_>, id: &str| {
        work.catalog
            .quality(id, Mode::Direct, Metric::Intelligence)
            .map(|q| q.value)
    };
    let floor = index(work, model)?;
    let needed = t_in.value + t_out.value;
    let price = |work: &Work<'_>, id: &str| {
        work.catalog
            .price_for_prompt(id, work.as_of, t_in.value)
            .map_or(f64::INFINITY, |p| {
                t_in.value * p.input_usd_per_mtok + t_out.value * p.output_usd_per_mtok
            })
    };
    let id = work
        .catalog
        .eligible()
        .filter(|m| {
            f64::from(m.tokens.context) >= needed && index(work, &m.id).is_some_and(|q| q >= floor)
        })
        .min_by(|a, b| price(work, &a.id).total_cmp(&price(work, &b.id)))?
        .id
        .clone();
    let cost = cost(work, label, &id, n, t_in, t_out, false)?;
    Some((work.name(&id), cost))
}

fn saved_by_batch(work: &mut Work<'_>, label: &str, model: &str, cost: &Value) -> Option<Value> {
    let batch = work.catalog.model(model)?.batch.clone()?;
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
    Some(work.ledger.derive(
        &format!("{label}: saving by batch a month"),
        "cost * (1 - m)",
        &source,
        &[("cost", cost), ("m", &m)],
        "USD/month",
    ))
}

fn table(work: &mut Work<'_>, all: &[Workload]) {
    let rows = all
        .iter()
        .map(|w| {
            let (name, best) = match &w.best {
                Some((name, cost)) => (words(name), cost.cell(cost.money())),
                None => (words("today's is the cheapest"), words("")),
            };
            let batch = w
                .batch
                .as_ref()
                .map_or(words("cannot wait, as stated"), |b| b.cell(b.money()));
            vec![
                words(&w.label),
                words(&w.model),
                w.cost.cell(w.cost.money()),
                batch,
                name,
                best,
            ]
        })
        .collect();
    work.table(Table {
        id: "workloads".into(),
        title: "The workloads, each priced alone".into(),
        columns: vec![
            column("Workload", ""),
            column("Model", ""),
            column("Cost a month", "USD/month"),
            column("Saved by batch", "USD/month"),
            column("Cheapest of the same index", ""),
            column("Cost a month on it", "USD/month"),
        ],
        rows,
    });
}

fn patient(work: &mut Work<'_>, all: &[Workload], total: &Value) {
    let parts: Vec<&Value> = all.iter().filter_map(|w| w.batch.as_ref()).collect();
    if parts.is_empty() {
        return;
    }
    let saving = sum(
        work,
        "saving by batch a month, all workloads that can wait",
        parts.into_iter(),
    );
    let names: Vec<&str> = all
        .iter()
        .filter(|w| w.batch.is_some())
        .map(|w| w.label.as_str())
        .collect();
    let why = say!(
        "What can wait ({}) costs half as batch jobs, answered within a day: {} a month less.",
        names.join(", "),
        saving.money()
    );
    let advice = Advice::new(why, "low", impact(saving.value, total.value), "high");
    let gain = saving.figure(saving.money().then(" a month"));
    work.keep("saving", &saving);
    work.recommend(
        "Send what can wait as batch jobs",
        advice,
        &saving,
        Some(gain),
    );
}

fn cheaper(work: &mut Work<'_>, all: &[Workload], total: &Value) {
    let parts: Vec<&Value> = all
        .iter()
        .map(|w| w.best.as_ref().map_or(&w.cost, |b| &b.1))
        .collect();
    let best = sum(
        work,
        "the cheapest model for each workload: cost a month",
        parts.into_iter(),
    );
    let saving = work.ledger.derive(
        "saving of cheaper models a month, all workloads",
        "today - then",
        PRICE_PAGES,
        &[("today", total), ("then", &best)],
        "USD/month",
    );
    if saving.value <= 0.0 {
        return;
    }
    work.keep("best_cost", &best);
    work.keep("floor", &best);
    work.keep("switch_saving", &saving);
    let why = say!(
        "With each workload on the cheapest model of at least its present index the month costs {} instead of {}. Test each on its own requests: they are different tasks.",
        best.money(),
        total.money()
    );
    let advice = Advice::new(why, "medium", impact(saving.value, total.value), "medium");
    let gain = saving.figure(saving.money().then(" a month"));
    work.recommend("Choose the model by workload", advice, &saving, Some(gain));
    budget(work, total, &best);
}

/// Whether today and afterwards fit a stated budget.
fn budget(work: &mut Work<'_>, total: &Value, best: &Value) {
    let Some(q) = work
        .said
        .first(Kind::Budget)
        .cloned()
        .filter(|q| q.unit == "USD")
    else {
        return;
    };
    let Some(limit) = work.monthly("budget", "budget a month", &q, "USD") else {
        return;
    };
    let fits = |v: &Value| {
        if v.value <= limit.value {
            "within"
        } else {
            "above"
        }
    };
    work.insight(
        "The budget",
        say!(
            "{} a month today is {} the budget of {} a month; {} afterwards is {} it.",
            total.money(),
            fits(total),
            limit.money(),
            best.money(),
            fits(best)
        ),
    );
}
