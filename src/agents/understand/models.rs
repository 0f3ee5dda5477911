//! Names of models in a text: longest first, whole words, separators equal.

use std::collections::HashMap;
use std::ops::Range;

use super::text::Text;

/// Names that lead in a catalog of models; a version after one of them that
/// the catalog does not hold is an unknown model, not a number.
const FAMILIES: &[&str] = &[
    "gpt",
    "claude",
    "gemini",
    "llama",
    "mistral",
    "mixtral",
    "qwen",
    "deepseek",
    "grok",
    "phi",
    "gemma",
    "nova",
    "kimi",
    "glm",
    "minimax",
    "command",
    "titan",
    "jamba",
    "sonnet",
    "haiku",
    "opus",
    "ernie",
    "yi",
    "falcon",
    "olmo",
    "granite",
    "nemotron",
    "ministral",
    "magistral",
    "codestral",
    "devstral",
    "palm",
];

/// Words that continue the name of a model.
const TIERS: &[&str] = &[
    "mini", "nano", "micro", "lite", "flash", "pro", "ultra", "turbo", "premier", "sonnet",
    "haiku", "opus", "scout", "maverick", "omni", "sol", "terra", "luna", "fable",
];

/// Words that do so only after a hyphen; after a space they are everyday words.
const HYPHENED_TIERS: &[&str] = &[
    "max", "large", "medium", "small", "preview", "instruct", "plus", "thinking", "chat",
];

/// No name of a catalog has more parts than this.
const PARTS_MAX: usize = 8;

/// The names by which a catalog's models are called.
#[derive(Debug, Clone, Default)]
pub struct ModelNames {
    /// Parts of a name, joined by a space, to the id and whether a family word stood for it.
    names: HashMap<String, (String, bool)>,
    families: Vec<String>,
}

/// A piece of a name: a run of letters or a run of digits; where it stands.
struct Part {
    text: String,
    range: Range<usize>,
    /// Nothing but a separator (or nothing) stands between it and its predecessor.
    joined: bool,
    /// It touches its predecessor.
    glued: bool,
    /// One space stands between it and its predecessor.
    space: bool,
}

/// A name found in the text.
pub(super) struct Found {
    /// The catalog's id; none for a name that no catalog holds.
    pub(super) id: Option<String>,
    /// A family word stood for its current default.
    pub(super) assumed: bool,
    /// In normalised characters.
    pub(super) range: Range<usize>,
}

impl ModelNames {
    /// From ids and their aliases. The id itself is a name; so is what stands
    /// before its `@` (a host), unless another id claims it first.
    pub fn new(entries: impl IntoIterator<Item = (String, Vec<String>)>) -> Self {
        let mut names = Self {
            families: FAMILIES.iter().map(|f| (*f).to_owned()).collect(),
            ..Self::default()
        };
        for (id, aliases) in entries {
            let bare = id.split('@').next().unwrap_or(&id).to_owned();
            let versioned = id.chars().any(|c| c.is_ascii_digit());
            for alias in [id.clone(), bare].iter().chain(&aliases) {
                let key = key_of(alias);
                let family_word = versioned && !alias.chars().any(|c| c.is_ascii_digit());
                // Longer than any text will be searched for: of no use.
                if !key.is_empty() && key.split(' ').count() <= PARTS_MAX {
                    let entry = (id.clone(), family_word);
                    names.names.entry(key).or_insert(entry);
                }
            }
        }
        names
    }

    /// How many names are known.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True where no name is known.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// All names in the text, in its order, without overlaps.
    pub(super) fn find(&self, text: &Text) -> Vec<Found> {
        let parts = parts_of(&text.lower);
        let mut found: Vec<Found> = Vec::new();
        let mut at = 0;
        while at < parts.len() {
            match self
                .longest(&parts, at, text, found.last())
                .or_else(|| self.unknown(&parts, at, text))
            {
                Some((count, hit)) => {
                    found.push(hit);
                    at += count;
                }
                None => at += 1,
            }
        }
        found
    }

    fn longest(
        &self,
        parts: &[Part],
        at: usize,
        text: &Text,
        before: Option<&Found>,
    ) -> Option<(usize, Found)> {
        if parts[at].glued {
            return None;
        }
        let mut key = String::new();
        let mut best = None;
        for count in 1..=PARTS_MAX.min(parts.len() - at) {
            let part = &parts[at + count - 1];
            if count > 1 {
                // The Spanish "2 o 3" is no model: the letter of "4o" and "o3" touches its digit.
                let digits = part.text.starts_with(|c: char| c.is_ascii_digit());
                let letter_o = part.text == "o" || parts[at + count - 2].text == "o" && digits;
                if !part.joined || (letter_o && part.space) {
                    break;
                }
                key.push(' ');
            }
            key.push_str(&part.text);
            let range = parts[at].range.start..part.range.end;
            if let Some((id, assumed)) = self.names.get(&key)
                && ends_here(parts, at + count, text)
                && (key.contains(char::is_alphabetic) || is_listed(&range, before, text))
            {
                let hit = Found {
                    id: Some(id.clone()),
                    assumed: *assumed,
                    range,
                };
                best = Some((count, hit));
            }
        }
        // "gpt-5 turbo" is not GPT-5, and "claude opus 9" is not the default Opus.
        let (count, hit) = best?;
        let next = parts.get(at + count);
        let longer = next.is_some_and(|p| {
            is_tier(p) || (hit.assumed && p.joined && is_version(parts, at + count, text))
        });
        (!longer).then_some((count, hit))
    }

