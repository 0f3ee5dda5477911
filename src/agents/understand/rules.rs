//! From an amount in its scene to a typed quantity. Each rule answers or passes.

use std::borrow::Cow;

use super::lexer::{Shape, Token};
use super::lexicon::*;
use super::quantity::{Kind, Metric, Per, Role, Value};
use super::scene::Scene;
use super::{capacity, counts, ellipses, labels, money, shares, times, tokens};

/// What the whole message talks about; some readings depend on it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts {
    /// The union of the meanings of all words.
    pub(super) tags: Tags,
    /// Sessions with turns are described.
    pub(super) turns: bool,
    /// Slots, workers or replicas are asked for: seconds are service times.
    pub(super) queueing: bool,
    /// "Monthly: ..." heads the message.
    pub(super) header_per: Option<Per>,
    /// The period of the first stated money, for a volume without one.
    pub(super) money_per: Option<Per>,
}

impl Facts {
    /// From all words of a message.
    pub(super) fn of(tokens: &[Token]) -> Self {
        let tags = tokens.iter().fold(0, |tags, t| tags | t.meaning.tags);
        let says = |words: &[&str]| {
            tokens
                .iter()
                .any(|t| words.contains(&t.word.as_str()) || words.contains(&t.meaning.lemma))
        };
        Self {
            tags,
            turns: tags & TURN != 0 && tags & SESSION != 0,
            queueing: tags & SLOT != 0 || says(&["erlang", "servers", "utilisation", "replica"]),
            header_per: header(tokens),
            money_per: None,
        }
    }
}

/// The period that heads a list: "Monthly: 4M requests; spend: $1,900".
fn header(tokens: &[Token]) -> Option<Per> {
    let (per, _, end) = super::scene::period(tokens, 0)?;
    tokens.get(end).filter(|t| t.symbol(':'))?;
    per
}

/// A quantity before it is placed in the original text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) kind: Kind,
    pub(super) value: Value,
    pub(super) unit: Cow<'static, str>,
    pub(super) per: Option<Per>,
    pub(super) q: Option<Cow<'static, str>>,
    pub(super) metric: Option<Metric>,
    pub(super) role: Option<Role>,
    pub(super) by: Option<String>,
    /// Amounts inside of it are its own.
    pub(super) swallows: bool,
    /// In tokens.
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Draft {
    /// The amount of a scene as a quantity of this kind.
    pub(super) fn of(scene: &Scene, kind: Kind, unit: &'static str) -> Self {
        let values = &scene.amount.values;
        Self {
            kind,
            value: match values.as_slice() {
                [one] => Value::One(*one),
                _ => Value::Many(values.clone()),
            },
            unit: Cow::Borrowed(unit),
            per: None,
            q: None,
            metric: None,
            role: None,
            by: None,
            swallows: false,
            start: scene.amount.tokens.start,
            end: scene.end,
        }
    }

    pub(super) fn per(mut self, per: impl Into<Option<Per>>) -> Self {
        self.per = per.into();
        self
    }

    pub(super) fn q(mut self, q: impl Into<Cow<'static, str>>) -> Self {
        self.q = Some(q.into());
        self
    }

    pub(super) fn role(mut self, role: impl Into<Option<Role>>) -> Self {
        self.role = role.into();
        self
    }

    pub(super) fn metric(mut self, metric: Metric) -> Self {
        self.metric = Some(metric);
        self
    }

    pub(super) fn scaled(mut self, factor: f64) -> Self {
        self.value = self.value.map(|v| v * factor);
        self
    }

    /// `range` or `triangular` where several numbers stand, else as given.
    pub(super) fn spread_or(mut self, q: &'static str) -> Self {
        self.q = match self.value.numbers().len() {
            3 => Some(Cow::Borrowed("triangular")),
            2 => Some(Cow::Borrowed("range")),
            _ if q.is_empty() => None,
            _ => Some(Cow::Borrowed(q)),
        };
        self
    }

    /// Ends with the amount itself, not with the phrase after it.
    pub(super) fn tight(mut self, scene: &Scene) -> Self {
        self.end = scene.amount.tokens.end;
        self
    }
}

/// The quantity an amount states, where a rule is sure.
pub(super) fn classify(scene: &Scene, facts: &Facts) -> Option<Draft> {
    if is_listing(scene) {
        return None;
    }
    if scene.amount.percent {
        return shares::percent(scene, facts);
    }
    if scene.amount.currency.is_some() {
        return money::money(scene, facts);
    }
    times::growth(scene)
        .or_else(|| times::seconds(scene, facts))
        .or_else(|| labels::labelled(scene))
        .or_else(|| capacity::rate(scene))
        .or_else(|| capacity::hardware(scene))
        .or_else(|| tokens::tokens(scene))
        .or_else(|| counts::calls(scene, facts))
        .or_else(|| counts::things(scene, facts))
        .or_else(|| ellipses::elliptic(scene))
        .or_else(|| money::bare(scene))
        .or_else(|| ellipses::anything_per_time(scene))
}

/// "(1)", "1)", "#3": the number of a list item.
fn is_listing(scene: &Scene) -> bool {
    let closing = scene
        .tokens
        .get(scene.amount.tokens.end)
        .is_some_and(|t| t.symbol(')') && t.glued);
    let opening = scene
        .before()
        .is_none_or(|t| t.symbol('(') || t.shape == Shape::Break || t.symbol(':') || t.symbol(','));
    let plain =
        scene.amount.values.len() == 1 && !scene.amount.scaled && scene.amount.values[0] < 20.0;
    closing && opening && plain && scene.amount.currency.is_none() && !scene.amount.percent
}
