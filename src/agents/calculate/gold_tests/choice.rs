//! What to take.

use super::super::decide::{Criterion, Decision, Goal, order};
use super::super::random::Triangular;
use super::super::{finance, gpu, growth, risk};
use super::*;
use crate::agents::catalog::{Basis, Metric, Quality};

#[test]
fn e01_a_spend_that_list_prices_do_not_explain() {
    let catalog = Catalog::builtin();
    let (stated, requests, input, output) = (18_000.0, 1.2e6, 900.0, 250.0);
    let list = month(&catalog, "gpt-4o", requests, input, output);
    let months = growth::months_between(TODAY, date!(2027 - 06 - 01));
    let g = growth::monthly_growth(3.0, months).unwrap();
    let grown = |usd| growth::after(usd, g, months).unwrap();
    check(
        "E01",
        &[
            ("list cost", list, 5_700.0),
            ("stated over list", stated / list, 3.157_894_737),
            ("unexplained", stated - list, 12_300.0),
            ("list per chat", list / requests, 0.00475),
            ("stated per chat", stated / requests, 0.015),
            ("months", months, 6.0),
            ("growth", g, 0.200_936_955_2),
            ("list after growth", grown(list), 17_100.0),
            ("stated after growth", grown(stated), 54_000.0),
        ],
    );
}

/// Which eligible models answer 250 tokens under two seconds: the whole answer by its upper
/// bound, or the first token.
struct InTime {
    whole: Vec<String>,
    first_token: Vec<String>,
}

fn quality<'a>(catalog: &'a Catalog, id: &str) -> Quality<'a> {
    let found = catalog.quality(id, Mode::Direct, Metric::Intelligence);
    found.expect("an eligible model has an index")
}

fn whole_bound_s(catalog: &Catalog, id: &str) -> f64 {
    let speed = catalog.speed(id, Mode::Direct).unwrap();
    latency::total_p95_bound_s(0.0, speed.ttft.p95, 250.0, speed.tps.p05).unwrap()
}

fn in_time(catalog: &Catalog, floor: f64) -> InTime {
    // "Under 2 s" excludes 2 s: the published 95th percentile of one model is exactly that.
    let ids = catalog.eligible().map(|m| m.id.clone());
    let good: Vec<_> = ids
        .filter(|id| quality(catalog, id).value >= floor)
        .collect();
    let keep = |fits: &dyn Fn(&str) -> bool| good.iter().filter(|id| fits(id)).cloned().collect();
    InTime {
        whole: keep(&|id| whole_bound_s(catalog, id) < 2.0),
        first_token: keep(&|id| catalog.speed(id, Mode::Direct).unwrap().ttft.p95 < 2.0),
    }
}

#[test]
fn e01_who_answers_in_time() {
    let catalog = Catalog::builtin();
    let as_good = in_time(&catalog, quality(&catalog, "gpt-4o").value);
    assert_eq!(as_good.whole, [""; 0], "E01 whole answer, same quality");
    let any = in_time(&catalog, 0.0);
    assert_eq!(
        any.whole,
        ["gemini-2.5-flash-lite"],
        "E01 whole answer, any quality"
    );
    assert_eq!(
        set(as_good.first_token.iter().map(String::as_str)),
        set([
            "deepseek-v4-flash",
            "gpt-5.6-luna",
            "gpt-5.4-nano",
            "gpt-5-mini",
            "grok-4.3",
            "gpt-5.4-mini",
            "gemini-3.5-flash",
            "gpt-5",
            "gpt-4.1",
            "gpt-4o",
            "gpt-5.5",
        ]),
        "E01 first token, same quality"
    );
    let median = median_total(&catalog, "gpt-4o", 250.0);
    let bound = whole_bound_s(&catalog, "gpt-4o");
    check(
        "E01",
        &[
            ("median", median, 2.070_896_625),
            ("bound", bound, 3.436_937_809),
        ],
    );
}

#[test]
fn e01_who_of_them_is_cheapest() {
    let catalog = Catalog::builtin();
    let mut names = in_time(&catalog, quality(&catalog, "gpt-4o").value).first_token;
    let cost = |id: &str| month(&catalog, id, 1.2e6, 900.0, 250.0);
    names.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    let measured = names
        .iter()
        .find(|id| quality(&catalog, id).basis == Basis::Measured);
    assert_eq!(names[0], "deepseek-v4-flash", "E01 cheapest");
    assert_eq!(
        measured.unwrap(),
        "gpt-5.6-luna",
        "E01 cheapest with a measured index"
    );
    let cheapest = cost(&names[0]);
    let saved = cost("gpt-4o") - cheapest;
    let tripled = growth::after(cheapest, 2.0, 1.0).unwrap();
    check(
        "E01",
        &[
            ("cheapest", cheapest, 235.2),
            ("cheapest measured", cost("gpt-5.6-luna"), 576.0),
            ("saving", saved, 5_464.8),
            ("saving share", saved / cost("gpt-4o"), 0.958_736_842_1),
            ("cheapest after growth", tripled, 705.6),
        ],
    );
}

