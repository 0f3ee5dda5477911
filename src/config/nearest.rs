//! The known name that a mistyped one most likely means.

use super::{SECTIONS, TEXT_MAX, keys};

/// The known key or section nearest to `path`: the same name in another section, or else at most
/// a third of its letters (two at least) away.
pub(super) fn nearest(path: &str) -> Option<String> {
    let name = path.rsplit('.').next().unwrap_or(path);
    if let Some(key) = keys().find(|key| key.name == name) {
        return Some(key.path.to_owned());
    }
    let sections = SECTIONS.iter().map(|section| section.name.to_owned());
    let files = keys()
        .filter(|key| key.secret)
        .map(|key| format!("{}_file", key.path));
    let all = keys().map(|key| key.path.to_owned()).chain(files);
    let candidates: Vec<String> = if path.contains('.') {
        all.collect()
    } else {
        sections.chain(all).collect()
    };
    let near = candidates.into_iter().map(|known| {
        let whole = distance(path, &known);
        let own = distance(name, known.rsplit('.').next().unwrap_or(&known));
        (
            if path.contains('.') {
                whole
            } else {
                whole.min(own)
            },
            known,
        )
    });
    let (away, known) = near.min()?;
    (away <= (name.chars().count() / 3).max(2)).then_some(known)
}

/// Levenshtein's edit distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(TEXT_MAX).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
