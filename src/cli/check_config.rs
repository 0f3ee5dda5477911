//! `emflow check-config`: the effective configuration, or all that is wrong with it.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::{ConfigArgs, Exit};
use crate::agents::catalog::Catalog;
use crate::clock::Wall;
use crate::config::{ConfigError, Loaded, effective};
use crate::examples::Gallery;
use crate::serve::examine::{Finding, examine};

/// The arguments.
#[derive(Debug, Clone, Default, Args)]
pub struct CheckConfigArgs {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print only what is wrong or unwise.
    #[arg(long, short)]
    pub quiet: bool,
}

/// Prints the configuration to `out` and what is wrong with it to `err`, one line a mistake.
/// Beyond what loading checks it opens the files that the configuration names.
///
/// # Errors
/// A closed pipe.
pub fn run(
    args: &CheckConfigArgs,
    now: Wall,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let loaded = args.config.load().and_then(|loaded| {
        let (mistakes, findings) = named_files(&loaded, now);
        if mistakes.is_empty() {
            Ok((loaded, findings))
        } else {
            Err(mistakes)
        }
    });
    match loaded {
        Ok((loaded, findings)) => {
            if !args.quiet {
                for file in &loaded.files {
                    writeln!(out, "# read {}", file.display())?;
                }
                out.write_all(effective(&loaded).as_bytes())?;
            }
            for warning in loaded.warnings() {
                writeln!(err, "warning: {warning}")?;
            }
            for Finding { what, mend } in findings {
                writeln!(err, "warning: {what}; {mend}")?;
            }
            Ok(Exit::Done)
        }
        Err(mistakes) => {
            report(&mistakes, err)?;
            Ok(Exit::Usage)
        }
    }
}

/// One line a mistake; `serve` reports the same way.
///
/// # Errors
/// A closed pipe.
pub fn report(mistakes: &[ConfigError], err: &mut impl Write) -> io::Result<()> {
    for mistake in mistakes {
        writeln!(err, "error: {mistake}")?;
    }
    Ok(())
}

/// The files that the configuration names, as far as they can be judged without serving: what is
/// wrong with them, and what is unwise about the certificate.
fn named_files(loaded: &Loaded, now: Wall) -> (Vec<ConfigError>, Vec<Finding>) {
    let config = &loaded.config;
    let mistake = |key: &str, rule: String| ConfigError {
        place: loaded.source(key),
        key: key.to_owned(),
        rule,
        fix: "correct the path or the file".to_owned(),
    };
    let mut mistakes = Vec::new();
    let findings = examine(config, now).unwrap_or_else(|fault| {
        mistakes.push(mistake("tls.certificate", fault.to_string()));
        Vec::new()
    });
    let files: [(&str, &Option<PathBuf>); 3] = [
        ("auth.jwks_file", &config.auth.jwks_file),
        ("agents.catalog", &config.agents.catalog),
        ("examples.file", &config.examples.file),
    ];
    for (key, path) in files {
        let Some(path) = path else { continue };
        let faults = match std::fs::read_to_string(path) {
            Err(e) => vec![format!(" cannot be read: {e}")],
            Ok(text) => faults_in(key, &text),
        };
        let told = |fault: String| mistake(key, format!("{}{fault}", path.display()));
        mistakes.extend(faults.into_iter().map(told));
    }
    (mistakes, findings)
}

/// What the server would refuse in a file of ours; the key set of a JWKS is its own business.
fn faults_in(key: &str, text: &str) -> Vec<String> {
    match key {
        "agents.catalog" => match Catalog::parse(text) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.iter().map(|fault| format!(": {fault}")).collect(),
        },
        "examples.file" => {
            let faults = Gallery::parse(text).err().unwrap_or_default();
            faults.iter().map(|fault| format!(": {fault}")).collect()
        }
        _ => Vec::new(),
    }
}
