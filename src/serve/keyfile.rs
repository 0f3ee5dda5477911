//! Files that only the appliance may read: how they are written and what is demanded of them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::tls::TlsError;

/// The largest key or certificate file, in bytes; a chain of 20 fits.
const FILE_MAX: u64 = 256 * 1024;

/// Makes a directory of mode 0700 with its parents; one that exists is left as it is.
pub(super) fn make_folder(folder: &Path) -> Result<(), TlsError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|e| TlsError::unwritable(folder, &e))
}

/// Puts `bytes` at `path` with mode 0600: all of them or none, on disk when this returns.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), TlsError> {
    let written = || -> io::Result<()> {
        let scratch = path.with_extension("new");
        // A leftover of a crash may have any mode; the new file must be born with 0600.
        match fs::remove_file(&scratch) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&scratch)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&scratch, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    written().map_err(|e| TlsError::unwritable(path, &e))
}

/// The bytes of a public file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let file = File::open(path).map_err(|e| TlsError::unreadable(path, &e))?;
    read_open(path, file)
}

/// The bytes of a private key, if nobody else can read or change it. Owner and mode are those of
/// the opened file, so that it cannot be swapped between the check and the reading.
pub(super) fn read_private(path: &Path) -> Result<Vec<u8>, TlsError> {
    let file = File::open(path).map_err(|e| TlsError::unreadable(path, &e))?;
    let about = file
        .metadata()
        .map_err(|e| TlsError::unreadable(path, &e))?;
    match exposure(about.mode(), about.uid(), effective_user()) {
        Some(fault) => Err(TlsError::Exposed {
            path: path.to_owned(),
            fault,
        }),
        None => read_open(path, file),
    }
}

fn read_open(path: &Path, file: File) -> Result<Vec<u8>, TlsError> {
    let mut bytes = Vec::new();
    let read = file.take(FILE_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|e| TlsError::unreadable(path, &e))?;
    if bytes.len() as u64 > FILE_MAX {
        let large = io::Error::other(format!("larger than {FILE_MAX} bytes"));
        return Err(TlsError::unreadable(path, &large));
    }
    Ok(bytes)
}

/// Why a key of this mode and owner is not private, with the remedy. The group may read: packages
/// and container secrets hand keys over as 0640 root:service.
fn exposure(mode: u32, owner: u32, me: Option<u32>) -> Option<String> {
    if mode & 0o037 != 0 {
        let shown = mode & 0o777;
        return Some(format!("has mode {shown:04o}; run chmod 0600 on it"));
    }
    let mine = me.is_none_or(|me| owner == me || owner == 0);
    (!mine).then(|| format!("belongs to user {owner}; it must belong to root or to this user"))
}

/// The user whose rights this process has; nothing where the system does not tell (not Linux).
/// The owner of `/proc/self` will not do: it is root for a process that may not be dumped.
fn effective_user() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_private_or_refused() {
        let check = |mode, owner, me, part: Option<&str>| {
            let fault = exposure(mode, owner, me);
            let agrees = match (part, &fault) {
                (None, None) => true,
                (Some(part), Some(fault)) => fault.contains(part),
                _ => false,
            };
            assert!(agrees, "{mode:o} of {owner} for {me:?}: {fault:?}");
        };
        check(0o100_600, 7, Some(7), None);
        check(0o100_400, 7, Some(7), None);
        check(0o100_640, 0, Some(7), None);
        check(0o100_600, 7, None, None);
        check(0o100_644, 7, Some(7), Some("mode 0644"));
        check(0o100_604, 0, Some(7), Some("mode 0604"));
        check(0o100_660, 7, Some(7), Some("mode 0660"));
        check(0o100_601, 7, Some(7), Some("mode 0601"));
        check(0o100_600, 8, Some(7), Some("belongs to user 8"));
        check(0o100_600, 8, Some(0), Some("belongs to user 8"));
    }

    #[test]
    fn what_is_written_is_private_whole_and_readable_again() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("a/b");
        make_folder(&folder).unwrap();
        let path = folder.join("x.key");
        let leftover = folder.join("x.new");
        fs::write(&leftover, "half").unwrap();
        fs::set_permissions(&leftover, fs::Permissions::from_mode(0o666)).unwrap();
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(read_private(&path).unwrap(), b"two");
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(&folder)), (0o600, 0o700));
        assert!(!leftover.exists());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = read_private(&path).unwrap_err().to_string();
        assert!(error.contains("x.key") && !error.contains("two"), "{error}");
    }
}
