//! From a visitor's words to typed quantities, without a language model.
//!
//! Lexer, number grammar, small rules: deterministic, linear, and honest about
//! what it did not understand. The text is data; nothing in it is an instruction.

mod amounts;
mod canonical;
mod capacity;
mod checks;
mod counts;
mod dates;
mod defaults;
mod ellipses;
mod labels;
mod lexer;
mod lexicon;
mod links;
mod models;
mod money;
mod quantity;
mod roles;
mod rules;
mod scene;
mod separators;
mod shares;
#[cfg(test)]
mod tests;
mod text;
mod times;
mod tokens;
mod unnumbered;
mod until;
mod wishes;
mod words;
mod words_around;
mod workloads;

use std::borrow::Cow;

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
    /// `cost`, `quality`, `latency` in the order in which they are ranked in words; empty
    /// where they are not.
    pub priorities: Vec<&'static str>,
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
    let message = text;
    let text = text::Text::new(message);
    let found = names.find(&text);
    let (tokens, convention) = lexer::lex(&text, &found);
    let amounts = amounts::amounts(&tokens);
    let scenes = scene::scenes(&tokens, &amounts);
    let mut facts = rules::Facts::of(&tokens);
    let drafts = links::drafts(&scenes, &tokens, &mut facts, as_of);

    let mut u = Understanding {
        language: wishes::language(&text, &tokens),
        constraints: wishes::constraints(&text),
        priorities: wishes::priorities(&tokens),
        ..Understanding::default()
    };
    let place = Place {
        text: &text,
        tokens: &tokens,
        found: &found,
    };
    u.models = place.models();
    u.unknown_models = place.unknown_models();
    let currency_assumed = drafts
        .iter()
        .any(|d| d.q.as_deref() == Some("assumed_currency"));
    let overflow: Vec<String> = drafts
        .iter()
        .filter(|d| overflows(d))
        .map(|d| format!("overflow:{}", checks::group(d.kind)))
        .collect();
    u.quantities = drafts
        .into_iter()
        .filter(|draft| !overflows(draft))
        .map(|draft| place.quantity(draft))
        .collect();
    workloads::label(&mut u.quantities, &mut u.constraints, &text, &tokens);

    let mut flags = checks::ranges(&mut u.quantities);
    flags.extend(overflow);
    flags.extend(checks::contradictions(&u, prices));
    flags.extend(checks::missing(&u));
    let mut flag = |raised: bool, name: String| {
        if raised {
            flags.push(name);
        }
    };
    flag(u.quantities.is_empty(), "no_quantities".to_owned());
    flag(currency_assumed, "assumed:currency".to_owned());
    flag(u.currency() != "USD", format!("currency:{}", u.currency()));
    flag(u.language != "en", format!("language:{}", u.language));
    flag(convention.ambiguous, "ambiguous:number".to_owned());
    flag(text.has_markup, "html_escaped".to_owned());
    flag(wishes::steers(&text, message), "injection".to_owned());
    flag(!u.unknown_models.is_empty(), "unknown_model".to_owned());
    flags.extend(dates::distractors(&tokens));
    for name in flags {
        if !u.flags.contains(&name) {
            u.flags.push(name);
        }
    }
    u
}

/// A number without a finite value states nothing; only the flag remains.
fn overflows(draft: &rules::Draft) -> bool {
    let limit = quantity::LARGEST;
    draft.value.numbers().iter().any(|v| v.abs() >= limit)
}

/// The way from tokens back to the words of the visitor.
struct Place<'a> {
    text: &'a text::Text,
    tokens: &'a [lexer::Token],
    found: &'a [models::Found],
}

impl Place<'_> {
    fn quantity(&self, draft: rules::Draft) -> Quantity {
        let start = self.tokens.get(draft.start).map_or(0, |t| t.range.start);
        let last = draft.end.saturating_sub(1).max(draft.start);
        let end = self.tokens.get(last).map_or(start, |t| t.range.end);
        let span = self.text.original_span(&(start..end.max(start)));
        let q = draft
            .q
            .filter(|q| q != "assumed_currency")
            .map(|q| self.named(q));
        Quantity {
            kind: draft.kind,
            value: draft.value,
            unit: draft.unit,
            per: draft.per,
            q,
            metric: draft.metric,
            role: draft.role,
            by: draft.by,
            workload: None,
            in_range: true,
            quote: self.text.quote(&span),
            span,
        }
    }

    /// `traffic:#2` becomes `traffic:gpt-4o`.
    fn named(&self, q: Cow<'static, str>) -> Cow<'static, str> {
        let Some(index) = q
            .strip_prefix("traffic:#")
            .and_then(|n| n.parse::<usize>().ok())
        else {
            return q;
        };
        let id = self.found.get(index).and_then(|f| f.id.as_deref());
        format!("traffic:{}", id.unwrap_or("unknown")).into()
    }

    fn models(&self) -> Vec<ModelMention> {
        let mut list: Vec<ModelMention> = Vec::new();
        for (index, role) in roles::roles(self.tokens) {
            let Some(found) = self.found.get(index) else {
                continue;
            };
            let Some(id) = &found.id else { continue };
            if list.iter().any(|m| m.id == *id) {
                continue;
            }
            let span = self.text.original_span(&found.range);
            let quote = self.text.quote(&span);
            list.push(ModelMention {
                id: id.clone(),
                role,
                assumed: found.assumed,
                span,
                quote,
            });
        }
        list
    }

    fn unknown_models(&self) -> Vec<String> {
        let unknown = self.found.iter().filter(|f| f.id.is_none());
        unknown
            .map(|f| self.text.quote(&self.text.original_span(&f.range)))
            .collect()
    }
}

/// The prediction of one message as a scorer reads it: `span` is the quoted text.
pub fn prediction_json(id: &str, u: &Understanding) -> serde_json::Value {
    let quantities: Vec<_> = u
        .quantities
        .iter()
        .map(|q| {
            serde_json::json!({
                "kind": q.kind, "value": q.value, "unit": (!q.unit.is_empty()).then_some(&q.unit), "per": q.per, "q": q.q,
                "metric": q.metric, "role": q.role, "by": q.by, "span": q.quote,
            })
        })
        .collect();
    let known = u
        .models
        .iter()
        .map(|m| serde_json::json!({"id": m.id, "role": m.role}));
    let unknown = u.unknown_models.iter().map(
        |name| serde_json::json!({"id": format!("unknown:{name}"), "role": ModelRole::Mentioned}),
    );
    let models: Vec<_> = known.chain(unknown).collect();
    serde_json::json!({
        "id": id, "quantities": quantities, "models": models, "flags": u.flags,
    })
}
