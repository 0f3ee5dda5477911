//! Promises of the agents, checked on messages as visitors write them.

mod fuzz;
mod known_results;
mod promises;
mod provenance;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::answer::Answer;
use super::catalog::Catalog;
use super::{Event, Refusal, Task, answer};
use crate::id::{Category, Complexity};

fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(Catalog::builtin)
}

fn task(category: Category, complexity: Complexity, content: &str) -> Task {
    Task {
        content: content.into(),
        category,
        complexity,
        assumptions: BTreeMap::new(),
        as_of: "2026-12-01".into(),
    }
}

fn ask(task: &Task) -> Result<Answer, Refusal> {
    answer(task, catalog(), &mut |_| {})
}

fn answered(category: Category, content: &str) -> Answer {
    ask(&task(category, Complexity::Advanced, content)).expect(content)
}

/// The result of the first derivation with this label.
fn result(answer: &Answer, label: &str) -> f64 {
    let found = answer.provenance.iter().find(|d| d.label == label);
    let labels = || {
        answer
            .provenance
            .iter()
            .map(|d| d.label.as_str())
            .collect::<Vec<_>>()
    };
    found
        .unwrap_or_else(|| panic!("no {label:?} in {:?}", labels()))
        .result
}

fn events(task: &Task) -> Vec<Event> {
    let mut all = Vec::new();
    let _ = answer(task, catalog(), &mut |e| all.push(e));
    all
}

/// Numbers for seeded tests; the seed is printed by whoever fails.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}
