//! What requests cost, and what the levers on their price are worth.

use super::{Computed, DAYS_PER_MONTH, OutOfRange, SECONDS_PER_MONTH, amount, positive, share};

/// Prices in USD per million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenPrices {
    /// A prompt token.
    pub input_usd_per_mtok: f64,
    /// A prompt token from the cache; absent, it is billed as input.
    pub cached_usd_per_mtok: Option<f64>,
    /// A token of the answer.
    pub output_usd_per_mtok: f64,
}

/// The tokens of one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tokens {
    /// The whole prompt.
    pub input: f64,
    /// The part of the prompt that is read from a cache, at most all of it.
    pub cached: f64,
    /// The answer, hidden reasoning included.
    pub output: f64,
}

impl Tokens {
    /// A request whose prompt is not cached.
    pub fn plain(input: f64, output: f64) -> Self {
        Self {
            input,
            cached: 0.0,
            output,
        }
    }
}

/// Cost of one request in USD:
/// `((input - cached) * p_input + cached * p_cached + output * p_output) / 1e6`.
///
/// Source: the providers' price pages.
///
/// # Errors
/// Where a figure is negative or more is cached than sent.
pub fn usd_per_request(prices: &TokenPrices, tokens: &Tokens) -> Computed<f64> {
    let input = amount("input tokens", tokens.input)?;
    let cached = amount("cached tokens", tokens.cached)?;
    let output = amount("output tokens", tokens.output)?;
    if cached > input {
        let allowed = "at most the input tokens";
        return Err(OutOfRange {
            what: "cached tokens",
            value: cached,
            allowed,
        });
    }
    let p_input = amount("input_usd_per_mtok", prices.input_usd_per_mtok)?;
    let p_output = amount("output_usd_per_mtok", prices.output_usd_per_mtok)?;
    let p_cached = amount(
        "cached_usd_per_mtok",
        prices.cached_usd_per_mtok.unwrap_or(p_input),
    )?;
    Ok(((input - cached) * p_input + cached * p_cached + output * p_output) / 1e6)
}

/// Cost of a month in USD: cost of a request times requests.
///
/// # Errors
/// Where a figure is negative.
pub fn usd_per_month(usd_per_request: f64, requests_per_month: f64) -> Computed<f64> {
    let usd = amount("usd_per_request", usd_per_request)?;
    Ok(usd * amount("requests_per_month", requests_per_month)?)
}

/// The span to which a number of requests belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// Seven days.
    Week,
    /// 365.25 / 12 days.
    Month,
    /// Three months.
    Quarter,
    /// Twelve months.
    Year,
}

impl Period {
    /// How many of it make a month: by definition of the mean Gregorian month.
    pub fn per_month(self) -> f64 {
        match self {
            Self::Second => SECONDS_PER_MONTH,
            Self::Minute => SECONDS_PER_MONTH / 60.0,
            Self::Hour => SECONDS_PER_MONTH / 3600.0,
            Self::Day => DAYS_PER_MONTH,
            Self::Week => DAYS_PER_MONTH / 7.0,
            Self::Month => 1.0,
            Self::Quarter => 1.0 / 3.0,
            Self::Year => 1.0 / 12.0,
        }
    }
}

/// Requests (or money) per period, as a rate per month.
///
/// # Errors
/// Where the figure is negative.
pub fn per_month(amount_per_period: f64, period: Period) -> Computed<f64> {
    Ok(amount("amount_per_period", amount_per_period)? * period.per_month())
}

/// Cost with a batched share: `cost * (1 - share * (1 - multiplier))`.
///
/// Sources: help.openai.com 9197833; developers.googleblog.com 2025-07-07; Anthropic
/// Message Batches (all: multiplier 0.5 within 24 h).
///
/// # Errors
/// Where a share or the multiplier is not 0 to 1.
pub fn with_batch(usd: f64, batch_share: f64, batch_multiplier: f64) -> Computed<f64> {
    let off = 1.0 - share("batch_multiplier", batch_multiplier)?;
    Ok(amount("usd", usd)? * (1.0 - share("batch_share", batch_share)? * off))
}

