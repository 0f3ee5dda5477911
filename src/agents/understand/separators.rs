//! Digits and separators: "4.200,50", "1,200", "200 000", "1e400".
//!
//! A separator before exactly three digits can be either; the rest of the
//! message decides, and what it leaves open is flagged.

use super::models::Found;
use super::quantity::saturate;
use super::text::Text;

/// How a message writes its numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Convention {
    dot_decimal: bool,
    comma_decimal: bool,
    /// Some number could be read in two ways and nothing decided it.
    pub(super) ambiguous: bool,
}

/// A number read, or a version or address that is none; and where it ends.
pub(super) struct Parsed {
    pub(super) value: Option<f64>,
    pub(super) end: usize,
}

/// No number has more groups of digits; a list of single digits is not searched further.
const GROUPS_MAX: usize = 16;

/// A run of digits and separators.
struct Run {
    groups: Vec<String>,
    separators: Vec<char>,
    end: usize,
}

impl Convention {
    /// Collects the evidence of all numbers outside of names.
    pub(super) fn of(text: &Text, models: &[Found]) -> Self {
        let mut convention = Self::default();
        let mut open = false;
        let mut models = models.iter().peekable();
        let mut at = 0;
        while at < text.lower.len() {
            if let Some(model) = models.next_if(|m| m.range.start <= at) {
                at = model.range.end.max(at + 1);
            } else if text.lower[at].is_ascii_digit() {
                let run = run(&text.lower, at);
                open |= convention.learn(&run);
                at = run.end.max(at + 1);
            } else {
                at += 1;
            }
        }
        convention.ambiguous = open && !convention.dot_decimal && !convention.comma_decimal;
        convention
    }

    /// Learns from one number; true where it could be read in two ways.
    fn learn(&mut self, run: &Run) -> bool {
        let Some(last) = run.separators.last() else {
            return false;
        };
        let single = run.separators.len() == 1;
        let three = run.groups.last().is_some_and(|g| g.len() == 3);
        let zero = run.groups[0] == "0" || run.groups[0].len() > 3;
        let mixed = run.separators.iter().any(|s| s != last);
        let decimal = mixed || (single && (!three || zero));
        match (last, decimal) {
            ('.', true) => self.dot_decimal = true,
            (',', true) => self.comma_decimal = true,
            ('.', false) if !single => self.comma_decimal = true,
            (',', false) if !single => self.dot_decimal = true,
            ('.', false) => return true,
            // "1,200" is thousands for all but a message that writes "12,5".
            _ => {}
        }
        false
    }
}

fn run(chars: &[char], start: usize) -> Run {
    let digits = |at: usize| {
        chars[at..]
            .iter()
            .take_while(|c| c.is_ascii_digit())
            .count()
    };
    let group = |at: usize, len: usize| chars[at..at + len].iter().collect::<String>();
    let first = digits(start);
    let mut run = Run {
        groups: vec![group(start, first)],
        separators: Vec::new(),
        end: start + first,
    };
    while let Some(&separator) = chars.get(run.end).filter(|_| run.groups.len() < GROUPS_MAX) {
        let len = digits((run.end + 1).min(chars.len()));
        let last = run.groups.last().map_or(0, String::len);
        let spaced = matches!(separator, ' ' | '\'' | '_');
        let only_spaces = run.separators.iter().all(|s| *s == separator);
        let joins = match separator {
            '.' | ',' => len > 0,
            // Three digits after at most three: "200 000", never "2027 300".
            _ if spaced => {
                len == 3 && last <= 3 && only_spaces && !word_follows_tightly(chars, run.end + 4)
            }
            _ => false,
        };
        if !joins {
            break;
        }
        run.groups.push(group(run.end + 1, len));
        run.separators.push(separator);
        run.end += 1 + len;
    }
    run
}

/// "gpt 4 128k": digits with a letter at their end are a number of their own.
fn word_follows_tightly(chars: &[char], at: usize) -> bool {
    chars.get(at).is_some_and(|c| c.is_ascii_alphabetic())
}

