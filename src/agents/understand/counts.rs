//! Rules for what is counted: calls, sessions, people, fields.

use super::lexer::Token;
use super::lexicon::*;
use super::quantity::{Kind, Per, Role};
use super::rules::{Draft, Facts};
use super::scene::Scene;

/// Requests, sessions and turns.
pub(super) fn calls(scene: &Scene, facts: &Facts) -> Option<Draft> {
    let timed = scene.per.filter(|per| per.per_month().is_some());
    if timed.is_none()
        && let Some(draft) = at_once(scene).or_else(|| in_turn(scene))
    {
        return Some(draft);
    }
    let phrase = scene.phrase_tags();
    if phrase & SESSION != 0 && (facts.turns || phrase & REQUEST == 0) {
        let sessions = Draft::of(scene, Kind::Sessions, "session");
        return timed.map(|per| sessions.per(per).spread_or(""));
    }
    if phrase & TURN != 0 && timed.is_none() {
        return Some(Draft::of(scene, Kind::Turns, "turn").per(Per::Session));
    }
    if phrase & (REQUEST | TURN) == 0 || scene.amount.times || scene.amount.params {
        return None;
    }
    per_request_or_user(scene, facts, timed).or_else(|| volume(scene, facts, timed))
}

/// Parallel calls, slots of a replica, concurrent sessions.
fn at_once(scene: &Scene) -> Option<Draft> {
    let phrase = scene.phrase_tags();
    let words = &scene.tokens[scene.phrase.clone()];
    let left = scene.left_clause();
    if phrase & REQUEST != 0 && left.iter().rev().take(6).any(|t| t.is(REPLICA)) {
        return Some(Draft::of(scene, Kind::SlotsPerReplica, "slot"));
    }
    let parallel = |t: &Token| t.is(PARALLEL) && !t.lemma("concurrent");
    let beside = left.iter().rev().take(5).any(parallel)
        || words.iter().any(parallel)
        || scene.right_clause().iter().take(6).any(parallel);
    let word = |at: usize| scene.tokens.get(at).map_or("", |t| t.word.as_str());
    let once = scene.next().is_some() && word(scene.end) == "at" && word(scene.end + 1) == "once";
    let several = scene.amount.values.iter().all(|v| *v >= 2.0);
    let countable = phrase & (REQUEST | STEP) != 0;
    if several && (countable && beside || once && phrase & USER == 0) {
        let own = phrase & REQUEST != 0 && !once;
        return Some(Draft::of(scene, Kind::Fanout, "call").per(own.then_some(Per::Request)));
    }
    let mut near = words.iter().chain(left.iter().rev().take(2));
    let concurrent = near.any(|t| t.lemma("concurrent"));
    concurrent.then(|| Draft::of(scene, Kind::Concurrent, "session"))
}

/// "three steps", "four sequential calls".
fn in_turn(scene: &Scene) -> Option<Draft> {
    let phrase = scene.phrase_tags();
    let serial = |t: &Token| matches!(t.word.as_str(), "sequential" | "consecutive" | "serial");
    let sequential = scene.tokens[scene.phrase.clone()].iter().any(serial);
    let steps = phrase & STEP != 0 || sequential && phrase & REQUEST != 0;
    steps.then(|| Draft::of(scene, Kind::Steps, "call"))
}

/// Requests a period; without one the period of the money, of a night, or a month.
fn volume(scene: &Scene, facts: &Facts, timed: Option<Per>) -> Option<Draft> {
    const SAMPLES: &[&str] = &[
        "measured",
        "sample",
        "sampled",
        "benchmark",
        "benchmarked",
        "tested",
    ];
    if timed.is_none() && scene.amount.spelled && !scene.amount.scaled {
        return None;
    }
    if timed.is_none() && scene.says(SAMPLES) {
        return Some(Draft::of(scene, Kind::Sample, "request"));
    }
    // A small number of things without a period is no volume.
    let large = scene.amount.values.iter().all(|v| *v >= 1000.0);
    let nightly = scene.says(&["nightly", "nächtlich"]).then_some(Per::Day);
    let per = timed.or(nightly).or(facts.money_per).or(Some(Per::Month));
    (timed.is_some() || large).then(|| requests(scene, per))
}

/// "60 prompts per day" of each user; "7 tool calls" of each request.
fn per_request_or_user(scene: &Scene, facts: &Facts, timed: Option<Per>) -> Option<Draft> {
    let each = scene.left_clause().iter().any(|t| {
        matches!(
            t.word.as_str(),
            "each" | "every" | "per" | "jeder" | "chaque" | "cada" | "ciascuno" | "everyone"
        )
    });
    let each = each || scene.next().is_some_and(|t| t.word == "each");
    if scene.per_noun & USER != 0
        || each
            && (timed.is_some() || each_one(scene))
            && facts.tags & (USER | TENANT) != 0
            && scene.amount.values[0] < 5000.0
    {
        let draft = Draft::of(scene, Kind::RequestsPerUser, "request");
        return Some(draft.per(timed.unwrap_or(Per::Day)).spread_or(""));
    }
    let looped = scene.says(&["loop", "averages", "agent", "chain", "pipeline", "workflow"]);
    let left = scene.left_clause();
    let makes = left.last().is_some_and(|t| {
        matches!(
            t.word.as_str(),
            "needs" | "makes" | "triggers" | "uses" | "takes" | "requires" | "issues"
        )
    });
    let looped = looped || makes && left.iter().any(|t| t.is(REQUEST));
    let own = scene.per_noun & (REQUEST | SESSION | TURN) != 0;
    let small = timed.is_none() && scene.amount.values.iter().all(|v| *v <= 200.0);
    let call = scene
        .head(REQUEST)
        .is_some_and(|t| t.lemma("request") || t.lemma("prompt"));
    (small && call && (own || looped))
        .then(|| Draft::of(scene, Kind::CallsPerRequest, "call").per(Per::Request))
}

