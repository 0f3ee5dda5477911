use super::*;
use crate::meter::Recorder;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The count and P50 (ms) of each span at `second`, after recording `(second, ms)`.
fn check(values: &[(u64, u64)], second: u64, expected: [Option<(u64, u64)>; 3]) {
    let start = crate::clock::now();
    let (recorder, mut windows) = (Recorder::default(), Windows::new(start));
    for now in 0..=second {
        for (_, ms) in values.iter().filter(|(at, _)| *at == now) {
            recorder.record(ms * 1000);
        }
        windows.on_counts(Timing::Http, recorder.counts(), start + secs(now));
    }
    let found = Span::ALL.map(|(_, span)| {
        let found = windows.percentiles(Timing::Http, span, start + secs(second));
        found.map(|p| (p.count, (p.p50 as f64 / 1000.0).round() as u64))
    });
    // Right to 3 %, rounded down here to whole milliseconds of at most 32.
    assert_eq!(found, expected, "at {second} s");
}

#[test]
fn values_leave_the_windows_one_after_the_other() {
    // req: M2
    let values = [(5, 10), (100, 20)];
    check(&values, 5, [Some((1, 10)); 3]);
    check(&values, 69, [Some((1, 10)); 3]);
    check(&values, 70, [None, Some((1, 10)), Some((1, 10))]);
    let both = Some((2, 10));
    check(&values, 100, [Some((1, 20)), both, both]);
    check(&values, 309, [None, both, both]);
    check(&values, 310, [None, Some((1, 20)), both]);
    check(&values, 3_899, [None, None, both]);
    check(&values, 3_900, [None, None, None]);
}

#[test]
fn percentiles_are_those_of_a_sorted_list() {
    let start = crate::clock::now();
    let (recorder, mut windows) = (Recorder::default(), Windows::new(start));
    for ms in 1..=1000u64 {
        recorder.record(ms * 1000);
    }
    windows.on_counts(Timing::Commit, recorder.counts(), start + secs(1));
    let found = windows.percentiles(Timing::Commit, Span::Minute, start + secs(1));
    let found = found.unwrap();
    for (value, exact) in [
        (found.p50, 500_000),
        (found.p95, 950_000),
        (found.p99, 990_000),
    ] {
        let error = (value as f64 - f64::from(exact)).abs() / f64::from(exact);
        assert!(error < 0.05, "{value} for {exact}");
    }
    assert_eq!(found.count, 1000);
    assert!(
        windows
            .percentiles(Timing::Queue, Span::Minute, start)
            .is_none()
    );
}

#[test]
fn rates_are_of_ten_seconds_and_shares_of_five_minutes() {
    let start = crate::clock::now();
    let mut windows = Windows::new(start);
    assert_eq!(windows.rate(|t| t.sent), None, "nothing was counted yet");
    for half in 0..=800u64 {
        // Half of them in between.
        let second = half.div_ceil(2);
        let totals = Totals {
            sent: second * 7,
            ended: BTreeMap::from([(Category::Scaling, (second, second.saturating_sub(390)))]),
            ..Totals::default()
        };
        windows.on_totals(totals, start + Duration::from_millis(500 * half));
    }
    assert!(windows.totals.len() <= TOTALS_KEPT + 1);
    assert_eq!(windows.rate(|t| t.sent), Some(7.0));
    let share = windows.share(Totals::ended);
    assert_eq!(
        share,
        Share {
            of: 300,
            failed: 10
        }
    );
    assert_eq!(windows.share(|t| (t.accepted, 0)).value(), None);
}
