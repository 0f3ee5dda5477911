//! What a value may look like: one [`Value`] a type, from the text of a file,
//! a variable or a flag to the typed field, and back to TOML.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use time::Date;
use time::macros::format_description;
use toml::de::DeValue;

/// The longest text, in bytes; a longer one is a mistake, not a setting.
pub const TEXT_MAX: usize = 4096;
/// The longest list, in entries.
pub const LIST_MAX: usize = 64;

/// A value as it was written, before its key says what it must be.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    /// A TOML string.
    Text(String),
    /// A TOML integer.
    Integer(i64),
    /// A TOML boolean.
    Boolean(bool),
    /// A TOML array.
    List(Vec<Raw>),
    /// From a variable or a flag, where everything is text; a list is separated by commas.
    Loose(String),
    /// A float, a date or a table: no key takes one.
    Other(&'static str),
}

impl Raw {
    /// What TOML parsed, without its spans.
    pub(super) fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Boolean(flag) => Self::Boolean(*flag),
            DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix())
                .map_or(Self::Other("an integer beyond 64 bits"), Self::Integer),
            DeValue::Array(list) => {
                Self::List(list.iter().map(|v| Self::of(v.get_ref())).collect())
            }
            DeValue::Float(_) => Self::Other("a float"),
            DeValue::Datetime(_) => Self::Other("a bare date"),
            DeValue::Table(_) => Self::Other("a table"),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Loose(text) if text.len() <= TEXT_MAX => Some(text),
            _ => None,
        }
    }

    /// The value in an error message: short, on one line.
    pub(super) fn shown(&self) -> String {
        let text = match self {
            Self::Text(text) | Self::Loose(text) => quoted(text),
            Self::Integer(n) => n.to_string(),
            Self::Boolean(flag) => flag.to_string(),
            Self::List(list) => {
                let parts: Vec<String> = list.iter().take(LIST_MAX).map(Self::shown).collect();
                format!("[{}]", parts.join(", "))
            }
            Self::Other(what) => (*what).to_owned(),
        };
        match text.char_indices().nth(60) {
            Some((cut, _)) => format!("{}…", &text[..cut]),
            None => text,
        }
    }
}

/// A type that a key may have.
pub trait Value: Sized + Clone + PartialEq {
    /// What a legal value is, to complete "must be …".
    const FORM: &'static str;
    /// Whether the value is masked wherever it is shown.
    const SECRET: bool = false;
    /// Whether it is a list, each entry of the form.
    const LIST: bool = false;
    /// The value, or nothing where `raw` is not of the form.
    fn read(raw: &Raw) -> Option<Self>;
    /// The value as TOML; a secret masks itself.
    fn show(&self) -> String;
    /// The value itself where it is a secret, so that it can be taken out of a text.
    fn exposed(&self) -> Option<String> {
        None
    }
}

/// A TOML basic string, always on one line: what a file or a variable holds must not forge lines
/// of a report.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl Value for bool {
    const FORM: &'static str = "true or false";
    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Boolean(flag) => Some(*flag),
            Raw::Loose(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Value for $type {
            const FORM: &'static str = "a whole number";
            fn read(raw: &Raw) -> Option<Self> {
                match raw {
                    Raw::Integer(n) => Self::try_from(*n).ok(),
                    Raw::Loose(text) => text.trim().parse().ok(),
                    _ => None,
                }
            }
            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
integers!(u32 usize);

impl Value for String {
    const FORM: &'static str = "a text on one line";
    fn read(raw: &Raw) -> Option<Self> {
        let text = raw.text()?;
        (!text.chars().any(char::is_control)).then(|| text.to_owned())
    }
    fn show(&self) -> String {
        quoted(self)
    }
}

impl Value for PathBuf {
    const FORM: &'static str = "a path";
    fn read(raw: &Raw) -> Option<Self> {
        let text = raw.text()?;
        (!text.is_empty() && !text.contains('\0')).then(|| text.into())
    }
    fn show(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

impl Value for SocketAddr {
    const FORM: &'static str = "an address and port such as \"127.0.0.1:8443\" or \"[::]:8443\"";
    fn read(raw: &Raw) -> Option<Self> {
        raw.text()?.parse().ok()
    }
    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for Date {
    const FORM: &'static str = "a date such as \"2026-08-20\"";
    fn read(raw: &Raw) -> Option<Self> {
        let form = format_description!("[year]-[month]-[day]");
        Date::parse(raw.text()?, &form).ok()
    }
    fn show(&self) -> String {
        // Display of a date is ISO 8601 for the years 0 to 9999.
        quoted(&self.to_string())
    }
}

/// Where a setting may be left out: an empty text is nothing.
impl<T: Value> Value for Option<T> {
    const FORM: &'static str = T::FORM;
    const SECRET: bool = T::SECRET;
    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Text(text) | Raw::Loose(text) if text.is_empty() => Some(None),
            _ => T::read(raw).map(Some),
        }
    }
    fn show(&self) -> String {
        self.as_ref().map_or_else(|| quoted(""), Value::show)
    }
}

impl<T: Value> Value for Vec<T> {
    const FORM: &'static str = T::FORM;
    const LIST: bool = true;
    fn read(raw: &Raw) -> Option<Self> {
        let entries: Vec<Raw> = match raw {
            Raw::List(list) => list.clone(),
            Raw::Loose(text) => {
                let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
                parts.map(|p| Raw::Loose(p.to_owned())).collect()
            }
            _ => return None,
        };
        if entries.len() > LIST_MAX {
            return None;
        }
        entries.iter().map(T::read).collect()
    }
    fn show(&self) -> String {
        let parts: Vec<String> = self.iter().map(Value::show).collect();
        format!("[{}]", parts.join(", "))
    }
}

/// Units of time, largest first, in milliseconds.
const SPANS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

impl Value for Duration {
    const FORM: &'static str = "a duration such as \"400ms\", \"30s\", \"5m\", \"1h\" or \"30d\"";
    fn read(raw: &Raw) -> Option<Self> {
        measured(raw.text()?, &SPANS).map(Self::from_millis)
    }
    fn show(&self) -> String {
        shown(self.as_millis() as u64, &SPANS, "s")
    }
}

/// Units of size, largest first, in bytes.
const SIZES: [(&str, u64); 5] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub usize);

impl Value for ByteSize {
    const FORM: &'static str = "a size such as \"64KiB\", \"16MiB\" or \"1GiB\"";
    fn read(raw: &Raw) -> Option<Self> {
        let bytes = measured(raw.text()?, &SIZES)?;
        usize::try_from(bytes).ok().map(Self)
    }
    fn show(&self) -> String {
        shown(self.0 as u64, &SIZES, "B")
    }
}

/// `"<whole number><unit>"` in the smallest unit; a number without a unit is refused, as nobody
/// can tell seconds from milliseconds.
fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let unit = text[digits..].trim_start();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    text[..digits].parse::<u64>().ok()?.checked_mul(*factor)
}

/// In the largest unit that divides it; zero in `zero_unit`.
fn shown(amount: u64, units: &[(&str, u64)], zero_unit: &str) -> String {
    let fits = |(_, factor): &&(&str, u64)| amount > 0 && amount.is_multiple_of(*factor);
    match units.iter().find(fits) {
        Some((unit, factor)) => quoted(&format!("{}{unit}", amount / factor)),
        None => quoted(&format!("0{zero_unit}")),
    }
}
