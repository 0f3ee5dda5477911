//! What things cost and whether they pay.

use super::super::cost::{self, Period, Tokens, usd_per_month, usd_per_request};
use super::super::{Computed, caching, finance, growth};
use super::*;
use crate::agents::catalog::CacheMechanism;

#[test]
fn e02_a_fixed_prefix_in_an_automatic_cache() {
    let catalog = Catalog::builtin();
    let p = prices(&catalog, "gpt-4.1");
    let CacheMechanism::Automatic {
        first_tokens,
        step_tokens,
    } = catalog.cache_rule("gpt-4.1").unwrap().how
    else {
        panic!("E02: the cache is automatic")
    };
    let cached = caching::stepped_cached_tokens(2000.0, first_tokens, step_tokens).unwrap();
    let baseline = month(&catalog, "gpt-4.1", 5e5, 2600.0, 300.0);
    let read = p.cached_usd_per_mtok.unwrap();
    let saved = caching::usd_saved_by_reads(5e5, 0.8, cached, p.input_usd_per_mtok, read).unwrap();
    let share = cost::saving_share(baseline, baseline - saved).unwrap();
    check(
        "E02",
        &[
            ("baseline", baseline, 3_800.0),
            ("cached", cached, 1_920.0),
            ("with cache", baseline - saved, 2_648.0),
            ("saving", saved, 1_152.0),
            ("share", share, 0.303_157_894_7),
        ],
    );
}

#[test]
fn e03_a_prefix_in_an_explicit_cache() {
    let catalog = Catalog::builtin();
    let model = catalog.model("claude-haiku-4.5").unwrap();
    assert!(
        model.tokens.cache_minimum.unwrap() <= 6000,
        "E03: the prefix is cacheable"
    );
    let CacheMechanism::Explicit { write_5m, read, .. } =
        catalog.cache_rule(&model.id).unwrap().how
    else {
        panic!("E03: the cache is explicit")
    };
    let price = catalog.price(&model.id, TODAY).unwrap();
    let written = price.cache_write_5m_usd_per_mtok.unwrap();
    assert_eq!(
        written,
        write_5m * price.input_usd_per_mtok,
        "E03: the row keeps the rule"
    );
    let baseline = month(&catalog, &model.id, 3e5, 6400.0, 350.0);
    let rest = Tokens::plain(400.0, 350.0);
    let p = price.token_prices();
    let request =
        caching::usd_per_request_explicit(&p, 6000.0, &rest, 0.95, write_5m, read).unwrap();
    let with_cache = usd_per_month(request, 3e5).unwrap();
    check(
        "E03",
        &[
            ("baseline", baseline, 2_445.0),
            ("with cache", with_cache, 928.5),
            ("saving", baseline - with_cache, 1_516.5),
            (
                "share",
                cost::saving_share(baseline, with_cache).unwrap(),
                0.620_245_398_8,
            ),
            (
                "break-even",
                caching::break_even_reads(write_5m, read).unwrap(),
                0.277_777_777_8,
            ),
        ],
    );
}

#[test]
fn e04_work_that_can_wait() {
    let catalog = Catalog::builtin();
    let multiplier = catalog
        .model("gpt-4.1-mini")
        .unwrap()
        .batch
        .as_ref()
        .unwrap()
        .multiplier;
    let baseline = month(&catalog, "gpt-4.1-mini", 3e6, 600.0, 40.0);
    let batched = cost::with_batch(baseline, 0.7, multiplier).unwrap();
    check(
        "E04",
        &[
            ("baseline", baseline, 912.0),
            ("with batch", batched, 592.8),
            ("saving", baseline - batched, 319.2),
            (
                "share",
                cost::saving_share(baseline, batched).unwrap(),
                0.35,
            ),
        ],
    );
}

