//! `emflow backup`, `emflow backup verify` and `emflow restore`.

mod remote;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{ConfigArgs, Exit, check_config, store};
use crate::app;
use crate::clock;
use crate::store::backup::{self, BackupError, Restored, Summary};
use crate::store::snapshot::{Snapshot, SnapshotError};
use crate::store::{Options, StoreError};

/// `emflow backup`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BackupArgs {
    #[command(subcommand)]
    command: Option<BackupCommand>,
    /// The configuration that names the data directory.
    #[command(flatten)]
    config: ConfigArgs,
    /// A directory, in which the file is named by its time, or a file that does not exist.
    #[arg(value_name = "DIR-OR-FILE", default_value = ".")]
    to: PathBuf,
    #[command(flatten)]
    remote: remote::RemoteArgs,
}

/// Calls about a backup that was made.
#[derive(Debug, Clone, Subcommand)]
enum BackupCommand {
    /// Restore a backup into a scratch directory, compare every entry, remove it again.
    Verify(VerifyArgs),
}

/// `emflow backup verify`.
#[derive(Debug, Clone, Args)]
struct VerifyArgs {
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to restore it for the while; needs up to five times its size [default: the system's temporary directory].
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// `emflow restore`.
#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The configuration that names the data directory.
    #[command(flatten)]
    config: ConfigArgs,
    /// Where there is a store: move it aside, into the data directory's `before-restore-…`.
    #[arg(long)]
    force: bool,
}

/// Makes a backup of a stopped store or of a serving appliance, or verifies one.
///
/// # Errors
/// A closed pipe.
pub fn run(args: &BackupArgs, out: &mut impl Write, err: &mut impl Write) -> io::Result<Exit> {
    if let Some(BackupCommand::Verify(args)) = &args.command {
        return verify(args, out, err);
    }
    let target = target(&args.to);
    if let Some(url) = &args.remote.url {
        return remote::run(&args.remote, url, &target, out, err);
    }
    let loaded = match args.config.load() {
        Ok(loaded) => loaded,
        Err(mistakes) => {
            check_config::report(&mistakes, err)?;
            return Ok(Exit::Usage);
        }
    };
    let options = app::store_options(&loaded.config, false);
    match of_stopped(&options, &target) {
        Ok(summary) => {
            writeln!(out, "{}", summary.path.display())?;
            told(out, &summary)?;
            Ok(Exit::Done)
        }
        Err(error) => failed(&error, err),
    }
}

/// The file to write: in a directory, one named by the time.
fn target(to: &Path) -> PathBuf {
    let folder = to.is_dir() || to.as_os_str().as_encoded_bytes().ends_with(b"/");
    if folder {
        to.join(backup::name("emflow", clock::wall()))
    } else {
        to.to_owned()
    }
}

/// Opens the store as a start would, with its lock and its audit, and copies it.
fn of_stopped(options: &Options, file: &Path) -> Result<Summary, BackupError> {
    if !backup::holds_store(&options.dir) {
        return Err(StoreError::Absent(options.dir.clone()).into());
    }
    let opened = crate::store::open(options, clock::wall())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|source| BackupError::Io {
        what: "could not start the runtime for",
        path: file.to_owned(),
        source,
    })?;
    let snapshot = runtime.block_on(Snapshot::begin(&opened.store, &opened.committer))?;
    backup::write(snapshot, file, clock::wall(), &backup::to_the_end)
}

fn verify(args: &VerifyArgs, out: &mut impl Write, err: &mut impl Write) -> io::Result<Exit> {
    let scratch = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
    // The settings of a store's engine do not change what it holds.
    let options = app::store_options(&Default::default(), false);
    match backup::verify(&args.file, &scratch, &options, &backup::to_the_end) {
        Ok(restored) => {
            writeln!(out, "{}: sound", args.file.display())?;
            told(out, &restored.backup)?;
            counted(out, &restored)?;
            Ok(Exit::Done)
        }
        Err(error) => failed(&error, err),
    }
}

/// Makes the store of a data directory from a backup.
///
/// # Errors
/// A closed pipe.
pub fn restore(args: &RestoreArgs, out: &mut impl Write, err: &mut impl Write) -> io::Result<Exit> {
    let loaded = match args.config.load() {
        Ok(loaded) => loaded,
        Err(mistakes) => {
            check_config::report(&mistakes, err)?;
            return Ok(Exit::Usage);
        }
    };
    let options = app::store_options(&loaded.config, false);
    match backup::restore(&args.file, &options, args.force, clock::wall()) {
        Ok(restored) => {
            writeln!(out, "restored into {}", options.dir.display())?;
            told(out, &restored.backup)?;
            counted(out, &restored)?;
            if let Some(aside) = &restored.aside {
                let aside = aside.display();
                writeln!(
                    out,
                    "  the store that was there is kept in {aside}; remove it when you are sure"
                )?;
            }
            writeln!(
                out,
                "  every visitor begins a new epoch, and is told so on coming back"
            )?;
            Ok(Exit::Done)
        }
        Err(error) => failed(&error, err),
    }
}

fn told(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    let header = &summary.header;
    writeln!(
        out,
        "  made {} by emflow {}: {} entries of commit {}, {} bytes",
        header.created.rfc3339(),
        header.app_version,
        header.entries,
        header.commits,
        summary.bytes
    )?;
    let hex: String = summary
        .sha256
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    writeln!(out, "  SHA-256 of its contents {hex}")
}

fn counted(out: &mut impl Write, restored: &Restored) -> io::Result<()> {
    let Restored {
        visitors, frames, ..
    } = restored;
    writeln!(out, "  {visitors} visitors, {frames} frames")
}

fn failed(error: &BackupError, err: &mut impl Write) -> io::Result<Exit> {
    writeln!(err, "emflow: {error}")?;
    Ok(match error {
        BackupError::Store(error) | BackupError::Snapshot(SnapshotError::Store(error)) => {
            store::exit_of(error)
        }
        BackupError::Exists(_) | BackupError::NotABackup(_) | BackupError::NotEmpty(_) => {
            Exit::Usage
        }
        BackupError::Damaged { .. } => Exit::Damaged,
        BackupError::Newer { .. }
        | BackupError::Io { .. }
        | BackupError::Snapshot(_)
        | BackupError::NoRoom { .. }
        | BackupError::TooMany(..)
        | BackupError::Unknown(_)
        | BackupError::Stopping => Exit::Failed,
    })
}