/// Reads the number that starts at `start`.
pub(super) fn parse(chars: &[char], start: usize, convention: &Convention) -> Parsed {
    let mut run = run(chars, start);
    // "100,200,300" in a list and "1.2.3" in a version look alike: only groups of three are one number.
    while run.separators.len() > 1 && !is_grouped(&run) && run.separators.contains(&',') {
        drop_last(&mut run);
    }
    if run.separators.len() > 1 && !is_grouped(&run) {
        return Parsed {
            value: None,
            end: run.end,
        };
    }
    let decimal = decimal_at(&run, convention, is_euro(chars, start, run.end));
    let mut plain = String::new();
    for (at, group) in run.groups.iter().enumerate() {
        if at > 0 && Some(at) == decimal {
            plain.push('.');
        }
        plain.push_str(group);
    }
    let end = run.end + exponent(chars, run.end, &mut plain);
    let value = plain.parse::<f64>().unwrap_or(0.0);
    Parsed {
        value: Some(saturate(value)),
        end,
    }
}

/// A euro sign or code stands beside the number.
fn is_euro(chars: &[char], start: usize, end: usize) -> bool {
    let before = chars[start.saturating_sub(2)..start].contains(&'€');
    let after: String = chars[end..].iter().take(4).collect();
    before || after.trim_start().starts_with('€') || after.trim_start().starts_with("eur")
}

fn drop_last(run: &mut Run) {
    let len = run.groups.pop().map_or(0, |g| g.len());
    run.separators.pop();
    run.end -= len + 1;
}

/// All inner groups have three digits, one separator repeats, a decimal may follow.
fn is_grouped(run: &Run) -> bool {
    let count = run.separators.len();
    let first = run.separators[0];
    let same = run.separators[..count - 1].iter().all(|s| *s == first);
    let inner = run.groups[1..count].iter().all(|g| g.len() == 3);
    let last_differs = run.separators[count - 1] != first;
    let last = run.groups[count].len() == 3 || last_differs;
    same && inner && last && run.groups[0].len() <= 3
}

/// The index of the group that stands behind the decimal separator.
fn decimal_at(run: &Run, convention: &Convention, euro: bool) -> Option<usize> {
    let count = run.separators.len();
    let last = *run.separators.last()?;
    if !matches!(last, '.' | ',') {
        return None;
    }
    if count > 1 {
        return (run.separators[0] != last).then_some(count);
    }
    let three = run.groups[1].len() == 3;
    let whole = &run.groups[0];
    if !three || whole == "0" || whole.len() > 3 {
        return Some(1);
    }
    // Nobody writes thousandths of a euro, nor a dot before cents of one.
    if last == '.' && euro {
        return None;
    }
    let decimal = match last {
        '.' => convention.dot_decimal && !convention.comma_decimal,
        _ => convention.comma_decimal && !convention.dot_decimal,
    };
    decimal.then_some(1)
}

/// Appends "e400" where it follows as an exponent; returns its length.
fn exponent(chars: &[char], at: usize, plain: &mut String) -> usize {
    if chars.get(at) != Some(&'e') {
        return 0;
    }
    let sign = usize::from(matches!(chars.get(at + 1), Some('+' | '-')));
    let rest = chars.get(at + 1 + sign..).unwrap_or(&[]);
    let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    let word = rest.get(digits).is_some_and(|c| c.is_alphanumeric());
    if digits == 0 || word {
        return 0;
    }
    plain.extend(&chars[at..at + 1 + sign + digits]);
    1 + sign + digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::understand::text::Text;

    fn check(message: &str, expected: f64) {
        let text = Text::new(message);
        let convention = Convention::of(&text, &[]);
        let start = text.lower.iter().position(|c| c.is_ascii_digit()).unwrap();
        let parsed = parse(&text.lower, start, &convention);
        let value = parsed.value.unwrap();
        assert!(
            (value - expected).abs() <= 1e-9 * expected.abs(),
            "{message}: {value}"
        );
    }

    #[test]
    fn numbers_are_read_by_the_convention_of_the_message() {
        for (message, expected) in [
            ("1,200", 1200.0),
            ("4.200,50", 4200.5),
            ("4,200.50", 4200.5),
            ("12,50", 12.5),
            ("1.000 and 2,5", 1000.0),
            ("1.250 s, not 1.3 s", 1.25),
            ("1.000", 1000.0),
            ("0.125", 0.125),
            ("3,125 and 0,5", 3.125),
            ("200 000", 200_000.0),
            ("7 500 000 €", 7_500_000.0),
            ("1'500", 1500.0),
            ("1.000.000", 1e6),
            ("1e3", 1000.0),
            ("1e400", 1e31),
            ("999999999999999999999999999999999", 1e31),
            ("2027 300", 2027.0),
        ] {
            check(message, expected);
        }
    }
}
