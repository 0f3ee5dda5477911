//! Rules for money: prices a unit, and amounts a period with their purpose.

use super::lexer::{Shape, Token};
use super::lexicon::*;
use super::quantity::{Kind, Per};
use super::rules::{Draft, Facts};
use super::scene::{Scene, period};

/// An amount with a currency.
pub(super) fn money(scene: &Scene, facts: &Facts) -> Option<Draft> {
    let currency = scene.amount.currency?;
    unit_price(scene, currency)
        .or_else(|| hourly(scene, currency))
        .or_else(|| purpose(scene, facts, currency))
}

/// "$0.03 per 1K tokens", "1 USD per million input tokens", "$2.50/M".
fn unit_price(scene: &Scene, currency: &'static str) -> Option<Draft> {
    let (tokens, at) = price_denominator(scene)?;
    let direction = direction(scene, at);
    let limit = scene
        .left_clause()
        .iter()
        .any(|t| t.is(UNDER) || t.word == "than")
        || scene.says(&["under", "at most"]);
    let q = match (direction, limit) {
        (0, true) => "blended_max",
        (0, false) => "blended",
        (INPUT, true) => "input_max",
        (INPUT, false) => "input",
        (CACHE, _) => "cached_input",
        (_, true) => "output_max",
        _ => "output",
    };
    let mut draft = Draft::of(scene, Kind::UnitPrice, currency)
        .per(Per::Mtok)
        .q(q);
    draft.end = at.max(scene.amount.tokens.end);
    draft.swallows = true;
    Some(draft.scaled(1e6 / tokens))
}

/// How many tokens the price is for, and where the denominator ends. The pair
/// "0.5 USD in and 2 USD out per million tokens" shares one denominator.
fn price_denominator(scene: &Scene) -> Option<(f64, usize)> {
    let start = scene.amount.tokens.end;
    let stop = scene.tokens.len().min(start + 14);
    let shared = |t: &Token| {
        t.is(INPUT | OUTPUT | MONEY | CACHE)
            || t.lemma("in")
            || t.lemma("and")
            || t.symbol(',')
            || t.symbol('/')
            || t.symbol('$')
            || t.symbol('€')
            || matches!(t.shape, Shape::Number(_))
            || t.word == "for"
    };
    for at in start..stop {
        let token = &scene.tokens[at];
        let divides = token.is(EVERY) || token.symbol('/');
        if divides && let Some(found) = denominator(scene.tokens, at + 1) {
            return Some(found);
        }
        if !shared(token) {
            return None;
        }
    }
    None
}

/// "1K tokens", "million input tokens", "Mtok", "M", "1M": tokens and the end.
fn denominator(tokens: &[Token], mut at: usize) -> Option<(f64, usize)> {
    let mut count = 1.0;
    let mut big = false;
    if let Shape::Number(value) = tokens.get(at)?.shape {
        count = value;
        at += 1;
    }
    let token = tokens.get(at)?;
    let factor = match token.word.as_str() {
        "k" => 1e3,
        "m" | "mm" | "mtok" | "mtoks" | "mtokens" | "mt" => 1e6,
        "ktok" => 1e3,
        _ if token.is(MULTIPLIER) => token.meaning.scale,
        _ => 1.0,
    };
    if factor > 1.0 {
        at += 1;
        big = true;
    }
    let complete = token.word.starts_with("mt") || token.word == "ktok" || token.word == "mm";
    let bare = big
        && tokens
            .get(at)
            .is_none_or(|t| t.shape != Shape::Word || t.is(STOP) || t.lemma("in") || t.is(OUTPUT));
    // "million input tokens": the noun stands within three words.
    let noun = (at..tokens.len().min(at + 3)).find(|i| tokens[*i].is(TOKEN));
    let ok = complete || noun.is_some() || bare;
    let end = noun.map_or(at, |i| i + 1);
    (ok && count > 0.0 && (big || noun.is_some())).then_some((count * factor, end))
}

