//! Costs, growth and investments.

use super::super::cost::{self, TokenPrices, Tokens, usd_per_month, usd_per_request};
use super::super::testing::{between, close, for_seeds, log_between};
use super::super::{caching, finance, growth};
use super::*;

fn any_prices(random: &mut SplitMix64) -> TokenPrices {
    let input = log_between(random, 0.01, 100.0);
    TokenPrices {
        input_usd_per_mtok: input,
        cached_usd_per_mtok: Some(input * random.uniform()),
        output_usd_per_mtok: log_between(random, 0.01, 300.0),
    }
}

#[test]
fn more_never_costs_less() {
    for_seeds(SEEDS, |random| {
        let p = any_prices(random);
        let (few_in, many_in) = two(random, 0.0, 1e6);
        let (few_out, many_out) = two(random, 0.0, 1e5);
        let (few, many) = two(random, 0.0, 1e9);
        let usd = |input, output| usd_per_request(&p, &Tokens::plain(input, output)).unwrap();
        assert!(usd(few_in, few_out) <= usd(many_in, few_out));
        assert!(usd(few_in, few_out) <= usd(few_in, many_out));
        let each = usd(few_in, few_out);
        assert!(usd_per_month(each, few).unwrap() <= usd_per_month(each, many).unwrap());
    });
}

#[test]
fn a_lever_never_costs_more_than_it_can_save() {
    for_seeds(SEEDS, |random| {
        let p = any_prices(random);
        let (cached, input) = two(random, 0.0, 1e5);
        let plain = usd_per_request(&p, &Tokens::plain(input, 100.0)).unwrap();
        let tokens = Tokens {
            input,
            cached,
            output: 100.0,
        };
        assert!(
            usd_per_request(&p, &tokens).unwrap() <= plain * (1.0 + 1e-12),
            "reads"
        );

        let share = random.uniform();
        let batched = cost::with_batch(plain, share, 0.5).unwrap();
        assert!(batched <= plain && batched >= plain * 0.5, "batch");

        let (small, big) = two(random, 0.001, 1.0);
        let routed = cost::with_routing(big, small, share, 0.0).unwrap();
        assert!((small..=big * (1.0 + 1e-12)).contains(&routed), "routing");
        // A cascade pays exactly below its break-even.
        let break_even = cost::cascade_break_even(big, small, 0.0).unwrap();
        let cascaded = cost::with_cascade(big, small, share, 0.0).unwrap();
        if (share - break_even).abs() > 1e-9 {
            assert_eq!(cascaded < big, share < break_even, "cascade");
        }
        assert!(
            cost::compressed_tokens(input, cached, between(random, 1.0, 20.0)).unwrap()
                <= input + cached
        );
    });
}

#[test]
fn an_explicit_cache_pays_exactly_from_its_break_even() {
    for_seeds(SEEDS, |random| {
        let (write, read) = (between(random, 1.0, 3.0), between(random, 0.0, 0.95));
        let needed = caching::break_even_reads(write, read).unwrap();
        let reads = between(random, 0.0, 20.0);
        // One write and so many reads: the share of hits is reads over all.
        let hits = reads / (1.0 + reads);
        let price = caching::effective_prefix_usd_per_mtok(1.0, hits, write, read).unwrap();
        if (reads - needed).abs() > 1e-9 {
            assert_eq!(price < 1.0, reads > needed);
        }
    });
}

#[test]
fn an_automatic_cache_holds_whole_steps_of_the_prefix() {
    for_seeds(SEEDS, |random| {
        let prefix = between(random, 0.0, 1e5).floor();
        let cached = caching::stepped_cached_tokens(prefix, 1024, 128).unwrap();
        assert!(cached <= prefix);
        assert!(cached == 0.0 || (prefix - cached < 128.0 && cached % 128.0 == 0.0));
        assert_eq!(cached == 0.0, prefix < 1024.0);
    });
}

#[test]
fn the_month_above_a_limit_is_the_first_one() {
    for_seeds(SEEDS, |random| {
        let now = log_between(random, 0.1, 1e6);
        let g = between(random, 0.001, 0.5);
        let limit = now * log_between(random, 0.5, 1000.0);
        let at = |m: u32| growth::after(now, g, f64::from(m)).unwrap();
        match growth::first_month_above(limit, now, g).unwrap() {
            Some(0) => assert!(now > limit),
            Some(m) => assert!(at(m) > limit && at(m - 1) <= limit * (1.0 + 1e-9), "{m}"),
            None => assert!(at(growth::HORIZON_MONTHS) <= limit),
        }
        let months = 1 + random.below(48) as u32;
        let sum: f64 = (0..months).map(at).sum();
        close("total", growth::total(now, g, months).unwrap(), sum, 1e-9);
        let back = growth::monthly_growth(at(months) / now, f64::from(months)).unwrap();
        close("growth", back, g, 1e-9);
    });
    // Equal to the limit is not above it, whatever the logarithms say.
    for month in 0..200 {
        let limit = growth::after(100.0, 0.15, f64::from(month)).unwrap();
        let above = growth::first_month_above(limit, 100.0, 0.15);
        assert_eq!(
            above,
            Ok(Some(month + 1)),
            "the limit is month {month}'s demand"
        );
    }
    assert_eq!(growth::first_month_above(110.0, 100.0, 0.1), Ok(Some(2)));
    assert_eq!(growth::first_month_above(100.0, 100.0, 0.1), Ok(Some(1)));
    assert_eq!(growth::first_month_above(100.0, 101.0, 0.1), Ok(Some(0)));
    assert_eq!(growth::first_month_above(100.0, 50.0, 0.0), Ok(None));
    assert_eq!(growth::first_month_above(100.0, 50.0, -0.1), Ok(None));
}

#[test]
fn calendar_months_are_counted_as_people_count_them() {
    use time::macros::date;
    for (from, to, months) in [
        (date!(2026 - 12 - 01), date!(2027 - 06 - 01), 6.0),
        (date!(2026 - 12 - 01), date!(2026 - 12 - 01), 0.0),
        (date!(2026 - 01 - 31), date!(2026 - 02 - 28), 1.0),
        (date!(2024 - 02 - 29), date!(2025 - 02 - 28), 12.0),
        (date!(2027 - 06 - 01), date!(2026 - 12 - 01), -6.0),
        (date!(2026 - 12 - 15), date!(2027 - 01 - 14), 30.0 / 30.4375),
    ] {
        assert_eq!(growth::months_between(from, to), months, "{from} to {to}");
    }
}

#[test]
fn money_later_is_worth_less() {
    for_seeds(SEEDS, |random| {
        let (invest, flow) = (log_between(random, 1.0, 1e6), log_between(random, 1.0, 1e5));
        let (low, high) = two(random, 0.0, 1.0);
        let months = 1 + random.below(60) as u32;
        let npv = |r| finance::net_present_value(invest, flow, r, months).unwrap();
        assert!(npv(high) <= npv(low) + 1e-6);
        close("npv", npv(0.0), flow * f64::from(months) - invest, 1e-9);
        let plain = finance::payback_months(invest, flow).unwrap().unwrap();
        match finance::discounted_payback_month(invest, flow, high, months).unwrap() {
            Some(month) => assert!(f64::from(month) >= plain - 1e-9),
            None => assert!(npv(high) < 0.0),
        }
    });
}
