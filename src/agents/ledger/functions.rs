//! The functions that formulas may call: the common ones, and the published
//! algorithms of `calculate` where no line of arithmetic says it.

use super::super::calculate::queueing::Queue;
use super::super::calculate::tails::Lognormal;
use super::super::calculate::{Computed, finance, gpu};

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
        _ => return None,
    })
}
