//! The documents say what is so: their links lead somewhere, their commands can be given, their settings
//! are taken.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Parser;

/// README, CHANGELOG and everything in `docs/`, with their text.
fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = docs
        .filter(|p| p.extension().is_some_and(|e| e == "md"))
        .collect();
    paths.extend(["README.md", "CHANGELOG.md"].map(|name| root.join(name)));
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// The address by which GitHub and others reach a heading.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    let text: String = heading.trim().to_lowercase().chars().filter(kept).collect();
    text.replace(' ', "-")
}

/// The blocks of a language.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("\n```{language}\n");
    let bodies = text.split(fence.as_str()).skip(1);
    bodies.filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut dead = Vec::new();
    let mut followed = 0;
    for (path, text) in documents() {
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            followed += 1;
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().unwrap().join(file),
            };
            let there = std::fs::read_to_string(&target).unwrap_or_default();
            let headings: BTreeSet<String> = there
                .lines()
                .filter(|line| line.starts_with('#'))
                .map(|line| anchor(line.trim_start_matches('#')))
                .collect();
            if !target.exists() || (!place.is_empty() && !headings.contains(place)) {
                dead.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
    assert!(followed > 0);
}

/// The words of a command of ours in a line of shell, if it is one.
fn ours(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    // Quotes hold words together; nothing else of a shell is used in the documents.
    for (number, part) in line.split('"').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    let mut words = words
        .into_iter()
        .skip_while(|word| word != "emflow" && !word.starts_with("cargo"));
    let first = words.next()?;
    if first == "cargo" {
        let mut rest = words.skip_while(|word| word != "--");
        rest.next()?;
        return Some([vec!["emflow".to_owned()], rest.collect()].concat());
    }
    // `sudo -u emflow emflow …`: the second is the program.
    let rest: Vec<String> = words.collect();
    let rest = match rest.first() {
        Some(word) if word == "emflow" => rest[1..].to_vec(),
        _ => rest,
    };
    Some([vec![first], rest].concat())
}

#[test]
fn commands_can_be_given_as_they_are_written() {
    let mut wrong = Vec::new();
    let mut given = 0;
    for (path, text) in documents() {
        for block in blocks(&text, "sh") {
            let joined = block.replace("\\\n", " ");
            for line in joined.lines() {
                let line = line.split(" #").next().unwrap();
                let system = ["systemctl", "journalctl", "apt", "dnf"];
                if system
                    .iter()
                    .any(|word| line.split_whitespace().any(|w| w == *word))
                {
                    continue;
                }
                let Some(words) = ours(line) else { continue };
                let words = words
                    .iter()
                    .take_while(|word| !["|", ">"].contains(&word.as_str()));
                given += 1;
                if let Err(error) = emflow::cli::Cli::try_parse_from(words)
                    && error.use_stderr()
                {
                    wrong.push(format!("{}: {line}: {error}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(given > 5, "{given}");
}

// req: K
#[test]
fn settings_are_taken_as_they_are_written() {
    let mut wrong = Vec::new();
    for (path, text) in documents() {
        // These show files of another kind: a catalog, a script.
        if path.ends_with("catalog.md") || path.ends_with("presenting.md") {
            continue;
        }
        for block in blocks(&text, "toml") {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("block.toml");
            std::fs::write(&file, block).unwrap();
            let flags = emflow::config::Overrides::default();
            if let Err(errors) = emflow::config::Config::load(&flags, [], Some(&file)) {
                let list: Vec<String> = errors.iter().map(ToString::to_string).collect();
                wrong.push(format!("{}: {}", path.display(), list.join("; ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
