//! Which models come into question: those named, or those that meet every stated wish.

use super::super::catalog::{Metric, Mode, Model};
use super::super::ledger::{Prose, Value, say};
use super::super::understand::Kind;
use super::super::work::Work;

/// The most models that are ranked: more would be unreadable, and every one needs its arithmetic.
const MODELS_MAX: usize = 8;

/// A wish a model must meet.
struct Wish {
    name: &'static str,
    meets: Box<dyn Fn(&Model) -> bool>,
}

/// The quality scale the message asks for.
pub(super) fn metric(work: &Work<'_>) -> Metric {
    let text = work.task.content.to_lowercase();
    if text.contains("aider") {
        Metric::Aider
    } else if text.contains("lmarena") || text.contains("arena") || text.contains("elo ") {
        Metric::Arena
    } else {
        Metric::Intelligence
    }
}

fn wish(name: &'static str, meets: impl Fn(&Model) -> bool + 'static) -> Wish {
    Wish {
        name,
        meets: Box::new(meets),
    }
}

fn wishes(work: &mut Work<'_>) -> Vec<Wish> {
    let mut all = Vec::new();
    let needed = work.tokens_in().value + work.tokens_out().value;
    let context = work
        .first(Kind::Context, "context window needed", "tokens", (1.0, 1e8))
        .map_or(needed, |c| c.value.max(needed));
    all.push(wish("a context window that is long enough", move |m| {
        f64::from(m.tokens.context) >= context
    }));
    if let Some(limit) = price_limit(work, "input_max", "highest price of input") {
        all.push(wish("the price of input", move |m| {
            m.price.input_usd_per_mtok <= limit.value
        }));
    }
    if let Some(limit) = price_limit(work, "output_max", "highest price of output") {
        all.push(wish("the price of output", move |m| {
            m.price.output_usd_per_mtok <= limit.value
        }));
    }
    if work.said.wants("modality:image") {
        all.push(wish("reading images", |m| {
            m.reads.iter().any(|r| r == "image")
        }));
    }
    if work.said.wants("open_weights") {
        all.push(wish("open weights", Model::has_open_weights));
    }
    if let Some(bytes) = memory(work) {
        all.push(wish(
            "weights that fit into the GPU memory in BF16",
            move |m| {
                m.weights
                    .as_ref()
                    .is_some_and(|w| w.total_billion * 2e9 <= bytes)
            },
        ));
    }
    all
}

fn price_limit(work: &mut Work<'_>, q: &str, label: &str) -> Option<Value> {
    let quantity = work.said.qualified(Kind::UnitPrice, q)?.clone();
    let value = quantity.value.base()?;
    Some(work.stated(
        &format!("price_{q}"),
        label,
        &quantity,
        value,
        "USD/Mtok",
        (0.0, 1e5),
    ))
}

/// Memory for weights on the stated GPUs, a tenth kept free.
fn memory(work: &mut Work<'_>) -> Option<f64> {
    let gb = work.first(Kind::GpuMemory, "memory of a GPU", "GB", (1.0, 10_000.0))?;
    let count = work.said.value(Kind::GpuCount).unwrap_or(1.0);
    Some(gb.value * count * 1e9 * 0.9)
}

