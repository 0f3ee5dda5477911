//! How long things take.

use super::super::tails::{self, Lognormal};
use super::*;

#[test]
fn e07_who_finishes_in_three_seconds() {
    let catalog = Catalog::builtin();
    let mut passing = Vec::new();
    for (id, total, longest) in [
        ("gpt-4o", 2.816_034_599, 437.0),
        ("gpt-5.4-mini", 3.000_359_138, 399.0),
        ("claude-haiku-4.5", 5.381_459_726, 180.0),
        ("gemini-2.5-flash-lite", 2.197_203_428, 573.0),
        ("mistral-small-3.2", 3.396_556_592, 341.0),
        ("nova-micro", 2.450_394_387, 556.0),
    ] {
        let speed = catalog.speed(id, Mode::Direct).unwrap();
        let median = median_total(&catalog, id, 400.0);
        let fits = latency::longest_answer_tokens(3.0, 0.0, speed.ttft.p50, speed.tps.p50).unwrap();
        check("E07", &[(id, median, total)]);
        assert_eq!(fits, longest, "E07 {id} longest answer");
        if median <= 3.0 && speed.ttft.p50 <= 1.0 {
            passing.push(id);
        }
    }
    assert_eq!(passing, ["gpt-4o", "gemini-2.5-flash-lite"], "E07 passing");
}

#[test]
fn e08_eight_calls_at_once() {
    let call = Lognormal::through(0.8, 1.6).unwrap();
    let in_time = 1.0 - call.slower_than(1.6);
    let all = tails::all_in_time(in_time, 8).unwrap();
    let needed = tails::needed_single_percentile(0.95, 8).unwrap();
    assert!(
        (all - 0.663_420_431_3).abs() < 1e-6,
        "E08 all in time: {all}"
    );
    assert!(
        (needed - 0.993_608_849).abs() < 1e-6,
        "E08 needed: {needed}"
    );
    check(
        "E08",
        &[
            ("plain", call.percentile_s(0.95, 8).unwrap(), 2.284_295_456),
            (
                "hedged",
                call.hedged_percentile_s(0.95, 8, 1.6).unwrap(),
                2.191_980_9,
            ),
            ("extra requests", call.extra_load(1.6).unwrap() * 100.0, 5.0),
        ],
    );
}
