//! Demand that grows. Month 0 is now.

use time::{Date, Month};

use super::{Computed, DAYS_PER_MONTH, LARGEST, amount, finite, positive, within};

/// As far as anybody looks, in months.
pub const HORIZON_MONTHS: u32 = 1_200;

/// Demand after `months`: `d0 * (1 + g)^t`. Compound interest.
///
/// # Errors
/// Where a figure is out of its range (growth over -1, to 10 a month) or the result overflows.
pub fn after(demand_now: f64, monthly_growth: f64, months: f64) -> Computed<f64> {
    let factor = 1.0 + rate(monthly_growth)?;
    let months = amount("months", months)?;
    let grown = amount("demand_now", demand_now)? * factor.powf(months);
    within("demand", grown, grown <= LARGEST, "at most 1e18")
}

/// Months, not whole ones, until demand reaches a limit: `ln(limit / d0) / ln(1 + g)`.
/// None where it never does; zero where it has.
///
/// # Errors
/// Where a figure is out of its range.
pub fn months_until(limit: f64, demand_now: f64, monthly_growth: f64) -> Computed<Option<f64>> {
    let limit = positive("limit", limit)?;
    let now = positive("demand_now", demand_now)?;
    let growth = rate(monthly_growth)?;
    if now >= limit {
        return Ok(Some(0.0));
    }
    if growth <= 0.0 {
        return Ok(None);
    }
    finite("months", (limit / now).ln() / growth.ln_1p()).map(Some)
}

/// The first whole month in which demand is above a limit: `floor(months_until) + 1`, and 0
/// where it is above it now. None where that is not within [`HORIZON_MONTHS`].
///
/// # Errors
/// Where a figure is out of its range.
pub fn first_month_above(
    limit: f64,
    demand_now: f64,
    monthly_growth: f64,
) -> Computed<Option<u32>> {
    let until = months_until(limit, demand_now, monthly_growth)?;
    if demand_now > limit {
        return Ok(Some(0));
    }
    Ok(until.filter(|_| monthly_growth > 0.0).and_then(|months| {
        // Logarithms land beside the whole month in which demand equals the limit.
        let near = months.round();
        let months = if (months - near).abs() < 1e-9 {
            near
        } else {
            months.floor()
        };
        (months < f64::from(HORIZON_MONTHS)).then(|| months as u32 + 1)
    }))
}

/// The sum over `months` months, the current one the first: `d0 * ((1 + g)^n - 1) / g`.
///
/// # Errors
/// Where a figure is out of its range or the result overflows.
pub fn total(demand_now: f64, monthly_growth: f64, months: u32) -> Computed<f64> {
    let end = f64::from(months.min(HORIZON_MONTHS));
    within(
        "months",
        f64::from(months),
        months <= HORIZON_MONTHS,
        "at most 1,200",
    )?;
    let growth = rate(monthly_growth)?;
    let now = amount("demand_now", demand_now)?;
    if growth == 0.0 {
        return Ok(now * end);
    }
    // exp_m1 and ln_1p: the difference to 1 would lose the digits of a small growth.
    let sum = now * (end * growth.ln_1p()).exp_m1() / growth;
    within("total", sum, sum <= LARGEST, "at most 1e18")
}

/// The growth per month of what becomes `multiplier` times as much in `months`:
/// `m^(1 / months) - 1`. Compound interest.
///
/// # Errors
/// Where the multiplier or the months are not over zero.
pub fn monthly_growth(multiplier: f64, months: f64) -> Computed<f64> {
    let power = 1.0 / positive("months", months)?;
    rate(positive("multiplier", multiplier)?.powf(power) - 1.0)
}

/// Months from a day to another: whole calendar months, and the days that remain over the
/// days of a mean month. Negative where `to` lies before `from`.
pub fn months_between(from: Date, to: Date) -> f64 {
    if to < from {
        return -months_between(to, from);
    }
    let number = |d: Date| d.year() * 12 + i32::from(u8::from(d.month())) - 1;
    let mut whole = number(to) - number(from);
    if later(from, whole) > to {
        whole -= 1;
    }
    f64::from(whole) + (to - later(from, whole)).whole_days() as f64 / DAYS_PER_MONTH
}

/// The day some months later; the last of the month where it has no such day.
fn later(day: Date, months: i32) -> Date {
    let number = day.year() * 12 + i32::from(u8::from(day.month())) - 1 + months;
    let year = number.div_euclid(12);
    let month = Month::try_from(number.rem_euclid(12) as u8 + 1).unwrap_or(Month::January);
    Date::from_calendar_date(year, month, day.day().min(month.length(year))).unwrap_or(day)
}

fn rate(growth: f64) -> Computed<f64> {
    within(
        "monthly_growth",
        growth,
        growth > -1.0 && growth <= 10.0,
        "over -1, at most 10",
    )
}
