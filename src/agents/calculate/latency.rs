//! How long an answer takes.

use super::normal;
use super::{Computed, amount, finite, positive, probability};

/// Time of a whole answer in seconds: `queue + ttft + tokens / tps`.
///
/// Source: the definitions at artificialanalysis.ai/methodology/performance-benchmarking.
///
/// # Errors
/// Where a time is negative or the speed is not over zero.
pub fn total_s(queue_s: f64, ttft_s: f64, output_tokens: f64, tps: f64) -> Computed<f64> {
    let writing = amount("output_tokens", output_tokens)? / positive("tps", tps)?;
    finite(
        "total",
        amount("queue_s", queue_s)? + amount("ttft_s", ttft_s)? + writing,
    )
}

/// An upper bound of the 95th percentile of the whole answer, in seconds: as if the slow
/// first token and the slow writing always came together (`ttft_p95 + tokens / tps_p05`).
/// Percentiles do not add otherwise; for less than a bound, draw from the quantiles.
///
/// # Errors
/// As [`total_s`].
pub fn total_p95_bound_s(
    queue_s: f64,
    ttft_p95_s: f64,
    output_tokens: f64,
    tps_p05: f64,
) -> Computed<f64> {
    total_s(queue_s, ttft_p95_s, output_tokens, tps_p05)
}

/// Tokens of the longest answer inside a limit: `floor((limit - queue - ttft) * tps)`, zero
/// where the limit is over before the first token. [`total_s`] solved for the tokens.
///
/// # Errors
/// Where a time is negative or the speed is not over zero.
pub fn longest_answer_tokens(limit_s: f64, queue_s: f64, ttft_s: f64, tps: f64) -> Computed<f64> {
    let before = amount("queue_s", queue_s)? + amount("ttft_s", ttft_s)?;
    let left = (amount("limit_s", limit_s)? - before).max(0.0);
    Ok((left * positive("tps", tps)?).floor())
}

/// A part of a latency that is taken as normally distributed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormalPart {
    /// Its mean.
    pub mean_s: f64,
    /// Its standard deviation.
    pub deviation_s: f64,
}

/// A percentile of the sum of independent normal parts, in seconds:
/// `sum of means + z * sqrt(sum of variances)`.
///
/// Source: elementary probability; Dean & Barroso 2013 on why tails dominate.
///
/// # Errors
/// Where a part is negative or the percentile is not between 0 and 1.
pub fn percentile_of_sum_s(parts: &[NormalPart], percentile: f64) -> Computed<f64> {
    let z = normal::quantile(probability("percentile", percentile)?);
    let (mut mean, mut variance) = (0.0, 0.0);
    for part in parts {
        mean += amount("mean_s", part.mean_s)?;
        variance += amount("deviation_s", part.deviation_s)?.powi(2);
    }
    finite("percentile of the sum", mean + z * variance.sqrt())
}

/// The sum of the parts' percentiles in seconds: the percentile of the sum only where the
/// parts are slow together; an upper bound for percentiles over one half.
///
/// # Errors
/// As [`percentile_of_sum_s`].
pub fn sum_of_percentiles_s(parts: &[NormalPart], percentile: f64) -> Computed<f64> {
    parts
        .iter()
        .map(|part| percentile_of_sum_s(&[*part], percentile))
        .sum()
}

/// What a reader waits before the first word, streamed and not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wait {
    /// With streaming: the time to the first token.
    pub streamed_s: f64,
    /// Without: the whole answer.
    pub whole_s: f64,
    /// How many times longer the whole is.
    pub ratio: f64,
}

/// What streaming is worth to a reader. Holds while tokens come at least as fast as they
/// are read.
///
/// Source: Nielsen's limits of 0.1, 1 and 10 s, nngroup.com/articles/response-times-3-important-limits.
///
/// # Errors
/// Where the time to the first token or the speed is not over zero.
pub fn perceived_wait(ttft_s: f64, output_tokens: f64, tps: f64) -> Computed<Wait> {
    let streamed_s = positive("ttft_s", ttft_s)?;
    let whole_s = total_s(0.0, ttft_s, output_tokens, tps)?;
    let ratio = finite("ratio", whole_s / streamed_s)?;
    Ok(Wait {
        streamed_s,
        whole_s,
        ratio,
    })
}

/// Speed-up of work of which a share runs in parallel: `1 / ((1 - p) + p / workers)`.
///
/// Source: Amdahl 1967.
///
/// # Errors
/// Where the share is not 0 to 1 or there is no worker.
pub fn amdahl_speedup(parallel_share: f64, workers: u32) -> Computed<f64> {
    let p = super::share("parallel_share", parallel_share)?;
    Ok(1.0 / ((1.0 - p) + p / super::count("workers", workers)?))
}

/// What that speed-up tends to: `1 / (1 - p)`; none where all of it is parallel.
///
/// # Errors
/// Where the share is not 0 to 1.
pub fn amdahl_limit(parallel_share: f64) -> Computed<Option<f64>> {
    let serial = 1.0 - super::share("parallel_share", parallel_share)?;
    Ok((serial > 0.0).then(|| 1.0 / serial))
}
