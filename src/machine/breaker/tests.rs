mod told;

use super::*;
use crate::machine::dice::{Dice, seeds};

const SECOND: Duration = Duration::from_secs(1);

/// Plays a script and compares the state after each step.
///
/// `ok`, `bad`, `gone`: admit and settle at once; `in`: admit and keep; `no`: refused;
/// `ok<`, `bad<`, `gone<`: settle the oldest kept pass; `+n`: n seconds later; `reset`, `trip`, `tick`.
fn check(name: &str, policy: Policy, script: &[(&str, State)]) -> Breaker {
    let mut breaker = Breaker::new(policy);
    let mut now = Instant::now();
    let mut kept = VecDeque::new();
    for (step, (word, state)) in script.iter().enumerate() {
        let at = format!("{name}, step {step} `{word}`");
        let outcome = |word: &str| match word.trim_end_matches('<') {
            "ok" => Outcome::Success,
            "bad" => Outcome::Failure,
            "gone" => Outcome::Abandoned,
            other => panic!("{at}: no such word as {other}"),
        };
        match *word {
            "in" => kept.push_back(breaker.admit(now).unwrap_or_else(|e| panic!("{at}: {e}"))),
            "no" => assert!(breaker.admit(now).is_err(), "{at}: admitted"),
            "reset" => breaker.reset(now),
            "trip" => breaker.trip(now),
            "tick" => breaker.handle_timeout(now),
            later if later.starts_with('+') => now += SECOND * later[1..].parse().unwrap(),
            old if old.ends_with('<') => {
                let pass = kept.pop_front().unwrap();
                breaker.settle(pass, outcome(old), now);
            }
            call => {
                let pass = breaker.admit(now).unwrap_or_else(|e| panic!("{at}: {e}"));
                breaker.settle(pass, outcome(call), now);
            }
        }
        assert_eq!(breaker.state(now), *state, "{at}");
    }
    breaker
}

use State::{Closed, HalfOpen, Open};

#[test]
fn opens_after_failures_in_a_row_only() {
    // req: B1
    let mut script = vec![("bad", Closed); 4];
    script.extend([("ok", Closed), ("gone", Closed)]);
    script.extend([("bad", Closed); 2]);
    script.push(("gone", Closed));
    script.extend([("bad", Closed); 2]);
    script.extend([("bad", Open), ("no", Open), ("+29", Open), ("no", Open)]);
    let breaker = check("in a row", Policy::default(), &script);
    let counts = breaker.statistics();
    assert_eq!((counts.successes, counts.failures), (1, 9));
    assert_eq!((counts.abandoned, counts.refused), (2, 2));
    assert_eq!(counts.last_transition().unwrap().cause, Cause::Failures);
}

