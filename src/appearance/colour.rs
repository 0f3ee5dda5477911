//! Colours, and how well one can be read on another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The least contrast of text (WCAG 2.2, 1.4.3).
pub const LEAST_CONTRAST: f64 = 4.5;

/// Red, green, blue: `0xRRGGBB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colour(pub u32);

impl Colour {
    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let hex = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let value = u32::from_str_radix(digits, 16).ok();
        value.filter(|_| hex).map(Self)
    }

    /// From 1 to 21: the formula of WCAG 2.2.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// On the worst of several.
    pub fn least_contrast(self, grounds: &[Self]) -> f64 {
        let each = grounds.iter().map(|ground| self.contrast(*ground));
        each.fold(f64::INFINITY, f64::min)
    }

    /// So many percent of `other` in it.
    pub fn mixed(self, other: Self, percent: u32) -> Self {
        let (ours, theirs) = (self.0.to_be_bytes(), other.0.to_be_bytes());
        let both = ours.into_iter().zip(theirs);
        Self(both.fold(0, |made, (our, their)| {
            let sum =
                u32::from(our) * (100 - percent.min(100)) + u32::from(their) * percent.min(100);
            (made << 8) | ((sum + 50) / 100)
        }))
    }

    /// The nearest on the way `towards` black or white that can be read on each of `grounds`.
    pub fn readable_on(self, grounds: &[Self], towards: Self) -> Self {
        let steps = (0..=100).map(|percent| self.mixed(towards, percent));
        let mut fitting = steps.filter(|c| c.least_contrast(grounds) >= LEAST_CONTRAST);
        fitting.next().unwrap_or(towards)
    }

    fn luminance(self) -> f64 {
        let [_, red, green, blue] = self.0.to_be_bytes();
        let linear = |byte: u8| {
            let share = f64::from(byte) / 255.0;
            if share <= 0.04045 {
                share / 12.92
            } else {
                ((share + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:06x}", self.0)
    }
}
