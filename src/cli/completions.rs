//! `emflow completions SHELL`.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Exit};

/// The arguments.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: Shell,
}

/// Writes the script to `out`.
///
/// # Errors
/// A closed pipe.
pub fn run(args: &CompletionsArgs, out: &mut impl Write) -> io::Result<Exit> {
    // Into memory first: the generator panics where a write fails.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "emflow", &mut script);
    out.write_all(&script)?;
    Ok(Exit::Done)
}
