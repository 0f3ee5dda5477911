//! Normalised text with the way back to the original.
//!
//! Rules read NFKC text without tags and invisible characters; the screen
//! highlights the original. Every normalised character knows its origin.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A base character with more marks than this is decoration, not a letter.
const MARKS_MAX: usize = 8;

/// A message, normalised, with the origin of each character.
pub(super) struct Text {
    /// Normalised characters.
    pub(super) chars: Vec<char>,
    /// The same in lower case, one character each.
    pub(super) lower: Vec<char>,
    /// Start and end of the origin of `chars[i]`, in scalar values of the original.
    origin: Vec<(usize, usize)>,
    original: Vec<char>,
    /// Something like an HTML tag stood in the text.
    pub(super) has_markup: bool,
}

impl Text {
    /// Normalises; linear in the length.
    pub(super) fn new(message: &str) -> Self {
        let original: Vec<char> = message.chars().collect();
        let mut text = Self {
            chars: Vec::with_capacity(original.len()),
            lower: Vec::with_capacity(original.len()),
            origin: Vec::with_capacity(original.len()),
            has_markup: false,
            original: Vec::new(),
        };
        let mut at = 0;
        while let Some(&c) = original.get(at) {
            if c == '<'
                && let Some(end) = tag_end(&original, at)
            {
                text.has_markup = true;
                // A tag separates words and is itself none of them.
                text.push(' ', at, end);
                at = end;
                continue;
            }
            let mut end = at + 1;
            while end < original.len() && is_combining_mark(original[end]) {
                end += 1;
            }
            text.push_cluster(&original[at..end], at, end);
            at = end;
        }
        text.original = original;
        text
    }

    fn push_cluster(&mut self, cluster: &[char], start: usize, end: usize) {
        let c = cluster[0];
        // Keycaps and circled or raised digits are decoration: "m²" states no 2.
        let keycap = cluster.contains(&'\u{20E3}');
        if is_invisible(c) {
            return;
        }
        if keycap || is_decorative_digit(c) {
            self.push('\u{FFFD}', start, end);
            return;
        }
        let base = cluster.iter().take(1 + MARKS_MAX).copied();
        for mapped in base.nfkc() {
            match canonical(mapped) {
                Some(mapped) => self.push(mapped, start, end),
                None => continue,
            }
        }
    }

    fn push(&mut self, c: char, start: usize, end: usize) {
        self.chars.push(c);
        let mut lower = c.to_lowercase();
        self.lower.push(match (lower.next(), lower.next()) {
            (Some(one), None) => one,
            _ => c,
        });
        self.origin.push((start, end));
    }

    /// The range of the original that a normalised range came from.
    pub(super) fn original_span(&self, range: &Range<usize>) -> Range<usize> {
        let last = self.origin.len().saturating_sub(1);
        let (Some(first), Some(end)) = (
            self.origin.get(range.start.min(last)),
            self.origin.get(range.end.saturating_sub(1).min(last)),
        ) else {
            return 0..0;
        };
        first.0..end.1.max(first.0)
    }

    /// The original words of a range of the original.
    pub(super) fn quote(&self, span: &Range<usize>) -> String {
        self.original
            .get(span.clone())
            .map(|chars| chars.iter().collect())
            .unwrap_or_default()
    }
}

/// The end of a tag that starts at `at`, if it is one. A tag is at most 200
/// characters, so that "<" as "less than" costs no quadratic search.
fn tag_end(chars: &[char], at: usize) -> Option<usize> {
    let first = *chars.get(at + 1)?;
    if !(first.is_ascii_alphabetic() || first == '/' || first == '!') {
        return None;
    }
    let window = chars.get(at + 1..chars.len().min(at + 200))?;
    let close = window.iter().position(|&c| c == '>' || c == '<')?;
    (window[close] == '>').then_some(at + close + 2)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E007F}')
}

fn is_decorative_digit(c: char) -> bool {
    matches!(c, '\u{B2}' | '\u{B3}' | '\u{B9}' | '\u{2070}'..='\u{2089}'
        | '\u{2460}'..='\u{24FF}' | '\u{2776}'..='\u{2793}' | '\u{1F100}'..='\u{1F10C}')
}

/// One form for what means the same: dashes, quotes, white space, digits of other scripts.
fn canonical(c: char) -> Option<char> {
    Some(match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' => '-',
        '\u{301C}' => '-',
        '\u{2018}' | '\u{2019}' | '\u{2BC}' | '`' => '\'',
        '\u{201C}'..='\u{201F}' | '\u{AB}' | '\u{BB}' => '"',
        '\u{2044}' | '\u{2215}' => '/',
        '\u{D7}' => 'x',
        '\u{2264}' => '<',
        '\u{2265}' => '>',
        '\u{3001}' => ',',
        '\u{3002}' => '.',
        '\n' | '\r' => '\n',
        c if c.is_whitespace() => ' ',
        c if c.is_control() => ' ',
        c => match digit_of_other_script(c) {
            Some(digit) => digit,
            None => c,
        },
    })
}

/// Arabic-Indic, Persian and Devanagari digits, which NFKC leaves alone.
fn digit_of_other_script(c: char) -> Option<char> {
    let base = match c {
        '\u{660}'..='\u{669}' => 0x660,
        '\u{6F0}'..='\u{6F9}' => 0x6F0,
        '\u{966}'..='\u{96F}' => 0x966,
        _ => return None,
    };
    char::from_digit(c as u32 - base, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(message: &str) -> String {
        Text::new(message).chars.into_iter().collect()
    }

    #[test]
    fn what_means_the_same_gets_one_form() {
        for (message, expected) in [
            ("1\u{a0}000 \u{202f}€", "1 000  €"),
            ("２ｓ", "2s"),
            ("800–2,000", "800-2,000"),
            ("<b>5k</b> x", " 5k  x"),
            ("a < 5 and b > 3", "a < 5 and b > 3"),
            ("1\u{fe0f}\u{20e3} m²", "\u{fffd} m\u{fffd}"),
            ("d\u{e9}c e\u{301}", "d\u{e9}c \u{e9}"),
            ("x\u{200b}y", "xy"),
            ("٣ ३", "3 3"),
        ] {
            assert_eq!(normal(message), expected, "{message}");
        }
    }

    #[test]
    fn every_character_knows_its_origin() {
        let text = Text::new("ﬁ <i>２</i>s");
        let two = text.chars.iter().position(|c| *c == '2').unwrap();
        let span = text.original_span(&(two..two + 1));
        assert_eq!(text.quote(&span), "２");
        assert_eq!(text.quote(&text.original_span(&(0..2))), "ﬁ");
    }
}
