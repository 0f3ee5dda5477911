//! The model-selection agent: which models fit, which are dominated, and what two
//! rankings with the same weights say.

mod filter;
mod rank;
mod report;

use super::work::{Step, Work, step};
use crate::id::Complexity::{Basic, Intermediate};

pub(super) use filter::filter as choose;
pub(super) use rank::pareto_rank;

/// The agent's name.
pub(super) const NAME: &str = "Model Selection Agent";

/// Which calculator runs when.
pub(super) const PLAN: &[Step] = &[
    step("filter_models", Basic, |_| true, filter::filter),
    step("pareto_rank", Basic, |_| true, pareto_rank),
    step("cascade", Intermediate, report::two_models, report::cascade),
    step(
        "roadmap",
        Basic,
        |_| true,
        super::advanced::roadmap::roadmap,
    ),
    step("sensitivity", Basic, |_| true, report::questions),
];

/// Writes what the results mean.
pub(super) fn explain(work: &mut Work<'_>) {
    report::explain(work);
}
