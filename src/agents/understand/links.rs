//! What no amount states alone: ellipses, corrections, summands, and
//! percentages that are percentiles of the time after them.

use time::Date;

use super::lexer::{Shape, Token};
use super::lexicon::*;
use super::quantity::{Kind, Metric, Per, Role, Value};
use super::rules::{Draft, Facts, classify};
use super::scene::Scene;
use super::times::percentile_name;
use super::{unnumbered, until};

/// All quantities of a message, in the order of the text.
pub(super) fn drafts(
    scenes: &[Scene],
    tokens: &[Token],
    facts: &mut Facts,
    as_of: Date,
) -> Vec<Draft> {
    facts.money_per = scenes
        .iter()
        .filter(|s| s.amount.currency.is_some())
        .find_map(|s| s.per.filter(|p| p.per_month().is_some()));
    let mut list: Vec<Draft> = Vec::new();
    let mut lead: Option<&Scene> = None;
    // The share that a percentile behind its time has used up.
    let mut covered: Option<usize> = None;
    for (at, scene) in scenes.iter().enumerate() {
        if lead.is_none() && leads(scene, scenes.get(at + 1)) {
            lead = Some(scene);
            continue;
        }
        let led_by = lead.take();
        if covered == Some(at) {
            continue;
        }
        // The "1K" of a price for 1K tokens belongs to the price.
        if list.last().is_some_and(|d| {
            scene.amount.currency.is_none() && scene.amount.tokens.start < d.end && d.swallows
        }) {
            continue;
        }
        let draft = ellipsis(scene, list.last())
            .or_else(|| passed(scene, &list))
            .or_else(|| corrected(scene, list.last()))
            .or_else(|| classify(scene, facts));
        let Some(mut draft) = draft else { continue };
        if draft.kind == Kind::Latency
            && draft.q.is_none()
            && let Some(share) = scenes.get(at + 1).filter(|next| follows(scene, next))
        {
            draft.q = Some(percentile_name(fraction(share)).into());
            draft.role = Some(Role::Target);
            draft.metric = draft.metric.map(whole);
            covered = Some(at + 1);
        }
        if let Some(lead) = led_by {
            draft.q = Some(percentile_name(fraction(lead)).into());
            draft.role = Some(Role::Target);
            draft.start = lead.amount.tokens.start;
            draft.metric = draft.metric.map(whole);
        }
        if draft.kind == Kind::Requests && draft.per.is_none() {
            let volume = list.iter().rfind(|d| d.kind == Kind::Requests);
            let Some(per) = volume.and_then(|d| d.per) else {
                continue;
            };
            draft.per = Some(per);
        }
        if continues_limit(&draft, list.last(), tokens) {
            draft.kind = Kind::RateLimit;
            draft.q = Some("rpm".into());
        }
        list.push(draft);
    }
    list.extend(unnumbered::find(tokens, &list));
    list.sort_by_key(|draft| draft.start);
    until::date(&mut list, tokens, as_of);
    summands(&mut list, tokens);
    list
}

/// "Our quota is 30,000 tokens per minute and 60 requests per minute."
fn continues_limit(draft: &Draft, before: Option<&Draft>, tokens: &[Token]) -> bool {
    let limit = before.filter(|d| d.kind == Kind::RateLimit);
    let near = limit.is_some_and(|d| {
        tokens
            .get(d.end..draft.start)
            .is_some_and(|gap| gap.len() <= 2)
    });
    near && draft.kind == Kind::Requests && draft.per == Some(Per::Minute)
}

/// What a share of requests meets is the whole answer, unless said otherwise.
fn whole(metric: Metric) -> Metric {
    match metric {
        Metric::Unspecified => Metric::Total,
        other => other,
    }
}

/// "under 5 seconds for 95% of requests", "2 s in 99% of cases".
fn follows(time: &Scene, share: &Scene) -> bool {
    let percent = share.amount.percent && share.amount.values.len() == 1;
    let gap = time
        .tokens
        .get(time.amount.tokens.end..share.amount.tokens.start)
        .unwrap_or(&[]);
    let led = gap.len() <= 3
        && gap.last().is_some_and(|t| {
            matches!(
                t.word.as_str(),
                "for" | "in" | "bei" | "pour" | "en" | "para"
            )
        });
    let of = share
        .right_clause()
        .iter()
        .take(2)
        .any(|t| t.lemma("of") || t.is(REQUEST));
    percent && led && of && (0.5..1.0).contains(&fraction(share))
}

