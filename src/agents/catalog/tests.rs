//! Promises of the catalog.

use std::collections::BTreeMap;

use time::macros::date;

use super::*;

#[test]
fn the_builtin_catalog_is_whole() {
    let catalog = Catalog::builtin();
    let mut by_status = BTreeMap::new();
    for model in catalog.models() {
        *by_status.entry(model.evidence.status.as_str()).or_insert(0) += 1;
    }
    let counted: Vec<_> = by_status.into_iter().collect();
    let expected = [
        ("confirmed", 58),
        ("disputed", 2),
        ("mixed", 8),
        ("single-source", 2),
    ];
    assert_eq!(counted, expected);
    assert_eq!(
        catalog
            .models()
            .iter()
            .filter(|m| m.is_first_party())
            .count(),
        60
    );
    assert_eq!(
        catalog
            .models()
            .iter()
            .filter(|m| m.has_open_weights())
            .count(),
        24
    );
    let rows = |count: fn(&Pack) -> usize| catalog.packs().iter().map(count).collect::<Vec<_>>();
    assert_eq!(rows(|p| p.quality.len()), [112, 39, 17]);
    assert_eq!(rows(|p| p.speed.len()), [107, 0, 0]);
    assert_eq!(
        (catalog.gpus().len(), catalog.architectures().len()),
        (9, 8)
    );
    assert_eq!(catalog.prices_as_of(), date!(2026 - 08 - 01));
    assert_eq!(catalog.age_days(date!(2026 - 12 - 01)), 122);
}

#[test]
fn the_age_of_the_prices_is_told_also_before_their_day() {
    let catalog = Catalog::builtin();
    for (today, told) in [
        (date!(2026 - 08 - 01), "prices as of 2026-08-01"),
        (date!(2026 - 08 - 03), "prices as of 2026-08-01, 2 days old"),
        (
            date!(2026 - 11 - 30),
            "prices as of 2026-08-01: 121 days old, check them",
        ),
        (
            date!(2026 - 07 - 31),
            "prices as of 2026-08-01; those of 2026-07-31 are not known",
        ),
    ] {
        assert_eq!(catalog.prices_text(today), told);
    }
}

#[test]
fn every_word_of_the_legend_is_explained() {
    let catalog = Catalog::builtin();
    for model in catalog.models() {
        let evidence = &model.evidence;
        let agreeing = evidence
            .agree
            .iter()
            .chain(std::iter::once(&evidence.source));
        let others = evidence.differ.iter().map(|o| &o.source);
        for key in agreeing.chain(others) {
            assert!(catalog.source(key).is_some(), "{}: {key}", model.id);
        }
        // The state of the evidence follows from who agrees and who does not.
        let state = match (evidence.agree.is_empty(), evidence.differ.is_empty()) {
            (false, true) => Status::Confirmed,
            (false, false) => Status::Mixed,
            (true, false) => Status::Disputed,
            (true, true) => Status::SingleSource,
        };
        assert_eq!(evidence.status, state, "{}", model.id);
    }
}

#[test]
fn a_price_holds_from_its_day_on() {
    let catalog = Catalog::builtin();
    let price = |day| catalog.price("claude-sonnet-5", day).unwrap();
    let writes = |p: Price| (p.cache_write_5m_usd_per_mtok, p.cache_write_1h_usd_per_mtok);
    assert_eq!(price(date!(2026 - 08 - 31)).input_usd_per_mtok, 2.0);
    assert_eq!(price(date!(2026 - 09 - 01)).input_usd_per_mtok, 3.0);
    // Nothing is announced for writes: they stay 1.25 and 2 times the input.
    assert_eq!(writes(price(date!(2026 - 08 - 31))), (Some(2.5), Some(4.0)));
    assert_eq!(
        writes(price(date!(2026 - 12 - 01))),
        (Some(3.75), Some(6.0))
    );
    assert_eq!(catalog.price_changes("claude-sonnet-5").len(), 1);
    assert!(
        catalog
            .price("no-such-model", date!(2026 - 12 - 01))
            .is_none()
    );
}

#[test]
fn a_long_prompt_costs_its_own_price() {
    let catalog = Catalog::builtin();
    let price = |tokens| {
        catalog
            .price_for_prompt("gpt-5.5", date!(2026 - 12 - 01), tokens)
            .unwrap()
    };
    assert_eq!(price(272_000.0), catalog.model("gpt-5.5").unwrap().price);
    let long = price(272_001.0);
    assert_eq!(
        (long.input_usd_per_mtok, long.output_usd_per_mtok),
        (10.0, 45.0)
    );
    assert_eq!(
        long.cached_read_usd_per_mtok,
        Some(1.0),
        "a tenth of the input, as below"
    );
}

