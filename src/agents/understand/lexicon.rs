//! Words of several languages and what they mean to the grammar.
//!
//! Rules see tags and lemmas, never surface forms: a new language is new rows
//! here. A form that ends in `*` matches every word with that beginning.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::words::WORDS;

/// A set of meanings.
pub(super) type Tags = u64;

/// Declares one bit a meaning.
macro_rules! tags {
    ($($(#[$meta:meta])* $name:ident = $bit:literal),+ $(,)?) => {
        $($(#[$meta])* pub(super) const $name: Tags = 1 << $bit;)+
    };
}

tags! {
    /// Stands for one model call.
    REQUEST = 0,
    USER = 1,
    TENANT = 2,
    SESSION = 3,
    TURN = 4,
    TOKEN = 5,
    INPUT = 6,
    OUTPUT = 7,
    /// A stable beginning of the input.
    PREFIX = 8,
    /// A summand of the input.
    PART = 9,
    /// A unit of time; the scale is seconds.
    TIME = 10,
    /// A period; the lemma names it.
    PERIOD = 11,
    /// "per", "each", "a": a period may follow.
    EVERY = 12,
    /// "monthly": a period of its own.
    ADVERB = 13,
    UNDER = 14,
    OVER = 15,
    NOW = 16,
    WANT = 17,
    PAY = 18,
    BUDGET = 19,
    SAVE = 20,
    RUN = 21,
    ONCE = 22,
    PENALTY = 23,
    GROW = 24,
    /// "doubles": a factor; the scale is it.
    FACTOR = 25,
    CACHE = 26,
    BATCH = 27,
    EASY = 28,
    REPEAT = 29,
    RETRY = 30,
    ESCALATE = 31,
    BUSY = 32,
    /// "first word", "starts": until the first token.
    FIRST = 33,
    WAIT = 34,
    /// "finish", "end-to-end": until the answer stands.
    TOTAL = 35,
    STEP = 36,
    COMPONENT = 37,
    AVERAGE = 38,
    PEAK = 39,
    MAXIMUM = 40,
    /// A number in words; the scale is it.
    NUMBER = 41,
    /// "million": multiplies the number before it.
    MULTIPLIER = 42,
    /// A month of the calendar; the scale is 1 to 12.
    CALENDAR = 43,
    GPU = 44,
    /// "and", "but": ends a noun phrase.
    STOP = 45,
    COMPARE = 46,
    LIMIT = 47,
    QUALITY = 48,
    SPEED = 49,
    COST = 50,
    DISCOUNT = 51,
    HEDGE = 52,
    PARALLEL = 53,
    MONEY = 54,
    /// What a number after or before it is no quantity: versions, errors, lists.
    DISTRACT = 55,
    SELF_HOST = 56,
    QUARTILE = 57,
    FLOOR = 58,
    PAST = 59,
    FUTURE = 60,
    SLOT = 61,
    LATENCY = 62,
    REPLICA = 63,
}

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Meaning {
    /// The English word that stands for it.
    pub(super) lemma: &'static str,
    /// What it can be.
    pub(super) tags: Tags,
    /// Seconds, factor, number or month, as the tags say.
    pub(super) scale: f64,
}

/// A word that no row names.
pub(super) const UNKNOWN: Meaning = Meaning {
    lemma: "",
    tags: 0,
    scale: 0.0,
};

/// A row of the table of words: lemma, meanings, scale, forms separated by spaces;
/// an underscore in a form is a space.
pub(super) type Row = (&'static str, Tags, f64, &'static str);

struct Lexicon {
    exact: HashMap<&'static str, Meaning>,
    stems: HashMap<&'static str, Meaning>,
    /// Forms of scripts without spaces; none is longer than six characters.
    unspaced: HashMap<&'static str, Meaning>,
}

/// The longest form of a script without spaces.
pub(super) const UNSPACED_MAX: usize = 8;

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut lexicon = Lexicon {
        exact: HashMap::new(),
        stems: HashMap::new(),
        unspaced: HashMap::new(),
    };
    for (lemma, tags, scale, forms) in WORDS.iter().flat_map(|table| table.iter()) {
        let meaning = Meaning {
            lemma,
            tags: *tags,
            scale: *scale,
        };
        for form in forms.split_whitespace() {
            if form.chars().all(is_unspaced) {
                lexicon.unspaced.entry(form).or_insert(meaning);
            } else if let Some(stem) = form.strip_suffix('*') {
                lexicon.stems.entry(stem).or_insert(meaning);
            } else {
                lexicon.exact.entry(form).or_insert(meaning);
            }
        }
    }
    lexicon
});

/// Scripts that write words without spaces between them.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}')
}

/// The meaning of a lower-case word.
pub(super) fn look_up(word: &str) -> Meaning {
    if let Some(meaning) = LEXICON.exact.get(word) {
        return *meaning;
    }
    // No stem is longer than 16 characters, so that a long word costs no more.
    let ends = word
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take(16);
    let ends: Vec<usize> = ends.collect();
    let stems = ends.iter().rev().filter(|end| **end > 2);
    stems
        .filter_map(|end| LEXICON.stems.get(&word[..*end]))
        .next()
        .copied()
        .unwrap_or(UNKNOWN)
}

/// The longest known form at the start of a text without spaces, and its length.
pub(super) fn look_up_unspaced(chars: &[char]) -> Option<(Meaning, usize)> {
    let mut form = String::new();
    let mut best = None;
    for (at, c) in chars.iter().take(UNSPACED_MAX).enumerate() {
        form.push(*c);
        if let Some(meaning) = LEXICON.unspaced.get(form.as_str()) {
            best = Some((*meaning, at + 1));
        }
    }
    best
}