/// 0.95 of "95 %" and of "19 of 20".
fn fraction(scene: &Scene) -> f64 {
    scene.amount.values[0]
}

/// "95% (must) stay under 4 s", "95 % wait less than 200 ms".
fn leads(scene: &Scene, next: Option<&Scene>) -> bool {
    let Some(next) = next else { return false };
    let value = fraction(scene);
    let time = next
        .unit()
        .is_some_and(|t| t.is(TIME) && t.meaning.scale <= 60.0)
        && !next
            .unit()
            .is_some_and(|t| t.lemma("minute") && next.amount.spelled);
    let between = &scene.tokens[scene.right.clone()];
    let bound = between.iter().any(|t| t.is(UNDER));
    let other = between
        .iter()
        .any(|t| t.is(CACHE | BATCH | RETRY) && !t.is(WAIT));
    scene.amount.percent
        && scene.amount.values.len() == 1
        && (0.5..1.0).contains(&value)
        && time
        && bound
        && !other
}

/// "10k users a day and expect 100k", "(800-2,000)" after "1,200 tokens in".
fn ellipsis(scene: &Scene, before: Option<&Draft>) -> Option<Draft> {
    let before = before?;
    let amount = scene.amount;
    let plain = !amount.spelled
        && !amount.percent
        && !amount.times
        && !amount.params
        && amount.currency.is_none();
    if !plain || !scene.phrase.is_empty() || scene.per.is_some_and(|per| Some(per) != before.per) {
        return None;
    }
    let gap = scene.tokens.get(before.end..amount.tokens.start)?;
    if gap.len() > 8
        || gap
            .iter()
            .any(|t| t.shape == Shape::Break && before.kind != Kind::Users)
    {
        return None;
    }
    let volume = matches!(
        before.kind,
        Kind::Users | Kind::Requests | Kind::Sessions | Kind::Concurrent
    );
    let dated = scene.next().is_some_and(|t| t.lemma("by"));
    let expected = dated
        || gap.iter().any(|t| {
            matches!(
                t.word.as_str(),
                "expect"
                    | "expecting"
                    | "anticipate"
                    | "plan"
                    | "aim"
                    | "later"
                    | "erwarten"
                    | "attendons"
                    | "esperamos"
            ) || t.is(GROW)
                || t.word == "to" && gap.len() <= 2
        });
    let closed = scene.next().is_none_or(|t| {
        matches!(t.shape, Shape::Break | Shape::Symbol(')' | ',')) || t.is(STOP) || t.word == "by"
    });
    if volume && expected && closed {
        let mut draft = Draft::of(scene, before.kind, "")
            .per(before.per)
            .role(Role::Target);
        draft.unit = before.unit.clone();
        draft.q = before.q.clone();
        return Some(draft);
    }
    let bracket = gap.iter().rev().take(2).any(|t| t.symbol('('));
    let spread = amount.values.len() == 2
        && matches!(before.value, Value::One(_))
        && matches!(
            before.kind,
            Kind::Requests | Kind::TokensIn | Kind::TokensOut | Kind::Spend
        );
    if bracket && spread {
        let mut draft = Draft::of(scene, before.kind, "").per(before.per).q("range");
        draft.unit = before.unit.clone();
        return Some(draft);
    }
    None
}

/// A number alone: no noun, currency, percent or word makes it something else.
fn is_plain(scene: &Scene) -> bool {
    let amount = scene.amount;
    let bare =
        !amount.spelled && !amount.percent && !amount.times && !amount.params && !amount.minutes;
    bare && amount.currency.is_none() && scene.phrase.is_empty()
}

