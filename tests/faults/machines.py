"""The machines without a process around them: the simulator, by the crate's own test."""

from __future__ import annotations

import cargo
from registry import Context, fault


@fault("S1", "simulated lives of the whole appliance, each from a seed", 2_000, 1_000_000,
       "0 broken promises; a failing seed is printed and replayable")
async def simulator(context: Context):
    # Optimised: a million lives are hours otherwise.
    await cargo.tests(context, "--release --lib", ["machine::sim::the_promises_hold_in_every_seed"],
                      context.trials, 1, SIM_SEEDS=str(context.trials))
