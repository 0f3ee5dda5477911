//! Text to tokens: words with meanings, plain numbers, symbols, models, dates.

use std::ops::Range;

use super::lexicon::{self, CALENDAR, DISTRACT, Meaning, Tags, UNKNOWN};
use super::models::Found;
use super::separators::{Convention, parse};
use super::text::Text;

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// An unsigned finite number.
    Number(f64),
    /// A word; its meaning stands in the token.
    Word,
    /// Any other character.
    Symbol(char),
    /// Index into the found models.
    Model(usize),
    /// A month, `2027-06`; or a date, version or year that is no quantity.
    Date(Option<(i32, u8)>),
    /// A percentile as a fraction: `p95`, `95th percentile`.
    Percentile(f64),
    /// The end of a sentence.
    Break,
}

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) shape: Shape,
    pub(super) meaning: Meaning,
    /// Lower case; the mark of a sentence's end; empty for other symbols.
    pub(super) word: String,
    /// In normalised characters.
    pub(super) range: Range<usize>,
    /// It touches its predecessor.
    pub(super) glued: bool,
    /// A single letter that stood in upper case: M is no m.
    pub(super) upper: bool,
}

impl Token {
    /// True where the word has one of these meanings.
    pub(super) fn is(&self, tags: Tags) -> bool {
        self.meaning.tags & tags != 0
    }

    /// True for a word of this lemma.
    pub(super) fn lemma(&self, lemma: &str) -> bool {
        self.meaning.lemma == lemma
    }

    /// True for this symbol.
    pub(super) fn symbol(&self, symbol: char) -> bool {
        self.shape == Shape::Symbol(symbol)
    }
}

/// Tokens of a text, with the convention its numbers follow.
pub(super) fn lex(text: &Text, models: &[Found]) -> (Vec<Token>, Convention) {
    let convention = Convention::of(text, models);
    let mut lexer = Lexer {
        text,
        models,
        convention: &convention,
        tokens: Vec::new(),
        at: 0,
        model: 0,
    };
    while lexer.at < text.chars.len() {
        lexer.step();
    }
    let tokens = super::dates::join(lexer.tokens);
    (tokens, convention)
}

