//! Tells the administrator what became of the store of an older version.

use std::path::Path;
use std::time::Duration;

use crate::clock::Wall;
use crate::meter::{Draft, EventKind, Meters};
use crate::store::upgrade;

/// What is older is history: the call for it tells it all the same.
const RECENT: Duration = Duration::from_secs(7 * 86_400);

/// Puts what happened lately among the events, each at its own time.
pub(super) fn tell(dir: &Path, meters: &Meters, now: Wall) {
    let story = match upgrade::story(dir) {
        Ok(story) => story,
        Err(error) => return tracing::warn!(%error, "the story of upgrades cannot be read"),
    };
    for chapter in story {
        let at = Wall(chapter.at_ms);
        if at.plus(RECENT) < now {
            continue;
        }
        let kind = if chapter.step.is_bad() {
            EventKind::StoreUpgradeFailed
        } else {
            EventKind::StoreUpgraded
        };
        let text = format!("{} to {}: {}", chapter.from, chapter.to, chapter.told);
        meters
            .feed
            .tell(Draft::new(kind, text).code(chapter.step.as_str()), at);
    }
}

#[cfg(test)]
mod tests;
