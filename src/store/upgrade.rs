//! The first start of a new version on the store of an older one.
//!
//! The store says who wrote it in `version`, beside sled's files, so that nothing of a newer
//! version's is even opened. What an older version wrote is never changed in place:
//!
//! - The same format of records: its files are copied to `before-upgrade-…` first, where there is room.
//! - An older format: a copy is opened and converted into a store built beside it; that one is
//!   tested as at every start, and only then takes the place of the old one, which becomes
//!   `before-upgrade-…` as it was. A kill at any moment leaves one or the other
//!   (see [`swap`](super::backup)).
//! - The new store is on trial until the appliance is ready, and so before anything is accepted. After
//!   [`TRIALS`] starts that did not get there the old store is put back.
//!
//! Each step is logged, and written down where the next start and the administrator find it: [`story`].

mod story;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use story::{Chapter, Step as Done, story};

use super::audit::{Audit, Totals};
use super::backup::{self, BUILDING, NEW};
use super::fault::{self, Fault};
use super::record::{self, FORMAT};
use super::watermark::{Mark, Watermark};
use super::{Options, StoreError, files, recover};
use crate::clock::Wall;

/// Starts with a converted store that may end before the appliance is ready.
pub const TRIALS: u32 = 3;
/// Who wrote the store.
pub(super) const STAMP: &str = "version";
/// There while a converted store is on trial.
const TRIAL: &str = "upgrade-trial";
const KEPT: &str = "before-upgrade-";
/// Bytes of room needed beyond those of the copies.
const MORE: u64 = 64 << 20;
/// Entries in one batch.
const BATCH: usize = 512;

/// A key and its value in one format; the value in the next.
type Convert = fn(&[u8], &[u8]) -> Result<Vec<u8>, StoreError>;

/// One format to the next.
struct Step {
    from: u8,
    convert: Convert,
}

/// Every step there is; format 1 is the first that was released.
#[cfg(not(test))]
const STEPS: &[Step] = &[];
/// Tests come from a format that never was: without the key under the checksum.
#[cfg(test)]
const STEPS: &[Step] = &[tests::FROM_ZERO];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    app_version: String,
    record_format: u8,
}

impl Stamp {
    fn ours() -> Self {
        Self {
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            record_format: FORMAT,
        }
    }