/// INPUT, OUTPUT, CACHE or nothing: what the price is for.
fn direction(scene: &Scene, end: usize) -> Tags {
    let kind = |t: &Token| {
        if t.is(CACHE) {
            CACHE
        } else if t.is(INPUT) || t.lemma("in") {
            INPUT
        } else {
            t.meaning.tags & OUTPUT
        }
    };
    let stop = scene.tokens.len().min(end + 1).max(scene.amount.tokens.end);
    let right = scene.tokens[scene.amount.tokens.end..stop]
        .iter()
        .map(kind)
        .find(|k| *k != 0);
    let left = scene
        .left_clause()
        .iter()
        .rev()
        .take(3)
        .map(kind)
        .find(|k| *k != 0);
    right.or(left).unwrap_or(0)
}

/// "2.95 USD per GPU hour", "$4 per replica-hour", "0,30 €/kWh".
fn hourly(scene: &Scene, currency: &'static str) -> Option<Draft> {
    let right = scene.right_clause();
    if right.iter().take(4).any(|t| t.lemma("kwh")) {
        return Some(Draft::of(scene, Kind::EnergyPrice, currency).per(Per::Kwh));
    }
    let hour = scene.per == Some(Per::Hour) || right.iter().take(4).any(|t| t.lemma("hour"));
    let near = |tags: Tags| {
        right.iter().take(6).any(|t| t.is(tags))
            || scene.left_clause().iter().rev().take(6).any(|t| t.is(tags))
    };
    let card = |tokens: &[Token]| {
        tokens
            .iter()
            .take(6)
            .any(|t| super::capacity::gpu_name(&t.word).is_some())
    };
    if !hour {
        return None;
    }
    let left: Vec<Token> = scene.left_clause().iter().rev().take(6).cloned().collect();
    if near(GPU) || card(right) || card(&left) {
        return Some(Draft::of(scene, Kind::GpuPrice, currency).per(Per::GpuHour));
    }
    let replica = scene.around().iter().any(|t| t.is(REPLICA));
    (replica || near(SLOT)).then(|| Draft::of(scene, Kind::ReplicaPrice, currency).per(Per::Hour))
}

/// What a sum is for, by the words around it.
fn purpose(scene: &Scene, facts: &Facts, currency: &'static str) -> Option<Draft> {
    let per = scene
        .per
        .or_else(|| stated_elsewhere(scene))
        .or(facts.header_per);
    let noun_before = scene
        .left_clause()
        .windows(2)
        .any(|w| w[0].lemma("per") && w[1].is(REQUEST | SESSION));
    let small = scene.amount.values.iter().all(|v| *v < 1000.0);
    if (scene.per_noun & REQUEST != 0 || noun_before && small) && per.is_none() {
        return Some(Draft::of(scene, Kind::RequestPrice, currency).per(Per::Request));
    }
    let kind = kind_of(scene, per);
    let per = match kind {
        Kind::Invest => None,
        Kind::Penalty => per.or_else(|| breach_period(scene)),
        Kind::Spend | Kind::Budget | Kind::RunCost | Kind::Saving => {
            per.or_else(|| invoice(scene, facts))
        }
        _ => per,
    };
    Some(Draft::of(scene, kind, currency).per(per))
}

