//! One description of every key, from which everything else follows: the typed
//! structs, their defaults, reading, ranges, masking, the reference and the
//! commented file. The alternative, serde attributes beside a hand-kept
//! reference, lets the two drift apart and reports one error at a time.

use toml::de::DeValue;

use super::Config;
use super::value::{Raw, Value};

/// A section of the file: the settings of one room.
#[derive(Debug)]
pub struct Section {
    /// The name in brackets.
    pub name: &'static str,
    /// What it is about.
    pub doc: &'static str,
    /// Its keys, in the order of the reference.
    pub keys: &'static [Key],
}

/// One setting.
#[derive(Debug)]
pub struct Key {
    /// The section it stands in.
    pub section: &'static str,
    /// Its name within the section.
    pub name: &'static str,
    /// `section.name`.
    pub path: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// What a legal value is, to complete "must be …".
    pub form: &'static str,
    /// Whether it is a list, each entry of that form.
    pub list: bool,
    /// The default, as TOML.
    pub default: &'static str,
    /// The least and the greatest legal value, as TOML.
    pub range: Option<(&'static str, &'static str)>,
    /// Whether a reload (SIGHUP) applies a change; otherwise a restart does.
    pub live: bool,
    /// Whether its value is masked, and may be given as the path of a file (`<name>_file`).
    pub secret: bool,
    pub(super) set: fn(&mut Config, &Raw) -> Result<(), String>,
    pub(super) show: fn(&Config) -> String,
    /// The value itself, of a secret only.
    pub(super) exposed: fn(&Config) -> Option<String>,
    pub(super) same: fn(&Config, &Config) -> bool,
    pub(super) copy: fn(&mut Config, &Config),
}

impl Key {
    /// The value in `config` as TOML, masked where it is secret; a default as the reference
    /// writes it ("60s", not "1m").
    pub fn shown(&self, config: &Config) -> String {
        if (self.same)(config, &Config::default()) {
            self.default.to_owned()
        } else {
            (self.show)(config)
        }
    }
}

/// The default of a key, through the same reading as everything else.
pub(super) fn default_value<T: Value>(literal: &str) -> T {
    let parsed = DeValue::parse(literal).ok();
    parsed
        .and_then(|value| T::read(&Raw::of(value.get_ref())))
        .expect("every default of the table is of its key's form: a test builds them all")
}

/// A value of the form; otherwise the rule that it breaks.
pub(super) fn read<T: Value>(raw: &Raw) -> Result<T, String> {
    T::read(raw).ok_or_else(|| {
        let list = if T::LIST { "a list, each entry " } else { "" };
        broken(&format!("{list}{}", T::FORM), T::SECRET, raw)
    })
}

/// The same, from `min` to `max`.
pub(super) fn read_within<T: Value + PartialOrd>(
    raw: &Raw,
    min: &str,
    max: &str,
) -> Result<T, String> {
    let (least, greatest) = (default_value::<T>(min), default_value::<T>(max));
    match T::read(raw) {
        Some(value) if value >= least && value <= greatest => Ok(value),
        Some(_) => Err(broken(&format!("from {min} to {max}"), T::SECRET, raw)),
        None => {
            let form = format!("{}, from {min} to {max}", T::FORM);
            Err(broken(&form, T::SECRET, raw))
        }
    }
}

fn broken(form: &str, secret: bool, raw: &Raw) -> String {
    if secret {
        format!("must be {form}")
    } else {
        format!("must be {form}, not {}", raw.shown())
    }
}

/// `/// doc` lines, then `key: Type = default`, then `in min..=max` where there is an order, then
/// `[live]` where a reload applies it.
macro_rules! settings {
    (@read $type:ty, $raw:ident) => { read::<$type>($raw) };
    (@read $type:ty, $raw:ident, $min:literal, $max:literal) => {
        read_within::<$type>($raw, stringify!($min), stringify!($max))
    };
    (@range) => { None };
    (@range $min:literal, $max:literal) => { Some((stringify!($min), stringify!($max))) };
    (@live) => { false };
    (@live live) => { true };
    ($(
        $(#[doc = $about:literal])+
        $section:ident: $Room:ident {$(
            $(#[doc = $doc:literal])+
            $key:ident: $type:ty = $default:tt $(in $min:literal ..= $max:literal)? $([$live:ident])?;
        )+}
    )+) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, PartialEq)]
            pub struct $Room {$(
                $(#[doc = $doc])+
                pub $key: $type,
            )+}

            impl Default for $Room {
                fn default() -> Self {
                    Self { $($key: default_value(stringify!($default)),)+ }
                }
            }
        )+

        /// Every setting, resolved and checked: one small struct a room.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct Config {$(
            $(#[doc = $about])+
            pub $section: $Room,
        )+}

        /// The table: every section with every key, in the order of the reference.
        pub static SECTIONS: &[Section] = &[$(
            Section {
                name: stringify!($section),
                doc: concat!($($about),+),
                keys: &[$(Key {
                    section: stringify!($section),
                    name: stringify!($key),
                    path: concat!(stringify!($section), ".", stringify!($key)),
                    doc: concat!($($doc),+),
                    form: <$type as Value>::FORM,
                    list: <$type as Value>::LIST,
                    default: stringify!($default),
                    range: settings!(@range $($min, $max)?),
                    live: settings!(@live $($live)?),
                    secret: <$type as Value>::SECRET,
                    set: |config, raw| {
                        config.$section.$key = settings!(@read $type, raw $(, $min, $max)?)?;
                        Ok(())
                    },
                    show: |config| config.$section.$key.show(),
                    exposed: |config| config.$section.$key.exposed(),
                    same: |a, b| a.$section.$key == b.$section.$key,
                    copy: |to, from| to.$section.$key = from.$section.$key.clone(),
                },)+],
            },
        )+];
    };
}
pub(super) use settings;
