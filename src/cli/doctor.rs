//! `emflow doctor`: everything that somebody who helps must know, in one text file that its sender can
//! read before sending it. No secret and nothing that a visitor wrote is in it.
//!
//! What is gathered holds no secret by itself: the configuration is masked, of the environment only
//! names are told, of files only sizes and modes. What other programs print goes through
//! [`Redactor`] besides.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use sysinfo::System;

use super::{ConfigArgs, Exit, preflight};
use crate::clock::Wall;
use crate::config::{Loaded, effective, keys};

/// Lines of the log that go in.
const LOG_LINES: &str = "500";
/// How long another program may take, in seconds.
const PATIENCE: &str = "5";
/// The most that one section holds, in bytes.
const SECTION_MAX: usize = 256 * 1024;
/// Files of the data directory that are listed.
const FILES_MAX: usize = 500;
/// A run of token characters of this length is taken for a token.
const TOKEN: usize = 32;

/// The arguments.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The file to write; `-` prints it [default: emflow-support-TIME.txt].
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Writes the bundle, and says where it is.
///
/// # Errors
/// A closed pipe, or a file that cannot be written or exists already.
pub fn run(args: &DoctorArgs, now: Wall, out: &mut impl Write) -> io::Result<Exit> {
    let text = bundle(args, now);
    let stamp: String = now
        .rfc3339()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let default = || PathBuf::from(format!("emflow-support-{stamp}.txt"));
    let path = args.output.clone().unwrap_or_else(default);
    if path == Path::new("-") {
        out.write_all(text.as_bytes())?;
        return Ok(Exit::Done);
    }
    let mut file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(|e| {
            let text = format!("{}: {e}; name another file with --output", path.display());
            io::Error::new(e.kind(), text)
        })?;
    file.write_all(text.as_bytes())?;
    writeln!(
        out,
        "Written to {} ({} KiB). It holds no secret and nothing that visitors wrote; read it before you send it.",
        path.display(),
        text.len().div_ceil(1024)
    )?;
    Ok(Exit::Done)
}

fn bundle(args: &DoctorArgs, now: Wall) -> String {
    let loaded = args.config.load();
    let redactor = Redactor::of(loaded.as_ref().ok());
    let mut sections = vec![("version and system", system(now))];
    match &loaded {
        Ok(loaded) => {
            sections.push(("configuration in force", effective(loaded)));
            sections.push(("preflight", preflight::report(loaded, now)));
            let dir = &loaded.config.server.data_dir;
            sections.push(("data directory", files(dir)));
        }
        Err(mistakes) => {
            let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            sections.push(("mistakes in the configuration", lines.join("\n")));
        }
    }
    sections.push(("limits of a process started here", limits()));
    let status = ["systemctl", "status", "--no-pager", "--lines=0", "emflow"];
    sections.push(("service", printed(&status)));
    let log = [
        "journalctl",
        "--no-pager",
        "--unit=emflow",
        "--output=short-iso",
        "--lines",
        LOG_LINES,
    ];
    sections.push(("log of the service", printed(&log)));
    let mut text = String::from("emflow support bundle\n");
    for (title, body) in sections {
        let mut body = redactor.clean(&body);
        if body.len() > SECTION_MAX {
            // The end of a log tells more than its beginning.
            let mut cut = body.len() - SECTION_MAX;
            while !body.is_char_boundary(cut) {
                cut += 1;
            }
            body = format!("({cut} bytes before this were left out)\n{}", &body[cut..]);
        }
        let _ = write!(text, "\n==== {title} ====\n{}\n", body.trim_end());
    }
    text
}

fn system(now: Wall) -> String {
    let told = |value: Option<String>| value.unwrap_or_else(|| "not known".to_owned());
    let memory = System::new_with_specifics(
        sysinfo::RefreshKind::nothing().with_memory(sysinfo::MemoryRefreshKind::everything()),
    );
    let mut names: Vec<String> = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("EMFLOW_"))
        .collect();
    names.sort();
    format!(
        "emflow {}\ntime {}\nsystem {}\nkernel {}\narchitecture {}\nprocessors {}\n\
         memory {} MiB, {} MiB available\nvariables set (values left out): {}",
        env!("CARGO_PKG_VERSION"),
        now.rfc3339(),
        told(System::long_os_version()),
        told(System::kernel_version()),
        System::cpu_arch(),
        std::thread::available_parallelism().map_or(0, usize::from),
        memory.total_memory() >> 20,
        memory.available_memory() >> 20,
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    )
}

