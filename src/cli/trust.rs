//! `emflow trust`: makes this machine trust the appliance's own authority, or takes that back.
//!
//! It changes what a machine trusts, so it says first what it is going to do, asks, and shows how to
//! undo it. Where it may not do it, or must not ask, it prints how.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use super::{ConfigArgs, Exit};
use crate::serve::tls::{Shown, shown};

/// The arguments.
#[derive(Debug, Clone, Args)]
pub struct TrustArgs {
    /// The configuration, which says where the data directory is.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print how, and change nothing.
    #[arg(long)]
    pub print: bool,
    /// Do not ask.
    #[arg(long, conflicts_with = "print")]
    pub yes: bool,
    /// Trust it no longer.
    #[arg(long)]
    pub remove: bool,
}

/// A store of trusted authorities on this machine.
#[derive(Debug, Clone)]
struct Store {
    /// Whose it is, for people.
    name: &'static str,
    /// What is done, step by step; each is shown before.
    install: Vec<Step>,
    remove: Vec<Step>,
}

/// One thing that is done to the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Copy(PathBuf, PathBuf),
    Delete(PathBuf),
    Run(Vec<String>),
}

/// Says, asks, does.
///
/// # Errors
/// A closed pipe.
pub fn run(
    args: &TrustArgs,
    input: &mut impl BufRead,
    asks: bool,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let loaded = match args.config.load() {
        Ok(loaded) => loaded,
        Err(mistakes) => {
            super::check_config::report(&mistakes, err)?;
            return Ok(Exit::Usage);
        }
    };
    if loaded.config.tls.certificate.is_some() {
        writeln!(
            out,
            "The configuration names a certificate of your own (tls.certificate), so there is no authority of \
             ours to trust. `emflow preflight` says whether browsers will trust yours."
        )?;
        return Ok(Exit::Done);
    }
    if loaded.config.tls.plain_behind_proxy {
        writeln!(
            out,
            "A proxy in front ends TLS (tls.plain_behind_proxy): the certificate that browsers see is the \
             proxy's, and there is no authority of ours to trust."
        )?;
        return Ok(Exit::Done);
    }
    let file = loaded.config.server.data_dir.join("tls/authority.pem");
    let authority = match shown(&file) {
        Ok(authority) => authority,
        Err(error) => {
            writeln!(
                err,
                "error: {error}; the first start of `emflow` makes it. Name the data directory with --data-dir, \
                 and run this as a user who may read it (sudo)"
            )?;
            return Ok(Exit::Failed);
        }
    };
    writeln!(out, "authority   {}", authority.name)?;
    writeln!(out, "file        {}", file.display())?;
    writeln!(out, "SHA-256     {}", authority.fingerprint)?;
    writeln!(out, "good until  {}", authority.not_after.rfc3339())?;
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let stores = stores(Path::new("/"), home.as_deref(), &file, &authority);
    if stores.is_empty() {
        writeln!(
            out,
            "\nThis system has no store of authorities that this command knows. Import the file above as an \
             authority in your browser's settings, under certificates. The page /trust says how on other devices."
        )?;
        return Ok(Exit::Done);
    }
    apply(args, &stores, input, asks, out, err)
}

fn apply(
    args: &TrustArgs,
    stores: &[Store],
    input: &mut impl BufRead,
    asks: bool,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let steps = |store: &Store| {
        if args.remove {
            store.remove.clone()
        } else {
            store.install.clone()
        }
    };
    for store in stores {
        writeln!(out, "\n{}:", store.name)?;
        for step in steps(store) {
            writeln!(out, "  {step}")?;
        }
    }
    if !args.remove {
        writeln!(
            out,
            "\n`emflow trust --remove` takes it back. Other devices: open /trust on the appliance.\n\
             Firefox has a list of its own: Settings, View Certificates, Authorities, Import."
        )?;
    }
    if args.print || (!args.yes && !asks) {
        writeln!(
            out,
            "Nothing was changed. Run the lines above, or this command with --yes."
        )?;
        return Ok(Exit::Done);
    }
    if !args.yes {
        write!(out, "Do this now? [y/N] ")?;
        out.flush()?;
        let mut line = String::new();
        input.read_line(&mut line)?;
        if !matches!(line.trim(), "y" | "Y" | "yes") {
            writeln!(out, "Nothing was changed.")?;
            return Ok(Exit::Done);
        }
    }
    let mut exit = Exit::Done;
    for store in stores {
        let done = steps(store).iter().try_for_each(Step::perform);
        match done {
            Ok(()) => writeln!(out, "{}: done", store.name)?,
            Err(error) => {
                exit = Exit::Failed;
                writeln!(
                    err,
                    "error: {}: {error}; run it with the rights it needs: sudo emflow trust",
                    store.name
                )?;
            }
        }
    }
    Ok(exit)
}

