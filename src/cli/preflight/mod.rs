//! `emflow preflight`: can it serve here, and what mends what cannot? Looks only, changes nothing.
//!
//! Every check runs for itself, within a second or two, and gives one line; a red one carries the
//! command that mends it.

mod checks;
mod reach;

use std::io::{self, Write};

use clap::Args;

use super::{ConfigArgs, Exit, check_config};
use crate::clock::Wall;

/// The arguments.
#[derive(Debug, Clone, Args)]
pub struct PreflightArgs {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print the lines as JSON, one object a line.
    #[arg(long)]
    pub json: bool,
}

/// How it stands with a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Well.
    Green,
    /// Works, but not in every respect as one might think.
    Note,
    /// It will not work, or visitors will be warned.
    Red,
}

/// What was found about a part.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Line {
    pub(super) part: &'static str,
    pub(super) state: State,
    pub(super) found: String,
    /// The command that mends it; always there where it is red.
    pub(super) mend: Option<String>,
}

impl Line {
    fn green(part: &'static str, found: impl Into<String>) -> Self {
        Self {
            part,
            state: State::Green,
            found: found.into(),
            mend: None,
        }
    }

    fn note(part: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            part,
            state: State::Note,
            found: found.into(),
            mend: Some(mend.into()),
        }
    }

    fn red(part: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            state: State::Red,
            ..Self::note(part, found, mend)
        }
    }
}

/// Prints the lines; fails where one is red. `colour`: a terminal reads.
///
/// # Errors
/// A closed pipe.
pub fn run(
    args: &PreflightArgs,
    now: Wall,
    colour: bool,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let loaded = match args.config.load() {
        Ok(loaded) => loaded,
        Err(mistakes) => {
            check_config::report(&mistakes, err)?;
            return Ok(Exit::Usage);
        }
    };
    let lines = checks::all(&loaded, now);
    for line in &lines {
        if args.json {
            writeln!(out, "{}", serde_json::to_string(line)?)?;
        } else {
            print(line, colour, out)?;
        }
    }
    let red = lines.iter().filter(|line| line.state == State::Red).count();
    if !args.json {
        match red {
            0 => writeln!(out, "Ready to serve.")?,
            n => writeln!(out, "{n} to mend; nothing was changed.")?,
        }
    }
    Ok(if red == 0 { Exit::Done } else { Exit::Failed })
}

fn print(line: &Line, colour: bool, out: &mut impl Write) -> io::Result<()> {
    let (code, word) = match line.state {
        State::Green => (32, "ok  "),
        State::Note => (33, "note"),
        State::Red => (31, "FAIL"),
    };
    if colour {
        write!(out, "\x1b[{code}m{word}\x1b[0m")?;
    } else {
        write!(out, "{word}")?;
    }
    writeln!(out, "  {:<12} {}", line.part, line.found)?;
    match &line.mend {
        Some(mend) => writeln!(out, "      {:<12} -> {mend}", ""),
        None => Ok(()),
    }
}

/// The lines as text, for the support bundle.
pub(super) fn report(loaded: &crate::config::Loaded, now: Wall) -> String {
    let mut out = Vec::new();
    for line in checks::all(loaded, now) {
        // Writing into memory cannot fail.
        let _ = print(&line, false, &mut out);
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests;
