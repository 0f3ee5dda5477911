//! Messages whose results were computed independently of this code: each number must
//! come out of the words, under the label that the reader sees.

use super::{answered, provenance::sound, result};
use crate::id::Category::{self, Advanced, Cost, Latency, Scaling, Selection};

/// Money and seconds to a millionth or a cent; shares to a millionth.
fn check(category: Category, content: &str, expected: &[(&str, f64)]) -> super::Answer {
    let answer = answered(category, content);
    for (label, want) in expected {
        let got = result(&answer, label);
        let close = (got - want).abs() <= (want.abs() * 1e-6).max(1e-6);
        assert!(close, "{label}: {got}, expected {want}");
    }
    sound(&answer);
    answer
}

fn finding(answer: &super::Answer, title: &str) -> String {
    let found = answer.findings.iter().find(|f| f.title == title);
    found
        .unwrap_or_else(|| panic!("no finding {title:?}"))
        .text
        .clone()
}

// req: A1
#[test]
fn prompt_caching_of_openai_in_steps() {
    check(
        Cost,
        "We send 500k requests a month to gpt-4.1. Each has a fixed 2,000-token system prompt plus 600 tokens of user text and returns 300 tokens. Would prompt caching help if 80% of calls hit the cache?",
        &[
            ("GPT-4.1: cost a month", 3800.0),
            ("cached tokens of a request", 1920.0),
            ("saving of prompt caching a month", 1152.0),
            ("cost a month after: Prompt caching", 2648.0),
            ("saving of all levers", 0.3031578947),
        ],
    );
}

#[test]
fn prompt_caching_of_anthropic_with_paid_writes() {
    check(
        Cost,
        "Claude Haiku 4.5, 300,000 calls a month, 6k-token knowledge prefix + 400 tokens question, 350 tokens answer. 95% of calls come within five minutes of the previous one.",
        &[
            ("Claude Haiku 4.5: cost a month", 2445.0),
            ("saving of prompt caching a month", 1516.5),
            ("cost a month after: Prompt caching", 928.5),
            ("reads per write from which caching pays", 0.2777777778),
        ],
    );
}

#[test]
fn batch_routing_and_cascade() {
    check(
        Cost,
        "We classify 3M product reviews a month with gpt-4.1-mini, 600 tokens in and 40 out; 70% can wait until tomorrow.",
        &[
            ("GPT-4.1 mini: cost a month", 912.0),
            ("cost a month after: Batch", 592.8),
            ("saving of batch jobs a month", 319.2),
        ],
    );
    check(
        Cost,
        "Our RAG assistant answers 2 million questions per quarter on Claude Sonnet 4.5, 3,200 tokens in, 420 out. Could Haiku 4.5 take the easy 60%?",
        &[
            ("requests a month", 666_666.666_666_7),
            ("cost a month after: Routing", 6360.0),
            ("cost of a cascade a month", 7773.333333),
            ("saving of a cascade", 0.2666666667),
            ("escalation at which a cascade stops paying", 0.6666666667),
        ],
    );
}

// req: A1
#[test]
fn stacked_levers_have_marginal_savings() {
    // req: A1
    check(
        Cost,
        "We run gemini-2.5-flash for 40,000 requests per day, 5,000 tokens in / 300 out, 4,000 of the input is retrieved context. About 25% of questions repeat. Where can we cut?",
        &[
            ("Gemini 2.5 Flash: cost a month", 2739.375),
            ("cost a month after: Semantic cache", 2055.74875),
            ("saving of shorter context a month", 547.875),
            ("cost a month after: Shorter context", 1507.87375),
            ("cost a month after: Shorter answers", 1370.905),
            ("saving of all levers", 0.4995555556),
        ],
    );
}

// req: A1
#[test]
fn an_investment() {
    check(
        Cost,
        "Moving to a router costs $45,000 once, saves $7,500 a month and needs $900 a month to run. Discount rate 10% a year, two-year horizon. Worth it?",
        &[
            ("net saving a month", 6600.0),
            ("payback", 6.818181818),
            ("month in which the discounted flows have paid it back", 8.0),
            ("net present value", 98_646.14665),
            ("return on investment over the horizon", 2.52),
        ],
    );
}