struct Lexer<'a> {
    text: &'a Text,
    models: &'a [Found],
    convention: &'a Convention,
    tokens: Vec<Token>,
    at: usize,
    model: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> char {
        self.text.lower.get(self.at + ahead).copied().unwrap_or(' ')
    }

    fn step(&mut self) {
        if let Some(found) = self.models.get(self.model)
            && found.range.start <= self.at
        {
            let end = found.range.end.max(self.at + 1);
            self.model += 1;
            return self.push(Shape::Model(self.model - 1), UNKNOWN, end);
        }
        let c = self.peek(0);
        if c == ' ' {
            self.at += 1;
        } else if c.is_ascii_digit() {
            self.number();
        } else if lexicon::is_unspaced(c) {
            let window = &self.text.lower[self.at..];
            let (meaning, len) = lexicon::look_up_unspaced(window).unwrap_or((UNKNOWN, 1));
            self.push(Shape::Word, meaning, self.at + len);
        } else if c.is_alphabetic() {
            self.word();
        } else if c == '.' && self.tokens.last().is_some_and(is_abbreviation) {
            self.at += 1;
        } else {
            let sentence = matches!(c, '.' | '!' | '?' | ';' | '\n')
                && (c == '\n' || !self.peek(1).is_ascii_digit());
            let shape = if sentence {
                Shape::Break
            } else {
                Shape::Symbol(c)
            };
            let meaning = lexicon::look_up(c.encode_utf8(&mut [0; 4]));
            self.push(shape, meaning, self.at + 1);
        }
    }

    fn number(&mut self) {
        let number = parse(&self.text.lower, self.at, self.convention);
        let shape = match number.value {
            Some(value) => Shape::Number(value),
            None => Shape::Date(None),
        };
        let end = self
            .models
            .get(self.model)
            .map_or(usize::MAX, |m| m.range.start);
        self.push(shape, UNKNOWN, number.end.min(end.max(self.at + 1)));
    }

    fn word(&mut self) {
        let limit = self
            .models
            .get(self.model)
            .map_or(usize::MAX, |m| m.range.start);
        let lower = &self.text.lower;
        let inner = |at: usize| {
            let c = lower[at];
            let joint =
                (c == '-' || c == '\'') && lower.get(at + 1).is_some_and(|n| n.is_alphabetic());
            let letter = c.is_alphanumeric() && !lexicon::is_unspaced(c);
            at < limit && (letter || joint)
        };
        // Compounds of the table have at most three hyphens; a chain of them is no word.
        let mut joints = 0;
        let mut inner = |at: usize| {
            joints += usize::from(!lower[at].is_alphanumeric());
            inner(at) && joints <= 3
        };
        let mut end = (self.at + 1..lower.len())
            .find(|at| !inner(*at))
            .unwrap_or(lower.len());
        let whole: String = lower[self.at..end].iter().collect();
        if let Some((percentile, extra)) = percentile(&whole, &lower[end..]) {
            return self.push(Shape::Percentile(percentile), UNKNOWN, end + extra);
        }
        let mut meaning = lexicon::look_up(&whole);
        if meaning == UNKNOWN
            && let Some(cut) = whole.chars().position(|c| c == '-' || c == '\'')
        {
            end = self.at + cut;
            let first: String = lower[self.at..end].iter().collect();
            meaning = lexicon::look_up(&first);
        }
        self.push(Shape::Word, meaning, end);
    }

    fn push(&mut self, shape: Shape, meaning: Meaning, end: usize) {
        let range = self.at..end.min(self.text.chars.len());
        let word = match shape {
            Shape::Word => self.text.lower[range.clone()].iter().collect(),
            // The rules for models must tell a question from a statement.
            Shape::Break => self.text.lower[range.clone()].iter().collect(),
            _ => String::new(),
        };
        let glued = self
            .tokens
            .last()
            .is_some_and(|t| t.range.end == range.start);
        let upper = range.len() == 1 && self.text.chars[range.start].is_uppercase();
        self.at = end;
        self.tokens.push(Token {
            shape,
            meaning,
            word,
            range,
            glued,
            upper,
        });
    }
}

/// A word whose full stop ends no sentence.
fn is_abbreviation(token: &Token) -> bool {
    const SHORT: &[&str] = &[
        "mio", "mrd", "mln", "tsd", "bn", "тыс", "млн", "млрд", "ca", "approx", "vs", "etc", "no",
        "nr", "max", "min", "avg", "std", "sek", "руб", "e.g", "z", "bzw", "inkl",
    ];
    SHORT.contains(&token.word.as_str())
}

/// `p95`, `p99.9`, `tp90`: the fraction and how many characters follow the word.
fn percentile(word: &str, rest: &[char]) -> Option<(f64, usize)> {
    let digits = word.strip_prefix("tp").or_else(|| word.strip_prefix('p'))?;
    if digits.is_empty() || digits.len() > 3 || !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let decimals = match rest {
        ['.', first, ..] if first.is_ascii_digit() => {
            rest[1..].iter().take_while(|c| c.is_ascii_digit()).count()
        }
        _ => 0,
    };
    if digits.len() == 3 {
        // p999 is spoken "three nines".
        return (digits == "999").then_some((0.999, 0));
    }
    let extra = if decimals > 0 { decimals + 1 } else { 0 };
    let all: String = digits
        .chars()
        .chain(rest.iter().take(extra).copied())
        .collect();
    let value: f64 = all.parse().ok()?;
    (value > 0.0 && value < 100.0).then_some((value / 100.0, extra))
}

/// True where the token says that the number beside it is no quantity.
pub(super) fn distracts(token: &Token) -> bool {
    token.is(DISTRACT)
}

/// True for the name of a month.
pub(super) fn is_calendar(token: &Token) -> bool {
    token.is(CALENDAR)
}
