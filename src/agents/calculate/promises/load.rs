//! Time, queues, accelerators and limits.

use super::super::queueing::Queue;
use super::super::random::nearest_rank;
use super::super::tails::Lognormal;
use super::super::testing::{between, close, for_seeds, log_between};
use super::super::{gpu, latency, limits};
use super::*;

#[test]
fn the_longest_answer_fits_and_one_token_more_does_not() {
    for_seeds(SEEDS, |random| {
        let (ttft, limit) = two(random, 0.0, 30.0);
        let tps = log_between(random, 1.0, 1000.0);
        let tokens = latency::longest_answer_tokens(limit, 0.0, ttft, tps).unwrap();
        let total = |n| latency::total_s(0.0, ttft, n, tps).unwrap();
        let late = latency::longest_answer_tokens(limit, limit, ttft, tps);
        assert_eq!(late, Ok(0.0), "no time left");
        assert!(total(tokens) <= limit + 1e-9);
        assert!(total(tokens + 1.0) > limit - 1e-9);
    });
}

#[test]
fn a_hedge_never_makes_anything_slower() {
    for_seeds(SEEDS, |random| {
        let median = log_between(random, 0.05, 20.0);
        let call = Lognormal::through(median, median * log_between(random, 1.0, 50.0)).unwrap();
        let (after, t) = (
            between(random, 0.0, 5.0 * median),
            between(random, 0.0, 9.0 * median),
        );
        assert!(call.hedged_slower_than(t, after) <= call.slower_than(t));
        let calls = 1 + random.below(64) as u32;
        let p = between(random, 0.5, 0.999);
        let plain = call.percentile_s(p, calls).unwrap();
        let hedged = call.hedged_percentile_s(p, calls, after).unwrap();
        assert!(hedged <= plain);
        assert!(
            call.percentile_s(p, calls + 1).unwrap() >= plain,
            "one call more"
        );
        // What came out is the percentile that was asked for.
        let in_time = (1.0 - call.hedged_slower_than(hedged, after)).powi(calls as i32);
        if call.sigma() > 0.0 {
            assert!((in_time - p).abs() < 1e-9, "{in_time} is not {p}");
        }
        assert!((0.0..=1.0).contains(&call.extra_load(after).unwrap()));
    });
}

#[test]
fn a_tighter_target_never_needs_fewer_slots() {
    for_seeds(SEEDS, |random| {
        let arrivals = log_between(random, 0.01, 100.0);
        let service = log_between(random, 0.05, 20.0);
        let (tight, loose) = two(random, 0.0, 5.0);
        let (low, high) = two(random, 0.5, 0.999);
        let slots = |wait, p| Queue::smallest(arrivals, service, wait, p).unwrap().slots();
        assert!(slots(tight, low) >= slots(loose, low), "wait");
        assert!(slots(tight, high) >= slots(tight, low), "percentile");
        let queue = Queue::smallest(arrivals, service, tight, high).unwrap();
        assert!((0.0..=1.0).contains(&queue.wait_probability()));
        assert!(queue.utilisation() < 1.0);
        assert!(
            queue.wait_percentile_s(high).unwrap() <= tight,
            "keeps the target"
        );
        // One slot less cannot carry the load or breaks the target.
        if let Ok(less) = Queue::new(queue.slots() - 1, arrivals, service) {
            assert!(
                less.wait_percentile_s(high).unwrap() > tight,
                "is the smallest"
            );
        }
        let tail = queue.waits_longer_than(tight).unwrap();
        assert!(tail <= 1.0 - high + 1e-9, "{tail}");
    });
}

/// Serves customers one by one and counts who waits; knows nothing of Erlang.
fn simulated_queue(random: &mut SplitMix64, slots: usize, arrivals: f64, service: f64) -> [f64; 2] {
    let mut free_at = vec![0.0f64; slots];
    let (mut now, mut waited, mut waits) = (0.0, 0, Vec::new());
    const CUSTOMERS: usize = 200_000;
    for _ in 0..CUSTOMERS {
        now -= (1.0 - random.uniform()).ln() / arrivals;
        let first = (0..slots)
            .min_by(|a, b| free_at[*a].total_cmp(&free_at[*b]))
            .unwrap();
        let wait = (free_at[first] - now).max(0.0);
        free_at[first] = now + wait - (1.0 - random.uniform()).ln() * service;
        waited += usize::from(wait > 0.0);
        waits.push(wait);
    }
    waits.sort_by(f64::total_cmp);
    [
        waited as f64 / CUSTOMERS as f64,
        nearest_rank(&waits, 0.95).unwrap(),
    ]
}

#[test]
fn erlang_agrees_with_a_simulated_queue() {
    for (slots, arrivals, service) in [(3, 1.0, 2.0), (29, 12.0, 1.8), (8, 0.7, 10.0)] {
        let queue = Queue::new(slots, arrivals, service).unwrap();
        let random = &mut SplitMix64::new(7);
        let [waited, w95] = simulated_queue(random, slots as usize, arrivals, service);
        assert!(
            (waited - queue.wait_probability()).abs() < 0.02,
            "{slots}: {waited}"
        );
        close("w95", w95, queue.wait_percentile_s(0.95).unwrap(), 0.1);
    }
}

#[test]
fn what_fits_the_memory_fits_and_one_more_does_not() {
    for_seeds(SEEDS, |random| {
        let memory = gpu::Memory {
            bytes_per_gpu: log_between(random, 16e9, 200e9),
            utilisation: between(random, 0.5, 1.0),
            weights_bytes: log_between(random, 1e9, 1e12),
            kv_bytes_per_token: log_between(random, 1e4, 1e6),
            context_tokens: log_between(random, 100.0, 1e5),
        };
        let concurrent = (1 + random.below(300)) as f64;
        let gpus = memory.gpus_for(concurrent).unwrap();
        assert!(memory.largest_batch(gpus).unwrap() >= concurrent - 1.0);
        if gpus > 1 {
            assert!(memory.largest_batch(gpus - 1).unwrap() < concurrent);
        }
        assert!(gpu::tensor_parallel(gpus) >= gpus && gpu::tensor_parallel(gpus).is_power_of_two());
    });
}

#[test]
fn a_limit_binds_where_it_says() {
    for_seeds(SEEDS, |random| {
        let (rpm, tpm) = (log_between(random, 1.0, 1e5), log_between(random, 1e3, 1e8));
        let tokens = log_between(random, 1.0, 1e5);
        let allowed = limits::allowed(rpm, tpm, tokens).unwrap();
        let rate = allowed.requests_per_s;
        assert!(rate * 60.0 <= rpm * (1.0 + 1e-12));
        assert!(limits::tpm_needed(rate, tokens).unwrap() <= tpm * (1.0 + 1e-12));
        assert!(allowed.headroom(rate).unwrap().abs() < 1e-12);
        // The last of a burst is served when the bucket is out of debt.
        let burst = between(random, 0.0, 1e4) * tokens;
        let wait = limits::burst_wait_s(burst / tokens, tokens, tpm, tpm / 60.0).unwrap();
        let level = limits::bucket_level(burst, tpm, tpm / 60.0, wait).unwrap();
        assert!(level >= -1e-6 * tpm && (wait == 0.0 || level.abs() < 1e-6 * tpm));
        let later = limits::bucket_level(burst, tpm, tpm / 60.0, wait + 61.0).unwrap();
        assert_eq!(later, tpm, "full again a minute later, and no fuller");
    });
}
