//! Rules for numbers whose noun stands elsewhere, or nowhere.

use std::borrow::Cow;

use super::counts::requests;
use super::lexer::{Shape, Token};
use super::lexicon::*;
use super::quantity::{Kind, Per, Role, Value};
use super::rules::Draft;
use super::scene::Scene;

/// "35 on average", "and expect 100k", "(800-2,000)": the noun stands before;
/// resolved against the quantity before, see `links`.
pub(super) fn elliptic(scene: &Scene) -> Option<Draft> {
    let amount = scene.amount;
    if amount.spelled || amount.times || amount.params || amount.minutes {
        return None;
    }
    if let Some(draft) = headed(scene) {
        return Some(draft);
    }
    if !scene.phrase.is_empty() {
        return None;
    }
    let q = match scene.next() {
        Some(t) if t.word == "on" || t.word == "at" || t.word == "im" => {
            let end = (scene.end + 3).min(scene.right.end);
            let after = &scene.tokens[scene.end..end.max(scene.end)];
            if after.iter().any(|t| t.is(AVERAGE)) {
                "avg"
            } else if after.iter().any(|t| t.is(PEAK)) {
                "peak"
            } else {
                return None;
            }
        }
        Some(t) if t.is(PEAK) => "peak",
        Some(t) if t.is(AVERAGE) => "avg",
        _ if scene.before().is_some_and(|t| t.is(PEAK)) => "peak",
        _ if scene.before().is_some_and(|t| t.is(AVERAGE)) => "avg",
        _ => return None,
    };
    Some(
        Draft {
            q: Some(Cow::Borrowed(q)),
            value: Value::One(amount.values[0]),
            ..Draft::of(scene, Kind::Requests, "request")
        }
        .per(scene.per),
    )
}

/// "output 150", "tokens in: 800", "of which 2,000 are a static prompt",
/// "fan-out of 12": the noun stands before or behind a verb.
fn headed(scene: &Scene) -> Option<Draft> {
    let value = scene.amount.values[0];
    let last: Vec<&Token> = scene
        .left_clause()
        .iter()
        .rev()
        .filter(|t| {
            t.shape == Shape::Word
                && !matches!(t.meaning.lemma, "of" | "now")
                && !matches!(
                    t.word.as_str(),
                    "about"
                        | "roughly"
                        | "approx"
                        | "circa"
                        | "ca"
                        | "etwa"
                        | "environ"
                        | "unos"
                        | "около"
                )
                && !t.is(UNDER | OVER)
        })
        .take(2)
        .collect();
    let first = last.first()?;
    let closed = scene.phrase.is_empty() && scene.per.is_none();
    let token = |kind: Kind| {
        Some(
            Draft::of(scene, kind, "token")
                .per(Per::Request)
                .tight(scene),
        )
    };
    if matches!(first.word.as_str(), "fan-out" | "fanout") && closed && value >= 2.0 {
        return Some(Draft::of(scene, Kind::Fanout, "call"));
    }
    if first.word == "which" || first.word == "davon" || first.word == "including" {
        let prefix = scene
            .right_clause()
            .iter()
            .take(6)
            .any(|t| t.is(PREFIX | CACHE));
        return prefix.then(|| token(Kind::TokensPrefix)).flatten();
    }
    let tokens = last.get(1).is_some_and(|t| t.is(TOKEN));
    if !closed || !(1.0..=1e7).contains(&value) || value.fract() != 0.0 {
        return None;
    }
    match first.meaning.lemma {
        "output" if first.word.starts_with("out") || tokens => {
            token(Kind::TokensOut).map(|d| d.spread_or(""))
        }
        "input" => token(Kind::TokensIn).map(|d| d.spread_or("")),
        "in" if tokens => token(Kind::TokensIn).map(|d| d.spread_or("")),
        _ => None,
    }
}

/// "45k widgets per month": what is done per time is a request.
pub(super) fn anything_per_time(scene: &Scene) -> Option<Draft> {
    let per = scene.per.filter(|per| per.per_month().is_some())?;
    let amount = scene.amount;
    let foreign = scene.phrase_tags() & !(PEAK | AVERAGE | PART | INPUT) != 0;
    let plain = !amount.spelled && !amount.times && !amount.params && !amount.minutes;
    let slash = scene
        .tokens
        .get(scene.amount.tokens.end)
        .is_some_and(|t| t.symbol('/'));
    let volume = scene.amount.values.len() > 1 || scene.says(&["traffic"]);
    (plain && !foreign && (!scene.phrase.is_empty() || slash || volume || scene.near(REQUEST)))
        .then(|| requests(scene, Some(per)).role(None::<Role>))
}
