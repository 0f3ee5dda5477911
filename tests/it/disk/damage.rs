//! A store whose files were cut, flipped or lost: intact, or refused; never silently less.

use std::path::{Path, PathBuf};

use super::{Dice, log, trials};
use crate::golden;
use crate::harness::{Server, run};

fn files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else {
            into.push(path);
        }
    }
}

/// Does something to one file; in words.
fn harm(dir: &Path, dice: &mut Dice) -> String {
    let mut all = Vec::new();
    files(dir, &mut all);
    all.sort();
    let file = &all[dice.below(all.len() as u64) as usize];
    let name = file.strip_prefix(dir).unwrap().display();
    let mut bytes = std::fs::read(file).unwrap();
    // What is written, not the empty rest of a segment.
    let used = bytes.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1) as u64;
    match dice.below(4) {
        0 => {
            std::fs::remove_file(file).unwrap();
            return format!("{name} is gone");
        }
        1 if used > 0 => {
            let left = dice.below(used);
            bytes.truncate(left as usize);
            std::fs::write(file, bytes).unwrap();
            format!("{name} ends after {left} of {used} bytes")
        }
        _ if used > 0 => {
            let at = dice.below(used);
            bytes[at as usize] ^= 1 << dice.below(8);
            std::fs::write(file, bytes).unwrap();
            format!("{name} has another bit in byte {at} of {used}")
        }
        _ => format!("{name} is empty, and nothing was done"),
    }
}

#[test]
fn a_harmed_store_is_intact_or_refused() {
    // req: D6
    let (mut intact, mut refused) = (0, 0);
    for seed in 0..trials(20) {
        let mut dice = Dice(seed);
        let dir = tempfile::tempdir().unwrap();
        let expected = golden::unpack("0.1.0", dir.path());
        let what = harm(&dir.path().join("emflow-data"), &mut dice);
        let what = format!("seed {seed}: {what}");
        run(async {
            match Server::try_start_in(dir.path(), &golden::environment("0s")) {
                Ok(server) => {
                    golden::check(&server, &expected, true).await;
                    intact += 1;
                }
                Err(code) => {
                    let log = log(dir.path());
                    assert_eq!(code, Some(74), "{what}: {log}");
                    assert!(log.contains("is damaged: "), "{what}: {log}");
                    refused += 1;
                }
            }
        });
        let log = log(dir.path());
        assert!(!log.contains("panicked at"), "{what}: {log}");
    }
    assert!(
        refused >= intact / 4,
        "{refused} of {} trials showed",
        intact + refused
    );
}
