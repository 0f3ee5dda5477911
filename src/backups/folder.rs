//! The directory with the backups: which there are, and what goes.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::Kind;
use crate::clock::{Duration, Wall};
use crate::store;
use crate::store::backup::{self, BackupError, ENDING, Header, SCRATCH, UNFINISHED};

/// Names looked at, the newest first: a directory may hold anything.
const LISTED: usize = 1000;
/// The longest name.
const NAME_MAX: usize = 120;
/// What nobody has written to for so long was left behind by a process that was killed.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A backup in the directory.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its file name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// What its head says, or why it says nothing.
    pub head: Result<Header, String>,
}

impl Entry {
    /// When it was begun, where that can be read.
    pub fn made(&self) -> Option<Wall> {
        self.head.as_ref().ok().map(|head| head.created)
    }
}

/// The path of a backup that is there. Only names of ours lead anywhere.
pub(super) fn find(dir: &Path, name: &str) -> Result<PathBuf, BackupError> {
    let path = dir.join(name);
    let there = is_name(name) && fs::symlink_metadata(&path).is_ok_and(|about| about.is_file());
    there
        .then_some(path)
        .ok_or_else(|| BackupError::Unknown(name.chars().take(NAME_MAX).collect()))
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let stem = name.strip_suffix(ENDING).and_then(|s| s.strip_suffix('.'));
    name.len() <= NAME_MAX
        && !name.starts_with('.')
        && name.chars().all(plain)
        && stem.is_some_and(|stem| !stem.is_empty())
}

/// What is there, newest first; nothing where the directory is not there yet.
pub(super) fn list(dir: &Path) -> Result<Vec<Entry>, BackupError> {
    let mut names: Vec<String> = read(dir)?
        .into_iter()
        .filter(|name| is_name(name))
        .collect();
    // The time stands behind the first word.
    names.sort_by(|a, b| time_of(b).cmp(time_of(a)));
    let entry = |name: String| {
        let path = find(dir, &name).ok()?;
        Some(Entry {
            bytes: fs::metadata(&path).ok()?.len(),
            head: backup::head(&path).map_err(|error| error.to_string()),
            name,
        })
    };
    Ok(names.into_iter().take(LISTED).filter_map(entry).collect())
}

fn time_of(name: &str) -> &str {
    name.split_once('-').map_or(name, |(_, time)| time)
}

/// How many of a kind there are, by their names.
pub(super) fn count(dir: &Path, kind: Kind) -> Result<usize, BackupError> {
    let first = format!("{}-", kind.first());
    let ours = |name: &&String| is_name(name) && name.starts_with(&first);
    Ok(read(dir)?.iter().filter(ours).count())
}

/// Removes scheduled backups until `keep` are left, the newest, and `made` in any case: where the
/// clock was put back it is not the newest by its name. What was made by hand stays.
pub(super) fn prune(dir: &Path, keep: usize, made: &str) -> Result<Vec<String>, BackupError> {
    let first = format!("{}-", Kind::Scheduled.first());
    let others = list(dir)?.into_iter().map(|entry| entry.name);
    let others = others.filter(|name| name.starts_with(&first) && name != made);
    let old: Vec<String> = others.skip(keep.saturating_sub(1)).collect();
    for name in &old {
        remove(dir, name)?;
    }
    Ok(old)
}

/// Removes one, for good.
pub(super) fn remove(dir: &Path, name: &str) -> Result<(), BackupError> {
    let path = find(dir, name)?;
    let removed = fs::remove_file(&path).and_then(|()| File::open(dir)?.sync_all());
    failed("could not remove", &path, removed)
}

/// Makes the directory, for its owner alone, and removes what killed processes left in it.
pub(super) fn prepare(dir: &Path, now: Wall) -> Result<(), BackupError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    failed("could not make", dir, made)?;
    for name in read(dir)? {
        let path = dir.join(&name);
        let ours = name.starts_with(UNFINISHED) || name.starts_with(SCRATCH);
        let age = fs::symlink_metadata(&path)
            .and_then(|about| about.modified())
            .ok()
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
            .map(|at| now.since(Wall(at.as_millis() as u64)));
        if !ours || age.is_none_or(|age| age < ABANDONED) {
            continue;
        }
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        match removed {
            Ok(()) => tracing::info!(%name, "removed what an interrupted backup had left behind"),
            Err(error) => tracing::warn!(%name, %error, "an interrupted backup is left behind"),
        }
    }
    Ok(())
}

/// Free and total bytes of the disk of `dir`.
pub(super) fn space(dir: &Path) -> Result<(u64, u64), BackupError> {
    failed("could not look at the disk of", dir, store::space(dir))
}

/// The names in the directory that are text.
fn read(dir: &Path) -> Result<Vec<String>, BackupError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => failed("could not read", dir, other)?,
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.collect())
}

fn failed<T>(what: &'static str, path: &Path, result: io::Result<T>) -> Result<T, BackupError> {
    result.map_err(|source| BackupError::Io {
        what,
        path: path.to_owned(),
        source,
    })
}
