//! How long the built-in engine computes, message in to result out.
//!
//! `cargo bench --bench agents` prints a table. No harness crate: a distribution of whole
//! answers is what is asked for, and a statistics library would be built by every test run.

use std::time::{Duration, Instant};

use emflow::agents::catalog::Catalog;
use emflow::agents::{Task, answer};
use emflow::examples::Gallery;
use emflow::id::{Category, Complexity};

const ROUNDS: usize = 200;

fn main() {
    let catalog = Catalog::builtin();
    let gallery = Gallery::builtin();
    println!(
        "{:<22} {:>9} {:>9} {:>9} {:>9}   ({ROUNDS} rounds of each example and depth)",
        "agent", "p50", "p95", "p99", "max"
    );
    let mut all = Vec::new();
    for category in Category::ALL {
        let mut times = Vec::new();
        for example in gallery
            .examples()
            .iter()
            .filter(|e| e.category == *category)
        {
            for complexity in Complexity::ALL {
                let task = Task {
                    content: example.content.clone(),
                    category: *category,
                    complexity: *complexity,
                    assumptions: Default::default(),
                    as_of: "2026-12-01".to_owned(),
                };
                for _ in 0..ROUNDS {
                    let start = Instant::now();
                    let result = answer(&task, &catalog, &mut |_| {});
                    times.push(start.elapsed());
                    assert!(result.is_ok(), "{} is refused", example.id);
                }
            }
        }
        row(category.as_str(), &mut times);
        all.extend(times);
    }
    row("all", &mut all);
}

fn row(name: &str, times: &mut [Duration]) {
    times.sort();
    let at = |p: f64| times[((times.len() as f64 * p).ceil() as usize).clamp(1, times.len()) - 1];
    let ms = |d: Duration| format!("{:.2} ms", d.as_secs_f64() * 1e3);
    println!(
        "{name:<22} {:>9} {:>9} {:>9} {:>9}",
        ms(at(0.5)),
        ms(at(0.95)),
        ms(at(0.99)),
        ms(at(1.0))
    );
}