/// Model, USD per 1,000 requests, index, seconds, closeness by TOPSIS.
#[rustfmt::skip]
const SEVEN: [(&str, f64, f64, f64, f64); 7] = [
    ("gpt-4o", 7.75, 11.1829, 2.816_034_599, 0.263_651_035_2),
    ("gpt-4.1-mini", 1.24, 14.7656, 6.381_926_458, 0.726_131_185_9),
    ("gpt-5.4-mini", 2.925, 16.6206, 3.000_359_138, 0.650_587_042_2),
    ("claude-haiku-4.5", 3.5, 23.7142, 5.381_459_726, 0.641_603_611_7),
    ("gemini-2.5-flash", 1.45, 14.1414, 2.396_326_318, 0.736_526_652_5),
    ("mistral-large-3", 1.35, 15.9301, 10.775_382_67, 0.667_671_718_4),
    ("nova-micro", 0.1085, 4.7415, 2.450_394_387, 0.651_241_839_3),
];

fn seven_rows() -> Vec<Vec<f64>> {
    let catalog = Catalog::builtin();
    let row = |(id, ..): &(&str, f64, f64, f64, f64)| {
        let cost = month(&catalog, id, 1000.0, 1500.0, 400.0);
        vec![
            cost,
            quality(&catalog, id).value,
            median_total(&catalog, id, 400.0),
        ]
    };
    SEVEN.iter().map(row).collect()
}

fn seven() -> Decision {
    let criterion = |goal, weight| Criterion { goal, weight };
    let criteria = [
        criterion(Goal::Min, 0.4),
        criterion(Goal::Max, 0.4),
        criterion(Goal::Min, 0.2),
    ];
    Decision::new(seven_rows(), criteria.to_vec()).unwrap()
}

#[test]
fn e14_seven_models_by_three_criteria() {
    let scored = seven_rows().into_iter().zip(seven().topsis()).zip(SEVEN);
    for ((row, closeness), (id, cost, quality, seconds, score)) in scored {
        check(
            &format!("E14 {id}"),
            &[
                ("cost", row[0], cost),
                ("quality", row[1], quality),
                ("latency", row[2], seconds),
                ("closeness", closeness, score),
            ],
        );
    }
}

#[test]
fn e14_two_rankings_that_differ() {
    let names = |order: Vec<usize>| order.into_iter().map(|i| SEVEN[i].0).collect::<Vec<_>>();
    let front = names(seven().front());
    let others = set(SEVEN[1..].iter().map(|row| row.0));
    assert_eq!(set(front), others, "E14: all but gpt-4o are on the front");
    assert_eq!(
        names(order(&seven().topsis(), Goal::Max)),
        [
            "gemini-2.5-flash",
            "gpt-4.1-mini",
            "mistral-large-3",
            "nova-micro",
            "gpt-5.4-mini",
            "claude-haiku-4.5",
            "gpt-4o",
        ],
        "E14 TOPSIS"
    );
    assert_eq!(
        names(order(&seven().chebyshev(), Goal::Min)),
        [
            "gpt-5.4-mini",
            "claude-haiku-4.5",
            "gpt-4.1-mini",
            "mistral-large-3",
            "gemini-2.5-flash",
            "nova-micro",
            "gpt-4o",
        ],
        "E14 Chebyshev"
    );
}

#[test]
fn e15_own_accelerators_or_a_price_a_call() {
    let catalog = Catalog::builtin();
    let p = prices(&catalog, "gpt-4.1-mini");
    let rent = gpu::usd_per_month(2, catalog.gpu_price("H100").unwrap().usd_per_gpu_hour).unwrap();
    let fixed = rent + 3_000.0;
    let saving = |x: &[f64]| {
        let request = usd_per_request(&p, &Tokens::plain(x[1], x[2]))?;
        Ok(usd_per_month(request, x[0])? - x[3])
    };
    let three = |low, mode, high| Triangular::new(low, mode, high).unwrap();
    let inputs = [
        three(4e6, 6e6, 12e6),
        three(800.0, 1200.0, 2000.0),
        three(200.0, 300.0, 600.0),
        three(fixed * 0.9, fixed, fixed * 1.3),
    ];
    let each = usd_per_request(&p, &Tokens::plain(1200.0, 300.0)).unwrap();
    check(
        "E15",
        &[
            ("per request", each, 0.00096),
            ("fixed", fixed, 7_309.95),
            ("fixed, low", inputs[3].low(), 6_578.955),
            ("fixed, high", inputs[3].high(), 9_502.935),
            (
                "break-even",
                finance::break_even_requests(fixed, each).unwrap(),
                7_614_531.25,
            ),
            (
                "base",
                saving(&[6e6, 1200.0, 300.0, fixed]).unwrap(),
                -1_549.95,
            ),
        ],
    );
    let drawn = risk::monte_carlo(42, 10_000, &inputs, saving).unwrap();
    check_to(
        1e-9,
        "E15",
        &[
            ("mean", drawn.mean(), 407.607_832_3),
            ("p05", drawn.percentile(0.05).unwrap(), -2_969.588_157),
            ("p50", drawn.percentile(0.50).unwrap(), 114.328_540_4),
            ("p95", drawn.percentile(0.95).unwrap(), 4_746.041_738),
            ("share over zero", drawn.share_over(0.0), 0.5182),
        ],
    );
    let swings = risk::tornado(&inputs, saving).unwrap();
    let expected = [
        (0, -3_469.95, 4_210.05),
        (2, -2_509.95, 1_330.05),
        (3, -818.955, -3_742.935),
        (1, -2_509.95, 370.05),
    ];
    for (swing, (input, at_low, at_high)) in swings.iter().zip(expected) {
        assert_eq!(swing.input, input, "E15 tornado");
        check(
            "E15 tornado",
            &[
                ("low", swing.at_low, at_low),
                ("high", swing.at_high, at_high),
            ],
        );
    }
}
