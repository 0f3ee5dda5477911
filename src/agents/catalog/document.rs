//! From the text of a catalog file to rows laid over a catalog.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use time::Date;
use toml::Spanned;

use super::hardware::{Architecture, Gpu, GpuPrice};
use super::measurement::Pack;
use super::model::{CacheRule, Model, PriceChange, iso_date};
use super::{Catalog, builtin, rules};

/// The longest file that is read, in bytes; the built-in one has a tenth of it.
const LONGEST: usize = 1 << 20;

/// What is wrong with a catalog file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {rule}: {detail}")]
pub struct Fault {
    /// Counted from 1; 1 where the fault is the whole file's.
    pub line: usize,
    /// The rule that was broken: `format`, `range`, `order`, `unique`, `reference` or `complete`.
    pub rule: &'static str,
    /// What stands there and what may stand there.
    pub detail: String,
}

/// The sections of a file, each row with its place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    #[serde(default)]
    base: Base,
    #[serde(default = "yes")]
    measurements_of_base: bool,
    #[serde(with = "iso_date::option", default)]
    prices_as_of: Option<Date>,
    #[serde(default)]
    pub(super) sources: BTreeMap<String, String>,
    #[serde(default, rename = "model")]
    pub(super) models: Vec<Spanned<Model>>,
    #[serde(default, rename = "price_change")]
    pub(super) price_changes: Vec<Spanned<PriceChange>>,
    #[serde(default, rename = "cache_rule")]
    pub(super) cache_rules: Vec<Spanned<CacheRule>>,
    #[serde(default, rename = "gpu")]
    pub(super) gpus: Vec<Spanned<Gpu>>,
    #[serde(default, rename = "gpu_price")]
    pub(super) gpu_prices: Vec<Spanned<GpuPrice>>,
    #[serde(default, rename = "architecture")]
    pub(super) architectures: Vec<Spanned<Architecture>>,
    #[serde(default, rename = "measurements")]
    pub(super) packs: Vec<Spanned<Pack>>,
}

fn yes() -> bool {
    true
}

/// What an operator's file starts from.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Base {
    #[default]
    Builtin,
    None,
}

/// Faults as they are found, with lines counted in the text.
pub(super) struct Report<'t> {
    text: &'t str,
    faults: Vec<Fault>,
}

impl Report<'_> {
    /// Notes a fault at a place.
    pub(super) fn fault(&mut self, at: &Range<usize>, rule: &'static str, detail: String) {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = 1 + before.matches('\n').count();
        self.faults.push(Fault { line, rule, detail });
    }
}

/// The files inside the binary, one after the other.
pub(super) fn assemble<'t>(
    texts: impl Iterator<Item = &'t &'t str>,
) -> Result<Catalog, Vec<Fault>> {
    let mut catalog = empty();
    for text in texts {
        let document = parse(text)?;
        lay_over(&mut catalog, document, text, false)?;
    }
    complete(catalog)
}

/// The operator's file.
pub(super) fn over_builtin(text: &str) -> Result<Catalog, Vec<Fault>> {
    let document = parse(text)?;
    let mut catalog = match document.base {
        Base::Builtin => builtin::read()?,
        Base::None => empty(),
    };
    if !document.measurements_of_base {
        catalog = catalog.without_measurements();
    }
    lay_over(&mut catalog, document, text, true)?;
    complete(catalog)
}

fn empty() -> Catalog {
    Catalog {
        prices_as_of: Date::MIN,
        sources: BTreeMap::new(),
        models: Vec::new(),
        price_changes: Vec::new(),
        cache_rules: Vec::new(),
        gpus: Vec::new(),
        gpu_prices: Vec::new(),
        architectures: Vec::new(),
        packs: Vec::new(),
    }
}

fn parse(text: &str) -> Result<Document, Vec<Fault>> {
    let mut report = Report {
        text,
        faults: Vec::new(),
    };
    if text.len() > LONGEST {
        report.fault(
            &(0..0),
            "range",
            format!("the file has over {LONGEST} bytes"),
        );
        return Err(report.faults);
    }
    toml::from_str(text).map_err(|e| {
        let at = e.span().unwrap_or_default();
        report.fault(&at, "format", e.message().to_owned());
        report.faults
    })
}

/// Rows of a key that is there already take its place, where that is allowed.
fn lay_over(
    catalog: &mut Catalog,
    document: Document,
    text: &str,
    replacing: bool,
) -> Result<(), Vec<Fault>> {
    let mut report = Report {
        text,
        faults: Vec::new(),
    };
    rules::check(catalog, &document, replacing, &mut report);
    if !report.faults.is_empty() {
        report.faults.sort_by_key(|f| f.line);
        return Err(report.faults);
    }
    catalog.prices_as_of = document.prices_as_of.unwrap_or(catalog.prices_as_of);
    catalog.sources.extend(document.sources);
    let replaced = |id: &str| document.models.iter().any(|m| m.as_ref().id == id);
    catalog.price_changes.retain(|c| !replaced(&c.model));
    merge(&mut catalog.models, document.models, |a, b| a.id == b.id);
    merge(
        &mut catalog.price_changes,
        document.price_changes,
        |a, b| a.model == b.model && a.from == b.from,
    );
    merge(&mut catalog.cache_rules, document.cache_rules, |a, b| {
        a.provider == b.provider
    });
    merge(&mut catalog.gpus, document.gpus, |a, b| a.id == b.id);
    merge(&mut catalog.gpu_prices, document.gpu_prices, |a, b| {
        a.gpu == b.gpu && a.cloud == b.cloud
    });
    merge(
        &mut catalog.architectures,
        document.architectures,
        |a, b| a.id == b.id,
    );
    merge(&mut catalog.packs, document.packs, |a, b| a.name == b.name);
    Ok(())
}

fn merge<T>(rows: &mut Vec<T>, new: Vec<Spanned<T>>, same: impl Fn(&T, &T) -> bool) {
    for row in new.into_iter().map(Spanned::into_inner) {
        match rows.iter_mut().find(|old| same(old, &row)) {
            Some(old) => *old = row,
            None => rows.push(row),
        }
    }
}

fn complete(catalog: Catalog) -> Result<Catalog, Vec<Fault>> {
    let missing = if catalog.models.is_empty() {
        "no [[model]]"
    } else if catalog.prices_as_of == Date::MIN {
        "no prices_as_of"
    } else {
        return Ok(catalog);
    };
    Err(vec![Fault {
        line: 1,
        rule: "complete",
        detail: missing.to_owned(),
    }])
}
