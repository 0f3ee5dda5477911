//! What must hold of a row before it may enter the catalog.

use std::collections::HashMap;
use std::ops::Range;

use toml::Spanned;

use super::Catalog;
use super::document::{Document, Report};
use super::hardware::{Architecture, Gpu, KvShape};
use super::measurement::{Pack, Quantiles};
use super::model::{CacheMechanism, Evidence, Model, Price};

/// USD per million tokens; a hundred times the dearest model.
const DEAREST: f64 = 10_000.0;
/// Parameters in billions.
const LARGEST: f64 = 100_000.0;
/// The most rows of one kind.
const MOST_ROWS: usize = 2_000;

/// Checks all rows of a document that is to be laid over a catalog.
pub(super) fn check(base: &Catalog, new: &Document, replacing: bool, report: &mut Report<'_>) {
    let checker = &mut Checker { base, new, report };
    checker.models(replacing);
    checker.price_changes();
    checker.cache_rules();
    checker.hardware();
    checker.packs();
}

struct Checker<'a, 'r, 't> {
    base: &'a Catalog,
    new: &'a Document,
    report: &'r mut Report<'t>,
}

impl<'a> Checker<'a, '_, '_> {
    fn range(&mut self, at: &Range<usize>, what: &str, value: f64, from: f64, to: f64) {
        if !(from..=to).contains(&value) {
            let detail = format!("{what} is {value}, must be {from} to {to}");
            self.report.fault(at, "range", detail);
        }
    }

    fn positive(&mut self, at: &Range<usize>, what: &str, value: f64, to: f64) {
        if !(value > 0.0 && value <= to) {
            let detail = format!("{what} is {value}, must be over 0, at most {to}");
            self.report.fault(at, "range", detail);
        }
    }

    fn refers(&mut self, at: &Range<usize>, known: bool, what: &str, name: &str) {
        if !known {
            let detail = format!("{what} {name:?} is not in the catalog");
            self.report.fault(at, "reference", detail);
        }
    }

    fn source(&mut self, at: &Range<usize>, key: &str) {
        let known = self.base.sources.contains_key(key) || self.new.sources.contains_key(key);
        self.refers(at, known, "source", key);
    }

    fn knows_model(&self, id: &str) -> bool {
        self.base.model(id).is_some() || self.new.models.iter().any(|m| m.as_ref().id == id)
    }

    fn rows(&mut self, what: &str, count: usize) {
        if count > MOST_ROWS {
            let detail = format!("{count} rows of {what}, at most {MOST_ROWS}");
            self.report.fault(&(0..0), "range", detail);
        }
    }

    /// A name, however its parts are joined, belongs to one model.
    fn models(&mut self, replacing: bool) {
        self.rows("model", self.new.models.len());
        let mut owner: HashMap<String, &'a str> = HashMap::new();
        let new = self.new;
        for old in &self.base.models {
            let replaced = new.models.iter().any(|m| m.as_ref().id == old.id);
            if !(replacing && replaced) {
                for name in std::iter::once(&old.id).chain(&old.aliases) {
                    owner.insert(folded(name), &old.id);
                }
            }
        }
        for row in &new.models {
            let (at, model) = (row.span(), row.as_ref());
            if let Some(other) = owner.insert(folded(&model.id), &model.id) {
                let detail = format!("the id {:?} is taken by {other:?}", model.id);
                self.report.fault(&at, "unique", detail);
            }
            for alias in &model.aliases {
                let other = owner.insert(folded(alias), &model.id);
                if let Some(other) = other.filter(|o| *o != model.id) {
                    let detail = format!("{}: the alias {alias:?} is taken by {other:?}", model.id);
                    self.report.fault(&at, "unique", detail);
                }
            }
            self.model(&at, model);
        }
    }

    fn model(&mut self, at: &Range<usize>, model: &Model) {
        let id = &model.id;
        for (what, text) in [
            ("id", id),
            ("name", &model.name),
            ("provider", &model.provider),
        ] {
            if text.trim().is_empty() || text.chars().count() > 100 {
                let detail = format!("{id}: {what} must have 1 to 100 characters");
                self.report.fault(at, "range", detail);
            }
        }
        self.price(at, id, &model.price);
        if let Some(long) = model.long_context {
            self.positive(
                at,
                &format!("{id}: long input"),
                long.input_usd_per_mtok,
                DEAREST,
            );
            self.positive(
                at,
                &format!("{id}: long output"),
                long.output_usd_per_mtok,
                DEAREST,
            );
        }
        if let Some(batch) = &model.batch {
            self.positive(
                at,
                &format!("{id}: batch multiplier"),
                batch.multiplier,
                1.0,
            );
            self.source(at, &batch.source);
        }
        let limits = model.tokens;
        self.positive(
            at,
            &format!("{id}: context"),
            f64::from(limits.context),
            1e9,
        );
        self.positive(
            at,
            &format!("{id}: longest output"),
            f64::from(limits.output),
            1e9,
        );
        if let Some(weights) = &model.weights {
            self.parameters(at, id, weights.total_billion, weights.active_billion);
            self.source(at, &weights.source);
        }
        self.evidence(at, id, &model.evidence);
    }

