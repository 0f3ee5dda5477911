//! The cost agent: what is paid, whether that adds up, and which levers are worth what.

mod alternatives;
mod invest;
mod levers;
mod reconcile;
mod report;

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
    step("cost_per_month", Basic, |_| true, baseline),
    step("reconcile_spend", Basic, states_spend, reconcile),
    step(
        "semantic_cache",
        Basic,
        levers::repeats,
        levers::semantic_cache,
    ),
    step(
        "prompt_compression",
        Basic,
        levers::compressible,
        levers::compression,
    ),
    step(
        "output_cap",
        Basic,
        levers::long_answers,
        levers::output_cap,
    ),
    step("routing", Basic, levers::easy_share, levers::routing),
    step("cascade", Basic, levers::easy_share, levers::cascade),
    step(
        "caching_saving",
        Basic,
        levers::stable_prefix,
        levers::prompt_caching,
    ),
    step("batch_saving", Basic, levers::patient, levers::batch),
    step("stack_levers", Basic, |_| true, levers::stacked),
    step("compare_models", Basic, |w| !invest_only(w), compare_models),
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
    step("sensitivity", Basic, |w| !invest_only(w), report::questions),
];

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
