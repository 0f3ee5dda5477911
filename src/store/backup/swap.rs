//! Putting a restored store in place of another, so that a kill at any moment leaves one of them.
//!
//! The new store is built in `restoring/new`. Renaming `restoring` to `restored`
//! decides: from then on whoever opens the directory ends what was begun. Each file
//! of the store is moved out of the way, into `restored`, and its successor to its
//! place; what is left is the old store, kept under the name that was decided on.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::StoreError;
use super::super::files::{io, sync_dir};
use super::super::upgrade::STAMP;

/// Where a new store is built; of no worth when it is found.
pub(in super::super) const BUILDING: &str = "restoring";
/// A complete store that takes the place of the one beside it.
const DECIDED: &str = "restored";
/// In either: the new store.
pub(in super::super) const NEW: &str = "new";
/// In either: how the old store is called when it is out of the way.
const ASIDE: &str = "aside";
/// What a store consists of, besides the ballast and the lock.
const PARTS: [&str; 3] = ["sled", "watermark", STAMP];

/// Whether the directory holds a store, or a part of one.
pub fn holds_store(dir: &Path) -> bool {
    PARTS.iter().any(|part| current(dir, part).exists())
}

/// Where a part of the store is, also between the decision and its end.
pub(in super::super) fn current(dir: &Path, part: &str) -> PathBuf {
    let new = dir.join(DECIDED).join(NEW).join(part);
    if new.exists() { new } else { dir.join(part) }
}

/// Decides that what was built takes the place of the present store, which is kept as `aside`,
/// and does it.
pub(in super::super) fn replace(dir: &Path, aside: &str) -> Result<Option<PathBuf>, StoreError> {
    let (building, decided) = (dir.join(BUILDING), dir.join(DECIDED));
    // The old store's name, for whoever ends this.
    let name = building.join(ASIDE);
    io("could not write", &name, fs::write(&name, aside))?;
    io(
        "could not sync",
        &name,
        fs::File::open(&name).and_then(|f| f.sync_all()),
    )?;
    sync_dir(&building)?;
    rename(&building, &decided)?;
    sync_dir(dir)?;
    finish(dir)
}

/// Ends a replacement that was decided, and removes one that was not. Gives the place of the
/// old store, where there was one.
pub(in super::super) fn finish(dir: &Path) -> Result<Option<PathBuf>, StoreError> {
    remove(&dir.join(BUILDING))?;
    let decided = dir.join(DECIDED);
    if !decided.exists() {
        return Ok(None);
    }
    for part in PARTS {
        let (new, place) = (decided.join(NEW).join(part), dir.join(part));
        if !new.exists() {
            continue;
        }
        if place.exists() {
            rename(&place, &decided.join(part))?;
        }
        rename(&new, &place)?;
    }
    sync_dir(dir)?;
    if !holds_store(&decided) {
        remove(&decided)?;
        return Ok(None);
    }
    remove(&decided.join(NEW))?;
    let name = decided.join(ASIDE);
    let aside = dir.join(io("could not read", &name, fs::read_to_string(&name))?);
    rename(&decided, &aside)?;
    sync_dir(dir)?;
    Ok(Some(aside))
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    io("could not move", from, fs::rename(from, to))
}

fn remove(dir: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => io("could not remove", dir, other),
    }
}