/// The stores that exist under `root` and in `home`, with what would be done to them.
fn stores(root: &Path, home: Option<&Path>, file: &Path, authority: &Shown) -> Vec<Store> {
    let text = |path: &Path| path.display().to_string();
    let run = |words: &[&str]| Step::Run(words.iter().map(|word| (*word).to_owned()).collect());
    let mut stores = Vec::new();
    let system = |name, dir: PathBuf, command: &[&str], refresh: &[&str]| {
        let copy = dir.join(format!("{}.crt", file_name(&authority.name)));
        Store {
            name,
            install: vec![Step::Copy(file.to_owned(), copy.clone()), run(command)],
            remove: vec![Step::Delete(copy), run(refresh)],
        }
    };
    let debian = root.join("usr/local/share/ca-certificates");
    let fedora = root.join("etc/pki/ca-trust/source/anchors");
    let suse = root.join("etc/pki/trust/anchors");
    let update = ["update-ca-certificates"];
    if debian.is_dir() {
        // `--fresh` drops the links of what was deleted.
        let fresh = ["update-ca-certificates", "--fresh"];
        let name = "the system's authorities (Debian, Ubuntu)";
        stores.push(system(name, debian, &update, &fresh));
    } else if fedora.is_dir() {
        let extract = ["update-ca-trust", "extract"];
        let name = "the system's authorities (Fedora, RHEL)";
        stores.push(system(name, fedora, &extract, &extract));
    } else if suse.is_dir() {
        let name = "the system's authorities (openSUSE)";
        stores.push(system(name, suse, &update, &update));
    }
    let keychain = root.join("Library/Keychains/System.keychain");
    if keychain.exists() {
        let (file, keychain) = (text(file), text(&keychain));
        stores.push(Store {
            name: "the system's keychain (macOS)",
            install: vec![run(&[
                "security",
                "add-trusted-cert",
                "-d",
                "-r",
                "trustRoot",
                "-k",
                &keychain,
                &file,
            ])],
            remove: vec![run(&["security", "remove-trusted-cert", "-d", &file])],
        });
    }
    // Chromium on Linux does not look into the system's store.
    let nss = home.map(|home| home.join(".pki/nssdb"));
    if let Some(nss) = nss.filter(|nss| nss.is_dir()) {
        let (db, name) = (format!("sql:{}", text(&nss)), authority.name.as_str());
        let file = text(file);
        stores.push(Store {
            name: "Chromium and Chrome of this user",
            install: vec![run(&[
                "certutil", "-d", &db, "-A", "-t", "C,,", "-n", name, "-i", &file,
            ])],
            remove: vec![run(&["certutil", "-d", &db, "-D", "-n", name])],
        });
    }
    stores
}

/// Letters, digits and hyphens: the name of the authority holds the machine's.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    name.chars().map(plain).collect()
}

impl Step {
    fn perform(&self) -> io::Result<()> {
        let with = |what: &Path, error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", what.display()))
        };
        match self {
            Self::Copy(from, to) => {
                let copied = std::fs::read(from).and_then(|bytes| std::fs::write(to, bytes));
                copied.map_err(|error| with(to, error))
            }
            Self::Delete(path) => match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(with(path, error)),
                _ => Ok(()),
            },
            Self::Run(words) => {
                let (program, rest) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
                let ended = Command::new(program)
                    .args(rest)
                    .stdout(std::process::Stdio::null())
                    .status()
                    .map_err(|error| with(Path::new(program), error))?;
                if ended.success() {
                    Ok(())
                } else {
                    Err(io::Error::other(format!("`{self}` failed: {ended}")))
                }
            }
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Copy(from, to) => write!(f, "cp {} {}", from.display(), to.display()),
            Self::Delete(path) => write!(f, "rm -f {}", path.display()),
            Self::Run(words) => {
                let quoted = words.iter().map(|word| {
                    if word.contains(' ') {
                        format!("'{word}'")
                    } else {
                        word.clone()
                    }
                });
                f.write_str(&quoted.collect::<Vec<_>>().join(" "))
            }
        }
    }
}

#[cfg(test)]
mod tests;
