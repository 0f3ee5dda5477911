//! Every number that an answer shows resolves to a derivation, and every derivation,
//! redone from its inputs and from its written arithmetic, gives its result.

use std::collections::HashMap;

use super::super::answer::{Answer, Derivation, NumberRef, Source};
use super::super::ledger::{Expression, has_number};
use super::{answered, catalog};
use crate::examples::Gallery;
use crate::id::Category;

/// A frame to a client stays under 256 KiB; the answer leaves room for its envelope.
const BYTES_MAX: usize = 200 * 1024;

type Ledger<'a> = HashMap<&'a str, &'a Derivation>;

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1e-9)
}

/// What a shown number says, and how far rounding may have moved it.
fn shown(text: &str) -> (f64, f64) {
    let plain = text.replace('−', "-").replace(['$', '€', ','], "");
    let start = plain.find(|c: char| c.is_ascii_digit()).expect(text);
    let sign = if plain[..start].contains('-') {
        -1.0
    } else {
        1.0
    };
    let rest = &plain[start..];
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(rest.len());
    let number: f64 = rest[..end].parse().expect(text);
    let decimals = rest[..end].split_once('.').map_or(0, |(_, d)| d.len());
    let words = rest[end..].trim_start();
    let scale = match words.split(' ').next().unwrap_or("") {
        "million" => 1e6,
        "billion" => 1e9,
        "trillion" => 1e12,
        "ms" => 1e-3,
        "h" => 3600.0,
        w if w.starts_with('%') => 0.01,
        _ => 1.0,
    };
    (
        sign * number * scale,
        0.51 * scale * 10f64.powi(-(decimals as i32)),
    )
}

fn check_ref(r: &NumberRef, ledger: &Ledger<'_>) {
    let d = ledger
        .get(r.id.as_str())
        .unwrap_or_else(|| panic!("{} does not resolve", r.text));
    let (mut value, mut step) = shown(&r.text);
    if d.unit == "ms" {
        (value, step) = (value * 1e3, step * 1e3);
    }
    let close = |v: f64| (value - v).abs() <= step.max(v.abs() * 6e-3);
    // A sentence may tell the sign in words.
    assert!(
        close(d.result) || close(d.result.abs()),
        "{} shows {}",
        r.text,
        d.result
    );
}

/// A text with its numbers taken out in order, and with names and quotes taken out.
fn check_prose(text: &str, refs: &[NumberRef], ledger: &Ledger<'_>) {
    let mut rest = text;
    let mut bare = String::new();
    for r in refs {
        let at = rest
            .find(&r.text)
            .unwrap_or_else(|| panic!("{} is not in order in {text:?}", r.text));
        bare.push_str(&rest[..at]);
        rest = &rest[at + r.text.len()..];
        check_ref(r, ledger);
    }
    bare.push_str(rest);
    let mut names: Vec<&str> = catalog()
        .models()
        .iter()
        .flat_map(|m| [m.name.as_str(), m.id.as_str()])
        .collect();
    names.sort_by_key(|n| std::cmp::Reverse(n.len()));
    for name in names {
        bare = bare.replace(name, "");
    }
    let unquoted: String = bare.split('"').step_by(2).collect();
    assert!(
        !has_number(&unquoted),
        "a number without provenance in {text:?}: {unquoted:?}"
    );
}

fn redo(d: &Derivation, x: Option<f64>) -> f64 {
    let lookup = |name: &str| {
        let given = d.inputs.iter().find(|i| i.symbol == name).map(|i| i.value);
        if d.varies.as_deref() == Some(name) {
            x.or(given)
        } else {
            given
        }
    };
    let formula = Expression::parse(&d.formula).expect(&d.formula);
    formula
        .evaluate(&lookup)
        .unwrap_or_else(|e| panic!("{}: {e}", d.formula))
}

fn check_derivation(d: &Derivation, ledger: &Ledger<'_>) {
    assert!(d.result.is_finite(), "{d:?}");
    assert!(near(redo(d, None), d.result, 1e-12), "{d:?}");
    if let Some((left, right)) = d.arithmetic.rsplit_once(" = ") {
        let value = |text: &str| {
            Expression::parse(text)
                .and_then(|e| e.evaluate(&|_| None))
                .expect(text)
        };
        let size = d
            .inputs
            .iter()
            .map(|i| i.value.abs())
            .fold(d.result.abs(), f64::max);
        // Written with ten digits: differences of large numbers lose some.
        let close = (value(left) - value(right)).abs() <= 1e-6 * d.result.abs() + 1e-8 * size;
        assert!(close || d.formula.contains("mc_"), "{}", d.arithmetic);
    }
    for input in d.inputs.iter().filter(|i| i.source == Source::Computed) {
        let from = ledger
            .get(input.from.as_str())
            .unwrap_or_else(|| panic!("{input:?} does not resolve"));
        assert_eq!(from.result, input.value, "{input:?}");
    }
    let quoted = d.inputs.iter().filter(|i| i.source == Source::Message);
    assert!(quoted.clone().all(|i| i.quote.is_some()), "{d:?}");
}

