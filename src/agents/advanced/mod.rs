//! The advanced agent: several objectives at once, what they cost each other, what is
//! uncertain, and in which order to act.

mod feasible;
mod own_gpus;
mod report;
mod risk;
pub(super) mod roadmap;

use super::understand::Kind;
use super::work::{Step, Work, step};
use super::{cost, scaling, selection};
use crate::id::Complexity::Basic;

/// The agent's name.
pub(super) const NAME: &str = "Advanced Optimization Agent";

/// Which calculator runs when.
pub(super) const PLAN: &[Step] = &[
    step(
        "workloads",
        Basic,
        cost::workloads::several,
        cost::workloads::price,
    ),
    step(
        "cost_per_month",
        Basic,
        |w| !cost::invest_only(w) && single(w),
        cost::baseline,
    ),
    step(
        "reconcile_spend",
        Basic,
        cost::states_spend,
        cost::reconcile,
    ),
    step(
        "growth",
        Basic,
        scaling::states_growth,
        scaling::spend_growth,
    ),
    step(
        "latency_budget",
        Basic,
        |w| single(w) && feasible::called_for(w),
        feasible::feasible,
    ),
    step(
        "self_hosting",
        Basic,
        own_gpus::called_for,
        own_gpus::compare,
    ),
    step("budget_risk", Basic, risk::states_range, risk::budget),
    step("filter_models", Basic, ranks, feasible::candidates),
    step("pareto_rank", Basic, ranks, selection::pareto_rank),
    step(
        "return_on_investment",
        Basic,
        cost::states_investment,
        cost::investment,
    ),
    step(
        "tornado",
        Basic,
        |w| single(w) && risk::sensitive(w),
        risk::tornado,
    ),
    step("roadmap", Basic, |_| true, roadmap::roadmap),
    step(
        "sensitivity",
        Basic,
        |w| !cost::invest_only(w),
        report::questions,
    ),
];

/// One workload, or none that is told apart.
fn single(work: &Work<'_>) -> bool {
    !cost::workloads::several(work)
}

/// Models are to be ranked unless the message is about money or own machines alone.
pub(super) fn ranks(work: &Work<'_>) -> bool {
    let said = &work.said;
    let stated = said.first(Kind::Weight).is_some()
        || said
            .constraints
            .iter()
            .any(|c| c.name.starts_with("objective:"))
        || said.first(Kind::TokensIn).is_some()
        || said.first(Kind::Requests).is_some()
        || !said.models.is_empty();
    stated && single(work) && !own_gpus::called_for(work) && !cost::invest_only(work)
}

/// Writes what the results mean.
pub(super) fn explain(work: &mut Work<'_>) {
    report::explain(work);
}
