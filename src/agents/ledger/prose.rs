//! Sentences with numbers: composed from a template and values, never typed by hand.

use super::super::answer::NumberRef;
use super::{Value, show};

/// A text with the provenance of its numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prose {
    /// The text.
    pub text: String,
    /// Its numbers, in the order in which they stand there.
    pub refs: Vec<NumberRef>,
}

impl Prose {
    /// Adds another sentence.
    pub fn and(mut self, next: Self) -> Self {
        if !self.text.is_empty() && !next.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(&next.text);
        self.refs.extend(next.refs);
        self
    }
}

/// What fills a gap of a template: a number as people read it, or a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    text: String,
    id: Option<String>,
}

impl Shown {
    /// The text alone.
    pub fn into_text(self) -> String {
        self.text
    }

    /// The same with words behind the number, for example ` a month`.
    pub fn then(mut self, words: &str) -> Self {
        self.text.push_str(words);
        self
    }
}

impl From<&str> for Shown {
    /// A name or words, which carry no number of their own.
    fn from(text: &str) -> Self {
        Self {
            text: text.into(),
            id: None,
        }
    }
}

impl From<&String> for Shown {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for Shown {
    fn from(text: String) -> Self {
        Self { text, id: None }
    }
}

impl Value {
    fn shown(&self, text: String) -> Shown {
        Shown {
            text,
            id: Some(self.id.clone()),
        }
    }

    /// As money in the currency of its unit.
    pub fn money(&self) -> Shown {
        self.shown(show::money(self.value, &self.unit))
    }

    /// The amount without its sign, for sentences whose words tell it: "costs $5 more".
    pub fn amount(&self) -> Shown {
        self.shown(show::money(self.value.abs(), &self.unit))
    }

    /// As a count.
    pub fn count(&self) -> Shown {
        self.shown(show::count(self.value))
    }

    /// A fraction as a percentage.
    pub fn percent(&self) -> Shown {
        self.shown(show::percent(self.value))
    }

    /// Seconds.
    pub fn seconds(&self) -> Shown {
        self.shown(show::seconds(self.value))
    }

    /// With so many significant digits.
    pub fn digits(&self, digits: i32) -> Shown {
        self.shown(show::significant(self.value, digits))
    }

    /// With exactly so many decimals.
    pub fn decimals(&self, decimals: usize) -> Shown {
        self.shown(show::decimal(self.value, decimals))
    }
}

/// Fills the gaps `{}` of a template in order.
///
/// # Panics
/// In debug builds, where gaps and values do not match or the template itself holds a
/// number: digits may stand only in names such as `p95` or `H100`.
pub fn compose(template: &str, values: &[Shown]) -> Prose {
    debug_assert!(!has_number(template), "a number typed by hand: {template}");
    debug_assert_eq!(template.matches("{}").count(), values.len(), "{template}");
    let mut prose = Prose::default();
    let mut values = values.iter();
    let mut parts = template.split("{}");
    prose.text.push_str(parts.next().unwrap_or(""));
    for part in parts {
        if let Some(value) = values.next() {
            prose.text.push_str(&value.text);
            if let Some(id) = &value.id {
                let (text, id) = (value.text.clone(), id.clone());
                prose.refs.push(NumberRef { text, id });
            }
        }
        prose.text.push_str(part);
    }
    prose
}

/// True where a digit starts a number of its own, rather than standing in a name.
pub(crate) fn has_number(text: &str) -> bool {
    let mut in_name = false;
    for c in text.chars() {
        match c {
            '0'..='9' if !in_name => return true,
            c if c.is_alphanumeric() || matches!(c, '-' | '.' | '_') => {
                in_name = in_name || c.is_alphabetic();
            }
            _ => in_name = false,
        }
    }
    false
}

/// `say!("Costs {} a month.", value.money())`.
macro_rules! say {
    ($template:expr $(, $value:expr)* $(,)?) => {
        $crate::agents::ledger::compose($template, &[$($crate::agents::ledger::Shown::from($value)),*])
    };
}
pub(crate) use say;
