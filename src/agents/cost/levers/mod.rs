//! The levers on a bill. Each is computed alone and, in a fixed order, on top of those
//! before it: the marginal saving. The total is less than the sum of the single savings.

mod batch;
mod caching;
mod calls;
mod models;
mod stack;
mod tokens;

use crate::agents::answer::{Chart, Point, Series, Table};
use crate::agents::catalog::CacheMechanism;
use crate::agents::facts::PRICE_PAGES;
use crate::agents::ledger::{Prose, Value, say};
use crate::agents::understand::{Kind, ModelRole, Quantity};
use crate::agents::work::{Advice, Work, column, impact, words};
pub(super) use batch::*;
pub(super) use caching::*;
pub(super) use calls::*;
pub(super) use models::*;
pub(super) use stack::*;
pub(super) use tokens::*;

/// The traffic as the levers before left it.
#[derive(Debug, Clone)]
struct Traffic {
    n: Value,
    t_in: Value,
    t_out: Value,
    p_in: Value,
    p_out: Value,
    /// Cost of a month.
    cost: Value,
}

/// What a lever does to the traffic.
struct Effect {
    saving: Value,
    after: Traffic,
    why: Prose,
}

/// A lever that was pulled.
#[derive(Debug, Clone)]
pub(in crate::agents) struct Lever {
    pub(in crate::agents) name: &'static str,
    /// Saving a month alone, from the current cost.
    alone: Value,
    /// Saving a month on top of the levers before.
    pub(in crate::agents) marginal: Value,
    before: Value,
    after: Value,
}

/// The constant part of a lever.
struct Kindred {
    name: &'static str,
    title: &'static str,
    effort: &'static str,
    confidence: &'static str,
    apply: fn(&mut Work<'_>, &Traffic) -> Option<Effect>,
}

fn start(work: &mut Work<'_>) -> Option<Traffic> {
    let model = work.model.clone()?;
    let (t_in, t_out) = (work.tokens_in(), work.tokens_out());
    let prices = work.prices(&model, t_in.value, true)?;
    Some(Traffic {
        n: work.requests_or_default(),
        t_in,
        t_out,
        p_in: prices.input,
        p_out: prices.output,
        cost: work.kept("baseline")?,
    })
}

fn now(work: &mut Work<'_>) -> Option<Traffic> {
    let start = start(work)?;
    let get = |key: &str, default: Value| work.kept(key).unwrap_or(default);
    Some(Traffic {
        n: get("stack.n", start.n),
        t_in: get("stack.t_in", start.t_in),
        t_out: get("stack.t_out", start.t_out),
        p_in: get("stack.p_in", start.p_in),
        p_out: get("stack.p_out", start.p_out),
        cost: get("stack.cost", start.cost),
    })
}

/// Pulls a lever: alone for comparison, then on top of the others.
fn pull(work: &mut Work<'_>, lever: &Kindred) -> Option<Prose> {
    let from = start(work)?;
    let current = now(work)?;
    let effect = (lever.apply)(work, &current)?;
    let alone = if work.levers.is_empty() {
        effect.saving.clone()
    } else {
        (lever.apply)(work, &from)?.saving
    };
    let inputs = [("before", &current.cost), ("saving", &effect.saving)];
    let label = format!("cost a month after: {}", lever.name);
    let after = work.ledger.derive(
        &label,
        "before - saving",
        "stacked in a fixed order",
        &inputs,
        "USD/month",
    );
    let Traffic {
        n,
        t_in,
        t_out,
        p_in,
        p_out,
        ..
    } = &effect.after;
    for (key, value) in [
        ("stack.n", n),
        ("stack.t_in", t_in),
        ("stack.t_out", t_out),
        ("stack.p_in", p_in),
        ("stack.p_out", p_out),
        ("stack.cost", &after),
    ] {
        work.keep(key, value);
    }
    work.levers.push(Lever {
        name: lever.name,
        alone,
        marginal: effect.saving.clone(),
        before: current.cost.clone(),
        after: after.clone(),
    });
    let told = say!(
        "{}: {} a month becomes {}, {} saved.",
        lever.name,
        current.cost.money(),
        after.money(),
        effect.saving.money()
    );
    if effect.saving.value > 0.0 {
        let advice = Advice::new(
            effect.why,
            lever.effort,
            impact(effect.saving.value, from.cost.value),
            lever.confidence,
        );
        let gain = effect.saving.figure(effect.saving.money().then(" a month"));
        work.recommend(lever.title, advice, &effect.saving, Some(gain));
    } else {
        work.finding("warning", "A lever that does not pay", effect.why);
    }
    Some(told)
}
