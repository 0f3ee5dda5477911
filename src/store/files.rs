//! Files around sled: the lock, the ballast, and syncing what sled never syncs.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::StoreError;

/// Names the file and what was tried in an error of the system.
pub(super) fn io<T>(
    what: &'static str,
    path: &Path,
    result: std::io::Result<T>,
) -> Result<T, StoreError> {
    result.map_err(|source| StoreError::Io {
        what,
        path: path.to_owned(),
        source,
    })
}

/// Free and total bytes, for this user, of the file system that holds `dir`. Asked of the system
/// itself: lists of disks leave out some kinds of file systems.
///
/// # Errors
/// What the system refused.
pub fn space(dir: &Path) -> std::io::Result<(u64, u64)> {
    let about = rustix::fs::statvfs(dir)?;
    let bytes = |blocks: u64| blocks.saturating_mul(about.f_frsize);
    Ok((bytes(about.f_bavail), bytes(about.f_blocks)))
}

/// Makes the data directory, for its owner alone.
pub(super) fn make_dir(dir: &Path) -> Result<(), StoreError> {
    io(
        "could not make the data directory",
        dir,
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir),
    )
}

/// Holds the directory for this process; released when dropped or when the process ends.
pub(super) fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("lock");
    let options = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .clone();
    let file = io("could not open", &path, options.open(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse(dir.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(StoreError::Io {
            what: "could not lock",
            path,
            source,
        }),
    }
}

/// Takes away what a process that was killed had half written into sled's directory and sled would
/// take for damage: a snapshot under the name that it has while it is made (`get_snapshot_files` of
/// sled 0.34.7 skips another name), and the settings of a store that holds nothing yet. Neither is
/// needed: the log has everything, and the settings are written anew.
///
/// # Errors
/// What the system refused.
pub(super) fn drop_half_written(sled: &Path) -> Result<(), StoreError> {
    let entries = match std::fs::read_dir(sled) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return io("could not read", sled, Err(e)),
    };
    let log = std::fs::metadata(sled.join("db"));
    let is_new = log.map_or(true, |log| log.len() == 0);
    for entry in entries {
        let path = io("could not read", sled, entry)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let half = name.starts_with("snap.") && name.ends_with(".generating");
        if half || (is_new && name == "conf") {
            io("could not remove", &path, std::fs::remove_file(&path))?;
        }
    }
    Ok(())
}

/// Syncs what sled leaves to chance: its `conf`, the `db` file, the directory and its parent.
pub(super) fn sync_all(dir: &Path) -> Result<(), StoreError> {
    let sled = dir.join("sled");
    for path in [
        sled.join("conf"),
        sled.join("db"),
        sled.join("blobs"),
        sled,
        dir.to_owned(),
        parent(dir),
    ] {
        match File::open(&path) {
            Ok(file) => io("could not sync", &path, file.sync_all())?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            // A parent we may not read was not made by us, and was synced by whoever made it.
            Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {}
            Err(source) => {
                return Err(StoreError::Io {
                    what: "could not open",
                    path,
                    source,
                });
            }
        }
    }
    Ok(())
}

/// Copies a directory, a missing one as an empty one; how many bytes.
pub(super) fn copy_tree(from: &Path, to: &Path) -> Result<u64, StoreError> {
    make_dir(to)?;
    let mut bytes = 0;
    for path in entries(from)? {
        let target = to.join(path.file_name().unwrap_or_default());
        bytes += if path.is_dir() {
            copy_tree(&path, &target)?
        } else {
            io("could not copy", &path, fs::copy(&path, &target))?
        };
    }
    Ok(bytes)
}

/// The bytes of the files below a directory.
pub(super) fn tree_bytes(dir: &Path) -> Result<u64, StoreError> {
    let mut bytes = 0;
    for path in entries(dir)? {
        bytes += if path.is_dir() {
            tree_bytes(&path)?
        } else {
            io("could not look at", &path, fs::metadata(&path))?.len()
        };
    }
    Ok(bytes)
}

/// Forces every file and directory below `dir`, and itself, to the disk: sled syncs none of them.
pub(super) fn sync_tree(dir: &Path) -> Result<(), StoreError> {
    for path in entries(dir)? {
        if path.is_dir() {
            sync_tree(&path)?;
        } else {
            let synced = File::open(&path).and_then(|file| file.sync_all());
            io("could not sync", &path, synced)?;
        }
    }
    sync_dir(dir)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => io("could not read", dir, other)?,
    };
    let paths = entries.map(|entry| io("could not read", dir, entry).map(|entry| entry.path()));
    paths.collect()
}

/// Forces the names in a directory to the disk.
pub(super) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    io(
        "could not sync",
        dir,
        File::open(dir).and_then(|dir| dir.sync_all()),
    )
}

fn parent(dir: &Path) -> PathBuf {
    let absolute = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    absolute.parent().unwrap_or(Path::new("/")).to_owned()
}

/// Makes the ballast where there is room for it: sled cannot open on a full disk, and
/// giving up these bytes is what lets it. Failing to make it is not an error.
pub(super) fn make_ballast(dir: &Path, bytes: u64) {
    let path = ballast(dir);
    if bytes == 0 || fs::metadata(&path).is_ok_and(|m| m.len() == bytes) {
        return;
    }
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&path)?;
        let block = vec![0u8; 1 << 20];
        let mut left = bytes;
        while left > 0 {
            let n = left.min(block.len() as u64);
            file.write_all(&block[..n as usize])?;
            left -= n;
        }
        file.sync_all()
    };
    if write().is_err() {
        drop_ballast(dir);
    }
}

/// Gives the ballast up. True where there was one.
pub(super) fn drop_ballast(dir: &Path) -> bool {
    fs::remove_file(ballast(dir)).is_ok()
}

fn ballast(dir: &Path) -> PathBuf {
    dir.join("ballast")
}
