//! Where a backup is verified.
//!
//! A serving appliance does it in a process of its own, `emflow backup verify`: the engine keeps
//! memory of every store that it has opened and closed, about as much as the backup is long. With
//! the process all of it goes.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::store::Options;
use crate::store::backup::{self, BackupError, GoOn, SCRATCH};

/// Between two looks at the process.
const LOOK: Duration = Duration::from_millis(20);
/// Of what it says no more is kept.
const WORDS: u64 = 4096;
/// Its exit code where the backup is damaged.
const DAMAGED: i32 = 74;

/// In this process or in one of its own, whose memory goes with it.
#[derive(Debug, Clone)]
pub enum Verifier {
    /// In this process.
    Inside,
    /// In one of this binary.
    Process(PathBuf),
}

impl Verifier {
    /// What is wrong with the backup; none where it restores.
    pub(super) fn fault(
        &self,
        path: &Path,
        directory: &Path,
        scratch: &Options,
        go_on: GoOn<'_>,
    ) -> Result<Option<String>, BackupError> {
        let checked = match self {
            Self::Inside => backup::verify(path, directory, scratch, go_on).map(|_| None),
            // What this version cannot read at all is known without one.
            Self::Process(binary) => {
                backup::head(path).and_then(|_| apart(binary, path, directory, go_on))
            }
        };
        match checked {
            Err(
                error @ (BackupError::Damaged { .. }
                | BackupError::NotABackup(_)
                | BackupError::Newer { .. }),
            ) => Ok(Some(error.to_string())),
            other => other,
        }
    }
}

fn apart(
    binary: &Path,
    path: &Path,
    directory: &Path,
    go_on: GoOn<'_>,
) -> Result<Option<String>, BackupError> {
    let failed = |source| BackupError::Io {
        what: "could not verify",
        path: path.to_owned(),
        source,
    };
    // Ours, so that it goes even where the process is killed.
    let room = tempfile::Builder::new()
        .prefix(SCRATCH)
        .tempdir_in(directory);
    let room = room.map_err(failed)?;
    let child = Command::new(binary)
        .args(["backup", "verify", "--scratch"])
        .args([room.path(), path])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = Killed(child.map_err(failed)?);
    let status = loop {
        if let Some(status) = child.0.try_wait().map_err(failed)? {
            break status;
        }
        go_on()?;
        std::thread::sleep(LOOK);
    };
    let mut said = String::new();
    if let Some(words) = child.0.stderr.take() {
        words
            .take(WORDS)
            .read_to_string(&mut said)
            .map_err(failed)?;
    }
    let said = said.trim().trim_start_matches("emflow: ");
    match status.code() {
        Some(0) => Ok(None),
        Some(DAMAGED) => Ok(Some(said.to_owned())),
        _ => Err(failed(std::io::Error::other(format!("{status}: {said}")))),
    }
}

/// Does not outlive whoever waits for it.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
