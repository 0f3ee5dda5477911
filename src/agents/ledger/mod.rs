//! The ledger: every number of an answer is entered here, with where it came from.
//!
//! An agent never writes a number into a sentence or a table. It enters what was
//! read ([`Ledger::named`], [`Ledger::catalog`]), derives the rest from formulas that
//! the ledger itself evaluates ([`Ledger::derive`]), and shows [`Value`]s. So a number
//! without provenance cannot be written, and the arithmetic a reader opens is the
//! computation, not a description of it.

mod expression;
mod functions;
mod prose;
pub mod show;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value as Json;

use super::Refusal;
use super::answer::{Cell, Derivation, Figure, Input, NamedQuantity, Point, Source};
pub use expression::Expression;
#[cfg(test)]
pub(crate) use prose::has_number;
pub(crate) use prose::say;
pub use prose::{Prose, Shown, compose};

/// The most entries of one answer; a plan that wants more is a defect, not a bigger answer.
const ENTRIES_MAX: usize = 4000;

/// A number with its provenance.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// In `unit`, unrounded.
    pub value: f64,
    /// For example `USD/month`.
    pub unit: String,
    /// What it is.
    pub label: String,
    /// Id of its derivation.
    pub id: String,
    source: Source,
    from: String,
    quote: Option<String>,
}

impl Value {
    /// Where it came from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// As a figure with the text that people read.
    pub fn figure(&self, shown: Shown) -> Figure {
        Figure {
            label: self.label.clone(),
            value: self.value,
            unit: self.unit.clone(),
            text: shown.into_text(),
            id: self.id.clone(),
        }
    }

    /// As a table's cell.
    pub fn cell(&self, shown: Shown) -> Cell {
        Cell {
            text: shown.into_text(),
            value: Some(self.value),
            id: Some(self.id.clone()),
        }
    }

    /// As the bar or step of a chart.
    pub fn bar(&self, label: &str) -> Point {
        Point {
            label: Some(label.to_owned()),
            y: self.value,
            id: Some(self.id.clone()),
            ..Point::default()
        }
    }
}

/// Where a formula's result varies along a chart: one derivation, many points.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Id of the derivation, whose formula gives every point.
    pub id: String,
    /// Position and value, in the order asked for.
    pub points: Vec<(f64, f64)>,
}

/// All entries of one answer.
#[derive(Debug, Default)]
pub struct Ledger {
    derivations: Vec<Derivation>,
    quantities: Vec<NamedQuantity>,
    known: HashMap<String, Value>,
    edits: BTreeMap<String, Json>,
    used: BTreeSet<String>,
    refused: Vec<(String, f64, f64)>,
    fault: Option<String>,
}

impl Ledger {
    /// An empty ledger; `edits` are the visitor's own values, by name.
    pub fn new(edits: &BTreeMap<String, Json>) -> Self {
        Self {
            edits: edits.clone(),
            ..Self::default()
        }
    }

    /// The visitor's own value for a name, where it is a number in range; one out of
    /// range is refused and remembered for [`Ledger::refused_edits`].
    pub fn edit(&mut self, name: &str, range: Option<(f64, f64)>) -> Option<f64> {
        let edit = self.edits.get(name)?;
        self.used.insert(name.to_owned());
        let number = edit
            .as_f64()
            .or_else(|| edit.as_str().and_then(|s| s.trim().parse().ok()));
        let (low, high) = range.unwrap_or((-1e15, 1e15));
        match number {
            Some(n) if n.is_finite() && (low..=high).contains(&n) => Some(n),
            _ => {
                if !self.refused.iter().any(|r| r.0 == name) {
                    self.refused.push((name.to_owned(), low, high));
                }
                None
            }
        }
    }

    /// The visitor's own word for a name, for example a model.
    pub fn edit_word(&mut self, name: &str) -> Option<String> {
        let word = self.edits.get(name)?.as_str()?.to_owned();
        self.used.insert(name.to_owned());
        Some(word)
    }

