//! A logo: a PNG, or an SVG that holds shapes and nothing that acts or fetches.
//!
//! A page shows it as an image, where nothing inside runs, and it is served with a policy that
//! allows nothing. It is read strictly all the same: somebody may open its address.

use serde::{Deserialize, Serialize};

/// The largest logo, in bytes.
pub const LOGO_MAX: usize = 256 * 1024;
/// The most pixels of an edge.
const EDGE_MAX: u32 = 4096;

/// What a logo is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Media {
    /// `image/png`
    Png,
    /// `image/svg+xml`
    Svg,
}

impl Media {
    /// Reads a media type.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Png, Self::Svg]
            .into_iter()
            .find(|media| media.as_str() == text)
    }

    /// The media type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// A logo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logo {
    /// What it is.
    pub media: Media,
    /// Its file.
    pub bytes: Vec<u8>,
}

impl Logo {
    /// The rule that it breaks.
    pub fn fault(&self) -> Option<String> {
        if self.bytes.len() > LOGO_MAX {
            let size = self.bytes.len();
            return Some(format!("must have at most {LOGO_MAX} bytes; it has {size}"));
        }
        match self.media {
            Media::Png => png(&self.bytes),
            Media::Svg => svg(&self.bytes),
        }
    }
}

fn png(bytes: &[u8]) -> Option<String> {
    let number = |at: usize| {
        let four = bytes.get(at..at + 4)?;
        Some(u32::from_be_bytes(four.try_into().ok()?))
    };
    let is_png = bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.get(12..16) == Some(b"IHDR");
    match (is_png, number(16), number(20)) {
        (true, Some(width), Some(height))
            if (1..=EDGE_MAX).contains(&width) && (1..=EDGE_MAX).contains(&height) =>
        {
            None
        }
        (true, Some(_), Some(_)) => Some(format!("must have 1 to {EDGE_MAX} pixels an edge")),
        _ => Some("is not a PNG".to_owned()),
    }
}

/// Elements that draw, and those that hold them.
const ELEMENTS: [&str; 18] = [
    "svg",
    "g",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "title",
    "desc",
    "defs",
    "linearGradient",
    "radialGradient",
    "stop",
    "clipPath",
    "text",
    "tspan",
];

fn svg(bytes: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Some("must be UTF-8 text".to_owned());
    };
    let mut rest = text.trim_start_matches('\u{feff}').trim();
    if let Some(after) = rest.strip_prefix("<?xml") {
        rest = after
            .split_once("?>")
            .map_or("", |(_, rest)| rest)
            .trim_start();
    }
    if !rest.starts_with("<svg") {
        return Some("must begin with <svg".to_owned());
    }
    while let Some(open) = rest.find('<') {
        if let Some(comment) = rest[open..].strip_prefix("<!--") {
            let Some((_, after)) = comment.split_once("-->") else {
                return Some("has a comment without an end".to_owned());
            };
            rest = after;
            continue;
        }
        // A `>` in a value would end the tag early and is refused with what follows it.
        let Some((tag, after)) = rest[open + 1..].split_once('>') else {
            return Some("has a tag without an end".to_owned());
        };
        if let Some(rule) = tag_fault(tag) {
            return Some(rule);
        }
        rest = after;
    }
    None
}

fn tag_fault(tag: &str) -> Option<String> {
    let tag = tag.strip_prefix('/').unwrap_or(tag);
    let end = tag.find(|c: char| c.is_whitespace() || c == '/');
    let (name, attributes) = tag.split_at(end.unwrap_or(tag.len()));
    if !ELEMENTS.contains(&name) {
        let name: String = name.chars().take(20).collect();
        return Some(format!("may hold shapes only, not <{name}>"));
    }
    let lower = attributes.to_ascii_lowercase();
    // An entity or an escape could spell any of the words below.
    if lower.contains(['&', '\\', '<']) {
        return Some("may not hold entities or escapes in attributes".to_owned());
    }
    // Names begin after a blank or after the quote before them.
    let mut names = lower.split(|c: char| c.is_whitespace() || c == '"' || c == '\'' || c == '/');
    if names.any(|word| word.starts_with("on")) {
        return Some("may not hold event handlers".to_owned());
    }
    let banned = ["href", "style", "javascript:", "data:", "@import"];
    if let Some(word) = banned.into_iter().find(|word| lower.contains(word)) {
        return Some(format!("may not hold {word}"));
    }
    let outside = lower
        .split("url(")
        .skip(1)
        .any(|target| !target.trim_start_matches([' ', '"', '\'']).starts_with('#'));
    outside.then(|| "may name nothing outside of itself by url()".to_owned())
}
