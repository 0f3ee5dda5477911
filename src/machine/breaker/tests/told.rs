//! What is told of a breaker.

use super::*;

#[test]
fn the_words_are_those_of_the_protocol() {
    use Cause::*;
    let states = [Closed, Open, HalfOpen].map(State::as_str);
    assert_eq!(states, ["closed", "open", "half_open"]);
    let causes = [Failures, RecoveryTimeout, ProbeFailed, ProbeOverdue];
    let told = causes.map(Cause::as_str);
    assert_eq!(
        told,
        [
            "failures",
            "recovery_timeout",
            "probe_failed",
            "probe_overdue"
        ]
    );
    let told = [ProbesSucceeded, Reset, Tripped].map(Cause::as_str);
    assert_eq!(told, ["probes_succeeded", "reset", "tripped"]);
}

#[test]
fn failures_in_a_row_are_told_while_it_is_closed() {
    let check = |script: &[(&str, State)], told: u32| {
        let breaker = check("in a row", Policy::default(), script);
        assert_eq!(breaker.statistics().consecutive_failures, told);
    };
    let bad = ("bad", Closed);
    check(&[], 0);
    check(&[bad, bad, bad], 3);
    check(&[bad, bad, ("ok", Closed), bad], 1);
    check(&[bad, bad, bad, bad, ("bad", Open)], 0);
}