    fn evidence(&mut self, at: &Range<usize>, id: &str, evidence: &Evidence) {
        self.source(at, &evidence.source);
        for key in &evidence.agree {
            self.source(at, key);
        }
        for other in &evidence.differ {
            self.source(at, &other.source);
            self.positive(
                at,
                &format!("{id}: other input"),
                other.input_usd_per_mtok,
                DEAREST,
            );
            self.positive(
                at,
                &format!("{id}: other output"),
                other.output_usd_per_mtok,
                DEAREST,
            );
        }
    }

    fn price(&mut self, at: &Range<usize>, id: &str, price: &Price) {
        self.positive(
            at,
            &format!("{id}: input"),
            price.input_usd_per_mtok,
            DEAREST,
        );
        self.positive(
            at,
            &format!("{id}: output"),
            price.output_usd_per_mtok,
            DEAREST,
        );
        for (what, value) in [
            ("cache_write_5m", price.cache_write_5m_usd_per_mtok),
            ("cache_write_1h", price.cache_write_1h_usd_per_mtok),
        ] {
            if let Some(value) = value {
                self.positive(at, &format!("{id}: {what}"), value, DEAREST);
            }
        }
        if let Some(read) = price.cached_read_usd_per_mtok {
            // A cache that costs more than it saves would turn every saving's sign. Against an
            // input price that is itself at fault nothing can be said.
            let input = price.input_usd_per_mtok;
            let most = if input > 0.0 { input } else { DEAREST };
            self.range(at, &format!("{id}: cached_read"), read, 0.0, most);
        }
    }

    fn parameters(&mut self, at: &Range<usize>, id: &str, total: f64, active: f64) {
        self.positive(at, &format!("{id}: total_billion"), total, LARGEST);
        self.positive(at, &format!("{id}: active_billion"), active, total);
    }

    fn price_changes(&mut self) {
        let new = self.new;
        for (i, row) in new.price_changes.iter().enumerate() {
            let (at, change) = (row.span(), row.as_ref());
            let known = self.knows_model(&change.model);
            self.refers(&at, known, "model", &change.model);
            self.price(&at, &change.model, &change.price);
            self.source(&at, &change.source);
            let same = |r: &Spanned<super::PriceChange>| {
                r.as_ref().model == change.model && r.as_ref().from == change.from
            };
            if new.price_changes[..i].iter().any(same) {
                let detail = format!("{}: two prices from {}", change.model, change.from);
                self.report.fault(&at, "unique", detail);
            }
        }
    }

    fn cache_rules(&mut self) {
        for row in &self.new.cache_rules {
            let (at, rule) = (row.span(), row.as_ref());
            let provider = &rule.provider;
            match rule.how {
                CacheMechanism::Automatic {
                    first_tokens,
                    step_tokens,
                } => {
                    let first = f64::from(first_tokens);
                    self.positive(&at, &format!("{provider}: first_tokens"), first, 1e9);
                    let step = f64::from(step_tokens);
                    self.positive(&at, &format!("{provider}: step_tokens"), step, 1e9);
                }
                CacheMechanism::Explicit {
                    write_5m,
                    write_1h,
                    read,
                } => {
                    self.range(&at, &format!("{provider}: write_5m"), write_5m, 1.0, 100.0);
                    self.range(&at, &format!("{provider}: write_1h"), write_1h, 1.0, 100.0);
                    self.range(&at, &format!("{provider}: read"), read, 0.0, 0.99);
                }
                CacheMechanism::Stored {
                    storage_usd_per_mtok_hour: rent,
                } => {
                    self.positive(&at, &format!("{provider}: storage"), rent, DEAREST);
                }
            }
        }
    }