#[test]
fn quality_and_speed_are_kept_by_mode() {
    let catalog = Catalog::builtin();
    let index = |mode| {
        catalog
            .quality("gpt-5", mode, Metric::Intelligence)
            .map(|q| q.value)
    };
    assert_eq!(index(Mode::Direct), Some(17.1754));
    assert_eq!(index(Mode::High), Some(34.7127));
    assert_eq!(index(Mode::Adaptive), None);
    let ttft = |mode| catalog.speed("gpt-5.5", mode).unwrap().ttft.p50;
    assert!(ttft(Mode::Direct) < 1.0 && ttft(Mode::Xhigh) > 90.0);
    assert_eq!(
        catalog.modes("gpt-5"),
        [Mode::Direct, Mode::Low, Mode::High]
    );

    let quality = |metric| catalog.quality("gpt-4o", Mode::Direct, metric).unwrap();
    let (estimated, rated) = (quality(Metric::Intelligence), quality(Metric::Arena));
    assert_eq!(
        (estimated.basis, estimated.interval),
        (Basis::Estimated, None)
    );
    assert_eq!(
        (rated.basis, rated.interval),
        (Basis::Measured, Some([1331.7, 1339.8]))
    );
    assert_eq!(
        (rated.pack.name.as_str(), quality(Metric::Aider).value),
        ("LMArena", 0.231)
    );
}

#[test]
fn an_automatic_choice_is_among_well_known_models_only() {
    let catalog = Catalog::builtin();
    let ids: Vec<_> = catalog.eligible().map(|m| m.id.as_str()).collect();
    assert!(ids.contains(&"gpt-4o") && ids.contains(&"gpt-5.6-luna"));
    // Disputed, hosted, without a direct mode.
    for id in ["mistral-small-3.2", "llama-3.3-70b@groq", "o3"] {
        assert!(catalog.model(id).is_some() && !ids.contains(&id), "{id}");
    }
}

#[test]
fn without_measurements_nothing_is_claimed() {
    let catalog = Catalog::builtin().without_measurements();
    assert_eq!(catalog.eligible().count(), 0);
    assert!(catalog.speed("gpt-4o", Mode::Direct).is_none());
    assert!(
        catalog
            .quality("gpt-4o", Mode::Direct, Metric::Arena)
            .is_none()
    );
    assert_eq!(catalog.models().len(), 70, "prices stay");
}

#[test]
fn accelerators_and_shapes_are_found_by_their_names() {
    let catalog = Catalog::builtin();
    assert_eq!(catalog.gpu("h100").unwrap().id, "H100-SXM-80GB");
    assert_eq!(catalog.gpu_price("H100").unwrap().usd_per_gpu_hour, 2.95);
    assert_eq!(
        catalog
            .gpu_prices("B200")
            .iter()
            .map(|p| p.cloud.as_str())
            .collect::<Vec<_>>(),
        ["nebius", "lambda"]
    );
    assert!(catalog.gpu_price("MI300X").is_none() && catalog.gpu("H900").is_none());
    let bytes = |id| {
        catalog
            .architecture(id)
            .unwrap()
            .kv_bytes_per_token(2.0)
            .unwrap()
    };
    assert_eq!(bytes("llama-3.3-70b@groq"), 327_680.0);
    assert_eq!(bytes("deepseek-v3"), 70_272.0);
    assert_eq!(bytes("gpt-oss-120b"), 73_728.0);
    assert!(
        catalog.architecture("gpt-4o").is_none(),
        "nobody published its shape"
    );
}

