//! Inputs that are no sensible numbers.

use super::super::cost::{self, TokenPrices, Tokens, usd_per_month, usd_per_request};
use super::super::decide::{Criterion, Decision, Goal};
use super::super::queueing::Queue;
use super::super::random::{Triangular, at_quantile, nearest_rank};
use super::super::tails::Lognormal;
use super::super::{Computed, caching, finance, gpu, growth, latency, limits, risk};

const ODD: [f64; 9] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    -1.0,
    -0.0,
    0.0,
    1e300,
    1.5,
    1e18,
];

/// Every pair of odd numbers is refused or answered with a number.
#[track_caller]
fn check(answers: impl Fn(f64, f64) -> Vec<Computed<f64>>) {
    let mut answered = 0;
    for x in ODD {
        for y in ODD {
            for (i, answer) in answers(x, y).into_iter().enumerate() {
                assert!(
                    answer.is_err() || answer.is_ok_and(f64::is_finite),
                    "{i}: {x}, {y}: {answer:?}"
                );
                answered += usize::from(answer.is_ok());
            }
        }
    }
    assert!(answered > 0);
}

#[test]
fn money_is_a_number_or_refused() {
    check(|x, y| {
        let p = TokenPrices {
            input_usd_per_mtok: y,
            cached_usd_per_mtok: None,
            output_usd_per_mtok: x,
        };
        vec![
            usd_per_request(&p, &Tokens::plain(x, y)),
            usd_per_month(x, y),
            cost::with_batch(x, y, 0.5),
            cost::with_routing(x, y, 0.5, x),
            cost::with_cascade(x, y, 0.5, x),
            cost::with_semantic_cache(x, 0.3, y, x, y),
            cost::compressed_tokens(x, y, x),
            cost::saving_share(x, y),
            cost::cascade_break_even(x, y, y),
            caching::stepped_cached_tokens(x, 1024, 128),
            caching::usd_saved_by_reads(x, 0.5, y, x, y),
            caching::usd_stored(x, y, x, y, x),
            caching::break_even_reads(x, y),
            caching::effective_prefix_usd_per_mtok(x, 0.5, y, 0.1),
            growth::after(1.0, x, y),
            growth::total(x, y, 600),
            growth::months_until(x, y, 0.1).map(Option::unwrap_or_default),
            growth::first_month_above(x, y, 1e-9).map(|m| f64::from(m.unwrap_or_default())),
            growth::monthly_growth(x, y),
            finance::net_present_value(x, y, 0.1, 24),
            finance::net_present_value(1.0, 1.0, x, 1_200),
            finance::payback_months(x, y).map(Option::unwrap_or_default),
            finance::return_on_investment(x, y, 24),
            finance::break_even_requests(x, y),
        ]
    });
}

#[test]
fn load_is_a_number_or_refused() {
    check(|x, y| {
        let queue = Queue::new(3, x, y);
        let call = Lognormal::through(x, y);
        let memory = gpu::Memory {
            bytes_per_gpu: x,
            utilisation: 0.9,
            weights_bytes: y,
            kv_bytes_per_token: x,
            context_tokens: y,
        };
        let cluster = gpu::Cluster {
            gpus: 2,
            bytes_per_s: x,
            flops: y,
            memory_efficiency: 0.6,
            compute_efficiency: 0.4,
        };
        vec![
            latency::total_s(x, y, x, y),
            latency::longest_answer_tokens(x, y, x, y),
            latency::perceived_wait(x, y, y).map(|w| w.ratio),
            latency::amdahl_speedup(x, 3),
            call.and_then(|l| l.percentile_s(0.95, 8)),
            call.and_then(|l| l.hedged_percentile_s(0.95, 8, y)),
            queue.map(|q| q.mean_wait_s()),
            queue.map(|q| q.wait_probability()),
            queue.and_then(|q| q.wait_percentile_s(0.95)),
            queue.and_then(|q| q.mean_wait_general_s(x, y)),
            memory.largest_batch(2),
            memory.gpus_for(x).map(f64::from),
            cluster.decode(y, x, y, x, y).map(|d| d.tps_per_user),
            cluster.prefill_s(x, y),
            gpu::experts_touched(1, 8, x),
            gpu::usd_per_mtok_full_load(x, y),
            limits::allowed(x, y, x).and_then(|a| a.headroom(y)),
            limits::burst_wait_s(x, y, x, y),
            limits::bucket_level(x, y, x, y),
            limits::backoff_s(x, y, 2_000, 1.0, None),
            Triangular::new(x, y, 1e18).and_then(|t| t.at(0.3)),
            at_quantile(&[x, y, y, y, y], 0.3),
            nearest_rank(&[1.0, 2.0], x),
        ]
    });
}

#[test]
fn what_has_no_answer_is_refused() {
    let criterion = Criterion {
        goal: Goal::Min,
        weight: 1.0,
    };
    assert!(
        Queue::smallest(1e9, 1e9, 0.1, 0.95).is_err(),
        "more slots than anybody has"
    );
    assert!(Queue::new(0, 0.0, 1.0).is_err(), "no slot");
    assert!(nearest_rank(&[], 0.5).is_err(), "no sample");
    assert!(
        Decision::new(vec![vec![f64::NAN]], vec![criterion]).is_err(),
        "no number"
    );
    assert!(
        Decision::new(vec![vec![1.0, 2.0]], vec![criterion]).is_err(),
        "too many values"
    );
    assert!(Decision::new(vec![], vec![criterion]).is_err(), "no option");
    assert!(
        risk::monte_carlo(1, 0, &[], |_| Ok(1.0)).is_err(),
        "no draw"
    );
    assert!(
        risk::bootstrap_interval(&[], 0.5, 10, 1).is_err(),
        "no sample to resample"
    );
    assert!(
        finance::net_present_value(1.0, 1.0, 0.1, 1_201).is_err(),
        "too far ahead"
    );
    let refusal = cost::with_batch(1.0, 1.2, 0.5).unwrap_err();
    assert_eq!(refusal.to_string(), "batch_share is 1.2, must be 0 to 1");
}