// req: A2
#[test]
fn models_against_a_limit_in_seconds() {
    // req: A2
    let answer = check(
        Latency,
        "Our copilot must finish a 400-token answer in 3 seconds (p50) and show the first word within 1 s. Candidates: gpt-4o, gpt-5.4-mini, Claude Haiku 4.5, Gemini 2.5 Flash-Lite, Mistral Small 3.2, Nova Micro. Which ones pass?",
        &[
            ("GPT-4o: whole answer, p50", 2.816034599),
            ("GPT-5.4 mini: whole answer, p50", 3.000359138),
            ("GPT-4o: longest answer within the limit", 437.0),
            ("Claude Haiku 4.5: longest answer within the limit", 180.0),
        ],
    );
    let whole = finding(&answer, "Target: whole answer (p50)");
    assert!(
        whole.contains("GPT-4o") && !whole.contains("GPT-5.4 mini"),
        "{whole}"
    );
    let first = finding(&answer, "Target: first token (p50)");
    assert!(
        first.contains("Gemini 2.5 Flash-Lite") && !first.contains("Nova Micro"),
        "{first}"
    );
}

// req: A2
#[test]
fn parallel_calls_and_hedging() {
    // req: A2
    check(
        Latency,
        "One user request fans out to 8 parallel LLM calls; each call has median 0.8 s and p95 1.6 s. What is the overall p95, and does hedging after 1.6 s help?",
        &[
            (
                "probability that all calls stay under the single p95",
                0.6634204313,
            ),
            ("percentile each call must meet", 0.993608849),
            ("overall percentile, plain", 2.284295456),
            ("overall percentile, hedged", 2.1919809),
            ("further requests by hedging", 0.05),
        ],
    );
}

// req: A4
#[test]
fn slots_by_erlang_c() {
    // req: A4
    check(
        Scaling,
        "Peak 12 requests per second, each takes 1.8 s on average. How many concurrent slots so that 95% wait less than 200 ms, and how many replicas of 8 slots?",
        &[
            ("offered load", 21.6),
            ("slots needed", 29.0),
            ("probability of waiting", 0.09057974684),
            ("wait at the percentile", 0.144536993),
            ("wait with one slot fewer", 0.2769882124),
            ("mean wait", 0.02203291139),
            ("replicas", 4.0),
        ],
    );
}

// req: A4
#[test]
fn own_gpus_by_roofline() {
    check(
        Scaling,
        "We want to self-host Llama 3.3 70B in BF16 on H100 80GB: 40 concurrent chats, 4,096-token context. How many GPUs, what speed per user, what monthly cost?",
        &[
            ("key-value cache of a token", 327_680.0),
            ("GPUs by memory", 3.0),
            ("GPUs, a power of two", 4.0),
            ("largest batch", 110.0),
            ("time of a decoding step in ms", 24.09043423),
            ("tokens a second for each user", 41.51025218),
            ("time to read the prompt", 0.3623862487),
            ("GPUs a month", 8619.9),
            ("a million output tokens at full load", 1.974077249),
        ],
    );
}

// req: A4
#[test]
fn limits_and_growth() {
    // req: A4
    check(
        Scaling,
        "We're limited to 10,000 RPM and 2M TPM, 950 tokens in and 200 out per request, peak 9 requests per second, growing 15% a month. When do we hit the limit?",
        &[
            ("requests a second by the limit on requests", 166.6666667),
            ("requests a second by the limit on tokens", 28.98550725),
            ("room left at peak", 0.6895),
            ("first month above the limit", 9.0),
            ("tokens a minute needed by then", 3_322_505.315),
        ],
    );
    check(
        Scaling,
        "Wir zahlen derzeit 4.200,50 EUR pro Monat, das wächst um 12 % monatlich. Budget: 10.000 EUR. Wann reicht es nicht mehr?",
        &[
            ("first month above the budget", 8.0),
            ("spend in that month", 10_400.28332),
            ("spend of all months from now on", 101_371.2263),
            ("spend in the last month looked at", 16_365.04716),
        ],
    );
}