    /// Enters a quantity that the reader may know by name; a visitor's own value replaces
    /// it. The same name again gives the first entry.
    pub fn named(&mut self, mut quantity: NamedQuantity) -> Value {
        if let Some(value) = self.known.get(&quantity.name) {
            return value.clone();
        }
        if quantity.editable
            && let Some(edited) = self.edit(&quantity.name, quantity.range)
            && edited != quantity.value
        {
            let was = show::exact(quantity.value);
            quantity.value = edited;
            quantity.source = Source::Assumption;
            (quantity.quote, quantity.span) = (None, None);
            quantity.note = Some(format!("Edited by you; it was {was}."));
        }
        let from = match (&quantity.source, &quantity.note) {
            (Source::Catalog, Some(row)) => row.clone(),
            _ => quantity.name.clone(),
        };
        let symbol = symbol(&quantity.name);
        let value = self.input(
            &symbol,
            &quantity.label,
            quantity.value,
            &quantity.unit,
            quantity.source,
            from,
            quantity.quote.clone(),
        );
        self.known.insert(quantity.name.clone(), value.clone());
        self.quantities.push(quantity);
        value
    }

    /// Enters a default: an assumption, editable within `range`, with the reason for it.
    pub fn assume(
        &mut self,
        name: &str,
        label: &str,
        value: f64,
        unit: &str,
        range: (f64, f64),
        why: &str,
    ) -> Value {
        self.named(NamedQuantity {
            name: name.into(),
            label: label.into(),
            value,
            unit: unit.into(),
            source: Source::Assumption,
            quote: None,
            span: None,
            editable: true,
            range: Some(range),
            note: Some(why.into()),
        })
    }

    /// Enters a figure of the catalog; `row` names the row with source and date.
    pub fn catalog(&mut self, label: &str, value: f64, unit: &str, row: &str) -> Value {
        let key = format!("catalog:{label}:{value}:{row}");
        if let Some(value) = self.known.get(&key) {
            return value.clone();
        }
        let entered = self.input(
            "value",
            label,
            value,
            unit,
            Source::Catalog,
            row.to_owned(),
            None,
        );
        self.known.insert(key, entered.clone());
        entered
    }

    #[allow(clippy::too_many_arguments)]
    fn input(
        &mut self,
        symbol: &str,
        label: &str,
        value: f64,
        unit: &str,
        source: Source,
        from: String,
        quote: Option<String>,
    ) -> Value {
        let entry = Value {
            value,
            unit: unit.into(),
            label: label.into(),
            id: String::new(),
            source,
            from,
            quote,
        };
        let inputs = vec![as_input(symbol, &entry)];
        let id = self.push(
            label,
            symbol,
            show::exact(value),
            inputs,
            value,
            unit,
            "as stated",
        );
        Value { id, ..entry }
    }

    /// Computes `formula` from `inputs` (symbol and value) and enters the result.
    /// `reference` is the formula's source. A formula that cannot be computed spoils the
    /// whole answer, which is then refused by [`Ledger::finish`].
    pub fn derive(
        &mut self,
        label: &str,
        formula: &str,
        reference: &str,
        inputs: &[(&str, &Value)],
        unit: &str,
    ) -> Value {
        // The same step asked for again is the same entry.
        let from: Vec<String> = inputs
            .iter()
            .map(|(s, v)| format!("{s}={}={}", v.id, v.value))
            .collect();
        let key = format!("derive:{label}:{formula}:{unit}:{}", from.join(";"));
        if let Some(value) = self.known.get(&key) {
            return value.clone();
        }
        let lookup = |name: &str| {
            inputs
                .iter()
                .find(|(s, _)| *s == name)
                .map(|(_, v)| v.value)
        };
        let (result, shown, arithmetic) = match Expression::parse(formula) {
            Ok(expression) => (
                expression.evaluate(&lookup),
                expression.render(&|_| None),
                expression.render(&lookup),
            ),
            Err(fault) => (Err(fault), formula.to_owned(), String::new()),
        };
        let value = match result {
            Ok(value) if value.is_finite() => value,
            Ok(_) => self.spoil(label, "is not a finite number"),
            Err(fault) => self.spoil(label, &fault),
        };
        let arithmetic = format!("{arithmetic} = {}", show::exact(value));
        let inputs = inputs.iter().map(|(s, v)| as_input(s, v)).collect();
        let id = self.push(label, &shown, arithmetic, inputs, value, unit, reference);
        let entry = Value {
            value,
            unit: unit.into(),
            label: label.into(),
            from: id.clone(),
            id,
            source: Source::Computed,
            quote: None,
        };
        self.known.insert(key, entry.clone());
        entry
    }

