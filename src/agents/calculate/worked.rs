//! The worked example of each published formula, by its number.

use time::macros::date;

use super::cost::{Period, TokenPrices, Tokens};
use super::decide::{Criterion, Decision, Goal};
use super::gpu::{Cluster, Memory};
use super::latency::NormalPart;
use super::queueing::Queue;
use super::random::{SplitMix64, Triangular};
use super::tails::Lognormal;
use super::testing::close;
use super::{Computed, caching, cost, finance, gpu, growth, latency, limits, queueing, tails};
use crate::agents::catalog::Catalog;

/// A formula's number, what it is, what came out and what must.
#[track_caller]
fn check(formula: &str, rows: &[(&str, Computed<f64>, f64)]) {
    for (what, actual, expected) in rows {
        let name = format!("{formula} {what}");
        let actual = actual.unwrap_or_else(|e| panic!("{name}: {e}"));
        close(&name, actual, *expected, 1e-9);
    }
}

fn prices(model: &str) -> TokenPrices {
    let price = Catalog::builtin().price(model, date!(2026 - 08 - 01));
    price.expect("a model of the catalog").token_prices()
}

#[test]
fn f01_f02_cost_of_requests() {
    let request = cost::usd_per_request(&prices("gpt-4o"), &Tokens::plain(900.0, 250.0));
    let requests = cost::per_month(40_000.0, Period::Day);
    let month = cost::usd_per_month(request.unwrap(), requests.unwrap());
    check("F01", &[("usd", request, 0.00475)]);
    check(
        "F02",
        &[
            ("requests", requests, 1_217_500.0),
            ("usd", month, 5_783.125),
        ],
    );
}

#[test]
fn f03_f04_automatic_cache() {
    for (prefix, cached) in [
        (1000.0, 0.0),
        (1024.0, 1024.0),
        (1151.0, 1024.0),
        (1152.0, 1152.0),
        (2000.0, 1920.0),
        (2006.0, 1920.0),
    ] {
        let tokens = caching::stepped_cached_tokens(prefix, 1024, 128);
        check("F03", &[("tokens", tokens, cached)]);
    }
    let p = prices("gpt-4.1");
    let (input, read) = (p.input_usd_per_mtok, p.cached_usd_per_mtok.unwrap());
    let cached = caching::stepped_cached_tokens(2000.0, 1024, 128).unwrap();
    let saved = caching::usd_saved_by_reads(500_000.0, 0.8, cached, input, read);
    check("F04", &[("usd", saved, 1152.0)]);
}

#[test]
fn f05_f06_f07_explicit_and_stored_cache() {
    check(
        "F05",
        &[
            (
                "five minutes",
                caching::break_even_reads(1.25, 0.1),
                0.25 / 0.9,
            ),
            ("an hour", caching::break_even_reads(2.0, 0.1), 1.0 / 0.9),
        ],
    );
    let price = caching::effective_prefix_usd_per_mtok(1.0, 0.95, 1.25, 0.1);
    check("F06", &[("usd", price, 0.1575)]);
    check(
        "F07",
        &[(
            "usd",
            caching::usd_stored(2000.0, 1e5, 0.125, 24.0, 4.5),
            35.8,
        )],
    );
}

#[test]
fn f08_to_f12_levers_on_the_price() {
    let (big, small) = (0.0159, 0.0053);
    let routed = cost::with_routing(big, small, 0.4, 0.0);
    check("F08", &[("usd", cost::with_batch(912.0, 0.7, 0.5), 592.8)]);
    check(
        "F09",
        &[
            ("usd", routed, 0.00954),
            ("saving", cost::saving_share(big, routed.unwrap()), 0.4),
        ],
    );
    check(
        "F10",
        &[
            ("usd", cost::with_cascade(big, small, 0.4, 0.0), 0.01166),
            (
                "break-even",
                cost::cascade_break_even(big, small, 0.0),
                2.0 / 3.0,
            ),
        ],
    );
    let cached = cost::with_semantic_cache(0.00475, 0.3, 50.0, 0.02, 0.0);
    check("F11", &[("usd", cached, 0.003326)]);
    let tokens = cost::compressed_tokens(1000.0, 4000.0, 4.0);
    let fraction = Ok(tokens.unwrap() / 5000.0);
    check(
        "F12",
        &[("tokens", tokens, 2000.0), ("fraction", fraction, 0.4)],
    );
}

