//! `emflow verify`: whether a report is as the appliance signed it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use clap::Args;

use super::Exit;
use crate::report::seal::verify;

/// The largest file that is read; a report is well under a mebibyte.
const FILE_MAX: u64 = 32 * 1024 * 1024;

/// `emflow verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The fingerprint of the key that must have signed it, with or without colons.
    #[arg(long, value_name = "FINGERPRINT", value_parser = fingerprint)]
    pub key: Option<String>,
    /// The report: HTML, Markdown or JSON.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

fn fingerprint(text: &str) -> Result<String, &'static str> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    if digits.len() != 64 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err("64 hexadecimal digits, as the demo page shows under /verify");
    }
    Ok(digits.to_ascii_uppercase())
}

/// Checks the file; done where its seal fits and is of the key that was asked for.
///
/// # Errors
/// Where it cannot be said.
pub fn run(args: &VerifyArgs, out: &mut impl Write, err: &mut impl Write) -> io::Result<Exit> {
    let name = args.file.display();
    let mut bytes = Vec::new();
    let read = File::open(&args.file).and_then(|f| f.take(FILE_MAX + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        writeln!(err, "error: {name} could not be read: {error}")?;
        return Ok(Exit::Usage);
    }
    if bytes.len() as u64 > FILE_MAX {
        writeln!(err, "error: {name} is larger than 32 MiB: it is no report")?;
        return Ok(Exit::Failed);
    }
    match verify(&bytes) {
        Err(why) => {
            writeln!(err, "NOT GENUINE: {name}: {why}")?;
            Ok(Exit::Failed)
        }
        Ok(found)
            if args
                .key
                .as_ref()
                .is_some_and(|k| *k != found.fingerprint.replace(':', "")) =>
        {
            writeln!(
                err,
                "NOT GENUINE: {name}: it is whole, but another key signed it: {}",
                found.fingerprint
            )?;
            Ok(Exit::Failed)
        }
        Ok(found) => {
            writeln!(
                out,
                "genuine: no byte of {name} has changed since it was signed"
            )?;
            writeln!(out, "  key {}", found.fingerprint)?;
            if args.key.is_none() {
                let text = "compare this with the appliance's /verify page, or give it with --key";
                writeln!(out, "  {text}")?;
            }
            Ok(Exit::Done)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::seal::Signer;

    #[test]
    fn it_says_genuine_changed_or_of_another_key() {
        let dir = tempfile::tempdir().unwrap();
        let signer = Signer::new(&[3; 32]).unwrap();
        let check = |content: &[u8], key: Option<&str>, exit: Exit, word: &str| {
            let file = dir.path().join("report.html");
            std::fs::write(&file, content).unwrap();
            let key = key.map(|key| fingerprint(key).unwrap());
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let args = VerifyArgs { key, file };
            assert_eq!(run(&args, &mut out, &mut err).unwrap(), exit);
            let said = String::from_utf8([out, err].concat()).unwrap();
            assert!(said.contains(word), "{said}");
        };
        let sealed = signer.seal_text("<p>5,700</p>");
        let own = signer.fingerprint();
        check(sealed.as_bytes(), None, Exit::Done, &own);
        check(
            sealed.as_bytes(),
            Some(&own.to_lowercase().replace(':', "")),
            Exit::Done,
            "genuine",
        );
        let other = Signer::new(&[4; 32]).unwrap().fingerprint();
        check(sealed.as_bytes(), Some(&other), Exit::Failed, "another key");
        check(
            sealed.replace('7', "8").as_bytes(),
            None,
            Exit::Failed,
            "NOT GENUINE",
        );
        check(b"nothing", None, Exit::Failed, "no seal");
        assert!(fingerprint("AB").is_err() && fingerprint(&"G".repeat(64)).is_err());
        let args = VerifyArgs {
            key: None,
            file: dir.path().join("absent"),
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        assert_eq!(run(&args, &mut out, &mut err).unwrap(), Exit::Usage);
    }
}
