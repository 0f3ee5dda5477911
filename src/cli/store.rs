//! `emflow store check`: is everything there, and what would be lost?

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ConfigArgs, Exit, check_config};
use crate::app;
use crate::clock::Wall;
use crate::store::StoreError;
use crate::store::check::{self, Report};

/// `emflow store`.
#[derive(Debug, Clone, Args)]
pub struct StoreArgs {
    #[command(subcommand)]
    command: StoreCommand,
}

/// Calls about a store that no server holds.
#[derive(Debug, Clone, Subcommand)]
enum StoreCommand {
    /// Check everything that a stopped store holds. Changes nothing.
    Check(CheckArgs),
}

/// `emflow store check`.
#[derive(Debug, Clone, Args)]
struct CheckArgs {
    /// The configuration that names the data directory.
    #[command(flatten)]
    config: ConfigArgs,
    /// Where to put the copy that is checked; needs the size of the store [default: the system's temporary directory].
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the call.
///
/// # Errors
/// A closed pipe.
pub fn run(args: &StoreArgs, out: &mut impl Write, err: &mut impl Write) -> io::Result<Exit> {
    let StoreCommand::Check(args) = &args.command;
    let loaded = match args.config.load() {
        Ok(loaded) => loaded,
        Err(mistakes) => {
            check_config::report(&mistakes, err)?;
            return Ok(Exit::Usage);
        }
    };
    let options = app::store_options(&loaded.config, false);
    let scratch = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let report = match check::check(&options, &scratch) {
        Ok(report) => report,
        Err(error) => {
            writeln!(err, "emflow: {error}")?;
            if matches!(error, StoreError::Io { .. }) {
                writeln!(
                    err,
                    "emflow: the check works on a copy; name another place for it with --scratch"
                )?;
            }
            return Ok(exit_of(&error));
        }
    };
    if args.json {
        let json = serde_json::to_string_pretty(&report).map_err(io::Error::other)?;
        writeln!(out, "{json}")?;
    } else {
        print(&report, out)?;
    }
    Ok(if report.sound {
        Exit::Done
    } else {
        Exit::Damaged
    })
}

fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let state = if report.sound { "sound" } else { "DAMAGED" };
    writeln!(out, "{}: {state}", report.dir.display())?;
    let watermark = match report.watermark {
        Some(commits) => commits.to_string(),
        None => "missing".to_owned(),
    };
    writeln!(
        out,
        "  epoch      {} ({})",
        report.epoch,
        Wall(report.epoch).rfc3339()
    )?;
    writeln!(
        out,
        "  commits    {}, watermark {watermark}",
        report.commits
    )?;
    writeln!(out, "  entries    {}", report.entries)?;
    writeln!(out, "  visitors   {}", report.visitors)?;
    writeln!(
        out,
        "  sessions   {}, {} not ended",
        report.sessions, report.unfinished
    )?;
    writeln!(out, "  frames     {}", report.frames)?;
    writeln!(
        out,
        "  disk       {} KiB for {} KiB",
        report.disk_bytes >> 10,
        report.live_bytes >> 10
    )?;
    for fault in &report.faults {
        writeln!(out, "  fault: {fault}")?;
    }
    if !report.sound {
        let loss = &report.loss;
        writeln!(
            out,
            "  --accept-loss would give up {} frames of {} visitors and {} entries that cannot be read",
            loss.frames, loss.visitors, loss.entries
        )?;
        if loss.commits > 0 {
            writeln!(
                out,
                "  and whatever {} missing commits held, which nobody can tell",
                loss.commits
            )?;
        }
        writeln!(
            out,
            "  a backup gives up what came after it: emflow restore FILE --data-dir {} --force",
            report.dir.display()
        )?;
    }
    Ok(())
}

/// With which code a call ends that the store refused.
pub(super) fn exit_of(error: &StoreError) -> Exit {
    match error {
        StoreError::InUse(_) => Exit::InUse,
        StoreError::Absent(_) | StoreError::OtherSettings { .. } => Exit::Usage,
        StoreError::Damaged { .. }
        | StoreError::Newer { .. }
        // Starting again by itself would convert it once more, and end the same way.
        | StoreError::RolledBack { .. }
        | StoreError::Record(_)
        | StoreError::Stopped
        | StoreError::Sled(_) => Exit::Damaged,
        StoreError::Io { .. } | StoreError::Older { .. } => Exit::Failed,
    }
}
