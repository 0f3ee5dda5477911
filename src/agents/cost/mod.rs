//! The cost agent: what is paid, whether that adds up, and which levers are worth what.

mod alternatives;
pub(super) mod invest;
mod levers;
pub(super) mod reconcile;
mod report;
mod volumes;
pub(super) mod workloads;

use super::understand::Kind;
use super::work::{Step, Work, step};
use crate::id::Complexity::{Basic, Intermediate};

pub(super) use alternatives::{Option_, compare_models, options};
pub(super) use invest::{investment, states_investment};
pub(super) use levers::Lever;
pub(super) use reconcile::{baseline, reconcile, spend_per_month, states_spend};

/// The agent's name.
pub(super) const NAME: &str = "Cost Optimization Agent";

/// Which calculator runs when, in the order in which levers stack: avoid calls, send
/// fewer tokens, use a cheaper model, read from the cache, let work wait.
pub(super) const PLAN: &[Step] = &[
    step("workloads", Basic, workloads::several, workloads::price),
    step("cost_per_month", Basic, single, baseline),
    step("reconcile_spend", Basic, states_spend, reconcile),
    step(
        "semantic_cache",
        Basic,
        |w| single(w) && levers::repeats(w),
        levers::semantic_cache,
    ),
    step(
        "prompt_compression",
        Basic,
        |w| single(w) && levers::compressible(w),
        levers::compression,
    ),
    step(
        "output_cap",
        Basic,
        |w| single(w) && levers::long_answers(w),
        levers::output_cap,
    ),
    step(
        "routing",
        Basic,
        |w| single(w) && levers::easy_share(w),
        levers::routing,
    ),
    step(
        "cascade",
        Basic,
        |w| single(w) && levers::easy_share(w),
        levers::cascade,
    ),
    step(
        "caching_saving",
        Basic,
        |w| single(w) && levers::stable_prefix(w),
        levers::prompt_caching,
    ),
    step(
        "batch_saving",
        Basic,
        |w| single(w) && levers::patient(w),
        levers::batch,
    ),
    step("stack_levers", Basic, |_| true, levers::stacked),
    step("compare_models", Basic, comparable, compare_models),
    step(
        "compare_tokens",
        Basic,
        volumes::states_tokens,
        volumes::compare,
    ),
    step("return_on_investment", Basic, states_investment, investment),
    step(
        "growth",
        Basic,
        super::scaling::states_growth,
        super::scaling::spend_growth,
    ),
    step(
        "published_savings",
        Intermediate,
        |w| !invest_only(w),
        levers::published,
    ),
    step(
        "roadmap",
        Basic,
        |_| true,
        super::advanced::roadmap::roadmap,
    ),
    step("sensitivity", Basic, |w| !invest_only(w), report::questions),
];

/// One workload, or none that is told apart.
fn single(work: &Work<'_>) -> bool {
    !workloads::several(work)
}

/// Something about models or requests is known, so that other models can be priced.
fn comparable(work: &Work<'_>) -> bool {
    let said = &work.said;
    let stated = !said.models.is_empty()
        || said.requests().is_some()
        || said.tokens_in().is_some()
        || said.first(Kind::Users).is_some();
    stated && single(work) && !volumes::states_tokens(work) && !invest_only(work)
}

/// A message about an investment alone, without a model or tokens.
pub(super) fn invest_only(work: &Work<'_>) -> bool {
    let silent = |kind| work.said.first(kind).is_none();
    states_investment(work)
        && work.model.is_none()
        && silent(Kind::Requests)
        && silent(Kind::TokensIn)
}

/// Writes what the results mean.
pub(super) fn explain(work: &mut Work<'_>) {
    report::explain(work);
}