    /// Version 0.1.0 before its release wrote none.
    fn read(dir: &Path) -> Result<Self, StoreError> {
        let found = read_json(&dir.join(STAMP))?;
        Ok(found.unwrap_or(Self {
            app_version: "0.1.0".to_owned(),
            record_format: 1,
        }))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Trial {
    /// The version whose store is kept.
    from: String,
    /// Its directory.
    kept: String,
    /// Starts since.
    starts: u32,
}

/// A value as this version writes it.
///
/// # Errors
/// Where there is no way from that format, or the value is damaged.
pub(super) fn convert(format: u8, key: &[u8], value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let (mut format, mut value) = (format, value);
    while format < FORMAT {
        let step = STEPS.iter().find(|step| step.from == format);
        let step = step.ok_or_else(|| {
            StoreError::Record(format!("this version cannot read record format {format}"))
        })?;
        value = (step.convert)(key, &value)?;
        format += 1;
    }
    Ok(value)
}

/// Brings the store of `options.dir` to this version, before it is opened. The caller holds the lock.
///
/// # Errors
/// [`StoreError::Newer`], [`StoreError::RolledBack`], or why it could not be converted; what was
/// there is as it was.
pub(super) fn prepare(options: &Options, now: Wall) -> Result<(), StoreError> {
    let dir = &options.dir;
    if !backup::holds_store(dir) {
        return Ok(());
    }
    on_trial(dir, now)?;
    let stamp = Stamp::read(dir)?;
    let ours = Stamp::ours();
    if stamp.record_format > FORMAT {
        return Err(StoreError::Newer {
            found: stamp.record_format,
        });
    }
    if stamp == ours || (stamp.app_version == ours.app_version && stamp.record_format == FORMAT) {
        return Ok(());
    }
    let kept = format!("{KEPT}{}-{}", stamp.app_version, now.0);
    tracing::info!(from = %stamp.app_version, to = %ours.app_version, "the first start of this version on this store");
    let from = stamp.app_version.as_str();
    if stamp.record_format == FORMAT {
        return keep(dir, from, &kept, now);
    }
    let trial = Trial {
        from: stamp.app_version.clone(),
        kept: kept.clone(),
        starts: 1,
    };
    let result = switch(options, &stamp, &trial);
    if result.is_err() {
        // Not decided: nothing but rubbish.
        let _ = fs::remove_dir_all(dir.join(BUILDING));
    }
    if let Err(error) = &result {
        let told = format!("it could not be converted, and is as it was: {error}");
        story::tell(dir, from, Done::Failed, told, now);
    }
    result?;
    let (old, new) = (stamp.record_format, FORMAT);
    let told = format!(
        "converted from record format {old} to {new} and tested; on trial until the appliance is ready. \
         The old store is kept as {kept}"
    );
    story::tell(dir, from, Done::Converted, told, now);
    forget_older(dir, &kept);
    tracing::info!(%kept, "the store is converted; the old one is kept until the next upgrade");
    Ok(())
}

/// That the store is of this version's format, for whoever does not convert it.
///
/// # Errors
/// [`StoreError::Newer`] or [`StoreError::Older`].
pub(super) fn of_this_format(dir: &Path) -> Result<(), StoreError> {
    match Stamp::read(dir)?.record_format {
        found if found > FORMAT => Err(StoreError::Newer { found }),
        found if found < FORMAT => Err(StoreError::Older { found }),
        _ => Ok(()),
    }
}

/// Says that this version has written the store, once it is open.
pub(super) fn stamp(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join(STAMP);
    if read_json::<Stamp>(&path)?.as_ref() == Some(&Stamp::ours()) {
        return Ok(());
    }
    write_json(&path, &Stamp::ours())
}

/// The appliance is ready: what was converted stays. Called before anything is accepted.
///
/// # Errors
/// What the system refused.
pub fn settled(dir: &Path, now: Wall) -> Result<(), StoreError> {
    if let Some(from) = end_trial(dir)? {
        let told = "the appliance became ready: the converted store stays";
        story::tell(dir, &from, Done::Settled, told, now);
        tracing::info!("the upgrade stands");
    }
    Ok(())
}

/// What was on trial is not any more; the version that it came from.
pub(super) fn end_trial(dir: &Path) -> Result<Option<String>, StoreError> {
    let path = dir.join(TRIAL);
    let Some(trial) = read_json::<Trial>(&path)? else {
        return Ok(None);
    };
    files::io("could not remove", &path, fs::remove_file(&path))?;
    files::sync_dir(dir)?;
    Ok(Some(trial.from))
}

/// Counts a start of a store on trial; puts the old one back after too many.
fn on_trial(dir: &Path, now: Wall) -> Result<(), StoreError> {
    let path = dir.join(TRIAL);
    let Some(mut trial) = read_json::<Trial>(&path)? else {
        return Ok(());
    };
    let kept = dir.join(&trial.kept);
    // Between the decision and the first word of it, or put back and not yet said.
    if !kept.exists() {
        return files::io("could not remove", &path, fs::remove_file(&path));
    }
    trial.starts += 1;
    if trial.starts <= TRIALS {
        tracing::warn!(
            start = trial.starts,
            of = TRIALS,
            "the upgraded store is on trial"
        );
        let told = format!("start {} of {TRIALS} on trial", trial.starts);
        story::tell(dir, &trial.from, Done::Tried, told, now);
        return write_json(&path, &trial);
    }
    let building = dir.join(BUILDING);
    files::make_dir(&building)?;
    let new = building.join(NEW);
    // Copied, not moved: a kill before the decision leaves it where it is looked for.
    files::copy_tree(&kept, &new)?;
    files::sync_tree(&new)?;
    let failed = format!("failed-upgrade-{}-{}", Stamp::ours().app_version, now.0);
    backup::replace(dir, &failed)?;
    files::io("could not remove", &path, fs::remove_file(&path))?;
    files::io("could not remove", &kept, fs::remove_dir_all(&kept))?;
    files::sync_dir(dir)?;
    let told = format!(
        "the appliance did not become ready in {TRIALS} starts: the store of version {} is back in its place \
         and holds all it held; what failed is in {failed}",
        trial.from
    );
    story::tell(dir, &trial.from, Done::RolledBack, told, now);
    tracing::error!(version = %trial.from, aside = %failed, "the upgrade never became ready; the old store is back in its place");
    Err(StoreError::RolledBack {
        dir: dir.to_owned(),
        from: trial.from,
        failed,
    })
}

/// A copy of the files as they are; without room none is made, because nothing is converted.
fn keep(dir: &Path, from: &str, kept: &str, now: Wall) -> Result<(), StoreError> {
    let room = dir.join(".keeping");
    let _ = fs::remove_dir_all(&room);
    if let Err(error) = enough(dir, 1) {
        tracing::warn!(%error, "no copy is kept from before the upgrade");
        let told = format!("nothing had to be converted; no copy is kept: {error}");
        story::tell(dir, from, Done::NotKept, told, now);
        return Ok(());
    }
    let copied = copy_store(dir, &room).and_then(|()| {
        files::sync_tree(&room)?;
        files::io("could not name", &room, fs::rename(&room, dir.join(kept)))?;
        files::sync_dir(dir)
    });
    if let Err(error) = copied {
        let _ = fs::remove_dir_all(&room);
        return Err(error);
    }
    forget_older(dir, kept);
    let told = format!("nothing had to be converted; the store as it was is kept as {kept}");
    story::tell(dir, from, Done::Kept, told, now);
    tracing::info!(%kept, "the store as it was is kept until the next upgrade");
    Ok(())
}

/// Builds the converted store, tests it, and lets it take the place of the old one.
fn switch(options: &Options, stamp: &Stamp, trial: &Trial) -> Result<(), StoreError> {
    let dir = &options.dir;
    // The copy that is opened, and what is built.
    enough(dir, 2)?;
    let building = dir.join(BUILDING);
    files::make_dir(&building)?;
    let copy = building.join("copy");
    copy_store(dir, &copy)?;
    let new = building.join(NEW);
    files::make_dir(&new)?;
    build(options, stamp.record_format, &copy, &new)?;
    files::io("could not remove", &copy, fs::remove_dir_all(&copy))?;
    write_json(&new.join(STAMP), &Stamp::ours())?;
    files::sync_tree(&new)?;
    // On trial before the decision: a trial whose old store is not aside is none.
    write_json(&dir.join(TRIAL), trial)?;
    backup::replace(dir, &trial.kept)?;
    Ok(())
}

fn build(options: &Options, format: u8, copy: &Path, new: &Path) -> Result<(), StoreError> {
    let damaged = |what: String| StoreError::Damaged {
        dir: options.dir.clone(),
        what,
    };
    let from = recover::open_at(&copy.join("sled"), options)?;
    let to = recover::open_at(&new.join("sled"), options)?;
    let account = Totals::key();
    let (mut found, mut totals) = (Totals::new(0), Totals::new(0));
    let (mut batch, mut waiting) = (sled::Batch::default(), 0);
    let mut stored: Option<Totals> = None;
    for entry in from.iter() {
        let (key, value) = entry?;
        let converted = convert(format, &key, value.to_vec())?;
        if *key == *account {
            stored = Some(record::decode(&key, &converted)?);
            continue;
        }
        found.add(&key, &value);
        totals.add(&key, &converted);
        batch.insert(key, converted);
        waiting += 1;
        if waiting == BATCH {
            to.apply_batch(std::mem::take(&mut batch))?;
            waiting = 0;
        }
    }
    let stored = stored.ok_or_else(|| damaged(Fault::NoAccount.to_string()))?;
    let mark = Watermark::read(&copy.join("watermark"));
    let behind = mark.is_none_or(|mark| mark.commits > stored.commits);
    if behind || (found.entries, found.sum) != (stored.entries, stored.sum) {
        return Err(damaged("it is not whole, and so is not converted".into()));
    }
    totals.epoch = stored.epoch;
    totals.commits = stored.commits + 1;
    batch.insert(account.clone(), record::encode(&account, &totals));
    to.apply_batch(batch)?;
    to.flush()?;
    let mark = Mark {
        epoch: totals.epoch,
        commits: totals.commits,
    };
    let path = new.join("watermark");
    let written = Watermark::open(&path).and_then(|(watermark, _)| watermark.write(mark, true));
    files::io("could not write", &path, written)?;
    let audit = Audit::run(&to, Some(mark))?;
    if !audit.faults.is_empty() {
        return Err(damaged(format!(
            "what was converted is not sound: {}",
            fault::told(&audit.faults)
        )));
    }
    Ok(())
}

/// What a store consists of, to another place.
fn copy_store(dir: &Path, to: &Path) -> Result<(), StoreError> {
    files::make_dir(to)?;
    files::copy_tree(&dir.join("sled"), &to.join("sled"))?;
    for part in ["watermark", STAMP] {
        let (from, to) = (dir.join(part), to.join(part));
        if from.exists() {
            files::io("could not copy", &from, fs::copy(&from, &to))?;
        }
    }
    Ok(())
}

/// Whether there is room for so many copies.
fn enough(dir: &Path, copies: u64) -> Result<(), StoreError> {
    let bytes = files::tree_bytes(&dir.join("sled"))?;
    let needed = bytes.saturating_mul(copies).saturating_add(MORE);
    let (free, _) = files::io("could not look at the disk of", dir, files::space(dir))?;
    if free >= needed {
        return Ok(());
    }
    Err(StoreError::Io {
        what: "there is no room to upgrade beside",
        path: dir.to_owned(),
        source: std::io::Error::new(
            std::io::ErrorKind::StorageFull,
            format!(
                "{} MiB are needed, {} MiB are free",
                needed >> 20,
                free >> 20
            ),
        ),
    })
}

/// Of the stores from before an upgrade the newest is kept.
fn forget_older(dir: &Path, kept: &str) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let older = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(KEPT) && name != kept)
    };
    for path in entries.map(|entry| entry.path()).filter(older) {
        match fs::remove_dir_all(&path) {
            Ok(()) => {
                tracing::info!(path = %path.display(), "removed the store from before an earlier upgrade")
            }
            Err(error) => tracing::warn!(path = %path.display(), %error, "could not be removed"),
        }
    }
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        other => {
            let bytes = files::io("could not read", path, other)?;
            let wrong = |error| StoreError::Record(format!("{}: {error}", path.display()));
            serde_json::from_slice(&bytes).map(Some).map_err(wrong)
        }
    }
}

/// Complete under its name and on the disk, or not there.
fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, value)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    files::io("could not write", path, write())?;
    files::sync_dir(folder)
}

#[cfg(test)]
pub(crate) mod tests;
