//! The accents as a stylesheet of custom properties, with what follows from them: the soft ground
//! of what is chosen, and the text on a filled button. A policy that allows no inline style allows
//! a stylesheet of our own.

use super::{Appearance, Colour, Colours, GROUNDS, LEAST_CONTRAST};

/// Percent of the accent in its soft ground; less where the accent could not be read on it.
const SOFT: u32 = 14;
/// Text on an accent: the one of the two that reads better has a contrast of 4.6 on any colour.
const ON_ACCENT: [Colour; 2] = [Colour(0xff_ffff), Colour(0)];

/// What is made of one accent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tones {
    pub(super) accent: Colour,
    pub(super) soft: Colour,
    pub(super) on_accent: Colour,
}

impl Tones {
    pub(super) fn of(accent: Colour, surface: Colour) -> Self {
        let softer = (0..=SOFT).rev().map(|part| surface.mixed(accent, part));
        let mut read = softer.filter(|soft| accent.contrast(*soft) >= LEAST_CONTRAST);
        let [light, dark] = ON_ACCENT;
        let on_light = accent.contrast(light) >= accent.contrast(dark);
        Self {
            accent,
            soft: read.next().unwrap_or(surface),
            on_accent: if on_light { light } else { dark },
        }
    }

    fn properties(&self) -> String {
        let Self {
            accent,
            soft,
            on_accent,
        } = self;
        format!("--accent:{accent};--accent-soft:{soft};--on-accent:{on_accent}")
    }
}

impl Colours {
    /// Light, dark.
    pub(super) fn tones(&self) -> [Tones; 2] {
        let [light, dark] = &GROUNDS;
        [
            Tones::of(self.accent, light[0]),
            Tones::of(self.accent_dark, dark[0]),
        ]
    }
}

impl Appearance {
    /// The same for a report, which prints on white. Empty likewise.
    pub fn report_colours(&self) -> String {
        let Colours {
            accent,
            accent_dark,
        } = self.colours;
        if self.colours == Self::default().colours {
            return String::new();
        }
        format!(
            ":root{{--accent:{accent}}}\n\
             @media(prefers-color-scheme:dark){{:root{{--accent:{accent_dark}}}}}\n\
             @media print{{:root{{--accent:{accent}}}}}\n"
        )
    }

    /// The stylesheet of the pages. Empty where the accents are those of `static/css/base.css`.
    pub fn sheet(&self) -> String {
        if self.colours == Self::default().colours {
            return String::new();
        }
        let [light, dark] = self.colours.tones().map(|tones| tones.properties());
        format!(
            ":root{{{light}}}\n\
             @media (prefers-color-scheme:dark){{:root:not([data-theme=\"light\"]){{{dark}}}}}\n\
             :root[data-theme=\"dark\"]{{{dark}}}\n"
        )
    }
}
