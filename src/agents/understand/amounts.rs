//! Amounts: numbers with sign, multiplier, currency, percent; ranges and triples.

use std::ops::Range;

use super::lexer::{Shape, Token};
use super::lexicon::{
    ADVERB, EVERY, GPU, INPUT, MONEY, MULTIPLIER, NUMBER, OUTPUT, PERIOD, REQUEST, SESSION, TENANT,
    TOKEN, TURN, USER,
};
use super::quantity::saturate;

/// What stands in a text as one number, range or triple.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Amount {
    /// One, two or three finite numbers.
    pub(super) values: Vec<f64>,
    /// Written in words: a quantity only where a noun says so.
    pub(super) spelled: bool,
    /// ISO 4217, where a currency stands with it.
    pub(super) currency: Option<&'static str>,
    pub(super) percent: bool,
    /// "3x", "three times".
    pub(super) times: bool,
    /// "8B", "70b": billions of parameters.
    pub(super) params: bool,
    /// "1,380+".
    pub(super) plus: bool,
    /// "5m": minutes, unless a million is meant.
    pub(super) minutes: bool,
    /// A multiplier ("k", "million") scaled it.
    pub(super) scaled: bool,
    /// Its tokens.
    pub(super) tokens: Range<usize>,
}

/// All amounts of a text, in its order.
pub(super) fn amounts(tokens: &[Token]) -> Vec<Amount> {
    let mut list = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match amount(tokens, at) {
            Some(amount) => {
                at = amount.tokens.end;
                list.push(amount);
            }
            None => at += 1,
        }
    }
    list
}

fn amount(tokens: &[Token], at: usize) -> Option<Amount> {
    let first = scalar(tokens, at)?;
    if let Some(triple) = triple(tokens, &first) {
        return Some(triple);
    }
    range(tokens, &first).or(Some(first))
}

/// "1M / 1.8M / 4M", ascending.
fn triple(tokens: &[Token], first: &Amount) -> Option<Amount> {
    let slash = |at: usize| tokens.get(at).is_some_and(|t| t.symbol('/'));
    if !slash(first.tokens.end) {
        return None;
    }
    let second = scalar(tokens, first.tokens.end + 1)?;
    if !slash(second.tokens.end) {
        return None;
    }
    let third = scalar(tokens, second.tokens.end + 1)?;
    let values = [first.values[0], second.values[0], third.values[0]];
    (values[0] < values[1] && values[1] < values[2]).then(|| joined(first, &third, values.to_vec()))
}

/// "25 to 40", "800-2,000", "between 4M and 12M", "10-20%".
fn range(tokens: &[Token], first: &Amount) -> Option<Amount> {
    let link = tokens.get(first.tokens.end)?;
    let before = first
        .tokens
        .start
        .checked_sub(1)
        .and_then(|at| tokens.get(at));
    let led = |words: &[&str]| before.is_some_and(|t| words.contains(&t.word.as_str()));
    let between = led(&["between", "zwischen", "entre", "между"]);
    let moved = led(&["from", "von", "de", "du", "с", "от"]) && moves(tokens, first.tokens.start);
    let linked = match link.shape {
        Shape::Symbol('-') => true,
        Shape::Symbol('~') => link.glued,
        Shape::Word if between => matches!(link.meaning.lemma, "and" | "a") || link.word == "to",
        Shape::Word => {
            !moved
                && matches!(
                    link.word.as_str(),
                    "to" | "bis" | "à" | "a" | "do" | "до" | "-" | "到" | "至"
                )
        }
        _ => false,
    };
    if !linked
        || tokens
            .get(first.tokens.end + 1)
            .is_some_and(|t| t.symbol('-'))
    {
        return None;
    }
    let second = scalar(tokens, first.tokens.end + 1)?;
    let alike = (first.percent == second.percent || second.percent)
        && (first.currency.is_none()
            || second.currency.is_none()
            || first.currency == second.currency)
        && !first.times;
    let (mut low, high) = (first.values[0], second.values[0]);
    if second.percent && !first.percent {
        low /= 100.0;
    }
    // "25-40k" means 25k to 40k.
    if second.scaled && !first.scaled && !second.percent {
        let unscaled = second_mantissa(tokens, &second);
        if low < unscaled && unscaled > 0.0 {
            low *= high / unscaled;
        }
    }
    (alike && low < high).then(|| joined(first, &second, vec![low, high]))
}