// req: A3
#[test]
fn two_rankings_with_the_same_weights() {
    // req: A3
    let answer = check(
        Selection,
        "Compare GPT-4o, GPT-4.1 mini, GPT-5.4 mini, Claude Haiku 4.5, Gemini 2.5 Flash, Mistral Large 3 and Nova Micro for 1,500 tokens in / 400 out. Weights: cost 40%, quality 40%, speed 20%.",
        &[
            ("GPT-4o: cost of a thousand requests", 7.75),
            ("Gemini 2.5 Flash: closeness", 0.7365266525),
            ("GPT-5.4 mini: closeness", 0.6505870422),
            ("GPT-4o: closeness", 0.2636510352),
            ("Claude Haiku 4.5: whole answer, p50", 5.381459726),
        ],
    );
    let order: Vec<&str> = answer
        .tables
        .iter()
        .find(|t| t.id == "ranking")
        .unwrap()
        .rows
        .iter()
        .map(|r| r[0].text.as_str())
        .collect();
    assert_eq!(
        order,
        [
            "Gemini 2.5 Flash",
            "GPT-4.1 mini",
            "Mistral Large 3",
            "Amazon Nova Micro",
            "GPT-5.4 mini",
            "Claude Haiku 4.5",
            "GPT-4o"
        ]
    );
    let regret = |name: &str| result(&answer, &format!("{name}: regret"));
    assert!(
        regret("GPT-5.4 mini") < regret("Claude Haiku 4.5")
            && regret("Claude Haiku 4.5") < regret("GPT-4.1 mini")
    );
    assert!(finding(&answer, "Dominated models").contains("GPT-4o by"));
}

// req: A5
#[test]
fn a_bill_that_contradicts_itself() {
    // req: A5
    let answer = check(
        Advanced,
        "We spend $18,000 a month on GPT-4o for 1.2M support chats, about 900 input and 250 output tokens each, p95 must stay under 2 s; traffic triples by June. What should we do?",
        &[
            ("GPT-4o: cost a month", 5700.0),
            ("stated spend over list price", 3.157894737),
            ("unexplained spend a month", 12_300.0),
            ("growth a month", 0.2009369552),
            ("list cost a month after the growth", 17_100.0),
            ("spend a month by the date named", 54_000.0),
            ("GPT-4o: whole answer, p50", 2.070896625),
            ("GPT-4o: whole answer, p95 upper bound", 3.436937809),
            ("DeepSeek V4 Flash: cost a month", 235.2),
            ("saving a month on the cheapest that fits", 5464.8),
            ("saving on the cheapest that fits", 0.9587368421),
            ("cost a month on it after the growth", 705.6),
        ],
    );
    assert_eq!(
        answer.findings[0].severity, "contradiction",
        "said before any saving"
    );
    let whole = finding(&answer, "Latency as the whole answer");
    assert!(
        whole.contains("no eligible model") && whole.contains("Gemini 2.5 Flash-Lite"),
        "{whole}"
    );
    let first = finding(&answer, "Latency as time to first token");
    let listed = first
        .split("quality: ")
        .nth(1)
        .and_then(|t| t.split(" (cheapest").next())
        .unwrap();
    assert_eq!(
        listed,
        "DeepSeek V4 Flash, GPT-5.6 Luna, GPT-5.4 nano, GPT-5 mini, Grok 4.3, GPT-5.4 mini, Gemini 3.5 Flash, GPT-5, GPT-4.1, GPT-4o, GPT-5.5"
    );
    assert!(
        first.contains("estimate") && first.contains("GPT-5.6 Luna at $576"),
        "{first}"
    );
}

// req: A5
#[test]
fn api_or_own_gpus_under_risk() {
    // req: A5
    let answer = check(
        Advanced,
        "API or own GPUs? About 6 million calls a month on GPT-4.1 mini (between 4M and 12M), 1,200 tokens in (800-2,000) and 300 out (200-600). Alternative: two H100s plus $3,000 a month of staff time. Show me the risk.",
        &[
            ("own GPUs a month, fixed", 7309.95),
            ("requests a month at break-even", 7_614_531.25),
            ("net saving of owning a month, base case", -1549.95),
            ("net saving, mean", 407.6078323),
            ("net saving, p05", -2969.588157),
            ("net saving, p50", 114.3285404),
            ("net saving, p95", 4746.041738),
            ("probability that owning is cheaper", 0.5182),
            (
                "Net saving of owning a month with least requests a month",
                -3469.95,
            ),
            (
                "Net saving of owning a month with most output tokens",
                1330.05,
            ),
        ],
    );
    let order: Vec<&str> = answer
        .tables
        .iter()
        .find(|t| t.id == "tornado")
        .unwrap()
        .rows
        .iter()
        .map(|r| r[0].text.as_str())
        .collect();
    assert_eq!(
        order,
        [
            "Requests a month",
            "Output tokens",
            "Fixed cost",
            "Input tokens"
        ]
    );
}

// req: A4
#[test]
fn demand_that_equals_the_limit_is_not_above_it() {
    // 3.472 requests a second, doubling each quarter, are eightfold after nine months.
    check(
        Scaling,
        "10k users a day, doubling every quarter, 1000 input tokens and 200 output tokens each, limited to 10,000 RPM and 2M TPM",
        &[("first month above the limit", 10.0)],
    );
}
