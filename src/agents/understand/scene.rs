//! Where an amount stands: the words left and right of it, the noun phrase and
//! the period that follow it. Rules ask the scene, never the text.

use std::ops::Range;

use super::amounts::Amount;
use super::lexer::{Shape, Token};
use super::lexicon::*;
use super::quantity::Per;

/// No rule looks further than this, so that a message costs linear time.
const REACH: usize = 14;
/// A noun phrase is no longer than this.
const PHRASE_MAX: usize = 6;

/// An amount and its surroundings.
pub(super) struct Scene<'a> {
    pub(super) tokens: &'a [Token],
    pub(super) amount: &'a Amount,
    /// Tokens before it, back to the amount or sentence before.
    pub(super) left: Range<usize>,
    /// Tokens after it, up to the amount or sentence after.
    pub(super) right: Range<usize>,
    /// Its whole sentence.
    pub(super) sentence: Range<usize>,
    /// The words directly after it: "support chats".
    pub(super) phrase: Range<usize>,
    /// The period after the phrase or before the amount.
    pub(super) per: Option<Per>,
    /// What stands after "per", where it is no period.
    pub(super) per_noun: Tags,
    /// The last token that belongs to amount, phrase and period.
    pub(super) end: usize,
}

/// The scenes of all amounts.
pub(super) fn scenes<'a>(tokens: &'a [Token], amounts: &'a [Amount]) -> Vec<Scene<'a>> {
    let sentences = sentences(tokens);
    let mut list = Vec::with_capacity(amounts.len());
    for (at, amount) in amounts.iter().enumerate() {
        let sentence = sentences
            .get(sentences.partition_point(|s| s.end <= amount.tokens.start))
            .cloned()
            .unwrap_or(0..tokens.len());
        let before = at.checked_sub(1).map_or(0, |at| amounts[at].tokens.end);
        let after = amounts.get(at + 1).map_or(tokens.len(), |a| a.tokens.start);
        let said = list.last().map_or(0, |s: &Scene| s.end);
        let left = before.max(sentence.start).min(amount.tokens.start)..amount.tokens.start;
        let right = amount.tokens.end..after.min(sentence.end).max(amount.tokens.end);
        let mut scene = Scene {
            tokens,
            amount,
            left: left.end.saturating_sub(REACH).max(left.start)..left.end,
            right: right.start..right.end.min(right.start + REACH),
            sentence,
            phrase: 0..0,
            per: None,
            per_noun: 0,
            end: amount.tokens.end,
        };
        scene.read_phrase(said);
        list.push(scene);
    }
    list
}

fn sentences(tokens: &[Token]) -> Vec<Range<usize>> {
    let mut list = Vec::new();
    let mut start = 0;
    for (at, token) in tokens.iter().enumerate() {
        if token.shape == Shape::Break {
            list.push(start..at + 1);
            start = at + 1;
        }
    }
    list.push(start..tokens.len().max(start + 1));
    list
}

impl<'a> Scene<'a> {
    fn read_phrase(&mut self, said: usize) {
        let tokens = self.tokens;
        let mut at = self.amount.tokens.end;
        if tokens.get(at).is_some_and(|t| t.symbol('-') && t.glued) {
            at += 1;
        }
        // "20,000 daily active users", "1,2 millones de solicitudes".
        let daily = tokens
            .get(at)
            .filter(|t| t.is(ADVERB) && at + 1 < self.right.end);
        let noun = |at: usize| {
            tokens.get(at).is_some_and(|t| {
                t.shape == Shape::Word
                    && (t.meaning.tags == 0 || t.is(REQUEST | USER | SESSION | TOKEN | TENANT))
            })
        };
        if let Some(daily) = daily.filter(|_| noun(at + 1)) {
            self.per = per_of(daily.meaning.lemma);
            at += 1;
        }
        let scaled = at > 0 && tokens[at - 1].is(MULTIPLIER);
        if scaled
            && tokens
                .get(at)
                .is_some_and(|t| matches!(t.word.as_str(), "de" | "of" | "d"))
        {
            at += 1;
        }
        let start = at;
        while at < self.right.end && at < start + PHRASE_MAX {
            let token = &tokens[at];
            let joint = token.symbol('-') && token.glued;
            // "4k context" but "500 tokens at": a period or preposition ends the phrase.
            let ends = token.shape != Shape::Word
                || token.is(PAST
                    | STOP
                    | EVERY
                    | NOW
                    | WANT
                    | COMPARE
                    | UNDER
                    | OVER
                    | ADVERB
                    | GROW);
            if ends && !joint {
                break;
            }
            at += 1;
        }
        self.phrase = start..at;
        self.end = if at > start {
            at
        } else {
            self.amount.tokens.end
        };
        self.read_period(at);
        if self.per.is_none() && self.per_noun == 0 {
            self.per = self.period_before(said);
        }
    }