/// Everything this file promises, for one answer.
pub(super) fn sound(answer: &Answer) {
    let ledger: Ledger<'_> = answer
        .provenance
        .iter()
        .map(|d| (d.id.as_str(), d))
        .collect();
    assert_eq!(ledger.len(), answer.provenance.len(), "ids are unique");
    answer
        .provenance
        .iter()
        .for_each(|d| check_derivation(d, &ledger));
    check_prose(&answer.summary, &answer.summary_refs, &ledger);
    assert!(
        !answer.summary.is_empty() && !answer.headline.is_empty(),
        "{answer:?}"
    );
    for f in answer.findings.iter().chain(&answer.business_insights) {
        check_prose(&f.text, &f.refs, &ledger);
        check_prose(&f.title, &[], &ledger);
    }
    for r in &answer.recommendations {
        check_prose(&r.rationale, &r.refs, &ledger);
        assert!(
            !r.formula.is_empty() && r.arithmetic.contains(" = "),
            "{r:?}"
        );
    }
    check_prose(
        &answer.business_impact.text,
        &answer.business_impact.refs,
        &ledger,
    );
    for q in &answer.questions {
        check_prose(&q.effect, &q.refs, &ledger);
    }
    for m in &answer.success_metrics {
        check_prose(&format!("{} {}", m.baseline, m.target), &m.refs, &ledger);
    }
    let gains = answer
        .recommendations
        .iter()
        .filter_map(|r| r.gain.as_ref());
    for f in answer
        .headline
        .iter()
        .chain(&answer.business_impact.figures)
        .chain(gains)
    {
        check_ref(
            &NumberRef {
                text: f.text.clone(),
                id: f.id.clone(),
            },
            &ledger,
        );
        assert_eq!(ledger[f.id.as_str()].result, f.value, "{f:?}");
    }
    tables_and_charts(answer, &ledger);
    let size = serde_json::to_vec(answer).expect("an answer is JSON").len();
    assert!(size < BYTES_MAX, "{size} bytes");
}

fn tables_and_charts(answer: &Answer, ledger: &Ledger<'_>) {
    for table in &answer.tables {
        for row in &table.rows {
            assert_eq!(row.len(), table.columns.len(), "{}", table.title);
        }
        for cell in table.rows.iter().flatten().filter(|c| c.value.is_some()) {
            let id = cell
                .id
                .clone()
                .unwrap_or_else(|| panic!("{cell:?} has no provenance"));
            check_ref(
                &NumberRef {
                    text: cell.text.clone(),
                    id: id.clone(),
                },
                ledger,
            );
            assert_eq!(Some(ledger[id.as_str()].result), cell.value, "{cell:?}");
        }
    }
    for chart in &answer.charts {
        check_prose(&chart.text, &chart.refs, ledger);
        assert!(
            answer.tables.iter().any(|t| t.id == chart.table),
            "{} has no table",
            chart.id
        );
        for point in chart.series.iter().flat_map(|s| &s.points) {
            let id = point
                .id
                .as_deref()
                .unwrap_or_else(|| panic!("{point:?} has no provenance"));
            let d = ledger[id];
            if d.varies.is_some() {
                assert!(near(redo(d, point.x), point.y, 1e-12), "{point:?}");
                continue;
            }
            // A step has a length; the label tells its direction.
            let step = point.low.map(|low| (point.y - low).abs());
            let same = |v: f64| near(v, d.result, 1e-12);
            assert!(
                same(point.y) || step.is_some_and(|s| near(s, d.result.abs(), 1e-12)),
                "{point:?} is not {}",
                d.result
            );
        }
    }
}

#[test]
fn every_number_of_the_gallery_resolves() {
    for example in Gallery::builtin().examples() {
        let task = super::task(example.category, example.complexity, &example.content);
        let answer = super::ask(&task).unwrap_or_else(|e| panic!("{}: {e}", example.id));
        assert!(!answer.recommendations.is_empty(), "{}", example.id);
        sound(&answer);
    }
}

#[test]
fn every_number_of_varied_messages_resolves() {
    for (category, content) in [
        (
            Category::Cost,
            "We pay $2,400/month for GPT-4o. How can we pay less?",
        ),
        (
            Category::Cost,
            "Our OpenAI bill was 18k last month, what would batch processing save if 60% of the jobs can wait overnight?",
        ),
        (
            Category::Cost,
            "Nous dépensons 7 500 € par mois pour GPT-4o, environ 150 000 requêtes par semaine.",
        ),
        (
            Category::Cost,
            "We send 100 requests per month. No wait, 100 million per month. Each has 10 input tokens, or was it 10,000? Cost is $5.",
        ),
        (
            Category::Latency,
            "Our bot takes 6 seconds to answer. How do I get it below 2s?",
        ),
        (
            Category::Latency,
            "Three sequential LLM steps, each about 1.4 s. Two of them are independent and could run in parallel. What do we gain?",
        ),
        (
            Category::Selection,
            "GPT-4o or Claude Sonnet for summarising contracts?",
        ),
        (
            Category::Selection,
            "Need vision, 200k context and less than $1 per million input tokens. Options?",
        ),
        (
            Category::Scaling,
            "We have 10k users a day and expect 100k. What breaks first?",
        ),
        (
            Category::Scaling,
            "half a million requests per month now, doubling every quarter. When do we pass 5 million?",
        ),
        (
            Category::Advanced,
            "Cheap, fast and good: what is the best compromise for a FAQ bot with 20k questions a month?",
        ),
        (
            Category::Advanced,
            "Our CFO wants -40% cost, our CTO wants p95 under 1.5 s and product wants no quality loss versus Claude Sonnet 4.5. 600k requests monthly, 2,000 in, 300 out. What is feasible?",
        ),
    ] {
        sound(&answered(category, content));
    }
}
