//! How the demo page looks: title, logo, colours, call to action. As it comes, or as the
//! administrator has changed it.

mod colour;
mod picture;
mod sheet;

use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::clock::Wall;
pub use colour::{Colour, LEAST_CONTRAST};
pub use picture::{LOGO_MAX, Logo, Media};

/// The setting of the store that holds what the administrator has changed.
pub const STORED: &str = "appearance";
/// The longest title, in characters.
pub const TITLE_MAX: usize = 80;
/// The longest call to action, in characters.
pub const ACTION_MAX: usize = 60;
/// The longest address, in bytes.
pub const URL_MAX: usize = 500;

/// What text stands on, light and dark: surface, paper and sunken of `static/css/base.css`.
const GROUNDS: [[Colour; 3]; 2] = [
    [Colour(0xff_ffff), Colour(0xf7_f6f2), Colour(0xef_ede6)],
    [Colour(0x1c_2024), Colour(0x14_171a), Colour(0x23_282d)],
];
/// Where a colour goes that is to be read better: darker on light, lighter on dark.
const TOWARDS: [Colour; 2] = [Colour(0), Colour(0xff_ffff)];
/// Its accents.
const ACCENTS: Colours = Colours {
    accent: Colour(0x0b_5d53),
    accent_dark: Colour(0x63_c7b2),
};

/// The two accents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colours {
    /// On light.
    pub accent: Colour,
    /// On dark.
    pub accent_dark: Colour,
}

impl Colours {
    /// How well each can be read on the worst of its grounds: light, dark; from 1 to 21 (WCAG 2.2, 1.4.3).
    pub fn contrast(&self) -> [f64; 2] {
        let [light, dark] = &GROUNDS;
        [
            self.accent.least_contrast(light),
            self.accent_dark.least_contrast(dark),
        ]
    }

    /// Every rule that does not hold, with the nearest colour for which it does.
    fn faults(&self) -> Vec<(&'static str, String)> {
        let fields = ["colours.accent", "colours.accent_dark"];
        let both = [(self.accent, "light"), (self.accent_dark, "dark")];
        let mut faults = Vec::new();
        for (place, (field, contrast)) in fields.into_iter().zip(self.contrast()).enumerate() {
            if contrast < LEAST_CONTRAST {
                let (colour, on) = both[place];
                let better = colour.readable_on(&GROUNDS[place], TOWARDS[place]);
                faults.push((
                    field,
                    format!(
                        "must have a contrast of {LEAST_CONTRAST} or more on each {on} ground of \
                         the page, or text in it cannot be read; {colour} has {contrast:.2}, \
                         {better} would do"
                    ),
                ));
            }
        }
        faults
    }
}

/// Where a visitor goes who wants more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// 1 to [`ACTION_MAX`] characters.
    pub text: String,
    /// Begins with `https://`.
    pub url: String,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appearance {
    /// 1 to [`TITLE_MAX`] characters.
    pub title: String,
    /// None: the one that comes with the page.
    pub logo: Option<Logo>,
    /// The accents.
    pub colours: Colours,
    /// None: none is shown.
    pub action: Option<Action>,
}

impl Default for Appearance {
    fn default() -> Self {
        Self {
            title: "Example Message Flow".to_owned(),
            logo: None,
            colours: ACCENTS,
            action: None,
        }
    }
}

impl Appearance {
    /// Every rule that does not hold: field and rule.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let mut text = |field, text: &str, most: usize| {
            let count = text.trim().chars().count();
            if !(1..=most).contains(&count) || text.chars().any(char::is_control) {
                let rule = format!("must have 1 to {most} characters on one line; it has {count}");
                faults.push((field, rule));
            }
        };
        text("title", &self.title, TITLE_MAX);
        if let Some(action) = &self.action {
            text("call_to_action.text", &action.text, ACTION_MAX);
            if let Err(rule) = address(&action.url) {
                faults.push(("call_to_action.url", rule));
            }
        }
        faults.extend(self.colours.faults());
        if let Some(rule) = self.logo.as_ref().and_then(|logo| logo.fault()) {
            faults.push(("logo", rule));
        }
        faults
    }
}

fn address(url: &str) -> Result<(), String> {
    let host = url.strip_prefix("https://").unwrap_or("");
    // What ends an address in HTML or Markdown is written as %XX in one.
    let ends = |c: char| c.is_control() || c.is_whitespace() || "<>\"'`\\".contains(c);
    let plain = url.len() <= URL_MAX && !url.chars().any(ends);
    if plain && host.starts_with(|c: char| c.is_alphanumeric() || c == '[') {
        return Ok(());
    }
    Err(format!(
        "must begin with https://, have at most {URL_MAX} bytes and neither spaces nor quotes"
    ))
}

/// What is shown at the moment; replaced whole.
pub struct Look {
    configured: RwLock<Appearance>,
    edited: RwLock<Option<Arc<Edited>>>,
}

/// As it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edited {
    /// All of it.
    pub appearance: Appearance,
    /// When it was changed.
    pub changed: Wall,
}

impl Look {
    /// The configured one, and the administrator's where there is one that fits the rules.
    pub fn new(configured: Appearance, edited: Option<Edited>) -> Self {
        let fits = |edited: &Edited| {
            let faults = edited.appearance.faults();
            if !faults.is_empty() {
                tracing::error!(
                    ?faults,
                    "the changed appearance breaks a rule and is not shown"
                );
            }
            faults.is_empty()
        };
        Self {
            configured: RwLock::new(configured),
            edited: RwLock::new(edited.filter(fits).map(Arc::new)),
        }
    }

    /// What is shown, and when the administrator changed it; none where it is as configured.
    pub fn now(&self) -> (Appearance, Option<Wall>) {
        let edited = self.edited.read().unwrap_or_else(PoisonError::into_inner);
        match &*edited {
            Some(edited) => (edited.appearance.clone(), Some(edited.changed)),
            None => (self.configured(), None),
        }
    }

    /// Whether the configured one differs from what comes with the page.
    pub fn is_configured(&self) -> bool {
        self.configured() != Appearance::default()
    }

    /// What is shown where the administrator has changed nothing.
    pub fn configured(&self) -> Appearance {
        let configured = self.configured.read();
        configured.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on the configuration says this.
    pub fn configure(&self, configured: Appearance) {
        let mut now = self
            .configured
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *now = configured;
    }

    /// Shows another; none: the configured one.
    pub fn show(&self, edited: Option<Edited>) {
        let mut now = self.edited.write().unwrap_or_else(PoisonError::into_inner);
        *now = edited.map(Arc::new);
    }
}

#[cfg(test)]
mod tests;
