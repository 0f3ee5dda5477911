//! Messages put together at random: no panic, no number that is none, no loose end.

use super::{Random, ask, provenance::sound, task};
use crate::id::{Category, Complexity};

const PIECES: &[&str] = &[
    "We run 1M requests a month on gpt-4o",
    "0 requests per day",
    "999999999999999999 requests per second",
    "with 1000 input tokens and 200 output tokens each",
    "1e400 tokens each",
    "in 0 out 0",
    "5k tickets/day",
    "on claude-haiku-4.5",
    "or Claude Sonnet 4.5",
    "GPT-7-ultra-mega",
    "p95 under 2 s",
    "p95 of 0 ms",
    "p50 is 5 s, p95 is 2 s",
    "growing 15% a month",
    "growth of -100% a month",
    "traffic triples by June",
    "doubling every quarter",
    "$18,000 a month",
    "4.200,50 EUR pro Monat",
    "Budget: 10.000 EUR",
    "limited to 10,000 RPM and 2M TPM",
    "-5 users",
    "10k users a day",
    "a 3,500 token system prompt",
    "80% hit the cache",
    "120% cache hit rate",
    "70% can wait",
    "25% of questions repeat",
    "fan out to 8 parallel LLM calls",
    "each call has median 0.8 s and p95 1.6 s",
    "7 tool calls",
    "three sequential steps, each 1.4 s",
    "each takes 1.8 s on average",
    "95% wait less than 200 ms",
    "replicas of 8 slots",
    "self-host Llama 3.3 70B on H100 80GB",
    "40 concurrent chats, 4,096-token context",
    "two H100s plus $3,000 a month of staff",
    "between 4M and 12M calls a month",
    "1M / 1.8M / 4M per month",
    "seed 7, 500 runs",
    "costs $45,000 once, saves $7,500 a month",
    "Discount rate 0% a year",
    "two-year horizon",
    "Weights: cost 0%, quality 0%, speed 0%",
    "at least the quality of GPT-4.1",
    "<b>\u{202e}</b>",
    "3:1 input to output",
    "42 million tokens a week",
    "at $0.03 per 1K tokens",
    "-40% cost",
    "\0",
    "🤖🤖",
];

fn message(random: &mut Random) -> String {
    let count = 1 + random.below(7);
    let pieces: Vec<&str> = (0..count)
        .map(|_| PIECES[random.below(PIECES.len())])
        .collect();
    pieces.join([", ", ". ", " ", "; "][random.below(4)])
}

fn run(seed: u64, edit: bool) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let text = message(&mut random);
    let category = Category::ALL[random.below(5)];
    let complexity = Complexity::ALL[random.below(3)];
    let mut asked = task(category, complexity, &text);
    if edit {
        for name in [
            "requests_per_month",
            "tokens_in",
            "output_cap",
            "growth_spread",
            "weight_cost",
            "model",
        ] {
            let value = [0.0, -1.0, 1e308, 0.5, 1e6][random.below(5)];
            asked.assumptions.insert(name.into(), value.into());
        }
    }
    println!("seed {seed}, {category}, {complexity}: {text:?}");
    if let Ok(answer) = ask(&asked) {
        sound(&answer);
    }
}

#[test]
fn any_message_gives_a_sound_answer_or_a_refusal() {
    (0..400).for_each(|seed| run(seed, false));
}

#[test]
fn any_edit_gives_a_sound_answer_or_a_refusal() {
    (1000..1150).for_each(|seed| run(seed, true));
}

/// The long run, for release builds: `FUZZ_SEEDS=1000000 cargo test --release --lib
/// agents::tests::fuzz -- --ignored`.
#[test]
#[ignore = "minutes; run before a release"]
fn a_long_run_gives_sound_answers_or_refusals() {
    let seeds = std::env::var("FUZZ_SEEDS").map_or(5_000, |n| n.parse().expect("a count"));
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    std::thread::scope(|scope| {
        for core in 0..cores {
            let own = (core..seeds).step_by(cores as usize);
            scope.spawn(move || own.for_each(|seed| run(2_000_000 + seed, seed % 4 == 0)));
        }
    });
}
