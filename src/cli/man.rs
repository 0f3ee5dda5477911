//! `emflow man`: the manual pages, from the same descriptions as the help and the settings.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use super::{Cli, Exit};
use crate::config;

/// The arguments.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Write all pages into this directory: emflow.1, one for each command, emflow.toml.5.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print the page of the configuration file, emflow.toml(5), instead of emflow(1).
    #[arg(long, conflicts_with = "dir")]
    pub config: bool,
}

/// Writes a page to `out`, or all of them into a directory.
///
/// # Errors
/// A closed pipe, or a directory that cannot be written.
pub fn run(args: &ManArgs, out: &mut impl Write) -> io::Result<Exit> {
    let pages = pages()?;
    match &args.dir {
        Some(dir) => write_all(dir, &pages)?,
        None => {
            let wanted = if args.config {
                "emflow.toml.5"
            } else {
                "emflow.1"
            };
            for (_, text) in pages.iter().filter(|(name, _)| name == wanted) {
                out.write_all(text)?;
            }
        }
    }
    Ok(Exit::Done)
}

fn write_all(dir: &Path, pages: &[(String, Vec<u8>)]) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    for (name, text) in pages {
        let path = dir.join(name);
        std::fs::write(&path, text)
            .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
    }
    Ok(())
}

/// Every page with its file name.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = Cli::command();
    // Gives each subcommand its whole name, `emflow-send`.
    command.build();
    let mut pages = vec![("emflow.toml.5".to_owned(), configuration())];
    collect(command, &mut pages)?;
    Ok(pages)
}

fn collect(command: clap::Command, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    for sub in command.get_subcommands().filter(|sub| {
        // `help` repeats the others.
        !sub.is_hide_set() && sub.get_name() != "help"
    }) {
        collect(sub.clone(), pages)?;
    }
    let name = command.get_display_name().unwrap_or(command.get_name());
    let name = name.to_owned();
    let page = Man::new(command.disable_help_subcommand(true))
        .title(name.to_uppercase())
        .manual("emflow manual")
        .source(concat!("emflow ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    page.render(&mut text)?;
    pages.push((format!("{name}.1"), text));
    Ok(())
}

/// emflow.toml(5), from the table of settings.
fn configuration() -> Vec<u8> {
    use clap_mangen::roff::{Roff, bold, italic, roman};
    let version = concat!("emflow ", env!("CARGO_PKG_VERSION"));
    let mut page = Roff::new();
    page.control("TH", ["EMFLOW.TOML", "5", "", version, "emflow manual"]);
    page.control("SH", ["NAME"]);
    page.text([roman(
        "emflow.toml - configuration of the Example Message Flow appliance",
    )]);
    page.control("SH", ["SYNOPSIS"]);
    page.text([
        italic("/etc/emflow/config.toml"),
        roman(", "),
        italic("/etc/emflow/conf.d/*.toml"),
    ]);
    page.control("SH", ["DESCRIPTION"]);
    for paragraph in config::INTRODUCTION {
        page.control("PP", []);
        page.text([roman(*paragraph)]);
    }
    for section in config::SECTIONS {
        page.control("SH", [format!("[{}]", section.name).as_str()]);
        page.text([roman(section.doc.trim())]);
        for key in section.keys {
            page.control("TP", []);
            page.text([bold(key.name), roman(" = "), italic(key.default)]);
            page.text([roman(config::about(key))]);
        }
    }
    page.control("SH", ["SEE ALSO"]);
    page.text([
        bold("emflow"),
        roman("(1), "),
        bold("emflow-check-config"),
        roman("(1)"),
    ]);
    page.to_roff().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_every_setting_has_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let args = ManArgs {
            dir: Some(dir.path().join("man")),
            config: false,
        };
        run(&args, &mut Vec::new()).unwrap();
        let page = |name: &str| {
            let text = std::fs::read_to_string(dir.path().join("man").join(name));
            text.unwrap_or_else(|e| panic!("{name}: {e}"))
        };
        let main = page("emflow.1");
        let command = Cli::command();
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let name = sub.get_name();
            assert!(page(&format!("emflow-{name}.1")).contains(".TH"), "{name}");
            assert!(main.contains(&name.replace('-', "\\-")), "{name}");
        }
        let settings = page("emflow.toml.5");
        for key in config::keys() {
            assert!(
                settings.contains(&key.name.replace('-', "\\-")),
                "{}",
                key.path
            );
        }
        assert!(settings.contains("conf.d"));
    }

    #[test]
    fn one_page_is_printed() {
        for (config, part) in [(false, "emflow\\-send"), (true, "EMFLOW.TOML")] {
            let mut out = Vec::new();
            run(&ManArgs { dir: None, config }, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains(part), "{part}");
        }
    }
}