    /// "a month", "/day", "monthly", "per working day", "last month", "per user per day".
    fn read_period(&mut self, mut at: usize) {
        for _ in 0..3 {
            let Some((per, noun, end)) = period(self.tokens, at) else {
                break;
            };
            if per.is_some() && self.per.is_none() {
                self.per = per;
            }
            self.per_noun |= noun;
            at = end;
            self.end = end;
        }
    }

    /// "monthly 50k requests", "per day: 3000", "每天3万".
    fn period_before(&self, said: usize) -> Option<Per> {
        // What the amount before has said of itself is no period of this one.
        let start = self
            .left
            .end
            .saturating_sub(4)
            .max(self.left.start)
            .max(said);
        let window = start.min(self.left.end)..self.left.end;
        for at in window {
            let blocked = self.tokens[at..self.left.end]
                .iter()
                .any(|t| t.symbol(',') || t.is(STOP) && !t.is(EVERY));
            if blocked {
                continue;
            }
            if let Some((Some(per), 0, end)) = period(self.tokens, at)
                && end <= self.left.end
            {
                return Some(per);
            }
        }
        // "1日3万件": a day, then its number.
        None
    }

    /// The first token right of amount and phrase.
    pub(super) fn next(&self) -> Option<&'a Token> {
        self.tokens
            .get(self.end)
            .filter(|_| self.end < self.right.end)
    }

    /// The token directly before the amount.
    pub(super) fn before(&self) -> Option<&'a Token> {
        self.left
            .end
            .checked_sub(1)
            .filter(|at| *at >= self.left.start)
            .and_then(|at| self.tokens.get(at))
    }

    /// The union of the meanings of the phrase.
    pub(super) fn phrase_tags(&self) -> Tags {
        self.tokens[self.phrase.clone()]
            .iter()
            .fold(0, |tags, t| tags | t.meaning.tags)
    }

    /// The last word of the phrase with one of these meanings.
    pub(super) fn head(&self, tags: Tags) -> Option<&'a Token> {
        self.tokens[self.phrase.clone()]
            .iter()
            .rfind(|t| t.is(tags))
    }

    /// The first word of the phrase.
    pub(super) fn unit(&self) -> Option<&'a Token> {
        self.tokens
            .get(self.phrase.start)
            .filter(|_| !self.phrase.is_empty())
    }

    /// The nearest token on the left with one of these meanings, and its distance.
    pub(super) fn on_left(&self, tags: Tags) -> Option<(&'a Token, usize)> {
        let window = &self.tokens[self.left.clone()];
        let at = window.iter().rposition(|t| t.is(tags))?;
        Some((&window[at], window.len() - at))
    }

    /// The same on the right.
    pub(super) fn on_right(&self, tags: Tags) -> Option<(&'a Token, usize)> {
        let window = &self.tokens[self.right.clone()];
        let at = window.iter().position(|t| t.is(tags))?;
        Some((&window[at], at + 1))
    }

    /// One of these meanings stands left or right of the amount.
    pub(super) fn near(&self, tags: Tags) -> bool {
        self.on_left(tags).is_some() || self.on_right(tags).is_some()
    }

    /// The same within a number of tokens.
    pub(super) fn within(&self, tags: Tags, reach: usize) -> bool {
        self.on_left(tags).is_some_and(|(_, d)| d <= reach)
            || self.on_right(tags).is_some_and(|(_, d)| d <= reach)
    }

    /// The part of the left that no comma cuts off.
    pub(super) fn left_clause(&self) -> &'a [Token] {
        let window = &self.tokens[self.left.clone()];
        let cut = window
            .iter()
            .rposition(|t| matches!(t.shape, Shape::Symbol(',' | '(' | ')')))
            .map_or(0, |at| at + 1);
        &window[cut..]
    }

    /// The left across other amounts, back to a comma, conjunction or sentence.
    pub(super) fn far_left(&self) -> &'a [Token] {
        let start = self.left.end.saturating_sub(REACH).max(self.sentence.start);
        let window = &self.tokens[start.min(self.left.end)..self.left.end];
        let cut = |t: &Token| t.symbol(',') || matches!(t.meaning.lemma, "and" | "plus" | "but");
        &window[window.iter().rposition(cut).map_or(0, |at| at + 1)..]
    }

    /// The part of the right that no comma or conjunction cuts off.
    pub(super) fn right_clause(&self) -> &'a [Token] {
        let window = &self.tokens[self.right.clone()];
        let cut = |t: &Token| {
            matches!(t.shape, Shape::Symbol(',' | '(' | ')'))
                || matches!(t.meaning.lemma, "and" | "plus" | "but")
        };
        &window[..window.iter().position(cut).unwrap_or(window.len())]
    }

    /// The tokens of the sentence, at most a reach away.
    pub(super) fn around(&self) -> &'a [Token] {
        let start = self
            .sentence
            .start
            .max(self.amount.tokens.start.saturating_sub(2 * REACH));
        let end = self
            .sentence
            .end
            .min(self.amount.tokens.end + 2 * REACH)
            .min(self.tokens.len());
        &self.tokens[start.min(end)..end]
    }

    /// A word stands in the sentence.
    pub(super) fn says(&self, words: &[&str]) -> bool {
        self.around().iter().any(|t| {
            words.contains(&t.word.as_str())
                || words.contains(&t.meaning.lemma) && !t.meaning.lemma.is_empty()
        })
    }
}

