//! The checks that need no network.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::{Line, reach};
use crate::agents::catalog::Catalog;
use crate::clock::Wall;
use crate::config::{Config, Loaded};
use crate::serve::examine;
use crate::serve::tls::{TlsError, shown};
use crate::store::check;
use crate::store::look::{Look, look};

/// How far a file of ours may lie in the future before the clock is called wrong.
const CLOCK_SLACK: Duration = Duration::from_secs(300);
/// The reserve that the service keeps, and room to work in.
const ROOM: u64 = 64 << 20;
/// The largest store that is read.
const READ_MAX: u64 = 256 << 20;

/// Every line, in the order in which they matter.
pub(super) fn all(loaded: &Loaded, now: Wall) -> Vec<Line> {
    let config = &loaded.config;
    let store = look(&config.server.data_dir);
    let serving = matches!(store, Ok(Look::InUse));
    let answer = serving.then(|| reach::ask(config));
    let mut lines = vec![configuration(loaded)];
    lines.push(reach::port(config, answer.as_ref()));
    lines.extend(certificate(config, now));
    lines.push(clock(config, now));
    lines.push(disk(config));
    lines.push(match &store {
        Ok(found) => store_line(config, found, answer.as_ref()),
        Err(error) => Line::red("store", error.to_string(), as_root(config)),
    });
    lines.push(catalog(config, now));
    lines.extend(reach::network(config, serving));
    lines
}

fn as_root(config: &Config) -> String {
    format!(
        "sudo emflow preflight --data-dir {}",
        config.server.data_dir.display()
    )
}

fn configuration(loaded: &Loaded) -> Line {
    let files: Vec<String> = loaded
        .files
        .iter()
        .map(|f| f.display().to_string())
        .collect();
    let from = if files.is_empty() {
        "every key has its default".to_owned()
    } else {
        format!("read {}", files.join(", "))
    };
    match loaded.warnings().first() {
        None => Line::green("configuration", from),
        Some(warning) => Line::note("configuration", warning, "emflow check-config"),
    }
}

fn certificate(config: &Config, now: Wall) -> Vec<Line> {
    const PART: &str = "certificate";
    let reload = "then systemctl reload emflow";
    if config.tls.plain_behind_proxy {
        let text =
            "the proxy's: it ends TLS (tls.plain_behind_proxy), and is to be looked at there";
        return vec![Line::green(PART, text)];
    }
    if let Some(path) = &config.tls.certificate {
        return match examine::examine(config, now) {
            Err(error) => vec![Line::red(PART, error.to_string(), mend(&error, path))],
            Ok(findings) if findings.is_empty() => vec![Line::green(
                PART,
                format!("{} fits its key, its chain and its names", path.display()),
            )],
            Ok(findings) => {
                let line = |finding: examine::Finding| {
                    Line::red(PART, finding.what, format!("{}, {reload}", finding.mend))
                };
                findings.into_iter().map(line).collect()
            }
        };
    }
    let authority = config.server.data_dir.join("tls/authority.pem");
    if !config.server.data_dir.join("tls").exists() {
        let text =
            "made at the first start by an authority of our own; browsers warn until it is trusted";
        return vec![Line::note(PART, text, "emflow trust")];
    }
    match shown(&authority) {
        Ok(shown) => vec![Line::note(
            PART,
            format!(
                "made by our own authority, good until {}; renewed by itself. Browsers warn until it is trusted",
                shown.not_after.date()
            ),
            "emflow trust",
        )],
        Err(error) => vec![Line::red(PART, error.to_string(), mend(&error, &authority))],
    }
}

/// The command for what is wrong with a file of the certificate.
fn mend(error: &TlsError, path: &Path) -> String {
    match error {
        TlsError::Exposed { path, .. } => format!("chmod 0600 {}", path.display()),
        TlsError::Unreadable { path, .. } => format!("ls -l {}", path.display()),
        TlsError::NotYetValid { .. } => "timedatectl".to_owned(),
        TlsError::KeyMismatch { certificate, .. } => format!(
            "openssl x509 -noout -subject -ext subjectAltName -in {}, and give the key it was issued for as tls.key",
            certificate.display()
        ),
        TlsError::Expired { .. } => {
            format!("renew {}, then systemctl reload emflow", path.display())
        }
        _ => format!("openssl x509 -noout -text -in {}", path.display()),
    }
}

/// No time server is asked: the appliance needs no network. A clock is wrong that says less than
/// what lies on this disk.
fn clock(config: &Config, now: Wall) -> Line {
    const PART: &str = "clock";
    let set = "sudo timedatectl set-time 'YYYY-MM-DD hh:mm:ss' (or set-ntp true)";
    let written = |name: &str| {
        let about = std::fs::metadata(config.server.data_dir.join(name)).ok()?;
        let since = about.modified().ok()?.duration_since(std::time::UNIX_EPOCH);
        Some(Wall(since.ok()?.as_millis() as u64))
    };
    let last = ["watermark", "tls/server.pem"]
        .into_iter()
        .filter_map(written)
        .max();
    let prices = Catalog::builtin().prices_as_of();
    if let Some(last) = last.filter(|last| now.plus(CLOCK_SLACK) < *last) {
        let text = format!(
            "it says {}, but the store was written at {}",
            now.rfc3339(),
            last.rfc3339()
        );
        return Line::red(PART, text, set);
    }
    if now.date() < prices {
        let text = format!(
            "it says {}, before this version was made ({prices})",
            now.date()
        );
        return Line::red(PART, text, set);
    }
    let synchronised = Path::new("/run/systemd/timesync/synchronized").exists();
    let source = if synchronised {
        ", synchronised with a time server"
    } else {
        ""
    };
    Line::green(PART, format!("{}{source}", now.rfc3339()))
}