/// The number of a scaled amount before its multiplier.
fn second_mantissa(tokens: &[Token], amount: &Amount) -> f64 {
    let numbers = tokens[amount.tokens.clone()]
        .iter()
        .filter_map(|t| match t.shape {
            Shape::Number(value) => Some(value),
            _ => None,
        });
    numbers.fold(0.0, |_, value| value)
}

/// "grow from 10k to 50k": two states, not a range.
fn moves(tokens: &[Token], at: usize) -> bool {
    let window = &tokens[at.saturating_sub(6)..at];
    window.iter().any(|t| {
        t.is(super::lexicon::GROW | super::lexicon::SAVE)
            || matches!(
                t.word.as_str(),
                "go" | "going"
                    | "goes"
                    | "went"
                    | "bring"
                    | "get"
                    | "move"
                    | "drop"
                    | "scale"
                    | "down"
                    | "up"
            )
    })
}

fn joined(first: &Amount, last: &Amount, values: Vec<f64>) -> Amount {
    Amount {
        values: values.into_iter().map(saturate).collect(),
        currency: first.currency.or(last.currency),
        percent: first.percent || last.percent,
        scaled: first.scaled || last.scaled,
        tokens: first.tokens.start..last.tokens.end,
        ..last.clone()
    }
}

/// One number with what belongs to it.
fn scalar(tokens: &[Token], start: usize) -> Option<Amount> {
    let mut at = start;
    let mut currency = None;
    let mut negative = false;
    // A sign, a currency and a second mark of it; more is no amount, and costs time.
    for _ in 0..4 {
        let token = tokens.get(at)?;
        if token.symbol('-')
            && !negative
            && tokens.get(at + 1).is_some_and(|t| t.glued)
            && sign_position(tokens, at)
        {
            negative = true;
        } else if currency.is_none()
            && let Some(code) = currency_of(token)
            && at + 1 < tokens.len()
        {
            currency = Some(code);
        } else if token.symbol('$') && currency == Some("USD") {
            // "US$ 5"
        } else {
            break;
        }
        at += 1;
    }
    let (value, spelled, end) = cardinal(tokens, at)?;
    let mut amount = Amount {
        values: vec![value],
        spelled,
        currency,
        percent: false,
        times: false,
        params: false,
        plus: false,
        minutes: false,
        scaled: false,
        tokens: start..end,
    };
    scale(tokens, &mut amount);
    suffix(tokens, &mut amount);
    let sign = if negative { -1.0 } else { 1.0 };
    amount.values[0] = saturate(sign * amount.values[0]);
    Some(amount)
}

/// A hyphen is a sign only after space or at the start.
fn sign_position(tokens: &[Token], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|at| tokens.get(at)) else {
        return true;
    };
    let number = matches!(before.shape, Shape::Number(_)) || before.is(MULTIPLIER);
    !tokens[at].glued && !number
        || matches!(before.shape, Shape::Break | Shape::Symbol('(' | ':' | ','))
}

fn currency_of(token: &Token) -> Option<&'static str> {
    match token.shape {
        Shape::Symbol('$') => Some("USD"),
        Shape::Symbol('€') => Some("EUR"),
        Shape::Symbol('£') => Some("GBP"),
        Shape::Symbol('¥') => Some("JPY"),
        Shape::Symbol('₹') => Some("INR"),
        Shape::Symbol('₽') => Some("RUB"),
        Shape::Word if token.is(MONEY) && token.meaning.scale == 1.0 => Some(token.meaning.lemma),
        _ => None,
    }
}

/// Digits or a number in words: the value, whether spelled, and the end.
fn cardinal(tokens: &[Token], at: usize) -> Option<(f64, bool, usize)> {
    let token = tokens.get(at)?;
    if let Shape::Number(value) = token.shape {
        return Some((value, false, at + 1));
    }
    let next = tokens.get(at + 1);
    let article = matches!(
        token.word.as_str(),
        "a" | "an" | "ein" | "eine" | "einer" | "une" | "un" | "una"
    );
    if article {
        // "a million", "a dozen"; "a few thousand" states nothing.
        return next
            .filter(|t| t.is(MULTIPLIER))
            .map(|_| (1.0, true, at + 1));
    }
    if !token.is(NUMBER) || token.shape != Shape::Word {
        return None;
    }
    let mut value = token.meaning.scale;
    let mut end = at + 1;
    if value >= 20.0
        && let Some(unit) = next.filter(|t| t.is(NUMBER) && (1.0..10.0).contains(&t.meaning.scale))
    {
        value += unit.meaning.scale;
        end += 1;
    }
    let word = |at: usize| tokens.get(at).map_or("", |t| t.word.as_str());
    if value == 0.5
        && matches!(word(end), "a" | "an" | "eine")
        && tokens.get(end + 1).is_some_and(|t| t.is(MULTIPLIER))
    {
        end += 1;
    }
    if word(end) == "and" && word(end + 1) == "a" && word(end + 2) == "half" {
        value += 0.5;
        end += 3;
    }
    Some((value, true, end))
}