#[test]
fn f13_to_f16_time_of_an_answer() {
    check(
        "F13",
        &[(
            "s",
            latency::total_s(0.1, 0.828, 250.0, 201.3),
            2.169_927_471_435_668,
        )],
    );
    check(
        "F14",
        &[(
            "tokens",
            latency::longest_answer_tokens(2.0, 0.0, 0.5, 120.0),
            180.0,
        )],
    );
    let parts = [
        NormalPart {
            mean_s: 0.8,
            deviation_s: 0.3,
        },
        NormalPart {
            mean_s: 1.2,
            deviation_s: 0.4,
        },
    ];
    check(
        "F15",
        &[
            (
                "independent",
                latency::percentile_of_sum_s(&parts, 0.95),
                2.822_426_813_475_736,
            ),
            (
                "sum",
                latency::sum_of_percentiles_s(&parts, 0.95),
                3.151_397_538_866_03,
            ),
        ],
    );
    let wait = latency::perceived_wait(0.6, 400.0, 80.0).unwrap();
    check(
        "F16",
        &[
            ("streamed", Ok(wait.streamed_s), 0.6),
            ("whole", Ok(wait.whole_s), 5.6),
            ("ratio", Ok(wait.ratio), 28.0 / 3.0),
        ],
    );
}

#[test]
fn f17_f18_f19_many_calls() {
    let slow = tails::all_in_time(0.99, 100).map(|p| 1.0 - p);
    check(
        "F17",
        &[
            ("slow", slow, 0.633_967_658_726_770_8),
            (
                "needed",
                tails::needed_single_percentile(0.95, 8),
                0.95f64.powf(0.125),
            ),
        ],
    );
    let call = Lognormal::through(0.8, 1.6).unwrap();
    let rows = [
        ("sigma", Ok(call.sigma()), 0.421_403_563_9),
        ("p99", call.percentile_s(0.99, 1), 2.132_271_266),
        (
            "p99 hedged",
            call.hedged_percentile_s(0.99, 1, 1.6),
            2.088_804_105,
        ),
        ("p999", call.percentile_s(0.999, 1), 2.942_005_101),
        (
            "p999 hedged",
            call.hedged_percentile_s(0.999, 1, 1.6),
            2.552_771_456,
        ),
        ("extra load", call.extra_load(1.6), 0.05),
    ];
    check("F18", &rows);
    check(
        "F19",
        &[
            ("speed-up", latency::amdahl_speedup(0.75, 6), 8.0 / 3.0),
            (
                "limit",
                latency::amdahl_limit(0.75).map(|l| l.unwrap()),
                4.0,
            ),
        ],
    );
}

#[test]
fn f20_to_f23_queues() {
    check(
        "F20",
        &[("in flight", queueing::in_flight(12.0, 1.8), 21.6)],
    );
    for (slots, waits) in [
        (3, 0.702_247_191_011_236),
        (4, 0.319_856_704_196_519_9),
        (5, 0.130_371_297_455_152_3),
        (6, 0.047_444_812_194_455_41),
    ] {
        let queue = Queue::new(slots, 30.0 / 60.0, 5.0).unwrap();
        check("F21", &[("p wait", Ok(queue.wait_probability()), waits)]);
    }
    let queue = Queue::smallest(12.0, 1.8, 0.2, 0.95).unwrap();
    assert_eq!(queue.slots(), 29, "F22");
    check(
        "F22",
        &[
            ("p wait", Ok(queue.wait_probability()), 0.090_579_746_84),
            ("w95", queue.wait_percentile_s(0.95), 0.144_536_993),
        ],
    );
    let queue = Queue::new(27, 12.0, 1.8).unwrap();
    check(
        "F23",
        &[
            ("M/M/c", Ok(queue.mean_wait_s()), 0.064_509_456_58),
            (
                "G/G/c",
                queue.mean_wait_general_s(1.0, 0.5),
                0.048_382_092_43,
            ),
        ],
    );
}

#[test]
fn f24_to_f29_own_accelerators() {
    check(
        "F24",
        &[
            ("70B", gpu::kv_bytes_per_token(80, 8, 128, 2.0), 327_680.0),
            ("8B", gpu::kv_bytes_per_token(32, 8, 128, 2.0), 131_072.0),
            ("13B", gpu::kv_bytes_per_token(40, 40, 128, 2.0), 819_200.0),
        ],
    );
    check(
        "F25",
        &[(
            "bytes",
            gpu::latent_kv_bytes_per_token(61, 512, 64, 2.0),
            70_272.0,
        )],
    );
    let memory = Memory {
        bytes_per_gpu: 80e9,
        utilisation: 0.9,
        weights_bytes: 140e9,
        kv_bytes_per_token: 327_680.0,
        context_tokens: 4096.0,
    };
    check("F26", &[("batch", memory.largest_batch(4), 110.0)]);
    let cluster = Cluster {
        gpus: 4,
        bytes_per_s: 3.35e12,
        flops: 9.89e14,
        memory_efficiency: 0.6,
        compute_efficiency: 0.4,
    };
    let decode = cluster
        .decode(140e9, 70e9, 40.0, 4096.0, 327_680.0)
        .unwrap();
    check(
        "F27",
        &[
            ("step", Ok(decode.step_s), 0.024_090_434_228_855_72),
            ("compute", Ok(decode.compute_s), 0.003_538_928_210_313_448),
            ("user", Ok(decode.tps_per_user), 41.510_252_184_152_3),
            ("total", Ok(decode.tps_total), 1_660.410_087_366_09),
        ],
    );
    check(
        "F28",
        &[(
            "s",
            cluster.prefill_s(70e9, 4096.0),
            0.362_386_248_736_097_1,
        )],
    );
    for (batch, fraction) in [
        (1.0, 0.03125),
        (16.0, 0.398_289_696_567_952_7),
        (64.0, 0.868_915_967_521_525),
    ] {
        check(
            "F29",
            &[("fraction", gpu::experts_touched(4, 128, batch), fraction)],
        );
    }
}