fn kind_of(scene: &Scene, per: Option<Per>) -> Kind {
    let left = |tags: Tags| scene.left_clause().iter().any(|t| t.is(tags));
    let right = |tags: Tags| scene.right_clause().iter().any(|t| t.is(tags));
    let any = |tags: Tags| left(tags) || right(tags);
    // "cut our bill of $9,750": the nearer noun names the amount.
    let last = |tags: Tags| scene.left_clause().iter().rposition(|t| t.is(tags));
    let after = scene.tokens.get(scene.end..scene.right.end).unwrap_or(&[]);
    let billed = last(PAY) > last(SAVE)
        || after
            .first()
            .is_some_and(|t| matches!(t.word.as_str(), "we" | "i" | "they"))
            && after.iter().take(3).any(|t| t.is(PAY));
    let once = any(ONCE) || scene.says(&["one-time", "one-off", "once"]) && per.is_none();
    if any(PENALTY) {
        Kind::Penalty
    } else if per.is_none() && once {
        Kind::Invest
    } else if left(BUDGET) || right(BUDGET) {
        Kind::Budget
    } else if left(DISCOUNT) && left(OVER) || scene.says(&["threshold"]) || left(OVER) && left(SAVE)
    {
        Kind::Threshold
    } else if left(SAVE)
        && !billed
        && !left(UNDER)
        && !scene
            .before()
            .is_some_and(|t| matches!(t.word.as_str(), "to" | "from"))
        || right_starts(scene, SAVE)
    {
        Kind::Saving
    } else if any(RUN) && !left(NOW) || any(RUN) && right(RUN) {
        Kind::RunCost
    } else if is_bounded(scene) || per.is_none() && scene.says(&["budget"]) {
        Kind::Budget
    } else {
        Kind::Spend
    }
}

/// "under $15k/mo", "no more than $9k", "$400 at most".
fn is_bounded(scene: &Scene) -> bool {
    let left = scene.left_clause().iter().any(|t| t.is(UNDER | MAXIMUM));
    let than = scene.before().is_some_and(|t| t.word == "than");
    left || than || scene.next().is_some_and(|t| t.is(MAXIMUM))
}

/// "$5,000 savings", "$3k cheaper".
fn right_starts(scene: &Scene, tags: Tags) -> bool {
    let window = scene.tokens.get(scene.end..scene.right.end).unwrap_or(&[]);
    window.iter().take(2).any(|t| t.is(tags))
}

/// "per breach week", "for each week".
fn breach_period(scene: &Scene) -> Option<Per> {
    let window = scene.right_clause();
    window
        .iter()
        .take(5)
        .find(|t| t.is(PERIOD))
        .and_then(|t| super::scene::per_of(t.meaning.lemma))
}

/// "our monthly bill is $5,000": a period in the same part of the sentence.
fn stated_elsewhere(scene: &Scene) -> Option<Per> {
    let left = scene.left_clause();
    let adverb = left
        .iter()
        .chain(scene.right_clause())
        .find(|t| t.is(ADVERB));
    if let Some(adverb) = adverb {
        return super::scene::per_of(adverb.meaning.lemma);
    }
    let start = scene.left.end - left.len();
    (start..scene.left.end).find_map(|at| match period(scene.tokens, at) {
        Some((Some(per), 0, end)) if end <= scene.left.end && !scene.tokens[at].lemma("a") => {
            Some(per)
        }
        _ => None,
    })
}

/// An invoice or bill of a named month; a budget or bill without any period is
/// read as the period of the other money.
fn invoice(scene: &Scene, facts: &Facts) -> Option<Per> {
    let calendar = scene.around().iter().any(|t| t.is(CALENDAR));
    if calendar && scene.says(&["pay", "invoice"]) {
        return Some(Per::Month);
    }
    facts.money_per
}

/// "Our bill was 18k last month": money without a currency.
pub(super) fn bare(scene: &Scene) -> Option<Draft> {
    let amount = scene.amount;
    if amount.spelled || amount.times || amount.params || amount.minutes {
        return None;
    }
    let counted = scene.phrase_tags()
        & (REQUEST | USER | TOKEN | SESSION | INPUT | OUTPUT | TIME | GPU | TENANT | STEP)
        != 0;
    let money_word = scene
        .left_clause()
        .iter()
        .rev()
        .take(6)
        .any(|t| t.is(PAY | BUDGET));
    let plausible =
        amount.scaled || scene.per.is_some() || scene.before().is_some_and(|t| t.symbol(':'));
    if counted || !money_word || !plausible || !scene.phrase.is_empty() && scene.per.is_none() {
        return None;
    }
    let kind = if scene.left_clause().iter().any(|t| t.is(BUDGET)) {
        Kind::Budget
    } else {
        Kind::Spend
    };
    Some(
        Draft::of(scene, kind, "USD")
            .per(scene.per)
            .q("assumed_currency"),
    )
}