    /// A family with a version or tier that the catalog does not hold.
    fn unknown(&self, parts: &[Part], at: usize, text: &Text) -> Option<(usize, Found)> {
        let family = &parts[at];
        if family.glued || !self.families.contains(&family.text) {
            return None;
        }
        let mut count = 1;
        let mut versions = 0;
        while let Some(part) = parts.get(at + count) {
            if !part.joined {
                break;
            }
            if part.text.starts_with(|c: char| c.is_ascii_digit()) {
                if !is_version(parts, at + count, text) {
                    break;
                }
                versions += 1;
            } else if !(is_tier(part)
                || part.glued
                || versions > 0 && part.joined && is_hyphened(parts, at + count, text))
            {
                break;
            }
            count += 1;
        }
        let range = family.range.start..parts[at + count - 1].range.end;
        (versions > 0).then_some((
            count,
            Found {
                id: None,
                assumed: false,
                range,
            },
        ))
    }
}

/// "GPT-7-ultra-mega": what hangs on a name by hyphens is part of it.
fn is_hyphened(parts: &[Part], at: usize, text: &Text) -> bool {
    text.lower.get(parts[at - 1].range.end) == Some(&'-')
}

fn is_tier(part: &Part) -> bool {
    let word = part.text.as_str();
    let hyphened = !part.space && HYPHENED_TIERS.contains(&word);
    part.joined && !part.glued && (TIERS.contains(&word) || hyphened)
}

/// A version is short and no quantity: "claude 4", not "claude 300 tokens" or "mistral 2s".
fn is_version(parts: &[Part], at: usize, text: &Text) -> bool {
    let part = &parts[at];
    if part.text.len() > 2 || !part.text.chars().all(|c| c.is_ascii_digit()) {
        return false;
    }
    let after = |i: usize| text.lower.get(part.range.end + i).copied().unwrap_or(' ');
    let digits_follow = after(1).is_ascii_digit();
    if after(0) == '%' || (digits_follow && after(0) == ',') {
        return false;
    }
    let Some(next) = parts.get(at + 1).filter(|n| n.joined) else {
        return part.glued || !part.space || part.text.len() == 1;
    };
    if digits_follow && after(0) == '.' {
        return is_version(parts, at + 1, text);
    }
    if next.glued {
        return matches!(next.text.as_str(), "b" | "o" | "v");
    }
    let grouped = next.space && next.text.starts_with(|c: char| c.is_ascii_digit());
    !grouped && !(part.space && (part.text.len() > 1 || is_unit(&next.text)))
}

fn is_unit(word: &str) -> bool {
    matches!(
        word,
        "s" | "ms"
            | "sec"
            | "seconds"
            | "second"
            | "tokens"
            | "token"
            | "requests"
            | "calls"
            | "users"
            | "million"
            | "thousand"
            | "m"
            | "k"
            | "times"
            | "x"
            | "gpus"
            | "steps"
            | "percent"
            | "days"
            | "weeks"
            | "months"
            | "years"
            | "hours"
            | "minutes"
            | "dollars"
    )
}

/// A bare number ("4.1") names a model only right after another one: "GPT-4o or 4.1".
fn is_listed(range: &Range<usize>, before: Option<&Found>, text: &Text) -> bool {
    let Some(found) = before else { return false };
    let between = text.lower.get(found.range.end..range.start).unwrap_or(&[]);
    if between.is_empty() || between.len() > 6 {
        return false;
    }
    let between: String = between.iter().collect();
    let listed = matches!(
        between.trim(),
        "or" | "and" | "," | "/" | "vs" | "vs." | "&"
    );
    let rest: String = text.lower.iter().skip(range.end).take(8).collect();
    let rest = rest.trim_start();
    listed
        && !rest.starts_with('%')
        && !is_unit(
            rest.split(|c: char| !c.is_alphanumeric())
                .next()
                .unwrap_or(""),
        )
}

/// The name ends at a word boundary; a plural "s" belongs to it.
fn ends_here(parts: &[Part], next: usize, text: &Text) -> bool {
    let Some(part) = parts.get(next) else {
        return true;
    };
    if part.glued {
        return false;
    }
    // "gpt-4" must not end before ".1", nor "gpt-5" before "-mini".
    let between = text.lower.get(parts[next - 1].range.end..part.range.start);
    let dotted = between == Some(&['.']) && part.text.starts_with(|c: char| c.is_ascii_digit());
    !(dotted && part.joined)
}

fn key_of(name: &str) -> String {
    let chars: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let parts: Vec<String> = parts_of(&chars).into_iter().map(|p| p.text).collect();
    parts.join(" ")
}

/// Runs of letters and runs of digits: "gpt4o" and "GPT-4o" have the same parts.
fn parts_of(chars: &[char]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let digit = chars[at].is_ascii_digit();
        if !digit && !chars[at].is_alphabetic() {
            at += 1;
            continue;
        }
        let same = |c: &char| {
            if digit {
                c.is_ascii_digit()
            } else {
                c.is_alphabetic() && !c.is_ascii_digit()
            }
        };
        let end = at + chars[at..].iter().take_while(|c| same(c)).count();
        let between = parts.last().map(|p: &Part| &chars[p.range.end..at]);
        let (glued, space, joined) = match between {
            Some([]) => (true, false, true),
            Some([c]) => (false, *c == ' ', matches!(c, ' ' | '-' | '.' | '_' | '@')),
            _ => (false, false, false),
        };
        let text = chars[at..end].iter().collect();
        parts.push(Part {
            text,
            range: at..end,
            joined,
            glued,
            space,
        });
        at = end;
    }
    parts
}
