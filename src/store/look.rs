//! Looks at a data directory from outside, without changing it: whoever looks is often another user
//! than the one who serves, and files of theirs would lock the service out.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use super::{StoreError, backup, files};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// There is no store yet.
    Absent,
    /// A process serves from it.
    InUse,
    /// Nobody serves from it; this many bytes lie there.
    AtRest(u64),
}

/// Looks at `dir`.
///
/// # Errors
/// What the system refused.
pub fn look(dir: &Path) -> Result<Look, StoreError> {
    match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Look::Absent),
        found => drop(files::io("could not look into", dir, found)?),
    }
    if !backup::holds_store(dir) {
        return Ok(Look::Absent);
    }
    let lock = dir.join("lock");
    if files::io("could not open", &lock, locked(&lock))? {
        return Ok(Look::InUse);
    }
    let sled = backup::current(dir, "sled");
    let bytes = files::io("could not look at", &sled, size(&sled))?;
    Ok(Look::AtRest(bytes))
}

/// Whether another process holds the lock; it is not made where it is missing.
fn locked(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(e),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Bytes of the files in `dir` and below.
fn size(dir: &Path) -> io::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let about = entry.metadata()?;
        total += if about.is_dir() {
            size(&entry.path())?
        } else {
            about.len()
        };
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::store::open;
    use crate::store::tests::house::{options, reopen};

    #[test]
    fn a_directory_is_told_by_its_state_and_not_changed() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(look(dir.path()).unwrap(), Look::Absent);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let opened = open(&options(dir.path()), Wall(1)).unwrap();
        assert_eq!(look(dir.path()).unwrap(), Look::InUse);
        drop(opened);
        // Waits until the directory is let go of.
        drop(reopen(&options(dir.path())).unwrap());
        let at_rest = loop {
            match look(dir.path()).unwrap() {
                Look::InUse => std::thread::yield_now(),
                other => break other,
            }
        };
        // A segment at least.
        assert!(matches!(at_rest, Look::AtRest(bytes) if bytes >= 512 << 10));
    }
}
