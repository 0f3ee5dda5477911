//! Choosing, percentiles and risk.

use super::super::decide::{Criterion, Decision, Goal, order};
use super::super::random::{Triangular, at_quantile, nearest_rank};
use super::super::risk;
use super::super::testing::{between, for_seeds};
use super::*;

#[test]
fn the_front_is_what_nobody_dominates() {
    for_seeds(SEEDS, |random| {
        let (options, criteria) = (1 + random.below(12), 1 + random.below(4));
        // Few different values, so that options tie.
        let mut value = |_| random.below(5) as f64;
        let rows: Vec<Vec<f64>> = (0..options)
            .map(|_| (0..criteria).map(&mut value).collect())
            .collect();
        let goals: Vec<_> = (0..criteria)
            .map(|_| {
                if random.below(2) == 0 {
                    Goal::Min
                } else {
                    Goal::Max
                }
            })
            .collect();
        let criterion = |goal: &Goal| Criterion {
            goal: *goal,
            weight: 1.0,
        };
        let decision = Decision::new(rows.clone(), goals.iter().map(criterion).collect()).unwrap();
        let no_worse = |a: f64, b: f64, g: Goal| if g == Goal::Min { a <= b } else { a >= b };
        let beats = |a: &[f64], b: &[f64]| {
            a != b
                && a.iter()
                    .zip(b)
                    .zip(&goals)
                    .all(|((a, b), g)| no_worse(*a, *b, *g))
        };
        let front = decision.front();
        assert!(!front.is_empty());
        for (i, row) in rows.iter().enumerate() {
            let beaten = rows.iter().any(|other| beats(other, row));
            assert_eq!(front.contains(&i), !beaten, "option {i} of {rows:?}");
        }
        for (a, b) in decision.dominated_by().iter().enumerate() {
            assert!(b.is_none_or(|b| beats(&rows[b], &rows[a])));
        }
        assert!(decision.topsis().iter().all(|s| (0.0..=1.0).contains(s)));
        assert!(
            decision
                .chebyshev()
                .iter()
                .all(|s| (0.0..=1.001_001).contains(s))
        );
    });
}

#[test]
fn whoever_is_best_in_everything_comes_first() {
    for_seeds(SEEDS, |random| {
        let mut rows: Vec<Vec<f64>> = (0..6)
            .map(|_| (0..3).map(|_| between(random, 1.0, 9.0)).collect())
            .collect();
        rows.push(vec![0.5, 10.0, 0.5]);
        let criteria = [Goal::Min, Goal::Max, Goal::Min].map(|goal| Criterion {
            goal,
            weight: between(random, 0.1, 5.0),
        });
        let decision = Decision::new(rows, criteria.to_vec()).unwrap();
        assert_eq!(order(&decision.topsis(), Goal::Max)[0], 6);
        assert_eq!(order(&decision.chebyshev(), Goal::Min)[0], 6);
        assert_eq!(decision.front(), [6]);
    });
}

#[test]
fn a_percentile_is_a_sample_with_enough_below_it() {
    for_seeds(SEEDS, |random| {
        let count = 1 + random.below(200);
        let mut samples: Vec<_> = (0..count).map(|_| between(random, -9.0, 9.0)).collect();
        samples.sort_by(f64::total_cmp);
        let p = between(random, 0.001, 0.999);
        let value = nearest_rank(&samples, p).unwrap();
        let at_most = samples.iter().filter(|s| **s <= value).count() as f64;
        let below = samples.iter().filter(|s| **s < value).count() as f64;
        assert!(samples.contains(&value));
        assert!(at_most >= p * count as f64 - 1e-6 && below < p * count as f64 + 1e-6);
    });
    for (p, rank) in [(0.29, 29), (0.07, 7), (0.95, 95), (0.951, 96), (0.001, 1)] {
        let samples: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(nearest_rank(&samples, p), Ok(f64::from(rank)), "{p}");
    }
}

#[test]
fn draws_stay_inside_their_range_and_follow_their_shape() {
    for_seeds(SEEDS, |random| {
        let (low, high) = two(random, -100.0, 100.0);
        let mode = between(random, low, high);
        let triangular = Triangular::new(low, mode, high).unwrap();
        let (u, v) = two(random, 0.0, 1.0);
        let (a, b) = (triangular.at(u).unwrap(), triangular.at(v).unwrap());
        assert!(low - 1e-9 <= a && a <= b + 1e-9 && b <= high + 1e-9);
        let mut five = [0.0; 5].map(|_| between(random, 0.0, 50.0));
        five.sort_by(f64::total_cmp);
        let (a, b) = (
            at_quantile(&five, u).unwrap(),
            at_quantile(&five, v).unwrap(),
        );
        assert!(five[0] <= a && a <= b + 1e-9 && b <= five[4] + 1e-9);
        for (p, value) in [0.05, 0.25, 0.5, 0.75, 0.95].into_iter().zip(five) {
            assert!((at_quantile(&five, p).unwrap() - value).abs() < 1e-9);
        }
    });
}

#[test]
fn the_same_seed_gives_the_same_risk_and_bins_hold_every_draw() {
    for_seeds(20, |random| {
        let inputs = [Triangular::new(1.0, between(random, 1.0, 9.0), 9.0).unwrap(); 2];
        let seed = random.next_u64();
        let run = || risk::monte_carlo(seed, 500, &inputs, |x| Ok(x[0] - x[1])).unwrap();
        let outcomes = run();
        assert_eq!(outcomes, run());
        let bins = outcomes.histogram(1 + random.below(40));
        assert_eq!(bins.iter().map(|b| b.count).sum::<usize>(), 500);
        for (i, bin) in bins.iter().enumerate() {
            let last = i + 1 == bins.len();
            let inside = |v: &&f64| **v >= bin.from && (**v < bin.to || last);
            assert_eq!(
                bin.count,
                outcomes.ascending().iter().filter(inside).count()
            );
        }
        let (p05, p95) = (
            outcomes.percentile(0.05).unwrap(),
            outcomes.percentile(0.95).unwrap(),
        );
        assert!(p05 <= outcomes.mean() && outcomes.mean() <= p95);
        let over = outcomes.ascending().iter().filter(|v| **v > 1.0).count();
        assert_eq!(outcomes.share_over(1.0), over as f64 / 500.0);
        let [low, high] = risk::bootstrap_interval(outcomes.ascending(), 0.5, 100, seed).unwrap();
        assert!(
            low <= outcomes.percentile(0.5).unwrap() && outcomes.percentile(0.5).unwrap() <= high
        );
    });
}
