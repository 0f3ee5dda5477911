//! Seeded randomness and the distributions drawn from it. The same seed gives the same
//! draws on every machine.

use super::{Computed, OutOfRange, probability, share, signed};

/// SplitMix64: a small generator that passes for random and is the same everywhere.
///
/// Sources: Steele, Lea & Flood 2014; Vigna's splitmix64.
#[derive(Debug, Clone)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// From a seed; any will do.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform from 0 (included) to 1 (excluded): the upper 53 bits times `2^-53`.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform from 0 to `n - 1`; 0 for an empty range. The bias of the remainder is under
    /// `n / 2^64`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next_u64() % n.max(1) as u64) as usize
    }
}

/// A triangular distribution: the least, the likeliest and the largest value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Triangular {
    low: f64,
    mode: f64,
    high: f64,
}

impl Triangular {
    /// Three values in ascending order; all may be equal.
    ///
    /// # Errors
    /// Where they do not ascend.
    pub fn new(low: f64, mode: f64, high: f64) -> Computed<Self> {
        signed("low", low)?;
        signed("high", high)?;
        if !(low..=high).contains(&mode) {
            return Err(OutOfRange {
                what: "mode",
                value: mode,
                allowed: "between low and high",
            });
        }
        Ok(Self { low, mode, high })
    }

    /// The least value.
    pub fn low(&self) -> f64 {
        self.low
    }

    /// The likeliest value, the base case.
    pub fn mode(&self) -> f64 {
        self.mode
    }

    /// The largest value.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// The value under which a share `u` lies, by the inverse of the distribution:
    /// `low + sqrt(u (high - low) (mode - low))` up to the mode, then
    /// `high - sqrt((1 - u) (high - low) (high - mode))`.
    ///
    /// # Errors
    /// Where `u` is not 0 to 1.
    pub fn at(&self, u: f64) -> Computed<f64> {
        let u = share("u", u)?;
        let width = self.high - self.low;
        if width == 0.0 {
            return Ok(self.low);
        }
        Ok(if u < (self.mode - self.low) / width {
            self.low + (u * width * (self.mode - self.low)).sqrt()
        } else {
            self.high - ((1.0 - u) * width * (self.high - self.mode)).sqrt()
        })
    }
}

/// The value under which a share `u` lies, between the five published quantiles (5, 25, 50,
/// 75 and 95 %) on straight lines, beyond the outer ones at their value: what nobody
/// published is not made up. Read no percentile beyond the outer ones from draws of it.
///
/// # Errors
/// Where `u` is not 0 to 1 or the quantiles do not ascend.
pub fn at_quantile(five: &[f64; 5], u: f64) -> Computed<f64> {
    const AT: [f64; 5] = [0.05, 0.25, 0.50, 0.75, 0.95];
    let u = share("u", u)?.clamp(AT[0], AT[4]);
    for value in five {
        signed("quantile", *value)?;
    }
    if !five.is_sorted() {
        return Err(OutOfRange {
            what: "quantiles",
            value: five[0],
            allowed: "ascending",
        });
    }
    let right = AT.iter().position(|a| u <= *a).unwrap_or(4).max(1);
    let part = (u - AT[right - 1]) / (AT[right] - AT[right - 1]);
    Ok(five[right - 1] + part * (five[right] - five[right - 1]))
}

/// The percentile of samples by nearest rank: the `ceil(p * n)`-th smallest, so always one
/// of them. The samples must ascend.
///
/// # Errors
/// Where there is no sample or the percentile is not between 0 and 1.
pub fn nearest_rank(ascending: &[f64], percentile: f64) -> Computed<f64> {
    let p = probability("percentile", percentile)?;
    // A product like 0.29 * 100 lands just over the whole number and would take the next rank.
    let rank = (p * ascending.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    let none = OutOfRange {
        what: "samples",
        value: 0.0,
        allowed: "1 or more",
    };
    ascending.get(rank - 1).copied().ok_or(none)
}
