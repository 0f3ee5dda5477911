//! What a prompt cache is worth, by the three ways in which providers bill one.

use super::cost::{TokenPrices, Tokens, usd_per_request};
use super::{Computed, OutOfRange, amount, finite, share};

/// Tokens of a prefix that an automatic cache in steps can serve: none below the first
/// step, then `first + step * floor((prefix - first) / step)`.
///
/// Source: openai.com/index/api-prompt-caching, with first 1,024 and step 128; its own
/// usage example shows 1,920 of 2,006.
///
/// # Errors
/// Where the prefix is negative or the step is zero.
pub fn stepped_cached_tokens(
    prefix_tokens: f64,
    first_tokens: u32,
    step_tokens: u32,
) -> Computed<f64> {
    let prefix = amount("prefix_tokens", prefix_tokens)?;
    let step = super::count("step_tokens", step_tokens)?;
    let first = f64::from(first_tokens);
    if prefix < first {
        return Ok(0.0);
    }
    Ok(first + step * ((prefix - first) / step).floor())
}

/// USD saved by cache reads:
/// `requests * hit_rate * cached * (p_input - p_cached) / 1e6`, over the period of the requests.
///
/// Source: openai.com/index/api-prompt-caching.
///
/// # Errors
/// Where a figure is negative or the hit rate is not 0 to 1.
pub fn usd_saved_by_reads(
    requests: f64,
    hit_rate: f64,
    cached_tokens: f64,
    input_usd_per_mtok: f64,
    cached_usd_per_mtok: f64,
) -> Computed<f64> {
    let hits = amount("requests", requests)? * share("hit_rate", hit_rate)?;
    let tokens = hits * amount("cached_tokens", cached_tokens)?;
    let off = amount("input_usd_per_mtok", input_usd_per_mtok)?
        - amount("cached_usd_per_mtok", cached_usd_per_mtok)?;
    finite("saving", tokens * off / 1e6)
}

/// Reads per write from which an explicit cache pays: `(write - 1) / (1 - read)`, both as
/// multiples of the input price.
///
/// Source: platform.claude.com, prompt caching (write 1.25 for five minutes, 2 for an hour,
/// read 0.1).
///
/// # Errors
/// Where writing is cheaper than sending or reading is not.
pub fn break_even_reads(write_multiplier: f64, read_multiplier: f64) -> Computed<f64> {
    let (write, read) = multipliers(write_multiplier, read_multiplier)?;
    Ok((write - 1.0) / (1.0 - read))
}

/// Price of a prefix token behind an explicit cache, in USD per million:
/// `p_input * ((1 - h) * write + h * read)`. A miss writes.
///
/// Source: platform.claude.com, prompt caching.
///
/// # Errors
/// Where a figure is out of its range.
pub fn effective_prefix_usd_per_mtok(
    input_usd_per_mtok: f64,
    hit_rate: f64,
    write_multiplier: f64,
    read_multiplier: f64,
) -> Computed<f64> {
    let (write, read) = multipliers(write_multiplier, read_multiplier)?;
    let h = share("hit_rate", hit_rate)?;
    Ok(amount("input_usd_per_mtok", input_usd_per_mtok)? * ((1.0 - h) * write + h * read))
}

/// Cost of a request behind an explicit cache, in USD: the prefix at its effective price,
/// the rest of the prompt and the answer at list price. Whether the prefix is long enough
/// to be cached is the caller's to check: below the provider's minimum nothing is cached.
///
/// # Errors
/// Where a figure is out of its range.
pub fn usd_per_request_explicit(
    prices: &TokenPrices,
    prefix_tokens: f64,
    rest: &Tokens,
    hit_rate: f64,
    write_multiplier: f64,
    read_multiplier: f64,
) -> Computed<f64> {
    let p_prefix = effective_prefix_usd_per_mtok(
        prices.input_usd_per_mtok,
        hit_rate,
        write_multiplier,
        read_multiplier,
    )?;
    let prefix = amount("prefix_tokens", prefix_tokens)? * p_prefix / 1e6;
    Ok(prefix + usd_per_request(prices, rest)?)
}

/// Cost in USD of a stored cache: the reads, and the rent of keeping it:
/// `requests * cached * p_cached / 1e6 + cached * hours * rent / 1e6`.
///
/// Source: ai.google.dev, context caching; 4.50 USD per million tokens and hour was quoted
/// for Gemini 2.5 Pro at discuss.ai.google.dev/t/92919.
///
/// # Errors
/// Where a figure is negative.
pub fn usd_stored(
    requests: f64,
    cached_tokens: f64,
    cached_usd_per_mtok: f64,
    hours: f64,
    storage_usd_per_mtok_hour: f64,
) -> Computed<f64> {
    let tokens = amount("cached_tokens", cached_tokens)?;
    let price = amount("cached_usd_per_mtok", cached_usd_per_mtok)?;
    let reads = amount("requests", requests)? * tokens * price;
    let rent = amount("storage_usd_per_mtok_hour", storage_usd_per_mtok_hour)?;
    Ok((reads + tokens * amount("hours", hours)? * rent) / 1e6)
}

fn multipliers(write: f64, read: f64) -> Computed<(f64, f64)> {
    if !(1.0..=super::LARGEST).contains(&write) {
        let allowed = "1 or more";
        return Err(OutOfRange {
            what: "write_multiplier",
            value: write,
            allowed,
        });
    }
    if !(0.0..1.0).contains(&read) {
        let allowed = "0 or more, under 1";
        return Err(OutOfRange {
            what: "read_multiplier",
            value: read,
            allowed,
        });
    }
    Ok((write, read))
}
