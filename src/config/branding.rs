//! The look that the configuration asks for.

use super::value::{Raw, Value, quoted};
use super::{Branding, ConfigError, Loaded};
use crate::appearance::{Action, Appearance, Colour, Colours};

impl Value for Colour {
    const FORM: &'static str = "# and six hexadecimal digits";
    fn read(raw: &Raw) -> Option<Self> {
        Self::parse(&String::read(raw)?)
    }
    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Branding {
    /// All of it but the logo, which is a file.
    pub fn appearance(&self) -> Appearance {
        let (text, url) = (self.action_text.trim(), self.action_url.trim());
        let action = Action {
            text: text.to_owned(),
            url: url.to_owned(),
        };
        Appearance {
            title: self.title.trim().to_owned(),
            logo: None,
            colours: Colours {
                accent: self.accent,
                accent_dark: self.accent_dark,
            },
            action: (!text.is_empty() || !url.is_empty()).then_some(action),
        }
    }
}

/// A field of the look: the key that holds it, and how a rule that it breaks is met.
const FIELDS: [(&str, &str, &str); 5] = [
    ("title", "branding.title", "give it another title"),
    (
        "call_to_action.text",
        "branding.action_text",
        "set it, or leave out branding.action_url too",
    ),
    (
        "call_to_action.url",
        "branding.action_url",
        "set it, or leave out branding.action_text too",
    ),
    ("colours.accent", "branding.accent", "take a darker one"),
    (
        "colours.accent_dark",
        "branding.accent_dark",
        "take a lighter one",
    ),
];

/// Every rule of the look that does not hold.
pub(super) fn broken(loaded: &Loaded) -> Vec<ConfigError> {
    let faults = loaded.config.branding.appearance().faults();
    let named = faults.into_iter().filter_map(|(field, rule)| {
        let (_, key, fix) = FIELDS.iter().find(|(name, ..)| *name == field)?;
        Some(ConfigError {
            place: loaded.source(key),
            key: (*key).to_owned(),
            rule,
            fix: (*fix).to_owned(),
        })
    });
    named.collect()
}