#[test]
fn e05_the_easy_part_to_a_small_model() {
    let catalog = Catalog::builtin();
    let requests = cost::per_month(2e6, Period::Quarter).unwrap();
    let [big, small] = ["claude-sonnet-4.5", "claude-haiku-4.5"]
        .map(|id| usd_per_request(&prices(&catalog, id), &Tokens::plain(3200.0, 420.0)).unwrap());
    let all = |usd: Computed<f64>| usd_per_month(usd.unwrap(), requests).unwrap();
    let (baseline, routed, cascaded) = (
        all(Ok(big)),
        all(cost::with_routing(big, small, 0.4, 0.0)),
        all(cost::with_cascade(big, small, 0.4, 0.0)),
    );
    check(
        "E05",
        &[
            ("requests", requests, 666_666.666_7),
            ("baseline", baseline, 10_600.0),
            ("routing", routed, 6_360.0),
            (
                "routing share",
                cost::saving_share(baseline, routed).unwrap(),
                0.4,
            ),
            ("cascade", cascaded, 7_773.333_333),
            (
                "cascade share",
                cost::saving_share(baseline, cascaded).unwrap(),
                0.266_666_666_7,
            ),
            (
                "break-even",
                cost::cascade_break_even(big, small, 0.0).unwrap(),
                0.666_666_666_7,
            ),
        ],
    );
}

#[test]
fn e06_levers_one_after_the_other() {
    let catalog = Catalog::builtin();
    let p = prices(&catalog, "gemini-2.5-flash");
    let requests = cost::per_month(40_000.0, Period::Day).unwrap();
    let usd = |input, output, hit_rate, embed_tokens| {
        let request = usd_per_request(&p, &Tokens::plain(input, output)).unwrap();
        let each = cost::with_semantic_cache(request, hit_rate, embed_tokens, 0.02, 0.0).unwrap();
        usd_per_month(each, requests).unwrap()
    };
    let baseline = usd(5000.0, 300.0, 0.0, 0.0);
    let cached = usd(5000.0, 300.0, 0.25, 50.0);
    let shorter = cost::compressed_tokens(1000.0, 4000.0, 2.0).unwrap();
    let compressed = usd(shorter, 300.0, 0.25, 50.0);
    let capped = usd(shorter, 240.0, 0.25, 50.0);
    check(
        "E06",
        &[
            ("baseline", baseline, 2_739.375),
            ("after cache", cached, 2_055.748_75),
            ("after compression", compressed, 1_507.873_75),
            ("after cap", capped, 1_370.905),
            ("cache alone", baseline - cached, 683.626_25),
            ("compression on top", cached - compressed, 547.875),
            ("cap on top", compressed - capped, 136.968_75),
            (
                "share",
                cost::saving_share(baseline, capped).unwrap(),
                0.499_555_555_6,
            ),
        ],
    );
}

#[test]
fn e12_when_a_budget_is_exceeded() {
    let (spend, g) = (4_200.5, 0.12);
    let month = growth::first_month_above(10_000.0, spend, g).unwrap();
    assert_eq!(month, Some(8), "E12 month");
    check(
        "E12",
        &[
            ("then", growth::after(spend, g, 8.0).unwrap(), 10_400.283_32),
            (
                "twelve months",
                growth::total(spend, g, 12).unwrap(),
                101_371.226_3,
            ),
            (
                "in a year",
                growth::after(spend, g, 12.0).unwrap(),
                16_365.047_16,
            ),
        ],
    );
}

#[test]
fn e13_whether_a_router_is_worth_it() {
    let (invest, flow) = (45_000.0, 7_500.0 - 900.0);
    let npv = finance::net_present_value(invest, flow, 0.1, 24).unwrap();
    let month = finance::discounted_payback_month(invest, flow, 0.1, 24).unwrap();
    assert_eq!(
        (flow, month),
        (6_600.0, Some(8)),
        "E13 flow and payback month"
    );
    check(
        "E13",
        &[
            (
                "payback",
                finance::payback_months(invest, flow).unwrap().unwrap(),
                6.818_181_818,
            ),
            ("npv", npv, 98_646.146_65),
            (
                "roi",
                finance::return_on_investment(invest, flow, 24).unwrap(),
                2.52,
            ),
        ],
    );
}
