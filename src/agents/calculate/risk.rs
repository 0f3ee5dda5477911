//! What is uncertain, and how much of it matters.

use super::random::{SplitMix64, Triangular, nearest_rank};
use super::{Computed, OutOfRange, finite, within};

/// The most draws of one run.
pub const MOST_DRAWS: u32 = 1_000_000;
/// The most inputs of one run.
pub const MOST_INPUTS: usize = 64;

/// What many draws of a result look like.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcomes {
    ascending: Vec<f64>,
    mean: f64,
}

impl Outcomes {
    /// Of samples in any order.
    ///
    /// # Errors
    /// Where there is none, or one is not a number.
    pub fn of(samples: Vec<f64>) -> Computed<Self> {
        let n = samples.len() as f64;
        within("samples", n, n >= 1.0, "1 or more")?;
        for sample in &samples {
            finite("sample", *sample)?;
        }
        let mean = finite("mean", samples.iter().sum::<f64>() / n)?;
        let mut ascending = samples;
        ascending.sort_by(f64::total_cmp);
        Ok(Self { ascending, mean })
    }

    /// All samples in ascending order.
    pub fn ascending(&self) -> &[f64] {
        &self.ascending
    }

    /// Their mean.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// A percentile by nearest rank.
    ///
    /// # Errors
    /// Where the percentile is not between 0 and 1.
    pub fn percentile(&self, percentile: f64) -> Computed<f64> {
        nearest_rank(&self.ascending, percentile)
    }

    /// The share of samples over a value.
    pub fn share_over(&self, value: f64) -> f64 {
        let below = self.ascending.partition_point(|v| *v <= value);
        (self.ascending.len() - below) as f64 / self.ascending.len() as f64
    }

    /// Counts in bins of equal width from the least to the largest sample; `bins` is taken
    /// as 1 to 200.
    pub fn histogram(&self, bins: usize) -> Vec<Bin> {
        let bins = bins.clamp(1, 200);
        let low = self.ascending[0];
        let width = (self.ascending[self.ascending.len() - 1] - low) / bins as f64;
        let edge = |i: usize| low + width * i as f64;
        let below = |i: usize| match i {
            0 => 0,
            i if i == bins => self.ascending.len(),
            i => self.ascending.partition_point(|v| *v < edge(i)),
        };
        let bin = |i: usize| Bin {
            from: edge(i),
            to: edge(i + 1),
            count: below(i + 1) - below(i),
        };
        (0..bins).map(bin).collect()
    }
}

/// One bar of a histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Included.
    pub from: f64,
    /// Excluded, but for the last bin.
    pub to: f64,
    /// Samples in it.
    pub count: usize,
}

/// Draws all inputs, in their order, and computes the result, `draws` times.
///
/// # Errors
/// Where a limit is exceeded, or what the result's function says.
pub fn monte_carlo(
    seed: u64,
    draws: u32,
    inputs: &[Triangular],
    result: impl Fn(&[f64]) -> Computed<f64>,
) -> Computed<Outcomes> {
    let n = f64::from(draws);
    within(
        "draws",
        n,
        (1..=MOST_DRAWS).contains(&draws),
        "1 to 1,000,000",
    )?;
    within(
        "inputs",
        inputs.len() as f64,
        inputs.len() <= MOST_INPUTS,
        "at most 64",
    )?;
    let mut random = SplitMix64::new(seed);
    let mut drawn = vec![0.0; inputs.len()];
    let mut samples = Vec::with_capacity(draws as usize);
    for _ in 0..draws {
        for (value, input) in drawn.iter_mut().zip(inputs) {
            *value = input.at(random.uniform())?;
        }
        samples.push(result(&drawn)?);
    }
    Outcomes::of(samples)
}

/// What one input does to the result when the others stay at their likeliest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Swing {
    /// Which, by its place.
    pub input: usize,
    /// The result with the input at its least.
    pub at_low: f64,
    /// The result with the input at its largest.
    pub at_high: f64,
}

impl Swing {
    /// How far the two results lie apart.
    pub fn width(&self) -> f64 {
        (self.at_high - self.at_low).abs()
    }
}

/// The inputs by what they do to the result, the widest first; equal ones keep their order.
///
/// # Errors
/// What the result's function says.
pub fn tornado(
    inputs: &[Triangular],
    result: impl Fn(&[f64]) -> Computed<f64>,
) -> Computed<Vec<Swing>> {
    let base: Vec<_> = inputs.iter().map(Triangular::mode).collect();
    let with = |input: usize, value: f64| {
        let mut values = base.clone();
        values[input] = value;
        result(&values)
    };
    let mut swings = Vec::with_capacity(inputs.len());
    for (input, range) in inputs.iter().enumerate() {
        let (at_low, at_high) = (with(input, range.low())?, with(input, range.high())?);
        swings.push(Swing {
            input,
            at_low,
            at_high,
        });
    }
    swings.sort_by(|a, b| b.width().total_cmp(&a.width()));
    Ok(swings)
}

/// A 95 % interval of a percentile of measured samples: the percentile of `resamples` draws
/// with replacement, its 2.5th and 97.5th percentile by nearest rank.
///
/// Source: the percentile bootstrap, Efron 1979.
///
/// # Errors
/// Where there is no sample, or samples times resamples are over fifty million.
pub fn bootstrap_interval(
    samples: &[f64],
    percentile: f64,
    resamples: u32,
    seed: u64,
) -> Computed<[f64; 2]> {
    let work = samples.len() as f64 * f64::from(resamples);
    if !(1.0..=5e7).contains(&work) {
        return Err(OutOfRange {
            what: "draws",
            value: work,
            allowed: "1 to 50,000,000",
        });
    }
    let mut random = SplitMix64::new(seed);
    let mut found = Vec::with_capacity(resamples as usize);
    for _ in 0..resamples {
        let draw = samples.iter().map(|_| samples[random.below(samples.len())]);
        found.push(Outcomes::of(draw.collect())?.percentile(percentile)?);
    }
    let all = Outcomes::of(found)?;
    Ok([all.percentile(0.025)?, all.percentile(0.975)?])
}
