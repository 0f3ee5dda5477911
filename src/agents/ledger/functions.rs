//! The functions that formulas may call: the common ones, and the published
//! algorithms of `calculate` where no line of arithmetic says it.

use std::cell::RefCell;

use super::super::calculate::queueing::Queue;
use super::super::calculate::random::Triangular;
use super::super::calculate::risk::{Outcomes, monte_carlo};
use super::super::calculate::tails::Lognormal;
use super::super::calculate::{Computed, finance, gpu};

thread_local! {
    /// The last simulation: several statistics are read from the same draws.
    static LAST: RefCell<Option<(Vec<f64>, Outcomes)>> = const { RefCell::new(None) };
}

/// Reads a statistic from the draws of `v (i p_in + o p_out) / 1e6 − f`, every letter
/// triangular: seed, draws, low, mode and high of v, i, o and f, then both prices.
fn simulated(given: &[f64], read: impl Fn(&Outcomes) -> Computed<f64>) -> Computed<f64> {
    LAST.with_borrow_mut(|last| {
        if !last.as_ref().is_some_and(|(key, _)| key == given) {
            let triangle = |k: usize| Triangular::new(given[k], given[k + 1], given[k + 2]);
            let inputs = [triangle(2)?, triangle(5)?, triangle(8)?, triangle(11)?];
            let (p_in, p_out) = (given[14], given[15]);
            let draws = given[1].round().clamp(1.0, 100_000.0) as u32;
            let result = |x: &[f64]| Ok(x[0] * (x[1] * p_in + x[2] * p_out) / 1e6 - x[3]);
            let outcomes = monte_carlo(given[0].max(0.0) as u64, draws, &inputs, result)?;
            *last = Some((given.to_vec(), outcomes));
        }
        last.as_ref()
            .map_or(Ok(f64::NAN), |(_, outcomes)| read(outcomes))
    })
}

/// Calls a function by name; the error names what is wrong.
pub(super) fn call(name: &str, given: &[f64]) -> Result<f64, String> {
    if let Some(result) = published(name, given) {
        return result.map_err(|e| e.to_string());
    }
    Ok(match (name, given) {
        ("min", [first, rest @ ..]) => rest.iter().fold(*first, |a, b| a.min(*b)),
        ("max", [first, rest @ ..]) => rest.iter().fold(*first, |a, b| a.max(*b)),
        ("sum", all) => all.iter().sum(),
        ("floor", [x]) => x.floor(),
        ("ceil", [x]) => x.ceil(),
        ("sqrt", [x]) => x.sqrt(),
        ("ln", [x]) => x.ln(),
        ("exp", [x]) => x.exp(),
        ("abs", [x]) => x.abs(),
        _ => return Err(format!("{name} does not take {} arguments", given.len())),
    })
}

/// The algorithms; none where the name is not one of theirs.
fn published(name: &str, given: &[f64]) -> Option<Computed<f64>> {
    let whole = |x: f64| x.round().clamp(0.0, 1e9) as u32;
    Some(match (name, given) {
        ("erlang_c", &[c, lam, s]) => Queue::new(whole(c), lam, s).map(|q| q.wait_probability()),
        ("erlang_wait", &[c, lam, s, p]) => {
            Queue::new(whole(c), lam, s).and_then(|q| q.wait_percentile_s(p))
        }
        ("slots_needed", &[lam, s, t, p]) => {
            Queue::smallest(lam, s, t, p).map(|q| f64::from(q.slots()))
        }
        ("npv", &[invest, flow, rate, months]) => {
            finance::net_present_value(invest, flow, rate, whole(months))
        }
        ("discounted_payback", &[invest, flow, rate]) => {
            finance::discounted_payback_month(invest, flow, rate, 600)
                .map(|m| m.map_or(f64::NAN, f64::from))
        }
        ("power_of_two", &[g]) => Ok(f64::from(gpu::tensor_parallel(whole(g)))),
        ("lognormal_over", &[t, median, p95]) => {
            Lognormal::through(median, p95).map(|l| l.slower_than(t))
        }
        ("fan_out", &[p, n, median, p95]) => {
            Lognormal::through(median, p95).and_then(|l| l.percentile_s(p, whole(n)))
        }
        ("fan_out_hedged", &[p, n, median, p95, after]) => {
            Lognormal::through(median, p95).and_then(|l| l.hedged_percentile_s(p, whole(n), after))
        }
        ("mc_percentile", [p, rest @ ..]) if rest.len() == 16 => {
            simulated(rest, |o| o.percentile(*p))
        }
        ("mc_mean", all) if all.len() == 16 => simulated(all, |o| Ok(o.mean())),
        ("mc_share_positive", all) if all.len() == 16 => simulated(all, |o| Ok(o.share_over(0.0))),
        ("mc_share_between", [at, width, rest @ ..]) if rest.len() == 16 => simulated(rest, |o| {
            let below = |x: f64| o.ascending().partition_point(|v| *v < x) as f64;
            Ok((below(at + width) - below(*at)) / o.ascending().len() as f64)
        }),
        _ => return None,
    })
}
