//! A file that has its name when it is complete and on the disk, or is not there at all.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::{BackupError, UNFINISHED, WRITING, folder, io, sync};

/// Readable by its owner alone; removed when it is dropped before [`Unfinished::finish`].
pub struct Unfinished {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl Unfinished {
    /// Begins the file that will be `path`.
    ///
    /// # Errors
    /// [`BackupError::Exists`], or what the system refused.
    pub fn begin(path: &Path) -> Result<Self, BackupError> {
        if path.exists() {
            return Err(BackupError::Exists(path.to_owned()));
        }
        let folder = folder(path);
        // Mode 0600 by itself.
        let file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(folder);
        Ok(Self {
            file: io("could not write in", folder, file)?,
            path: path.to_owned(),
        })
    }

    /// What is to be written.
    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Where it is until it is finished.
    pub fn place(&self) -> &Path {
        self.file.path()
    }

    /// Syncs it and gives it its name.
    ///
    /// # Errors
    /// [`BackupError::Exists`] where one came meanwhile, or what the system refused.
    pub fn finish(self) -> Result<(), BackupError> {
        let Self { file, path } = self;
        io(WRITING, &path, file.as_file().sync_all())?;
        file.persist_noclobber(&path)
            .map_err(|e| match e.error.kind() {
                std::io::ErrorKind::AlreadyExists => BackupError::Exists(path.clone()),
                _ => BackupError::Io {
                    what: "could not name",
                    path: path.clone(),
                    source: e.error,
                },
            })?;
        sync(folder(&path))
    }
}