#[test]
fn providers_count_cached_tokens_by_their_own_rules() {
    let catalog = Catalog::builtin();
    let how = |id| catalog.cache_rule(id).map(|r| r.how);
    let automatic = CacheMechanism::Automatic {
        first_tokens: 1024,
        step_tokens: 128,
    };
    assert_eq!(how("gpt-4.1"), Some(automatic));
    assert!(matches!(
        how("gemini-2.5-pro"),
        Some(CacheMechanism::Stored { .. })
    ));
    assert_eq!(
        how("gpt-oss-120b@groq"),
        None,
        "the host's rule is not the maker's"
    );
    let Some(CacheMechanism::Explicit {
        write_5m,
        write_1h,
        read,
    }) = how("claude-opus-5")
    else {
        panic!("explicit")
    };
    for model in catalog
        .models()
        .iter()
        .filter(|m| m.provider == "anthropic")
    {
        let p = model.price;
        let multiple = |v: Option<f64>| v.unwrap() / p.input_usd_per_mtok;
        if model.id != "claude-3-haiku" {
            assert!(
                (multiple(p.cache_write_5m_usd_per_mtok) - write_5m).abs() < 1e-9,
                "{}",
                model.id
            );
            assert!(
                (multiple(p.cache_write_1h_usd_per_mtok) - write_1h).abs() < 1e-9,
                "{}",
                model.id
            );
            assert!(
                (multiple(p.cached_read_usd_per_mtok) - read).abs() < 1e-9,
                "{}",
                model.id
            );
        }
    }
}

/// A row that obeys every rule.
const ROW: &str = r#"[[model]]
id = "own-1"
name = "Own 1"
provider = "own"
aliases = ["mine"]
price = { input = 1, cached_read = 0.1, output = 2 }
tokens = { context = 8000, output = 1000 }
reads = ["text"]
evidence = { source = "litellm", status = "single-source" }
"#;

#[test]
fn an_operators_file_extends_and_replaces() {
    let added = Catalog::parse(ROW).unwrap();
    assert_eq!((added.models().len(), added.packs().len()), (71, 3));
    assert_eq!(added.model("own-1").unwrap().aliases, ["mine"]);

    let sonnet = ROW.replace("own-1", "claude-sonnet-5");
    let replaced = Catalog::parse(&format!("prices_as_of = \"2026-11-30\"\n{sonnet}")).unwrap();
    let price = replaced
        .price("claude-sonnet-5", date!(2026 - 12 - 01))
        .unwrap();
    assert_eq!(replaced.models().len(), 70);
    assert_eq!(
        price.input_usd_per_mtok, 1.0,
        "announced changes of the old row are gone"
    );
    assert_eq!(replaced.prices_as_of(), date!(2026 - 11 - 30));

    let bare = Catalog::parse(&format!("measurements_of_base = false\n{ROW}")).unwrap();
    assert_eq!((bare.models().len(), bare.packs().len()), (71, 0));

    let head = "base = \"none\"\nprices_as_of = \"2026-11-30\"\n[sources]\nlitellm = \"a copy\"\n";
    let alone = Catalog::parse(&format!("{head}{ROW}")).unwrap();
    assert_eq!((alone.models().len(), alone.gpus().len()), (1, 0));
}

/// The text, and the line, the rule and a word of the only fault.
#[track_caller]
fn check(text: &str, line: usize, rule: &str, word: &str) {
    let faults = Catalog::parse(text).expect_err("a fault");
    let [fault] = faults.as_slice() else {
        panic!("one fault expected: {faults:?}")
    };
    assert_eq!((fault.line, fault.rule), (line, rule), "{fault}");
    assert!(fault.detail.contains(word), "{fault}");
}

#[test]
fn a_fault_names_its_line_and_rule() {
    let row = |from: &str, to: &str| {
        assert!(ROW.contains(from));
        ROW.replace(from, to)
    };
    check("prices_as_of = \n", 1, "format", "");
    check(&row("provider = \"own\"\n", ""), 1, "format", "provider");
    check(&row("input = 1,", "input = \"1\","), 6, "format", "f64");
    check(&row("reads", "raeds"), 8, "format", "raeds");
    check(&row("single-source", "sure"), 9, "format", "sure");
    check("prices_as_of = \"30.11.2026\"", 1, "format", "");
    check(
        &row("input = 1,", "input = -1, "),
        1,
        "range",
        "own-1: input is -1",
    );
    check(
        &row("output = 2", "output = nan"),
        1,
        "range",
        "own-1: output",
    );
    check(
        &row("output = 2", "output = inf"),
        1,
        "range",
        "own-1: output",
    );
    check(
        &row("cached_read = 0.1", "cached_read = 1.5"),
        1,
        "range",
        "cached_read",
    );
    check(&row("context = 8000", "context = 0"), 1, "range", "context");
    check(
        &format!("\n# comment\n{}", row("litellm", "hearsay")),
        3,
        "reference",
        "hearsay",
    );
    check(&row("\"mine\"", "\"GPT 4o\""), 1, "unique", "gpt-4o");
    check(&format!("{ROW}\n{ROW}"), 11, "unique", "own-1");
    check(
        &row("\"mine\"", "\"Claude_Haiku-4 5\""),
        1,
        "unique",
        "claude-haiku-4.5",
    );
    check(
        "[[price_change]]\nmodel = \"x\"\nfrom = \"2026-09-01\"\nprice = { input = 1, output = 1 }\nsource = \"litellm\"",
        1,
        "reference",
        "x",
    );
    check(
        "\n[[gpu_price]]\ngpu = \"H9\"\ncloud = \"c\"\nusd_per_gpu_hour = 1\nbasis = \"b\"\nsource = \"s\"",
        2,
        "reference",
        "H9",
    );
    check("base = \"none\"", 1, "complete", "model");
    check(&"#".repeat((1 << 20) + 1), 1, "range", "bytes");
}

