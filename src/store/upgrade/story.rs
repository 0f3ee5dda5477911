//! What became of upgrades, beside the store: the start after a failed one must be able to tell it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{StoreError, read_json, write_json};
use crate::clock::Wall;

/// Its file in the data directory.
const FILE: &str = "upgrades";
/// Steps kept; the oldest go.
const KEPT: usize = 32;

/// One step of an upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chapter {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The version that wrote the store.
    pub from: String,
    /// The version that did this.
    pub to: String,
    /// What was done.
    pub step: Step,
    /// The same for a person.
    pub told: String,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The format is the same: the files were copied, nothing was converted.
    Kept,
    /// As before, without a copy, because there was no room.
    NotKept,
    /// A copy was converted, tested, and took the place of the old store, on trial.
    Converted,
    /// One more start of a store on trial.
    Tried,
    /// The appliance became ready: the new store stays.
    Settled,
    /// It never became ready: the old store is back.
    RolledBack,
    /// It could not be converted; what was there is as it was.
    Failed,
}

impl Step {
    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::NotKept => "not_kept",
            Self::Converted => "converted",
            Self::Tried => "tried",
            Self::Settled => "settled",
            Self::RolledBack => "rolled_back",
            Self::Failed => "failed",
        }
    }

    /// Whether somebody should look at it.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::RolledBack | Self::Failed)
    }
}

/// All that is known, oldest first.
///
/// # Errors
/// Where the file is there and cannot be read.
pub fn story(dir: &Path) -> Result<Vec<Chapter>, StoreError> {
    Ok(read_json(&dir.join(FILE))?.unwrap_or_default())
}

/// Adds a step. An upgrade does not depend on being told: what cannot be written is logged.
pub(super) fn tell(dir: &Path, from: &str, step: Step, told: impl Into<String>, now: Wall) {
    let mut chapters = story(dir).unwrap_or_default();
    chapters.push(Chapter {
        at_ms: now.0,
        from: from.to_owned(),
        to: env!("CARGO_PKG_VERSION").to_owned(),
        step,
        told: told.into(),
    });
    chapters.drain(..chapters.len().saturating_sub(KEPT));
    if let Err(error) = write_json(&dir.join(FILE), &chapters) {
        tracing::warn!(%error, "the story of the upgrade could not be written");
    }
}
