//! Whether an investment comes back.

use super::{Computed, OutOfRange, amount, finite, positive, signed, within};

/// As far as anybody plans, in months.
pub const LONGEST_MONTHS: u32 = 1_200;

/// The rate per month of a rate per year: `(1 + r)^(1/12) - 1`.
///
/// # Errors
/// Where the rate is not over -1 and at most 10.
pub fn monthly_rate(annual_rate: f64) -> Computed<f64> {
    let holds = annual_rate > -1.0 && annual_rate <= 10.0;
    let annual = within("annual_rate", annual_rate, holds, "over -1, at most 10")?;
    Ok((annual.ln_1p() / 12.0).exp_m1())
}

/// What an investment has brought after each month, discounted; element 0 is the
/// investment itself, the last one the net present value:
/// `-I + sum of flow / (1 + r_m)^t`, flows at the end of the month.
///
/// Source: corporate finance.
///
/// # Errors
/// Where a figure is out of its range or the horizon is over 1,200 months.
pub fn cumulative_present_value(
    invest: f64,
    monthly_flow: f64,
    annual_rate: f64,
    months: u32,
) -> Computed<Vec<f64>> {
    if months > LONGEST_MONTHS {
        let value = f64::from(months);
        return Err(OutOfRange {
            what: "months",
            value,
            allowed: "at most 1,200",
        });
    }
    let flow = signed("monthly_flow", monthly_flow)?;
    let discount = 1.0 + monthly_rate(annual_rate)?;
    let mut sum = -amount("invest", invest)?;
    let mut values = vec![sum];
    for month in 1..=months {
        sum += flow / discount.powf(f64::from(month));
        values.push(finite("present value", sum)?);
    }
    Ok(values)
}

/// Net present value, the last of [`cumulative_present_value`].
///
/// # Errors
/// As there.
pub fn net_present_value(
    invest: f64,
    monthly_flow: f64,
    annual_rate: f64,
    months: u32,
) -> Computed<f64> {
    let values = cumulative_present_value(invest, monthly_flow, annual_rate, months)?;
    Ok(values.last().copied().unwrap_or(-invest))
}

/// Months until the flow has paid the investment, not discounted: `I / flow`. None where
/// nothing flows back.
///
/// # Errors
/// Where a figure is out of its range.
pub fn payback_months(invest: f64, monthly_flow: f64) -> Computed<Option<f64>> {
    let invest = amount("invest", invest)?;
    let flow = signed("monthly_flow", monthly_flow)?;
    if flow <= 0.0 {
        return Ok((invest == 0.0).then_some(0.0));
    }
    finite("payback", invest / flow).map(Some)
}

/// The first month whose end sees the investment paid back, discounted. None where that is
/// not within the horizon.
///
/// # Errors
/// As [`cumulative_present_value`].
pub fn discounted_payback_month(
    invest: f64,
    monthly_flow: f64,
    annual_rate: f64,
    months: u32,
) -> Computed<Option<u32>> {
    let values = cumulative_present_value(invest, monthly_flow, annual_rate, months)?;
    Ok(values
        .iter()
        .position(|v| *v >= 0.0)
        .map(|month| month as u32))
}

/// Gain over the horizon as a multiple of the investment, not discounted:
/// `(flow * months - I) / I`.
///
/// # Errors
/// Where a figure is out of its range or nothing is invested.
pub fn return_on_investment(invest: f64, monthly_flow: f64, months: u32) -> Computed<f64> {
    let invest = positive("invest", invest)?;
    let gain = signed("monthly_flow", monthly_flow)? * f64::from(months) - invest;
    finite("return", gain / invest)
}

/// Requests per month from which a fixed monthly cost is cheaper than paying each.
///
/// # Errors
/// Where a request costs nothing.
pub fn break_even_requests(fixed_per_month: f64, cost_per_request: f64) -> Computed<f64> {
    let each = positive("cost_per_request", cost_per_request)?;
    finite(
        "requests",
        amount("fixed_per_month", fixed_per_month)? / each,
    )
}