/// "8,000 users a day and each one sends 15 messages".
fn each_one(scene: &Scene) -> bool {
    scene.around().iter().any(|t| t.is(USER))
        && scene.left_clause().windows(2).any(|w| {
            w[0].is(EVERY) && matches!(w[1].word.as_str(), "one" | "uno" | "una" | "un" | "einer")
        })
}

/// Requests a period, average or peak.
pub(super) fn requests(scene: &Scene, per: Option<Per>) -> Draft {
    let draft = Draft::of(scene, Kind::Requests, "request").per(per);
    let right = scene.right_clause();
    let left = scene.left_clause();
    let nearest = |tags: Tags| {
        let after = right.iter().take(6).position(|t| t.is(tags));
        let before = left.iter().rev().take(6).position(|t| t.is(tags));
        after.into_iter().chain(before).min()
    };
    let peak = match (nearest(PEAK), nearest(AVERAGE)) {
        (Some(peak), Some(average)) => peak < average,
        (peak, _) => peak.is_some(),
    };
    let limit = left.iter().any(|t| t.lemma("limit"));
    draft
        .role(limit.then_some(Role::Limit))
        .spread_or(if peak { "peak" } else { "avg" })
}

/// Users, tenants, slots, fields, pages, options.
pub(super) fn things(scene: &Scene, _facts: &Facts) -> Option<Draft> {
    let phrase = scene.phrase_tags();
    let words = &scene.tokens[scene.phrase.clone()];
    let unit = |lemma: &str| {
        scene.unit().is_some_and(|t| t.lemma(lemma)) || words.iter().any(|t| t.lemma(lemma))
    };
    let spelled = scene.amount.spelled && !scene.amount.scaled;
    if phrase & (USER | TENANT) != 0 && !spelled {
        return Some(users(scene, phrase));
    }
    if phrase & SLOT != 0 {
        let replica = scene.per_noun & REPLICA != 0
            || scene
                .left_clause()
                .iter()
                .rev()
                .take(5)
                .any(|t| t.is(REPLICA) || t.is(SLOT) || t.word == "each");
        return replica.then(|| Draft::of(scene, Kind::SlotsPerReplica, "slot"));
    }
    if phrase & REPLICA != 0 && !spelled {
        return Some(Draft::of(scene, Kind::Replicas, "replica"));
    }
    if unit("field") && !spelled {
        return Some(Draft::of(scene, Kind::Fields, "field"));
    }
    if unit("page") && !spelled {
        // Pages a period are what is asked for; pages of a document describe one.
        if let Some(per) = scene.per.filter(|per| per.per_month().is_some()) {
            return Some(requests(scene, Some(per)));
        }
        return Some(Draft::of(scene, Kind::Pages, "page"));
    }
    let options = scene
        .left_clause()
        .iter()
        .rev()
        .take(3)
        .any(|t| matches!(t.word.as_str(), "shortlist"));
    options.then(|| Draft::of(scene, Kind::Shortlist, "model"))
}

fn users(scene: &Scene, phrase: Tags) -> Draft {
    let unit = if phrase & TENANT != 0 {
        "tenant"
    } else {
        "user"
    };
    let word = |w: &str| {
        scene.tokens[scene.phrase.clone()]
            .iter()
            .any(|t| t.word == w)
    };
    if scene.tokens[scene.phrase.clone()]
        .iter()
        .any(|t| t.lemma("concurrent"))
    {
        return Draft::of(scene, Kind::Concurrent, "session");
    }
    let right = scene.right_clause();
    let same_time = right.windows(2).take(6).any(|w| {
        w[0].word == "same" && w[1].word == "time" || w[0].word == "at" && w[1].word == "once"
    });
    if scene.per.is_none() && (same_time || right.iter().take(3).any(|t| t.is(PARALLEL))) {
        return Draft::of(scene, Kind::Concurrent, "session");
    }
    let draft = Draft::of(scene, Kind::Users, unit).per(scene.per);
    match scene.per {
        _ if word("mau") => draft.per(Per::Month).q("mau"),
        _ if word("dau") || word("active") && scene.per == Some(Per::Day) => {
            draft.per(Per::Day).q("dau")
        }
        Some(Per::Day) => draft.q("dau"),
        Some(Per::Month) => draft.q("mau"),
        _ => draft.spread_or("total"),
    }
}
