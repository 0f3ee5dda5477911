//! Many calls at once: the slowest decides.

use super::normal;
use super::{Computed, OutOfRange, amount, count, finite, positive, probability, share};

/// The probability that all of `calls` independent calls are in time: `F^n`.
///
/// Source: Dean & Barroso, The Tail at Scale, CACM 56(2), 2013.
///
/// # Errors
/// Where the probability is not 0 to 1 or there is no call.
pub fn all_in_time(single_probability: f64, calls: u32) -> Computed<f64> {
    Ok(share("single_probability", single_probability)?.powf(count("calls", calls)?))
}

/// The percentile a single call must keep so that all `calls` keep theirs: `P^(1/n)`.
///
/// Source: as [`all_in_time`].
///
/// # Errors
/// Where the target is not 0 to 1 or there is no call.
pub fn needed_single_percentile(target_probability: f64, calls: u32) -> Computed<f64> {
    Ok(share("target_probability", target_probability)?.powf(1.0 / count("calls", calls)?))
}

/// A lognormal latency: the logarithm is normal around `ln(median)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lognormal {
    median_s: f64,
    sigma: f64,
}

impl Lognormal {
    /// Through a median and a 95th percentile: `sigma = ln(p95 / median) / 1.6449`.
    ///
    /// # Errors
    /// Where the median is not over zero, or the percentile under it or 1000 times over it.
    pub fn through(median_s: f64, p95_s: f64) -> Computed<Self> {
        let ratio = positive("p95_s", p95_s)? / positive("median_s", median_s)?;
        if !(1.0..=1000.0).contains(&ratio) {
            let allowed = "1 to 1000 times the median";
            return Err(OutOfRange {
                what: "p95_s",
                value: p95_s,
                allowed,
            });
        }
        Ok(Self {
            median_s,
            sigma: ratio.ln() / normal::quantile(0.95),
        })
    }

    /// The deviation of the logarithm.
    pub fn sigma(&self) -> f64 {
        self.sigma
    }

    /// The probability that a call takes longer than `t_s`.
    pub fn slower_than(&self, t_s: f64) -> f64 {
        if t_s <= 0.0 {
            1.0
        } else if self.sigma == 0.0 {
            f64::from(u8::from(t_s < self.median_s))
        } else {
            normal::upper_tail((t_s / self.median_s).ln() / self.sigma)
        }
    }

    /// The same when a second call is sent after `hedge_after_s` and the first answer
    /// counts: `S(t)` before, `S(t) * S(t - d)` from then on.
    ///
    /// Source: Dean & Barroso 2013. Their BigTable run, 1,800 ms to 74 ms at the 99.9th
    /// percentile for 2 % more requests, needs a much heavier tail than this one.
    pub fn hedged_slower_than(&self, t_s: f64, hedge_after_s: f64) -> f64 {
        self.slower_than(t_s) * self.slower_than(t_s - hedge_after_s)
    }

    /// The share of requests sent twice: `S(d)`.
    ///
    /// # Errors
    /// Where the delay is negative.
    pub fn extra_load(&self, hedge_after_s: f64) -> Computed<f64> {
        Ok(self.slower_than(amount("hedge_after_s", hedge_after_s)?))
    }

    /// The percentile in seconds of the slowest of `calls` independent calls.
    ///
    /// # Errors
    /// Where the percentile is not between 0 and 1 or there is no call.
    pub fn percentile_s(&self, percentile: f64, calls: u32) -> Computed<f64> {
        let single = needed_single_percentile(probability("percentile", percentile)?, calls)?;
        let z = normal::quantile(probability("single percentile", single)?);
        finite("percentile", self.median_s * (self.sigma * z).exp())
    }

    /// The same with hedged calls, by bisection: the hedged survival has no inverse in
    /// closed form. Exact to the last digits of a float.
    ///
    /// # Errors
    /// Where the percentile is not between 0 and 1, there is no call, or the delay is negative.
    pub fn hedged_percentile_s(
        &self,
        percentile: f64,
        calls: u32,
        hedge_after_s: f64,
    ) -> Computed<f64> {
        let plain = self.percentile_s(percentile, calls)?;
        let d = amount("hedge_after_s", hedge_after_s)?;
        let slow = 1.0 - needed_single_percentile(percentile, calls)?;
        // A hedge never makes a call slower, so the plain percentile is the upper end.
        let (mut low, mut high) = (0.0, plain);
        for _ in 0..200 {
            let middle = low + (high - low) / 2.0;
            if self.hedged_slower_than(middle, d) > slow {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(high)
    }
}