/// "k", "M", "million", "万"; "B" is a billion or parameters, "m" a million or minutes.
fn scale(tokens: &[Token], amount: &mut Amount) {
    while let Some(token) = tokens.get(amount.tokens.end) {
        let at = amount.tokens.end;
        let counted = countable_follows(tokens, at + 1) || amount.currency.is_some();
        let factor = match token.word.as_str() {
            "k" => 1e3,
            "м" if token.glued => 1e6,
            "m" if token.upper && (token.glued || counted) => 1e6,
            "m" if token.glued && counted => 1e6,
            "m" if token.glued => {
                amount.minutes = true;
                amount.tokens.end += 1;
                return;
            }
            "mm" if amount.currency.is_some() => 1e6,
            "b" if token.glued && counted => 1e9,
            "b" if token.glued => {
                amount.params = true;
                amount.tokens.end += 1;
                return;
            }
            "t" if token.glued && counted => 1e12,
            _ if token.shape == Shape::Word && token.is(MULTIPLIER) => token.meaning.scale,
            _ => return,
        };
        amount.values[0] = saturate(amount.values[0] * factor);
        amount.scaled = true;
        amount.tokens.end += 1;
    }
}

/// Something that is counted, or a rate of it, follows within four words.
fn countable_follows(tokens: &[Token], at: usize) -> bool {
    const COUNTED: u64 = REQUEST | USER | TENANT | SESSION | TURN | TOKEN | MONEY | INPUT | OUTPUT;
    let limit = |t: &Token| {
        matches!(
            t.word.as_str(),
            "tpm" | "rpm" | "rpd" | "tpd" | "itpm" | "otpm"
        )
    };
    for token in tokens.iter().skip(at).take(4) {
        if token.is(COUNTED) || limit(token) || currency_of(token).is_some() {
            return true;
        }
        if token.is(EVERY) && !token.is(PERIOD)
            || token.is(ADVERB)
            || token.symbol('-') && token.glued
        {
            return true;
        }
        if token.is(GPU)
            || token.shape != Shape::Word
            || token.lemma("model")
            || token.lemma("parameter")
        {
            return false;
        }
    }
    false
}

/// "%", "x", "€", "+" after a number.
fn suffix(tokens: &[Token], amount: &mut Amount) {
    while let Some(token) = tokens.get(amount.tokens.end) {
        let spaced_x = token.lemma("x") && token.word != "x" && !amount.percent;
        if token.symbol('%') || token.lemma("percent") {
            amount.values[0] /= 100.0;
            amount.percent = true;
        } else if token.word == "per"
            && tokens
                .get(amount.tokens.end + 1)
                .is_some_and(|t| t.word == "cent")
        {
            amount.values[0] /= 100.0;
            amount.percent = true;
            amount.tokens.end += 1;
        } else if (token.word == "x" && (token.glued || !amount.spelled))
            || (token.glued && token.symbol('×'))
            || spaced_x
        {
            amount.times = true;
        } else if amount.currency.is_none()
            && let Some(code) = currency_of(token)
        {
            // "€ 500" of the next number is not this one's.
            let next_is_number = tokens
                .get(amount.tokens.end + 1)
                .is_some_and(|t| t.glued && matches!(t.shape, Shape::Number(_)));
            if next_is_number {
                return;
            }
            amount.currency = Some(code);
        } else if amount.currency.is_none() && token.lemma("cent") {
            amount.values[0] /= 100.0;
            amount.currency = Some("USD");
        } else if token.symbol('+') && token.glued && !amount.plus {
            amount.plus = true;
        } else {
            return;
        }
        amount.tokens.end += 1;
    }
}