/// Mode, owner, size and time of what lies in the data directory; no contents.
fn files(dir: &Path) -> String {
    let mut out = String::new();
    let mut pending = vec![dir.to_owned()];
    let mut left = FILES_MAX;
    while let Some(folder) = pending.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                let _ = writeln!(out, "{}: {error}", folder.display());
                continue;
            }
        };
        for entry in entries.flatten() {
            let Ok(about) = entry.metadata() else {
                continue;
            };
            if left == 0 {
                out.push_str("and more\n");
                return out;
            }
            left -= 1;
            let written = Wall(u64::try_from(about.mtime()).unwrap_or(0) * 1000);
            let _ = writeln!(
                out,
                "{:04o} {}:{} {:>12} {} {}",
                about.mode() & 0o7777,
                about.uid(),
                about.gid(),
                about.len(),
                written.rfc3339(),
                entry.path().display()
            );
            if about.is_dir() {
                pending.push(entry.path());
            }
        }
    }
    out
}

fn limits() -> String {
    std::fs::read_to_string("/proc/self/limits").unwrap_or_else(|error| error.to_string())
}

/// What a program prints, if it is there and ends in time.
fn printed(words: &[&str]) -> String {
    let output = Command::new("timeout").arg(PATIENCE).args(words).output();
    match output {
        Ok(output) => {
            let both = [output.stdout, output.stderr].concat();
            format!("$ {}\n{}", words.join(" "), String::from_utf8_lossy(&both))
        }
        Err(error) => format!("`{}` could not be run: {error}", words.join(" ")),
    }
}

/// Takes secrets out of a text.
struct Redactor {
    known: Vec<String>,
}

impl Redactor {
    /// Knows the secrets of the configuration.
    fn of(loaded: Option<&Loaded>) -> Self {
        let secrets = loaded.map(|loaded| crate::config::secrets(&loaded.config));
        let mut known: Vec<String> = secrets.unwrap_or_default();
        // The environment may hold a secret that a mistake elsewhere keeps from being loaded.
        let secret =
            |name: &str| keys().any(|key| key.secret && name == crate::config::variable(key.path));
        known.extend(
            std::env::vars_os()
                .filter(|(name, _)| name.to_str().is_some_and(secret))
                .map(|(_, value)| value.to_string_lossy().into_owned()),
        );
        // A secret of a character or two would black out every text.
        known.retain(|secret| secret.len() > 3);
        // The longest first: another may be a part of it.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { known }
    }

    fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.known {
            text = text.replace(secret.as_str(), "[redacted]");
        }
        without_tokens(&without_keys(&text))
    }
}

/// Without the inside of PEM private keys.
fn without_keys(text: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        if line.contains("-----BEGIN") && line.contains("PRIVATE KEY") {
            inside = true;
            out.push_str("[redacted private key]\n");
        }
        if !inside {
            out.push_str(line);
        }
        if line.contains("-----END") {
            inside = false;
        }
    }
    out
}

/// Without long runs of the characters that tokens are made of. A path has a slash and a fingerprint a
/// colon every few characters; a word with a hyphen has no digit.
fn without_tokens(text: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || "_-.+=".contains(c);
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        let letters = run.bytes().filter(u8::is_ascii_alphabetic).count();
        if run.len() >= TOKEN && digits >= 3 && letters >= 3 {
            let _ = write!(out, "[redacted {} characters]", run.len());
        } else {
            out.push_str(run);
        }
        let next = after.chars().next();
        out.extend(next);
        rest = &after[next.map_or(0, char::len_utf8)..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_what_helps_stays() {
        let redactor = Redactor {
            known: vec!["correct horse".to_owned()],
        };
        let check = |text: &str, cleaned: &str| assert_eq!(redactor.clean(text), cleaned, "{text}");
        check("password correct horse!", "password [redacted]!");
        check(
            "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc123 ok",
            "Bearer [redacted 47 characters] ok",
        );
        check(
            "a\n-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\nb",
            "a\n[redacted private key]\nb",
        );
        check("token=", "token=");
        for kept in [
            "/var/lib/emflow/tls/server.pem",
            "C6:BA:25:31:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33",
            "2026-11-25T17:43:37.123Z",
            "connections.heartbeat_interval = \"20s\"",
            "the-quick-brown-fox-jumps-over-the-lazy-dog",
        ] {
            check(kept, kept);
        }
    }
}
