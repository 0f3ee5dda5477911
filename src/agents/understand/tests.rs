use serde_json::Value as Json;
use time::macros::date;

use super::*;
use crate::agents::catalog::Catalog;

const CORPUS: &str = include_str!("../../../tests/fixtures/understand/messages.jsonl");

struct Prices(Catalog);

impl ListPrices for Prices {
    fn usd_per_mtok(&self, model: &str) -> Option<(f64, f64)> {
        let price = self.0.price(model, date!(2026 - 12 - 01))?;
        Some((price.input_usd_per_mtok, price.output_usd_per_mtok))
    }
}

struct Reader {
    names: ModelNames,
    prices: Prices,
}

impl Reader {
    fn new() -> Self {
        let catalog = Catalog::builtin();
        let names = catalog
            .names()
            .map(|(id, aliases)| (id.to_owned(), aliases.to_vec()));
        Self {
            names: ModelNames::new(names),
            prices: Prices(catalog),
        }
    }

    fn read(&self, text: &str) -> Understanding {
        understand(text, &self.names, date!(2026 - 12 - 01), &self.prices)
    }
}

/// How many were right, invented and missed.
#[derive(Debug, Default)]
struct Score {
    right: usize,
    invented: usize,
    missed: usize,
}

fn agrees(q: &Json, gold: &Json) -> bool {
    let number = |a: &Json, b: &Json| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * b.abs().max(1e-12),
        _ => a == b,
    };
    let value = match (q["value"].as_array(), gold[1].as_array()) {
        (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| number(a, b)),
        _ => number(&q["value"], &gold[1]),
    };
    let attributes = gold.get(4).and_then(Json::as_object);
    let exact = attributes.is_none_or(|a| a.iter().all(|(key, value)| q[key] == *value));
    q["kind"] == gold[0] && value && q["unit"] == gold[2] && q["per"] == gold[3] && exact
}

#[test]
fn the_corpus_is_understood() {
    let reader = Reader::new();
    let (mut quantities, mut models) = (Score::default(), Score::default());
    let mut faults = Vec::new();
    for line in CORPUS.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let (id, text) = (case["id"].as_str().unwrap(), case["text"].as_str().unwrap());
        let u = reader.read(text);
        let prediction = prediction_json(id, &u);
        let mut left = prediction["quantities"].as_array().unwrap().clone();
        for gold in case["quantities"].as_array().unwrap() {
            match left.iter().position(|q| agrees(q, gold)) {
                Some(at) => {
                    left.remove(at);
                    quantities.right += 1;
                }
                None => {
                    quantities.missed += 1;
                    faults.push(format!("{id} missed {gold}"));
                }
            }
        }
        quantities.invented += left.len();
        faults.extend(left.iter().map(|q| format!("{id} invented {q}")));
        let found: Vec<Json> = u
            .models
            .iter()
            .map(|m| serde_json::json!([m.id, m.role]))
            .collect();
        let expected = case["models"].as_array().unwrap();
        models.right += expected.iter().filter(|m| found.contains(m)).count();
        models.missed += expected.iter().filter(|m| !found.contains(m)).count();
        models.invented += found.iter().filter(|m| !expected.contains(m)).count();
        if found != *expected {
            faults.push(format!("{id} models {found:?} instead of {expected:?}"));
        }
        for flag in case["flags"].as_array().into_iter().flatten() {
            if !u.flagged(flag.as_str().unwrap()) {
                faults.push(format!("{id} lacks flag {flag}"));
            }
        }
    }
    println!("quantities {quantities:?} models {models:?}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