/// Chooses the candidates; says what was left out.
pub(in crate::agents) fn filter(work: &mut Work<'_>) -> Option<Prose> {
    let mut named: Vec<String> = Vec::new();
    for m in &work.said.models {
        if !named.contains(&m.id) && work.catalog.model(&m.id).is_some() {
            named.push(m.id.clone());
        }
    }
    if named.len() >= 2 {
        named.truncate(MODELS_MAX);
        let names: Vec<String> = named.iter().map(|id| work.name(id)).collect();
        work.candidates = named;
        return Some(say!(
            "Compared: the models you named: {}.",
            names.join(", ")
        ));
    }
    let wishes = wishes(work);
    let scale = metric(work);
    let least = work.first(Kind::QualityMin, "least quality", "points", (0.0, 1e4));
    let floor = if least.is_none() && scale == Metric::Intelligence {
        work.floor()
    } else {
        None
    };
    let scored = |work: &Work<'_>, m: &Model| {
        work.catalog
            .quality(&m.id, Mode::Direct, scale)
            .map(|q| q.value)
    };
    let all = work.catalog.models().iter();
    let eligible: Vec<&Model> = match work.said.wants("open_weights") {
        true => all.collect(),
        false => work.catalog.eligible().collect(),
    };
    let published = eligible.into_iter().filter(|m| scored(work, m).is_some());
    let pool: Vec<Model> = published.cloned().collect();
    let total = pool.len();
    let mut left: Vec<Model> = pool
        .into_iter()
        .filter(|m| wishes.iter().all(|w| (w.meets)(m)))
        .collect();
    let floor = least.or(floor);
    if let Some(floor) = &floor {
        left.retain(|m| scored(work, m).is_some_and(|q| q >= floor.value));
    }
    let fitting = left.len();
    left = spread(work, left);
    let mut ids: Vec<String> = left.iter().map(|m| m.id.clone()).collect();
    ids.extend(
        named
            .into_iter()
            .filter(|id| !ids.contains(id))
            .collect::<Vec<_>>(),
    );
    let listed: Vec<&str> = wishes.iter().map(|w| w.name).collect();
    let prose = explain(
        work,
        &listed,
        floor.as_ref(),
        (total, fitting, ids.len()),
        scale,
    );
    work.finding("info", "How the candidates were chosen", prose.clone());
    unchecked(work);
    work.candidates = ids;
    (!work.candidates.is_empty()).then_some(prose)
}

/// Of many, the cheaper and the better ones: first those that nothing beats on both.
fn spread(work: &Work<'_>, mut models: Vec<Model>) -> Vec<Model> {
    let scale = metric(work);
    let cost = |m: &Model| m.price.input_usd_per_mtok * 3.0 + m.price.output_usd_per_mtok;
    let quality = |m: &Model| {
        work.catalog
            .quality(&m.id, Mode::Direct, scale)
            .map_or(0.0, |q| q.value)
    };
    let beaten = |m: &Model, all: &[Model]| {
        all.iter()
            .filter(|o| cost(o) < cost(m) && quality(o) > quality(m))
            .count()
    };
    let mut keyed: Vec<(usize, Model)> = models
        .iter()
        .map(|m| (beaten(m, &models), m.clone()))
        .collect();
    keyed.sort_by(|a, b| {
        a.0.cmp(&b.0)
            .then_with(|| cost(&a.1).total_cmp(&cost(&b.1)))
    });
    keyed.truncate(MODELS_MAX);
    models = keyed.into_iter().map(|k| k.1).collect();
    models
}

fn explain(
    work: &mut Work<'_>,
    wishes: &[&str],
    floor: Option<&Value>,
    sizes: (usize, usize, usize),
    scale: Metric,
) -> Prose {
    let mut count = |label: &str, n: usize| {
        work.ledger
            .catalog(label, n as f64, "models", "counted in the catalog")
    };
    let total = count("models with a published index and speed", sizes.0);
    let fitting = count("models that meet every wish", sizes.1);
    let shown = count("models ranked", sizes.2);
    let first = say!(
        "Of {} models with a sure price, an {} and a speed without reasoning, {} meet {}; the {} least beaten on price and quality are ranked.",
        total.digits(4),
        scale.label(),
        fitting.digits(4),
        wishes.join(", "),
        shown.digits(4)
    );
    match floor {
        Some(floor) => first.and(say!("The least quality accepted is {}.", floor.digits(4))),
        None => first,
    }
}

/// Wishes that no figure of the catalog can answer.
fn unchecked(work: &mut Work<'_>) {
    let words = |name: &str| match name {
        "structured_output" => "structured output".to_owned(),
        "no_training" => "no training on your data".to_owned(),
        other => other.replace([':', '_'], " "),
    };
    let open: Vec<String> = work
        .said
        .constraints
        .iter()
        .map(|c| c.name.as_str())
        .filter(|n| {
            n.starts_with("region:")
                || n.starts_with("compliance:")
                || matches!(*n, "no_training" | "structured_output" | "tool_calling")
        })
        .map(words)
        .collect();
    if !open.is_empty() {
        let prose = say!(
            "The catalog says nothing about: {}. Check these with each provider on the shortlist before choosing; no model was excluded or preferred for them.",
            open.join(", ")
        );
        work.finding("warning", "Wishes to check yourself", prose);
    }
}