/// Cost of a request under a router: `e * big + (1 - e) * small + router`, with `e` the
/// share that goes to the big model.
///
/// Source: RouteLLM, arXiv:2406.18665.
///
/// # Errors
/// Where a cost is negative or the share is not 0 to 1.
pub fn with_routing(
    usd_big: f64,
    usd_small: f64,
    share_big: f64,
    usd_router: f64,
) -> Computed<f64> {
    let e = share("share_big", share_big)?;
    let big = amount("usd_big", usd_big)?;
    let small = amount("usd_small", usd_small)?;
    Ok(e * big + (1.0 - e) * small + amount("usd_router", usd_router)?)
}

/// Cost of a request that always tries the small model and escalates the share `e`:
/// `small + e * big + judge`.
///
/// Source: FrugalGPT, arXiv:2305.05176.
///
/// # Errors
/// Where a cost is negative or the share is not 0 to 1.
pub fn with_cascade(
    usd_big: f64,
    usd_small: f64,
    escalation_share: f64,
    usd_judge: f64,
) -> Computed<f64> {
    let e = share("escalation_share", escalation_share)?;
    let big = amount("usd_big", usd_big)?;
    Ok(amount("usd_small", usd_small)? + e * big + amount("usd_judge", usd_judge)?)
}

/// The escalation share below which a cascade pays: `1 - (small + judge) / big`. Negative
/// where it never pays.
///
/// # Errors
/// Where a cost is negative or the big model is free.
pub fn cascade_break_even(usd_big: f64, usd_small: f64, usd_judge: f64) -> Computed<f64> {
    let first = amount("usd_small", usd_small)? + amount("usd_judge", usd_judge)?;
    super::finite(
        "break-even escalation",
        1.0 - first / positive("usd_big", usd_big)?,
    )
}

/// Cost of a request behind a semantic cache:
/// `(1 - h) * request + embed_tokens * p_embed / 1e6 + h * hit`.
///
/// Source: GPT Semantic Cache, arXiv:2411.05276, whose 61.6 to 68.8 % hits are an upper range.
///
/// # Errors
/// Where a figure is negative or the hit rate is not 0 to 1.
pub fn with_semantic_cache(
    usd_per_request: f64,
    hit_rate: f64,
    embed_tokens: f64,
    embed_usd_per_mtok: f64,
    usd_per_hit: f64,
) -> Computed<f64> {
    let h = share("hit_rate", hit_rate)?;
    let embed = amount("embed_tokens", embed_tokens)?
        * amount("embed_usd_per_mtok", embed_usd_per_mtok)?
        / 1e6;
    let hit = amount("usd_per_hit", usd_per_hit)?;
    Ok((1.0 - h) * amount("usd_per_request", usd_per_request)? + embed + h * hit)
}

/// Prompt tokens after compression: `fixed + compressible / ratio`.
///
/// Sources: LLMLingua arXiv:2310.05736; LongLLMLingua arXiv:2310.06839; LLMLingua-2
/// arXiv:2403.12968.
///
/// # Errors
/// Where tokens are negative or the ratio is under 1.
pub fn compressed_tokens(fixed_tokens: f64, compressible_tokens: f64, ratio: f64) -> Computed<f64> {
    if !(1.0..=super::LARGEST).contains(&ratio) {
        return Err(OutOfRange {
            what: "ratio",
            value: ratio,
            allowed: "1 or more",
        });
    }
    let compressible = amount("compressible_tokens", compressible_tokens)?;
    Ok(amount("fixed_tokens", fixed_tokens)? + compressible / ratio)
}

/// What part of `before` a step to `after` saves; negative where it costs more.
///
/// # Errors
/// Where `before` is not over zero.
pub fn saving_share(before: f64, after: f64) -> Computed<f64> {
    let before = positive("before", before)?;
    super::finite("saving", (before - amount("after", after)?) / before)
}
