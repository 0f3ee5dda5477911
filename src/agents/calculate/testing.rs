//! What the tests of this room share.

use super::random::SplitMix64;

/// Asserts that two numbers differ by at most this part of the expected one.
pub(super) fn close(name: &str, actual: f64, expected: f64, relative: f64) {
    let allowed = relative * expected.abs();
    assert!(
        (actual - expected).abs() <= allowed,
        "{name}: {actual} is not {expected} (allowed difference {allowed:e})"
    );
}

/// Runs a property with many seeds and names the seed that breaks it.
pub(super) fn for_seeds(
    seeds: u64,
    property: impl Fn(&mut SplitMix64) + std::panic::RefUnwindSafe,
) {
    for seed in 0..seeds {
        let outcome = std::panic::catch_unwind(|| property(&mut SplitMix64::new(seed)));
        assert!(outcome.is_ok(), "the property fails with seed {seed}");
    }
}

/// A number between two.
pub(super) fn between(random: &mut SplitMix64, low: f64, high: f64) -> f64 {
    low + random.uniform() * (high - low)
}

/// A number over several orders of magnitude.
pub(super) fn log_between(random: &mut SplitMix64, low: f64, high: f64) -> f64 {
    between(random, low.ln(), high.ln()).exp()
}
