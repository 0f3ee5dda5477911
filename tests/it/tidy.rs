//! The house rules that a reader of the source can check: who knows whom, and what is absent.

use std::path::{Path, PathBuf};

struct Source {
    path: String,
    /// Without the tests at its end, comments and attributes.
    code: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    // Whole files of tests; `#[cfg(test)] mod x;` says which where the name does not.
    let is_test = |p: &Path| {
        p.file_stem().is_some_and(|s| s == "tests")
            || p.iter()
                .any(|c| c == "tests" || c == "promises" || c.to_string_lossy().contains("_tests"))
            || p.file_stem()
                .is_some_and(|s| s == "worked" || s == "promises" || s == "dice")
    };
    files
        .into_iter()
        .filter(|path| !is_test(path))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let before_tests = text
                .split("#[cfg(test)]\nmod tests {")
                .next()
                .unwrap_or(&text);
            let code = before_tests
                .lines()
                .map(|l| l.split("//").next().unwrap_or(l))
                .collect::<Vec<_>>()
                .join("\n");
            Source {
                path: path.strip_prefix(&root).unwrap().display().to_string(),
                code,
                lines: text.lines().count(),
            }
        })
        .collect()
}

fn collect(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// None of `words` stands in the code of files whose path begins like one of `places` (all, if empty),
/// except in those that begin like one of `except`.
fn absent(words: &[&str], places: &[&str], except: &[&str]) {
    let begins = |path: &str, list: &[&str]| list.iter().any(|p| path.starts_with(p));
    let mut found = Vec::new();
    for source in sources() {
        if (!places.is_empty() && !begins(&source.path, places)) || begins(&source.path, except) {
            continue;
        }
        for word in words.iter().filter(|w| source.code.contains(**w)) {
            found.push(format!("{}: {word}", source.path));
        }
    }
    assert!(
        found.is_empty(),
        "the house rules are broken:\n{}",
        found.join("\n")
    );
}

#[test]
fn machines_and_protocol_are_pure() {
    let impure = [
        "tokio",
        "sled",
        "warp",
        "async ",
        "Instant::now",
        "SystemTime",
        "ring::rand",
        "getrandom",
        "tracing::",
        "std::fs",
        "std::net",
    ];
    absent(&impure, &["machine/", "protocol/"], &[]);
}

#[test]
fn each_library_has_its_room() {
    absent(&["sled::"], &[], &["store/"]);
    absent(
        &["warp::", "hyper::", "hyper_util::"],
        &[],
        &["serve/", "cli/client.rs"],
    );
    absent(&["rustls::", "rcgen::"], &[], &["serve/", "cli/client.rs"]);
    absent(&["clap::"], &[], &["cli/"]);
    absent(
        &["Instant::now", "SystemTime::now", "OffsetDateTime::now"],
        &[],
        &["clock.rs"],
    );
    absent(&["tokio::spawn("], &[], &["shutdown.rs"]);
}

#[test]
fn arrows_go_down() {
    let upper = [
        "crate::app",
        "crate::serve",
        "crate::cli",
        "crate::supervisor",
        "crate::intake",
        "crate::sessions",
        "crate::outbox",
        "crate::observe",
        "crate::access",
    ];
    absent(
        &[&upper[..], &["crate::store"]].concat(),
        &["machine/", "protocol/", "agents/", "id.rs", "clock.rs"],
        &[],
    );
    absent(&upper, &["store/"], &[]);
    absent(
        &["crate::app", "crate::serve", "crate::cli"],
        &[
            "supervisor/",
            "intake.rs",
            "sessions.rs",
            "outbox",
            "observe/",
            "access/",
        ],
        &[],
    );
    absent(&["crate::app"], &[], &["app", "cli/", "lib.rs"]);
}

#[test]
fn nothing_is_unbounded_unsafe_or_unwrapped() {
    absent(
        &[
            "unbounded_channel",
            "mpsc::channel()",
            "unsafe {",
            "unsafe fn",
            ".unwrap()",
            "todo!(",
            "unimplemented!(",
        ],
        &[],
        &[],
    );
}

#[test]
fn files_and_functions_stay_readable() {
    let mut long = Vec::new();
    for source in sources() {
        if source.lines > 500 {
            long.push(format!("{}: {} lines", source.path, source.lines));
        }
        let mut start = None;
        for (number, line) in source.code.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let text = line.trim_start();
            let begins = [
                "fn ",
                "pub fn ",
                "pub(crate) fn ",
                "pub(super) fn ",
                "async fn ",
                "pub async fn ",
                "pub(super) async fn ",
            ];
            if start.is_none()
                && begins.iter().any(|b| text.starts_with(b))
                && !text.ends_with(';')
                && !text.ends_with('}')
            {
                start = Some((number, indent, text.to_owned()));
            }
            if let Some((first, depth, name)) = &start
                && indent == *depth
                && text.starts_with('}')
            {
                if number - first + 1 > 70 {
                    long.push(format!(
                        "{}: {} lines: {name}",
                        source.path,
                        number - first + 1
                    ));
                }
                start = None;
            }
        }
    }
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

#[test]
fn pages_take_text_only_as_text() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("static");
    let mut pending = vec![root];
    let mut found = Vec::new();
    while let Some(dir) = pending.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("vendor") {
                pending.push(path);
            } else if path.extension().is_some_and(|e| e == "js") {
                let text = std::fs::read_to_string(&path).unwrap();
                let bad = [
                    "innerHTML",
                    "outerHTML",
                    "insertAdjacentHTML",
                    "document.write",
                    "eval(",
                ];
                found.extend(
                    bad.iter()
                        .filter(|b| text.contains(**b))
                        .map(|b| format!("{}: {b}", path.display())),
                );
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