fn disk(config: &Config) -> Line {
    const PART: &str = "disk";
    let dir = &config.server.data_dir;
    // The directory is made at the first start: its place is what counts then.
    let there = dir
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(Path::new("."));
    let there = if there.as_os_str().is_empty() {
        Path::new(".")
    } else {
        there
    };
    let Ok((free, total)) = crate::store::space(there) else {
        return Line::note(
            PART,
            format!("how much room {} has is not known", there.display()),
            format!("df -h {}", there.display()),
        );
    };
    let ballast = if dir.join("ballast").exists() {
        0
    } else {
        config.store.ballast.0 as u64
    };
    let needed = config.store.min_free.0 as u64 + ballast;
    let text = format!(
        "{} MiB free of {} MiB for {}",
        free >> 20,
        total >> 20,
        dir.display()
    );
    if free < needed {
        let text = format!("{text}; new work is refused below {} MiB", needed >> 20);
        return Line::red(
            PART,
            text,
            format!(
                "du -xh --max-depth=2 {} | sort -h | tail, and free some",
                there.display()
            ),
        );
    }
    if free < needed + ROOM {
        return Line::note(PART, text, format!("df -h {}", there.display()));
    }
    Line::green(PART, text)
}

fn store_line(config: &Config, found: &Look, answer: Option<&reach::Answer>) -> Line {
    const PART: &str = "store";
    let dir = config.server.data_dir.display();
    match (found, answer) {
        (Look::Absent, _) => match writable(&config.server.data_dir) {
            Ok(()) => Line::green(PART, format!("none yet; the first start makes it in {dir}")),
            Err(error) => Line::red(
                PART,
                format!("{dir} cannot be made: {error}"),
                format!("sudo install -d -m 0700 -o $USER {dir}"),
            ),
        },
        (Look::AtRest(bytes), _) => at_rest(config, *bytes),
        (Look::InUse, Some(reach::Answer::Ready)) => {
            Line::green(PART, format!("{dir} is served from, written and read back"))
        }
        (Look::InUse, Some(reach::Answer::NotReady(why))) => Line::red(
            PART,
            format!("the server says: {why}"),
            "journalctl -u emflow -n 50",
        ),
        (Look::InUse, _) => Line::note(
            PART,
            format!(
                "{dir} is in use by a process that does not answer where the configuration says"
            ),
            "systemctl status emflow",
        ),
    }
}

/// A store that nobody serves from: all of it is read, on a copy, where that is a matter of a second.
fn at_rest(config: &Config, bytes: u64) -> Line {
    const PART: &str = "store";
    let dir = config.server.data_dir.display();
    let whole = format!("emflow store check --data-dir {dir}");
    if bytes > READ_MAX {
        let text = format!("{} MiB in {dir}: too much to read it here", bytes >> 20);
        return Line::note(PART, text, whole);
    }
    let options = crate::app::store_options(config, false);
    match check::check(&options, &std::env::temp_dir()) {
        Ok(report) if report.sound => Line::green(
            PART,
            format!(
                "sound: {} visitors, {} frames, {} answers that go on at the next start",
                report.visitors, report.frames, report.unfinished
            ),
        ),
        Ok(report) => Line::red(PART, report.faults.join("; "), whole),
        Err(error) => Line::red(PART, error.to_string(), whole),
    }
}

/// Whether `dir` could be made here, told by the nearest directory that exists.
fn writable(dir: &Path) -> std::io::Result<()> {
    let there = dir.ancestors().find(|path| path.exists());
    let there = match there {
        Some(path) if !path.as_os_str().is_empty() => path,
        _ => Path::new("."),
    };
    let about = std::fs::metadata(there)?;
    if !about.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    // A file that is born without a name and dies with its handle changes nothing.
    tempfile::tempfile_in(there).map(drop)
}

fn catalog(config: &Config, now: Wall) -> Line {
    const PART: &str = "catalog";
    match super::super::catalog::of(config) {
        Err(error) => Line::red(PART, error, "emflow check-config"),
        Ok(catalog) => {
            let text = format!("built-in engine, {}", catalog.prices_text(now.date()));
            if catalog.age_days(now.date()) > Catalog::STALE_DAYS {
                let mend =
                    "look the prices up and name your own file: agents.catalog (docs/catalog.md)";
                Line::note(PART, text, mend)
            } else {
                Line::green(PART, text)
            }
        }
    }
}
