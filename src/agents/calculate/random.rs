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

/// The value under which a share `p` of the standard normal lies. For `p` between 0 and 1;
/// relative error about 1e-15.
///
/// Source: Wichura, algorithm AS 241 (PPND16), Applied Statistics 37(3), 1988.
pub(super) fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, 0.180_625 - q * q);
    }
    let r = (-p.min(1.0 - p).ln()).sqrt();
    let z = if r <= 5.0 {
        ratio(&MIDDLE, r - 1.6)
    } else {
        ratio(&FAR, r - 5.0)
    };
    z.copysign(q)
}

/// Coefficients of a numerator and a denominator, the highest power first.
type Rational = ([f64; 8], [f64; 8]);

fn ratio((numerator, denominator): &Rational, x: f64) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().fold(0.0, |sum, c| sum * x + c);
    horner(numerator) / horner(denominator)
}

#[rustfmt::skip]
const CENTRE: Rational = (
    [2.509_080_928_730_122_7e3, 3.343_057_558_358_813e4, 6.726_577_092_700_870_1e4,
     4.592_195_393_154_987_1e4, 1.373_169_376_550_946_1e4, 1.971_590_950_306_551_4e3,
     1.331_416_678_917_843_8e2, 3.387_132_872_796_366_6],
    [5.226_495_278_852_854_6e3, 2.872_908_573_572_194_3e4, 3.930_789_580_009_271e4,
     2.121_379_430_158_659_6e4, 5.394_196_021_424_751e3, 6.871_870_074_920_579e2,
     4.231_333_070_160_091e1, 1.0],
);
#[rustfmt::skip]
const MIDDLE: Rational = (
    [7.745_450_142_783_414e-4, 2.272_384_498_926_918_5e-2, 2.417_807_251_774_506_1e-1,
     1.270_458_252_452_368_4, 3.647_848_324_763_204_6, 5.769_497_221_460_691_4,
     4.630_337_846_156_545_3, 1.423_437_110_749_683_6],
    [1.050_750_071_644_416_8e-9, 5.475_938_084_995_345e-4, 1.519_866_656_361_645_7e-2,
     1.481_039_764_274_800_7e-1, 6.897_673_349_851e-1, 1.676_384_830_183_803_8,
     2.053_191_626_637_758_8, 1.0],
);
#[rustfmt::skip]
const FAR: Rational = (
    [2.010_334_399_292_288_1e-7, 2.711_555_568_743_487_6e-5, 1.242_660_947_388_078_4e-3,
     2.653_218_952_657_612_4e-2, 2.965_605_718_285_048_9e-1, 1.784_826_539_917_291_3,
     5.463_784_911_164_114_4, 6.657_904_643_501_103_8],
    [2.044_263_103_389_939_8e-15, 1.421_511_758_316_445_9e-7, 1.846_318_317_510_054_7e-5,
     7.868_691_311_456_132_6e-4, 1.487_536_129_085_061_5e-2, 1.369_298_809_227_358e-1,
     5.998_322_065_558_88e-1, 1.0],
);

/// The probability that a standard normal is over `x`: a series around the centre, a
/// continued fraction in the tails. Relative error under 1e-12 where it is over 1e-300.
///
/// Sources: Marsaglia, Evaluating the Normal Distribution, 2004 (series); Laplace (fraction).
pub(super) fn normal_upper_tail(x: f64) -> f64 {
    let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if x.abs() <= 3.0 {
        let (mut sum, mut term, mut k) = (x, x, 1.0);
        while term.abs() > 1e-18 * sum.abs() {
            k += 2.0;
            term *= x * x / k;
            sum += term;
        }
        return 0.5 - density * sum;
    }
    // Enough steps for 1e-15 at 3; fewer would do further out.
    let t = x.abs();
    let mills = (1..=120).rev().fold(t, |below, k| t + f64::from(k) / below);
    let tail = density / mills;
    if x > 0.0 { tail } else { 1.0 - tail }
}