    fn hardware(&mut self) {
        let new = self.new;
        let known_gpu = |id: &str| {
            self.base.gpus.iter().any(|g| g.id == id)
                || new.gpus.iter().any(|g| g.as_ref().id == id)
        };
        let missing: Vec<_> = new
            .gpu_prices
            .iter()
            .filter(|p| !known_gpu(&p.as_ref().gpu))
            .collect();
        for row in missing {
            self.refers(&row.span(), false, "gpu", &row.as_ref().gpu);
        }
        for row in &new.gpu_prices {
            let price = row.as_ref().usd_per_gpu_hour;
            self.positive(&row.span(), "usd_per_gpu_hour", price, 10_000.0);
        }
        for row in &new.gpus {
            self.gpu(&row.span(), row.as_ref());
        }
        for row in &new.architectures {
            self.architecture(&row.span(), row.as_ref());
        }
    }

    fn gpu(&mut self, at: &Range<usize>, gpu: &Gpu) {
        for (what, value) in [
            ("memory_gb", Some(gpu.memory_gb)),
            ("bandwidth_gb_s", Some(gpu.bandwidth_gb_s)),
            ("bf16_tflops", Some(gpu.bf16_tflops)),
            ("bf16_tflops_low", gpu.bf16_tflops_low),
            ("fp8_tflops", gpu.fp8_tflops),
            ("power_w", gpu.power_w),
        ] {
            if let Some(value) = value {
                self.positive(at, &format!("{}: {what}", gpu.id), value, 1e7);
            }
        }
    }

    fn architecture(&mut self, at: &Range<usize>, shape: &Architecture) {
        for id in &shape.models {
            let known = self.knows_model(id);
            self.refers(at, known, "model", id);
        }
        self.parameters(at, &shape.id, shape.total_billion, shape.active_billion);
        let (a, b) = match shape.kv {
            KvShape::Heads { heads, head_dim } => (heads, head_dim),
            KvShape::Latent { latent, rope } => (latent, rope),
        };
        for (what, value) in [("layers", shape.layers), ("kv", a), ("kv", b)] {
            self.positive(at, &format!("{}: {what}", shape.id), f64::from(value), 1e6);
        }
    }

    /// A pack's faults stand at its head: its rows are values without a place of their own.
    fn packs(&mut self) {
        for row in &self.new.packs {
            self.rows("quality", row.as_ref().quality.len());
            self.rows("speed", row.as_ref().speed.len());
            self.pack(&row.span(), row.as_ref());
        }
    }

    fn pack(&mut self, at: &Range<usize>, pack: &Pack) {
        let mut seen = std::collections::HashSet::new();
        for row in &pack.quality {
            let what = format!("{} {}", row.model, row.mode.as_str());
            let known = self.knows_model(&row.model);
            self.refers(at, known, "model", &row.model);
            if !seen.insert(("quality", &row.model, row.mode)) {
                self.report
                    .fault(at, "unique", format!("two rows of quality for {what}"));
            }
            for (value, to) in [
                (row.intelligence, 100.0),
                (row.coding, 100.0),
                (row.arena, 10_000.0),
                (row.aider, 1.0),
            ] {
                self.range(
                    at,
                    &format!("{what}: quality"),
                    value.unwrap_or(0.0),
                    0.0,
                    to,
                );
            }
            let [low, high] = row.interval.unwrap_or([f64::MIN, f64::MAX]);
            if row.arena.is_some_and(|v| !(low..=high).contains(&v)) {
                self.report
                    .fault(at, "order", format!("{what}: outside its interval"));
            }
        }
        for row in &pack.speed {
            let what = format!("{} {}", row.model, row.mode.as_str());
            let known = self.knows_model(&row.model);
            self.refers(at, known, "model", &row.model);
            if !seen.insert(("speed", &row.model, row.mode)) {
                self.report
                    .fault(at, "unique", format!("two rows of speed for {what}"));
            }
            self.quantiles(at, &format!("{what}: tps"), &row.tps);
            self.quantiles(at, &format!("{what}: ttft"), &row.ttft);
            self.positive(at, &format!("{what}: answer"), row.answer_s(), 86_400.0);
        }
    }

    fn quantiles(&mut self, at: &Range<usize>, what: &str, five: &Quantiles) {
        let values = five.values();
        self.positive(at, what, values[0], 1e6);
        self.positive(at, what, values[4], 1e6);
        if !values.is_sorted() {
            self.report
                .fault(at, "order", format!("{what}: percentiles do not ascend"));
        }
    }
}

/// Case and the signs that join the parts of a name do not tell models apart.
fn folded(name: &str) -> String {
    let joint = |c: char| if matches!(c, '-' | '.' | '_') { ' ' } else { c };
    name.to_lowercase().chars().map(joint).collect()
}