#[test]
fn f30_f31_f32_rate_limits() {
    let allowed = limits::allowed(10_000.0, 2e6, 1150.0).unwrap();
    assert_eq!(allowed.binding, limits::Binding::Tpm, "F30");
    check(
        "F30",
        &[("rps", Ok(allowed.requests_per_s), 28.985_507_246_376_812)],
    );
    let wait = limits::burst_wait_s(120.0, 1150.0, 60_000.0, 100_000.0 / 3.0);
    check("F31", &[("s", wait, 2.34)]);
    for (retry, mean) in [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0]
        .into_iter()
        .enumerate()
    {
        let pause = limits::backoff_s(0.5, 20.0, retry as u32, 0.5, None);
        check("F32", &[("mean", pause, mean)]);
    }
    let told = limits::backoff_s(0.5, 20.0, 3, 0.5, Some(7.0));
    check("F32", &[("retry-after", told, 7.0)]);
}

#[test]
fn f33_f34_f35_growth_and_money() {
    let limit = 28.985_507_246_376_812;
    let until = growth::months_until(limit, 9.0, 0.15).map(|m| m.unwrap());
    check("F33", &[("months", until, 8.368_310_842)]);
    assert_eq!(
        growth::first_month_above(limit, 9.0, 0.15),
        Ok(Some(9)),
        "F33"
    );
    check(
        "F34",
        &[("growth", growth::monthly_growth(3.0, 6.0), 0.200_936_955_2)],
    );
    check(
        "F35",
        &[
            (
                "npv",
                finance::net_present_value(45e3, 6600.0, 0.1, 24),
                98_646.146_65,
            ),
            (
                "payback",
                finance::payback_months(45e3, 6600.0).map(|m| m.unwrap()),
                75.0 / 11.0,
            ),
            ("roi", finance::return_on_investment(45e3, 6600.0, 24), 2.52),
        ],
    );
    assert_eq!(
        finance::discounted_payback_month(45e3, 6600.0, 0.1, 24),
        Ok(Some(8)),
        "F35"
    );
}

#[test]
fn f36_f37_f38_choosing() {
    let criterion = |goal, weight| Criterion { goal, weight };
    let rows = [
        [1.0, 5.0, 2.0],
        [2.0, 8.0, 1.0],
        [3.0, 7.0, 3.0],
        [6.0, 9.0, 2.5],
    ];
    let criteria = [
        criterion(Goal::Min, 0.4),
        criterion(Goal::Max, 0.4),
        criterion(Goal::Min, 0.2),
    ];
    let decision = Decision::new(rows.map(|r| r.to_vec()).to_vec(), criteria.to_vec()).unwrap();
    assert_eq!(decision.front(), [0, 1, 3], "F36");
    assert_eq!(decision.dominated_by(), [None, None, Some(1), None], "F36");
    let expected = [
        0.710_085_064_8,
        0.803_446_500_6,
        0.536_780_398_9,
        0.275_276_765_2,
    ];
    for (actual, expected) in decision.topsis().into_iter().zip(expected) {
        check("F37", &[("closeness", Ok(actual), expected)]);
    }
    let expected = [0.4005, 0.10018, 0.20056, 0.40055];
    for (actual, expected) in decision.chebyshev().into_iter().zip(expected) {
        check("F38", &[("distance", Ok(actual), expected)]);
    }
}

#[test]
fn f39_f40_randomness() {
    let mut random = SplitMix64::new(42);
    for expected in [
        0.741_564_878_771_823_3,
        0.159_910_392_876_920_1,
        0.278_601_130_255_138_66,
    ] {
        assert_eq!(random.uniform(), expected, "F39");
    }
    let distribution = Triangular::new(1.0, 2.0, 5.0).unwrap();
    for (u, x) in [
        (0.1, 1.632_455_532_033_676),
        (0.5, 2.550_510_257_216_822),
        (0.9, 3.904_554_884_989_668),
    ] {
        check("F40", &[("x", distribution.at(u), x)]);
    }
}

#[test]
fn f41_price_of_a_day() {
    let catalog = Catalog::builtin();
    for (day, input, read, output) in [
        (date!(2026 - 08 - 31), 2.0, 0.2, 10.0),
        (date!(2026 - 09 - 01), 3.0, 0.3, 15.0),
    ] {
        let price = catalog.price("claude-sonnet-5", day).unwrap();
        assert_eq!(price.input_usd_per_mtok, input, "F41 {day}");
        assert_eq!(price.cached_read_usd_per_mtok, Some(read), "F41 {day}");
        assert_eq!(price.output_usd_per_mtok, output, "F41 {day}");
    }
}
