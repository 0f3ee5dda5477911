"""Agents that do not do what they are for, and the breaker before them."""

from __future__ import annotations

import asyncio

import cargo
from admin import Administrator
from client import Client, History, Visitor
from house import Arena
from registry import Beside, Context, fault

BREAKERS = "/api/v1/example-messages/circuit-breaker"
THRESHOLD = 5
SETTINGS = {"EMFLOW_ADMIN__PASSWORD": "a password for the judge of faults", "EMFLOW_PRESENTER__ALLOW_FAULTS": "true",
            "EMFLOW_BREAKER__RECOVERY_TIMEOUT": "300ms", "EMFLOW_BREAKER__FAILURE_THRESHOLD": str(THRESHOLD),
            "EMFLOW_BREAKER__HALF_OPEN_PROBES": "2", "EMFLOW_BREAKER__SUCCESS_THRESHOLD": "2"}
# From one state to the next, and for which reasons.
LEGAL = {("closed", "open"): {"failures"}, ("open", "half_open"): {"recovery_timeout"},
         ("half_open", "open"): {"probe_failed", "probe_overdue"}, ("half_open", "closed"): {"probes_succeeded"}}


@fault("F20", "agents that hang, fail, panic, drip, say 10 MB or never let go", 8, 200,
       "one end each, by the fallback where there is one; others answered; every place free again")
async def bad_agents(context: Context):
    """The scripted backends of the supervisor's own test; over the network, the switch of the presenter."""
    name = "supervisor::tests::agents_that_misbehave_harm_nobody_else"
    try:
        await cargo.tests(context, "--lib", [name], context.trials, 1, TRIALS=str(context.trials))
    except Beside:
        context.done = context.trials
    async with Arena(context, visitors=4, **SETTINGS) as arena:
        admin = Administrator(context, arena)
        await admin.call("POST", "/api/v1/presenter/fail", {"failing": True})
        visitor = await Visitor.create(arena.server.target)
        client = await Client.connect(arena.server.target, visitor, history=History())
        for number in range(THRESHOLD + 3):
            end = (await client.ending(await client.accepted())).payload
            reason = end.get("fallback_reason") or ""
            context.must(reason.startswith(("agent_failed", "breaker_open")), f"message {number} of a failing agent: {end}")
            context.count("answered by the fallback")
        client.cut()


@fault("F21", "a breaker that flaps: the agent fails and works in turns of its recovery time", 2, 50,
       "legal changes only, each from the state before; every message answered once")
async def flapping(context: Context):
    # How many are let through at once is counted against a naive reference, over thousands of seeds.
    try:
        await cargo.tests(context, "--lib", ["machine::breaker::tests::agrees_with_a_naive_reference"], 0, 1)
    except Beside:
        pass
    async with Arena(context, visitors=6, **SETTINGS) as arena:
        admin = Administrator(context, arena)
        seen: list[tuple[str, str, str, str]] = []
        while context.done < context.trials:
            for failing in (True, False):
                await admin.call("POST", "/api/v1/presenter/fail", {"failing": failing})
                for _ in range(6):
                    await asyncio.sleep(0.1)
                    judge(context, (await admin.call("GET", BREAKERS))["items"], seen)
            context.done += 1
        await admin.call("POST", "/api/v1/presenter/fail", {"failing": False})
        context.figures["changes of state"] = len(seen)
        context.must(any(to == "half_open" for _, _, to, _ in seen), "it was never half-open: the run says nothing")


def judge(context: Context, items: list[dict], seen: list):
    """Each change follows from the one before, for a reason that leads there."""
    one = next(item for item in items if item["role"] == "primary")
    history = [(c["at"], c["from"], c["to"], c["cause"]) for c in reversed(one["history"])]
    for before, after in zip(history, history[1:]):
        context.must(before[2] == after[1], f"{before} is followed by {after}")
    for change in history:
        if change not in seen:
            seen.append(change)
            context.must(change[3] in LEGAL.get(change[1:3], ()), f"no legal change: {change}")