#[test]
fn a_fault_of_a_pack_names_the_pack() {
    let pack = |row: &str| {
        format!(
            "[[measurements]]\nname = \"P\"\nattribution = \"P\"\nas_of = \"2026-07-10\"\nsource = \"s\"\n{row}"
        )
    };
    check(
        &pack("quality = [{ model = \"gpt-4o\", mode = \"none\", intelligence = 101 }]"),
        1,
        "range",
        "gpt-4o none",
    );
    check(
        &pack(
            "speed = [{ model = \"gpt-4o\", mode = \"none\", tps = [1, 2, 3, 4, 5], ttft = [1, 2, 1, 4, 5] }]",
        ),
        1,
        "order",
        "ttft",
    );
    check(
        &pack("quality = [{ model = \"nobody\", mode = \"none\" }]"),
        1,
        "reference",
        "nobody",
    );
}

#[test]
fn an_operators_pack_is_asked_like_any_other() {
    let pack = r#"
[[measurements]]
name = "Own"
attribution = "Our own tests"
as_of = "2026-11-01"
source = "our laboratory"
quality = [
  { model = "own-1", mode = "none", intelligence = 20, estimated = true, coding = 30, arena = 1300, interval = [1290, 1310] },
]
speed = [
  { model = "own-1", mode = "none", tps = [10, 20, 30, 40, 50], ttft = [0.1, 0.2, 0.3, 0.4, 0.5] },
]
"#;
    let catalog = Catalog::parse(&format!("{ROW}{pack}")).unwrap();
    let quality = |metric| catalog.quality("own-1", Mode::Direct, metric).unwrap();
    let (index, coding) = (quality(Metric::Intelligence), quality(Metric::Coding));
    assert_eq!((index.basis, index.interval), (Basis::Estimated, None));
    assert_eq!((coding.basis, coding.value), (Basis::Measured, 30.0));
    assert_eq!(quality(Metric::Arena).interval, Some([1290.0, 1310.0]));
    assert_eq!(
        catalog.speed("own-1", Mode::Direct).unwrap().answer_s(),
        0.3
    );
    assert_eq!(catalog.packs().last().unwrap().attribution, "Our own tests");
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_lines() {
    let second = ROW
        .replace("own-1", "own-2")
        .replace("mine", "ours")
        .replace("output = 2", "output = 0");
    let text = format!("{}\n{second}", ROW.replace("input = 1,", "input = 0,"));
    let faults = Catalog::parse(&text).unwrap_err();
    let lines: Vec<_> = faults.iter().map(|f| f.line).collect();
    assert_eq!(lines, [1, 11], "{faults:?}");
    assert_eq!(
        faults[0].to_string(),
        "line 1: range: own-1: input is 0, must be over 0, at most 10000"
    );
}

#[test]
fn the_example_of_the_manual_is_read() {
    let manual = include_str!("../../../docs/catalog.md");
    let (_, rest) = manual.split_once("own reader. -->\n```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let catalog = Catalog::parse(example).unwrap();
    let price = |day| catalog.price("gpt-4o", day).unwrap().input_usd_per_mtok;
    assert_eq!(catalog.prices_as_of(), date!(2026 - 11 - 30));
    assert_eq!(price(date!(2026 - 12 - 01)), 2.1);
    assert_eq!(price(date!(2027 - 01 - 01)), 1.9, "the announced change");
    let hourly = catalog.gpu_prices("H100-SXM-80GB");
    assert!(hourly.iter().any(|p| p.usd_per_gpu_hour == 2.4));
}
