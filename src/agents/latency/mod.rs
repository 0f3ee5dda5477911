//! The latency agent: how long answers take, which model is fast enough, what
//! streaming, parallel calls and hedging change.

mod candidates;
mod fanout;
mod report;
mod steps;
mod targets;

use super::understand::Kind;
use super::work::{Step, Work, step};
use crate::id::Complexity::{Basic, Intermediate};

pub(super) use candidates::{Timing, timing};
pub(super) use targets::{Target, targets};

/// The agent's name.
pub(super) const NAME: &str = "Latency Optimization Agent";

/// Which calculator runs when.
pub(super) const PLAN: &[Step] = &[
    step("latency_gap", Basic, steps::states_current, steps::gap),
    step(
        "latency_budget",
        Basic,
        asks_for_models,
        candidates::compare,
    ),
    step(
        "streaming",
        Basic,
        |w| !fanned(w) && !steps::loops(w),
        steps::streaming,
    ),
    step("fanout_hedge", Basic, fanned, fanout::fan_out),
    step("amdahl", Basic, steps::has_steps, steps::parallel),
    step("agent_loop", Basic, steps::loops, steps::agent_loop),
    step(
        "longest_answer",
        Intermediate,
        asks_for_models,
        candidates::longest,
    ),
    step(
        "roadmap",
        Basic,
        |_| true,
        super::advanced::roadmap::roadmap,
    ),
    step("sensitivity", Basic, |_| true, report::questions),
];

/// Calls in parallel, of which the slowest counts. An agent's loop is another case.
pub(super) fn fanned(work: &Work<'_>) -> bool {
    work.said.first(Kind::Fanout).is_some() && work.said.first(Kind::CallsPerRequest).is_none()
}

/// A comparison of models makes sense unless the message is about calls or steps alone.
fn asks_for_models(work: &Work<'_>) -> bool {
    let named = !work.said.models.is_empty();
    let about_calls =
        fanned(work) || steps::has_steps(work) || work.said.first(Kind::Tps).is_some();
    named && !fanned(work) || !about_calls
}

/// Writes what the results mean.
pub(super) fn explain(work: &mut Work<'_>) {
    report::explain(work);
}
