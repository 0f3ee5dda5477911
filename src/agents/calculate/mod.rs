//! The published formulas, as pure functions.
//!
//! Units stand in the names of the parameters; a month is [`DAYS_PER_MONTH`] days.
//! Money is USD unless a name says otherwise, and any currency where only sums of
//! one kind meet. A function refuses what lies outside its range ([`OutOfRange`]) and
//! never answers NaN or an infinity.

pub mod caching;
pub mod cost;
pub mod decide;
pub mod finance;
pub mod gpu;
pub mod growth;
pub mod latency;
pub mod limits;
mod normal;
pub mod queueing;
pub mod random;
pub mod risk;
pub mod tails;

#[cfg(test)]
mod gold_tests;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod worked;

/// Days of the mean Gregorian month: 365.25 / 12.
pub const DAYS_PER_MONTH: f64 = 30.4375;
/// Hours of that month.
pub const HOURS_PER_MONTH: f64 = DAYS_PER_MONTH * 24.0;
/// Seconds of that month.
pub const SECONDS_PER_MONTH: f64 = HOURS_PER_MONTH * 3600.0;

/// The largest quantity taken. Far above the guards of `understand`, far enough below
/// the largest float that a product of a dozen stays finite.
pub(crate) const LARGEST: f64 = 1e18;

/// An input, or a result, outside the range in which the formula means anything.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{what} is {value}, must be {allowed}")]
pub struct OutOfRange {
    /// The parameter's name, or the result's.
    pub what: &'static str,
    /// What was given.
    pub value: f64,
    /// The range, in words.
    pub allowed: &'static str,
}

/// What a calculator answers.
pub type Computed<T> = Result<T, OutOfRange>;

fn within(what: &'static str, value: f64, holds: bool, allowed: &'static str) -> Computed<f64> {
    if holds && value.is_finite() {
        Ok(value)
    } else {
        Err(OutOfRange {
            what,
            value,
            allowed,
        })
    }
}

/// Zero or more.
pub(crate) fn amount(what: &'static str, value: f64) -> Computed<f64> {
    within(what, value, (0.0..=LARGEST).contains(&value), "0 to 1e18")
}

/// More than zero.
pub(crate) fn positive(what: &'static str, value: f64) -> Computed<f64> {
    within(
        what,
        value,
        value > 0.0 && value <= LARGEST,
        "over 0, at most 1e18",
    )
}

/// A share of the whole.
pub(crate) fn share(what: &'static str, value: f64) -> Computed<f64> {
    within(what, value, (0.0..=1.0).contains(&value), "0 to 1")
}

/// A probability that is neither certain nor impossible.
pub(crate) fn probability(what: &'static str, value: f64) -> Computed<f64> {
    within(
        what,
        value,
        value > 0.0 && value < 1.0,
        "between 0 and 1, both excluded",
    )
}

/// A sum of money that may be negative.
pub(crate) fn signed(what: &'static str, value: f64) -> Computed<f64> {
    within(what, value, value.abs() <= LARGEST, "-1e18 to 1e18")
}

/// A count, 1 or more.
pub(crate) fn count(what: &'static str, value: u32) -> Computed<f64> {
    within(what, f64::from(value), value > 0, "1 or more")
}

/// A result that is a number.
pub(crate) fn finite(what: &'static str, value: f64) -> Computed<f64> {
    within(what, value, true, "a finite number")
}