    /// As [`Ledger::derive`], for a curve: the formula is computed at every `x` of the
    /// symbol `varies`; the derivation shows the point whose x the inputs hold.
    pub fn curve(
        &mut self,
        label: &str,
        formula: &str,
        reference: &str,
        inputs: &[(&str, &Value)],
        unit: &str,
        varies: (&str, &[f64]),
    ) -> Curve {
        let value = self.derive(label, formula, reference, inputs, unit);
        if let Some(entry) = self.derivations.iter_mut().find(|d| d.id == value.id) {
            entry.varies = Some(varies.0.to_owned());
        }
        let expression = Expression::parse(formula);
        let at = |x: f64| {
            let lookup = |name: &str| {
                let given = inputs
                    .iter()
                    .find(|(s, _)| *s == name)
                    .map(|(_, v)| v.value);
                if name == varies.0 { Some(x) } else { given }
            };
            expression
                .as_ref()
                .ok()?
                .evaluate(&lookup)
                .ok()
                .filter(|y| y.is_finite())
        };
        let points = varies
            .1
            .iter()
            .filter_map(|x| Some((*x, at(*x)?)))
            .collect();
        Curve {
            id: value.id,
            points,
        }
    }

    fn spoil(&mut self, label: &str, why: &str) -> f64 {
        self.fault.get_or_insert_with(|| format!("{label}: {why}"));
        f64::NAN
    }

    #[allow(clippy::too_many_arguments)]
    fn push(
        &mut self,
        label: &str,
        formula: &str,
        arithmetic: String,
        inputs: Vec<Input>,
        result: f64,
        unit: &str,
        reference: &str,
    ) -> String {
        if self.derivations.len() >= ENTRIES_MAX {
            self.spoil(label, "the answer has too many numbers");
        }
        let id = format!("p{}", self.derivations.len() + 1);
        self.derivations.push(Derivation {
            id: id.clone(),
            label: label.into(),
            formula: formula.into(),
            arithmetic,
            inputs,
            result,
            unit: unit.into(),
            reference: reference.into(),
            varies: None,
        });
        id
    }

    /// The derivation of a value: its formula and arithmetic.
    pub fn derivation(&self, value: &Value) -> Option<&Derivation> {
        self.derivations.iter().find(|d| d.id == value.id)
    }

    /// Everything entered by name so far.
    pub fn quantities(&self) -> &[NamedQuantity] {
        &self.quantities
    }

    /// Edits that name nothing in this answer.
    pub fn unknown_edits(&self) -> Vec<String> {
        let unused = |n: &&String| !self.used.contains(*n);
        self.edits.keys().filter(unused).cloned().collect()
    }

    /// Edits out of range: the name, and the least and the most that is allowed.
    pub fn refused_edits(&self) -> &[(String, f64, f64)] {
        &self.refused
    }

    /// The derivations that `cited` rest on, with all that those rest on, in order.
    ///
    /// # Errors
    /// Where a number could not be computed: no answer may stand on it.
    pub fn finish(self, cited: &BTreeSet<String>) -> Result<Vec<Derivation>, Refusal> {
        if let Some(fault) = self.fault {
            return Err(Refusal {
                code: "not_computable".into(),
                message: format!(
                    "These numbers lead to a result that cannot be computed ({fault}). \
                     Please check the quantities and write them again."
                ),
            });
        }
        let mut needed = cited.clone();
        for entry in self.derivations.iter().rev() {
            if needed.contains(&entry.id) {
                let computed = entry.inputs.iter().filter(|i| i.source == Source::Computed);
                needed.extend(computed.map(|i| i.from.clone()));
            }
        }
        let wanted = |d: &Derivation| needed.contains(&d.id);
        Ok(self.derivations.into_iter().filter(wanted).collect())
    }
}

/// A name as a symbol of a formula.
fn symbol(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(plain).collect()
}

fn as_input(symbol: &str, value: &Value) -> Input {
    Input {
        symbol: symbol.into(),
        label: value.label.clone(),
        value: value.value,
        unit: value.unit.clone(),
        source: value.source,
        from: value.from.clone(),
        quote: value.quote.clone(),
    }
}

#[cfg(test)]
mod tests;