#[test]
fn finds_its_way_back_through_probes() {
    // req: B1
    let broken = [("bad", Closed), ("bad", Open), ("+30", HalfOpen)];
    let policy = Policy {
        failure_threshold: 2,
        ..Policy::default()
    };
    let run = |name, rest: &[(&'static str, State)]| {
        let script: Vec<_> = broken.iter().chain(rest).copied().collect();
        check(name, policy, &script)
    };
    run("two successes close", &[("ok", HalfOpen), ("ok", Closed)]);
    run(
        "one probe at once",
        &[
            ("in", HalfOpen),
            ("no", HalfOpen),
            ("ok<", HalfOpen),
            ("ok", Closed),
        ],
    );
    run(
        "a failed probe opens",
        &[
            ("ok", HalfOpen),
            ("bad", Open),
            ("no", Open),
            ("+30", HalfOpen),
        ],
    );
    run(
        "an abandoned probe frees its place",
        &[
            ("in", HalfOpen),
            ("gone<", HalfOpen),
            ("ok", HalfOpen),
            ("ok", Closed),
        ],
    );
    run(
        "failures before do not count after",
        &[
            ("ok", HalfOpen),
            ("ok", Closed),
            ("bad", Closed),
            ("bad", Open),
        ],
    );
    let lost = run(
        "a lost probe is a failed one",
        &[
            ("in", HalfOpen),
            ("+119", HalfOpen),
            ("+1", Open),
            ("no", Open),
            ("+30", HalfOpen),
            ("in", HalfOpen),
        ],
    );
    let causes: Vec<_> = lost.statistics().history.iter().map(|t| t.cause).collect();
    assert_eq!(
        causes,
        [
            Cause::Failures,
            Cause::RecoveryTimeout,
            Cause::ProbeOverdue,
            Cause::RecoveryTimeout
        ]
    );
}

#[test]
fn a_pass_counts_only_in_its_generation() {
    let policy = Policy {
        failure_threshold: 2,
        successes_to_close: 1,
        ..Policy::default()
    };
    let late = |name, script: &[(&str, State)]| check(name, policy, script).statistics().late;
    let opened = [
        ("in", Closed),
        ("in", Closed),
        ("bad", Closed),
        ("bad", Open),
    ];
    let run = |name, rest: &[(&'static str, State)]| {
        let script: Vec<_> = opened.iter().chain(rest).copied().collect();
        late(name, &script)
    };
    assert_eq!(run("late while open", &[("ok<", Open), ("bad<", Open)]), 2);
    assert_eq!(
        run(
            "late while half open",
            &[("+30", HalfOpen), ("bad<", HalfOpen), ("ok<", HalfOpen)]
        ),
        2
    );
    assert_eq!(
        run(
            "late while closed again",
            &[
                ("+30", HalfOpen),
                ("ok", Closed),
                ("bad<", Closed),
                ("bad<", Closed),
                ("bad", Closed)
            ]
        ),
        2
    );
    assert_eq!(
        run(
            "late after a reset",
            &[
                ("reset", Closed),
                ("bad<", Closed),
                ("bad<", Closed),
                ("bad", Closed)
            ]
        ),
        2
    );
    let reset_while_closed = [
        ("in", Closed),
        ("bad", Closed),
        ("reset", Closed),
        ("bad<", Closed),
        ("bad", Closed),
        ("bad", Open),
    ];
    assert_eq!(
        late("a reset while closed forgets too", &reset_while_closed),
        1
    );
}

#[test]
fn obeys_the_operator() {
    // req: B2
    let breaker = check(
        "by hand",
        Policy::default(),
        &[
            ("trip", Open),
            ("+29", Open),
            ("trip", Open),
            ("+29", Open),
            ("+1", HalfOpen),
            ("in", HalfOpen),
            ("trip", Open),
            ("reset", Closed),
            ("bad<", Closed),
        ],
    );
    let moves: Vec<_> = breaker
        .statistics()
        .history
        .iter()
        .map(|t| (t.from, t.to, t.cause))
        .collect();
    assert_eq!(
        moves,
        [
            (Closed, Open, Cause::Tripped),
            (Open, HalfOpen, Cause::RecoveryTimeout),
            (HalfOpen, Open, Cause::Tripped),
            (Open, Closed, Cause::Reset)
        ]
    );
    assert_eq!(breaker.statistics().opened_at, None);
}

#[test]
fn says_how_long_to_wait_and_since_when_it_is_open() {
    let (mut breaker, start) = (Breaker::new(Policy::default()), Instant::now());
    breaker.trip(start);
    let refusal = breaker.admit(start + SECOND * 12).unwrap_err();
    assert_eq!(refusal.retry_after, SECOND * 18);
    assert_eq!(breaker.poll_timeout(), Some(start + SECOND * 30));
    breaker.handle_timeout(start + SECOND * 30);
    let probe = breaker.admit(start + SECOND * 31).unwrap();
    breaker.settle(probe, Outcome::Failure, start + SECOND * 32);
    assert_eq!(
        breaker.statistics().opened_at,
        Some(start),
        "flapping does not restart it"
    );
    let reported: Vec<_> = std::iter::from_fn(|| breaker.poll_output())
        .map(|t| t.to)
        .collect();
    assert_eq!(reported, [Open, HalfOpen, Open]);
}

#[test]
fn remembers_a_bounded_history() {
    // req: B2
    let (mut breaker, now) = (Breaker::new(Policy::default()), Instant::now());
    for _ in 0..100 {
        breaker.trip(now);
        breaker.reset(now);
    }
    let counts = breaker.statistics();
    assert_eq!((counts.history.len(), counts.transitions), (HISTORY, 200));
    assert_eq!(
        std::iter::from_fn(|| breaker.poll_output()).count(),
        HISTORY
    );
}

#[test]
fn takes_extreme_policies() {
    let zero = Policy {
        failure_threshold: 0,
        recovery_timeout: Duration::ZERO,
        max_probes: 0,
        successes_to_close: 0,
        probe_timeout: SECOND,
    };
    check("zeros", zero, &[("bad", HalfOpen), ("ok", Closed)]);
    let endless = Policy {
        recovery_timeout: Duration::MAX,
        probe_timeout: Duration::MAX,
        ..Policy::default()
    };
    check(
        "endless",
        endless,
        &[
            ("trip", Open),
            ("+3600", Open),
            ("no", Open),
            ("reset", Closed),
        ],
    );
}

/// The naive reference: keeps every fact and finds the state by reading all of them again.
#[derive(Clone, Copy)]
enum Fact {
    Admitted(usize),
    Settled(usize, Outcome),
    Refused,
    Reset,
    Trip,
}

struct Reference {
    policy: Policy,
    facts: Vec<(u64, Fact)>,
}

struct Reading {
    state: State,
    /// Calls admitted since the last change and not settled.
    in_flight: Vec<(usize, u64)>,
}

impl Reference {
    fn read(&self, now: u64) -> Reading {
        let seconds = |d: Duration| d.as_secs();
        let (mut state, mut since) = (Closed, 0);
        let (mut in_flight, mut run) = (Vec::<(usize, u64)>::new(), 0);
        let end = (now, None);
        let facts = self.facts.iter().map(|(at, f)| (*at, Some(*f)));
        for (at, fact) in facts.chain([end]) {
            let before = (state, since);
            // The clock is read only at facts, as the machine reads it only when called.
            let oldest = in_flight.iter().map(|(_, at)| *at).min();
            if state == Open && at >= since + seconds(self.policy.recovery_timeout) {
                (state, since) = (HalfOpen, at);
            } else if state == HalfOpen
                && oldest.is_some_and(|n| at >= n + seconds(self.policy.probe_timeout))
            {
                (state, since) = (Open, at);
            }
            if before != (state, since) {
                (in_flight, run) = (Vec::new(), 0);
            }
            let before = state;
            let mut restart = false;
            match fact {
                None | Some(Fact::Refused) => {}
                Some(Fact::Admitted(call)) => in_flight.push((call, at)),
                Some(Fact::Settled(call, outcome)) => {
                    let Some(place) = in_flight.iter().position(|(c, _)| *c == call) else {
                        continue;
                    };
                    in_flight.remove(place);
                    match (state, outcome) {
                        (_, Outcome::Abandoned) => {}
                        (Closed, Outcome::Success) => run = 0,
                        (Closed, Outcome::Failure) => run += 1,
                        (_, Outcome::Success) => run += 1,
                        (_, Outcome::Failure) => state = Open,
                    }
                    if state == Closed && run == self.policy.failure_threshold {
                        state = Open;
                    } else if state == HalfOpen && run == self.policy.successes_to_close {
                        state = Closed;
                    }
                }
                Some(Fact::Reset) => (state, restart) = (Closed, true),
                Some(Fact::Trip) => (state, restart) = (Open, true),
            }
            if state != before || restart {
                (since, in_flight, run) = (at, Vec::new(), 0);
            }
        }
        Reading { state, in_flight }
    }
}

fn legal(t: &Transition) -> bool {
    use Cause::*;
    match (t.from, t.to) {
        (Closed, Open) => matches!(t.cause, Failures | Tripped),
        (Open, HalfOpen) => t.cause == RecoveryTimeout,
        (HalfOpen, Open) => matches!(t.cause, ProbeFailed | ProbeOverdue | Tripped),
        (HalfOpen, Closed) => matches!(t.cause, ProbesSucceeded | Reset),
        (Open, Closed) => t.cause == Reset,
        _ => false,
    }
}

/// One seed: random calls against the machine and the reference, agreeing after each.
fn model(seed: u64) {
    let mut dice = Dice::new(seed);
    let policy = Policy {
        failure_threshold: 1 + dice.below(4) as u32,
        recovery_timeout: SECOND * (1 + dice.below(6) as u32),
        max_probes: 1 + dice.below(3) as u32,
        successes_to_close: 1 + dice.below(3) as u32,
        probe_timeout: SECOND * (1 + dice.below(8) as u32),
    };
    let start = Instant::now();
    let (mut breaker, mut now) = (Breaker::new(policy), 0u64);
    let mut reference = Reference {
        policy,
        facts: Vec::new(),
    };
    let mut passes: Vec<(usize, Pass)> = Vec::new();
    let (mut calls, mut settled, mut last) = (0, 0u64, Closed);
    for step in 0..80 {
        now += dice.below(10) / 7;
        let at = start + SECOND * now as u32;
        let before = reference.read(now);
        match dice.below(20) {
            0..8 => {
                let full = before.in_flight.len() >= policy.max_probes as usize;
                let expected = before.state == Closed || before.state == HalfOpen && !full;
                let admitted = breaker.admit(at);
                assert_eq!(admitted.is_ok(), expected, "step {step}");
                if let Ok(pass) = admitted {
                    reference.facts.push((now, Fact::Admitted(calls)));
                    passes.push((calls, pass));
                    calls += 1;
                } else {
                    reference.facts.push((now, Fact::Refused));
                }
            }
            8..18 if !passes.is_empty() => {
                let (call, pass) = passes.swap_remove(dice.below(passes.len() as u64) as usize);
                let outcome = [Outcome::Success, Outcome::Failure, Outcome::Abandoned]
                    [dice.below(3) as usize];
                breaker.settle(pass, outcome, at);
                settled += 1;
                reference.facts.push((now, Fact::Settled(call, outcome)));
            }
            18 if dice.below(3) == 0 => {
                breaker.reset(at);
                reference.facts.push((now, Fact::Reset));
            }
            19 if dice.below(3) == 0 => {
                breaker.trip(at);
                reference.facts.push((now, Fact::Trip));
            }
            _ => {
                now = now.max(
                    breaker
                        .poll_timeout()
                        .map_or(0, |due| (due - start).as_secs()),
                );
                continue;
            }
        }
        let after = reference.read(now);
        assert_eq!(breaker.state(at), after.state, "step {step}");
        if after.state == HalfOpen {
            assert!(
                after.in_flight.len() <= policy.max_probes as usize,
                "step {step}"
            );
        }
        let counts = breaker.statistics();
        assert_eq!(
            counts.successes + counts.failures + counts.abandoned,
            settled
        );
        assert_eq!(counts.admitted, settled + counts.unsettled);
        assert_eq!(counts.unsettled, passes.len() as u64);
        assert_eq!(
            counts.opened_at.is_some(),
            counts.history.back().is_some_and(|t| t.to != Closed)
        );
        while let Some(transition) = breaker.poll_output() {
            assert!(legal(&transition), "step {step}: {transition:?}");
            assert_eq!(transition.from, last, "step {step}: a gap in the chain");
            last = transition.to;
        }
    }
}

#[test]
fn agrees_with_a_naive_reference() {
    seeds(5_000, model);
}