/// "When do we pass 5 million?": a limit of the volume stated before.
fn passed(scene: &Scene, list: &[Draft]) -> Option<Draft> {
    let volume = list
        .iter()
        .rfind(|d| matches!(d.kind, Kind::Requests | Kind::Users))?;
    let crossing = |t: &Token| {
        matches!(
            t.word.as_str(),
            "pass"
                | "reach"
                | "exceed"
                | "cross"
                | "hit"
                | "surpass"
                | "überschreiten"
                | "erreichen"
                | "dépasser"
                | "superar"
        )
    };
    let before = scene.left_clause().iter().rev().take(3).any(crossing);
    let same = scene.per.is_none_or(|per| Some(per) == volume.per);
    (is_plain(scene) && before && same && scene.amount.values[0] >= 100.0).then(|| {
        let mut draft = Draft::of(scene, volume.kind, "")
            .per(volume.per)
            .role(Role::Limit);
        draft.unit = volume.unit.clone();
        draft
    })
}

/// "No wait, 100 million per month", "or was it 10,000?": the same thing again.
fn corrected(scene: &Scene, before: Option<&Draft>) -> Option<Draft> {
    let before = before.filter(|d| matches!(d.value, Value::One(_)))?;
    let gap = &scene.tokens[scene.left.clone()];
    let again = |t: &Token| {
        matches!(
            t.word.as_str(),
            "wait" | "rather" | "actually" | "correction" | "sorry" | "was" | "maybe" | "mean"
        )
    };
    let doubted = gap.len() <= 6
        && gap.iter().any(again)
        && gap
            .iter()
            .any(|t| t.lemma("or") || t.lemma("not") || t.symbol(',') || t.word == "actually");
    let countable = matches!(
        before.kind,
        Kind::Requests
            | Kind::Users
            | Kind::TokensIn
            | Kind::TokensOut
            | Kind::Spend
            | Kind::Latency
    );
    let same = scene.per.is_none() || before.per.is_none() || before.kind == Kind::Requests;
    (is_plain(scene) && doubted && countable && same).then(|| {
        let mut draft = Draft::of(scene, before.kind, "").per(scene.per.or(before.per));
        draft.unit = before.unit.clone();
        draft.q = before.q.clone();
        draft.metric = before.metric;
        draft.role = before.role;
        draft
    })
}

/// Summands of one input: a prefix and the rest, or several parts.
fn summands(list: &mut [Draft], tokens: &[Token]) {
    const INPUTS: [Kind; 4] = [
        Kind::TokensPrefix,
        Kind::TokensIn,
        Kind::TokensInPart,
        Kind::TokensInRest,
    ];
    let inputs: Vec<usize> = (0..list.len())
        .filter(|at| INPUTS.contains(&list[*at].kind))
        .collect();
    for pair in inputs.windows(2) {
        let (first, second) = (pair[0], pair[1]);
        let gap = tokens
            .get(list[first].end.min(list[second].start)..list[second].start)
            .unwrap_or(&[]);
        let followed = tokens[list[first].start..list[second].start.max(list[first].start)]
            .iter()
            .any(|t| t.word == "followed");
        let added = followed
            || gap.len() <= 8
                && gap
                    .iter()
                    .any(|t| t.lemma("plus") || t.lemma("and") || t.word == "with");
        let sum = gap.iter().any(|t| t.lemma("plus"));
        match (list[first].kind, list[second].kind) {
            (Kind::TokensPrefix, Kind::TokensPrefix) if sum => {
                list[first].kind = Kind::TokensInPart;
                list[second].kind = Kind::TokensInPart;
            }
            (Kind::TokensPrefix, _) if added => list[second].kind = Kind::TokensInRest,
            (_, Kind::TokensPrefix) if added => list[first].kind = Kind::TokensInRest,
            (_, _) if sum => {
                list[first].kind = Kind::TokensInPart;
                list[second].kind = Kind::TokensInPart;
            }
            _ => {}
        }
    }
    // A lone rest is the whole input.
    let prefixed = list.iter().any(|d| d.kind == Kind::TokensPrefix);
    let parts = list.iter().filter(|d| d.kind == Kind::TokensInPart).count();
    let whole = list.iter().any(|d| d.kind == Kind::TokensIn);
    for draft in list.iter_mut() {
        let lone_rest = draft.kind == Kind::TokensInRest && !prefixed;
        let lone_part = draft.kind == Kind::TokensInPart && parts == 1 && !whole && !prefixed;
        if lone_rest || lone_part {
            draft.kind = Kind::TokensIn;
        }
    }
}