/// A period or "per noun" at a token: the period, the noun's meanings, the end.
pub(super) fn period(tokens: &[Token], at: usize) -> Option<(Option<Per>, Tags, usize)> {
    let token = tokens.get(at)?;
    if token.is(ADVERB) {
        return Some((per_of(token.meaning.lemma), 0, at + 1));
    }
    let led = token.is(EVERY | PAST)
        || matches!(
            token.word.as_str(),
            "in" | "this" | "diesen" | "the" | "auf" | "to" | "по" | "1"
        );
    let one = matches!(token.shape, Shape::Number(1.0));
    if !led && !one {
        return None;
    }
    let mut end = at + 1;
    let skip = |t: &Token| {
        matches!(
            t.word.as_str(),
            "calendar" | "single" | "a" | "each" | "the" | "der" | "le" | "la"
        )
    };
    while tokens.get(end).is_some_and(skip) {
        end += 1;
    }
    let next = tokens.get(end)?;
    if token.word == "par" && next.word == "an" {
        return Some((Some(Per::Year), 0, end + 1));
    }
    let working = matches!(next.word.as_str(), "working" | "business" | "work" | "week");
    if working && tokens.get(end + 1).is_some_and(|t| t.lemma("day")) {
        return Some((Some(Per::WorkingDay), 0, end + 2));
    }
    // "in 2 s" and "in seconds" are no rates; "im Monat" is.
    let rate = token.is(EVERY | PAST) || token.word == "this" || (one && lexicon_day(next));
    if next.is(PERIOD) && rate {
        let per = per_of(next.meaning.lemma);
        return per.map(|per| (Some(per), 0, end + 1));
    }
    const NOUNS: Tags =
        REQUEST | USER | SESSION | TURN | TOKEN | OUTPUT | GPU | REPLICA | SLOT | STEP;
    if token.is(EVERY) && token.meaning.lemma == "per" && next.is(NOUNS) {
        let hour = tokens.get(end + 1).is_some_and(|t| t.lemma("hour"));
        let dash = tokens.get(end + 1).is_some_and(|t| t.symbol('-'))
            && tokens.get(end + 2).is_some_and(|t| t.lemma("hour"));
        let per = (hour || dash).then_some(Per::Hour);
        return Some((
            per,
            next.meaning.tags & NOUNS,
            end + 1 + usize::from(hour) + 2 * usize::from(dash),
        ));
    }
    None
}

fn lexicon_day(token: &Token) -> bool {
    token.lemma("day") && token.glued
}

/// The period of a lemma.
pub(super) fn per_of(lemma: &str) -> Option<Per> {
    Some(match lemma {
        "second" => Per::Second,
        "minute" => Per::Minute,
        "hour" => Per::Hour,
        "day" => Per::Day,
        "workday" => Per::WorkingDay,
        "week" => Per::Week,
        "month" => Per::Month,
        "quarter" => Per::Quarter,
        "year" => Per::Year,
        _ => return None,
    })
}
