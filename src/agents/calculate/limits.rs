//! Providers' rate limits. They depend on the account and are the visitor's to say.

use super::{Computed, amount, finite, positive, share};

/// Which of two limits is reached first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// Requests per minute.
    Rpm,
    /// Tokens per minute.
    Tpm,
}

impl Binding {
    /// `RPM` or `TPM`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rpm => "RPM",
            Self::Tpm => "TPM",
        }
    }
}

/// The request rates two limits allow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowed {
    /// By requests per minute.
    pub by_rpm_per_s: f64,
    /// By tokens per minute.
    pub by_tpm_per_s: f64,
    /// The smaller of the two.
    pub requests_per_s: f64,
    /// Whose that is; requests where they are equal.
    pub binding: Binding,
}

impl Allowed {
    /// The share of the rate that is still free; negative where more is sent than allowed.
    ///
    /// # Errors
    /// Where the rate is negative.
    pub fn headroom(&self, requests_per_s: f64) -> Computed<f64> {
        let used = amount("requests_per_s", requests_per_s)? / self.requests_per_s;
        finite("headroom", 1.0 - used)
    }
}

/// Requests per second under both limits: `min(rpm / 60, tpm / (60 * tokens))`.
///
/// Source: the providers' pages on rate limits.
///
/// # Errors
/// Where a figure is not over zero.
pub fn allowed(rpm: f64, tpm: f64, tokens_per_request: f64) -> Computed<Allowed> {
    let by_rpm_per_s = positive("rpm", rpm)? / 60.0;
    let tokens = positive("tokens_per_request", tokens_per_request)?;
    let by_tpm_per_s = positive("tpm", tpm)? / (60.0 * tokens);
    let binding = if by_tpm_per_s < by_rpm_per_s {
        Binding::Tpm
    } else {
        Binding::Rpm
    };
    let requests_per_s = positive("requests_per_s", by_rpm_per_s.min(by_tpm_per_s))?;
    Ok(Allowed {
        by_rpm_per_s,
        by_tpm_per_s,
        requests_per_s,
        binding,
    })
}

/// Tokens per minute that a request rate needs: `rate * 60 * tokens`.
///
/// # Errors
/// Where a figure is negative.
pub fn tpm_needed(requests_per_s: f64, tokens_per_request: f64) -> Computed<f64> {
    let tokens = amount("tokens_per_request", tokens_per_request)?;
    Ok(amount("requests_per_s", requests_per_s)? * 60.0 * tokens)
}

/// Seconds the last request of a burst waits at a token bucket that is full and refills
/// all the time: `max(0, (requests * tokens - bucket) / refill)`.
///
/// Source: Anthropic's documentation of its limits.
///
/// # Errors
/// Where a figure is negative or nothing is refilled.
pub fn burst_wait_s(
    requests: f64,
    tokens_per_request: f64,
    bucket_tokens: f64,
    refill_tokens_per_s: f64,
) -> Computed<f64> {
    let tokens = amount("tokens_per_request", tokens_per_request)?;
    let burst = amount("requests", requests)? * tokens;
    let over = burst - amount("bucket_tokens", bucket_tokens)?;
    finite(
        "wait",
        over.max(0.0) / positive("refill_tokens_per_s", refill_tokens_per_s)?,
    )
}

/// Tokens in that bucket `t_s` after the start of a burst that arrives at once; negative
/// while requests still wait for theirs.
///
/// # Errors
/// Where a figure is negative.
pub fn bucket_level(
    burst_tokens: f64,
    bucket_tokens: f64,
    refill_tokens_per_s: f64,
    t_s: f64,
) -> Computed<f64> {
    let bucket = amount("bucket_tokens", bucket_tokens)?;
    let refilled = amount("refill_tokens_per_s", refill_tokens_per_s)? * amount("t_s", t_s)?;
    Ok((bucket - amount("burst_tokens", burst_tokens)? + refilled).min(bucket))
}

/// Seconds before try `retry` (0 the first one): what the server said, else full jitter,
/// `u * min(cap, base * 2^retry)` for a uniform `u`. With `u` one half it is the mean.
///
/// Source: AWS Architecture Blog, Exponential Backoff and Jitter.
///
/// # Errors
/// Where a figure is out of its range.
pub fn backoff_s(
    base_s: f64,
    cap_s: f64,
    retry: u32,
    u: f64,
    retry_after_s: Option<f64>,
) -> Computed<f64> {
    if let Some(said) = retry_after_s {
        return amount("retry_after_s", said);
    }
    let doubled = amount("base_s", base_s)? * 2f64.powi(retry.min(100) as i32);
    Ok(share("u", u)? * doubled.min(amount("cap_s", cap_s)?))
}
