//! What holds for all numbers, tried with many seeds.

mod choice;
mod load;
mod money;
mod odd;

use super::random::SplitMix64;
use super::testing::between;

const SEEDS: u64 = 500;

/// Two values in ascending order.
fn two(random: &mut SplitMix64, low: f64, high: f64) -> (f64, f64) {
    let (a, b) = (between(random, low, high), between(random, low, high));
    (a.min(b), a.max(b))
}
