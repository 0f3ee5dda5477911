//! The house rules that a reader of the source can check: who knows whom, and what is absent.

use std::path::{Path, PathBuf};

struct Source {
    path: String,
    /// Without the tests at its end, comments and attributes.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let texts: Vec<(PathBuf, String)> = files
        .into_iter()
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect();
    let tests: Vec<PathBuf> = texts.iter().flat_map(|(p, t)| test_modules(p, t)).collect();
    let is_test = |path: &Path| {
        tests
            .iter()
            .any(|module| path.starts_with(module) || path == module.with_extension("rs"))
    };
    texts
        .into_iter()
        .filter(|(path, _)| !is_test(path))
        .map(|(path, text)| Source {
            path: path.strip_prefix(&root).unwrap().display().to_string(),
            code: without_tests_and_comments(&text),
        })
        .collect()
}

/// The modules that a file declares for tests alone, as paths without `.rs`.
fn test_modules(file: &Path, text: &str) -> Vec<PathBuf> {
    let owns_its_folder = ["mod", "lib", "main"].map(Some);
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let folder = if owns_its_folder.contains(&stem) {
        file.parent().unwrap().to_owned()
    } else {
        file.with_extension("")
    };
    let declared = text.split("#[cfg(test)]\n").skip(1).filter_map(|after| {
        let line = after.lines().find(|line| !line.starts_with("#["))?;
        let name = line.split_once("mod ")?.1.strip_suffix(';')?;
        Some(folder.join(name))
    });
    declared.collect()
}

/// `//` after a colon is an address in a text.
fn without_tests_and_comments(text: &str) -> String {
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    let strip = |line: &str| {
        let comment = line
            .match_indices("//")
            .map(|(at, _)| at)
            .find(|at| !line[..*at].ends_with(':'));
        line[..comment.unwrap_or(line.len())].to_owned()
    };
    code.lines().map(strip).collect::<Vec<_>>().join("\n")
}

pub(crate) fn collect(dir: &Path, into: &mut Vec<PathBuf>) {
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
        ".await",
        "Instant::now",
        ".elapsed()",
        "SystemTime",
        "use ring",
        "random_u128",
        "RandomState",
        "getrandom",
        "tracing",
        "println!",
        "std::fs",
        "std::io",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
    ];
    absent(&impure, &["machine/", "protocol/"], &[]);
    // The machines stand on nothing but the standard library, and serde for what is stored.
    for source in sources().iter().filter(|s| s.path.starts_with("machine/")) {
        for line in source.code.lines().filter_map(|l| l.strip_prefix("use ")) {
            let root = line.split("::").next().unwrap();
            assert!(
                ["std", "crate", "super", "serde"].contains(&root),
                "{}: use {line}",
                source.path
            );
        }
    }
}

#[test]
fn each_library_has_its_room() {
    absent(&["sled::", "use sled"], &[], &["store/"]);
    absent(
        &[
            "warp::",
            "use warp",
            "hyper::",
            "hyper_util::",
            "tungstenite::",
        ],
        &[],
        &["serve/", "cli/client.rs"],
    );
    absent(&["rustls::", "rcgen::"], &[], &["serve/", "cli/client.rs"]);
    absent(&["clap::"], &[], &["cli/"]);
    absent(&["bincode::"], &[], &["store/record.rs"]);
    absent(&["prometheus::"], &[], &["observe/families.rs"]);
    absent(&["hdrhistogram::"], &[], &["observe/windows.rs", "cli/"]);
    absent(
        &["sysinfo::"],
        &[],
        &["observe/system.rs", "serve/", "cli/"],
    );
    absent(&["println!", "print!"], &[], &["cli/", "main.rs"]);
}

#[test]
fn clocks_and_tasks_have_one_door() {
    absent(
        &[
            "Instant::now",
            ".elapsed()",
            "SystemTime",
            "OffsetDateTime::now",
        ],
        &[],
        &["clock.rs"],
    );
    absent(
        &["tokio::spawn", "task::spawn", "spawn_local", "JoinSet"],
        &[],
        &[
            "shutdown.rs",
            "agents/backend.rs",
            "app.rs",
            "observe/guard.rs",
            "access/admin/password.rs",
            "app/backups.rs",
            "backups/mod.rs",
            "serve/operate/mod.rs",
        ],
    );
    // Threads of the blocking pool, waited for where they are started.
    absent(
        &["tokio::spawn", "task::spawn(", "spawn_local", "JoinSet"],
        &[
            "agents/backend.rs",
            "app.rs",
            "observe/guard.rs",
            "access/admin/password.rs",
            "app/backups.rs",
            "backups/mod.rs",
            "serve/operate/mod.rs",
        ],
        &[],
    );
    absent(
        &["thread::spawn", "thread::Builder"],
        &[],
        &["store/commit.rs", "store/stuck.rs"],
    );
}

/// Which rooms each room may know: only such as stand above it, so that no two know each other.
/// `app` knows everybody, and nobody but `cli` knows it.
const KNOWS: &[(&str, &str)] = &[
    ("id", ""),
    ("clock", ""),
    ("appearance", "clock"),
    ("config", "appearance"),
    ("shutdown", ""),
    ("notify", ""),
    ("examples", "id clock"),
    ("protocol", "id"),
    ("machine", "id"),
    ("agents", "id clock"),
    ("meter", "id clock machine"),
    ("store", "id clock machine protocol meter"),
    ("business", "id clock protocol store"),
    ("live", "config store"),
    (
        "report",
        "id clock machine protocol store agents appearance",
    ),
    ("access", "id clock machine protocol store"),
    ("backups", "clock shutdown store"),
    ("outbox", "id clock machine protocol store meter"),
    ("sessions", "id clock machine protocol store meter outbox"),
    (
        "intake",
        "id clock machine protocol store shutdown meter business outbox sessions",
    ),
    (
        "supervisor",
        "id clock machine protocol store shutdown meter business outbox sessions intake agents",
    ),
    (
        "observe",
        "id clock machine protocol store shutdown meter business outbox sessions intake supervisor",
    ),
    (
        "cleanup",
        "id clock machine protocol store shutdown business outbox sessions intake",
    ),
    (
        "serve",
        "id clock machine protocol store shutdown meter outbox sessions observe intake agents access \
         config examples report backups cleanup supervisor appearance live",
    ),
    (
        "cli",
        "id clock report machine protocol store shutdown intake agents config examples serve access app notify observe",
    ),
];

#[test]
fn arrows_go_down() {
    for (place, (room, known)) in KNOWS.iter().enumerate() {
        for name in known.split_whitespace().filter(|name| *name != "app") {
            let above = KNOWS[..place].iter().any(|(other, _)| *other == name);
            assert!(
                above,
                "{room} may know {name}, which does not stand above it"
            );
        }
    }
    let mut upward = Vec::new();
    for source in sources() {
        let room = source.path.split(['/', '.']).next().unwrap();
        if ["app", "lib", "main"].contains(&room) {
            continue;
        }
        let known = KNOWS.iter().find(|(name, _)| *name == room);
        let known = known
            .unwrap_or_else(|| panic!("{room} is a new room: say what it may know"))
            .1;
        for mention in source.code.split("crate::").skip(1) {
            let end = mention.find(|c: char| !c.is_ascii_lowercase() && c != '_');
            let other = &mention[..end.unwrap_or(mention.len())];
            if other != room && !known.split_whitespace().any(|name| name == other) {
                upward.push(format!("{}: crate::{other}", source.path));
            }
        }
    }
    assert!(
        upward.is_empty(),
        "a room knows what it must not (a group `crate::{{` counts too):\n{}",
        upward.join("\n")
    );
}

#[test]
fn nothing_is_unbounded_unsafe_or_unwrapped() {
    absent(
        &[
            "unbounded_channel",
            "std::sync::mpsc",
            "unsafe ",
            ".unwrap()",
            "todo!(",
            "unimplemented!(",
        ],
        &[],
        &[],
    );
    let cargo = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    assert!(cargo.unwrap().contains("unsafe_code = \"forbid\""));
}

#[test]
fn an_expect_says_why_it_cannot_be() {
    let mut silent = Vec::new();
    for source in sources() {
        for text in source.code.split(".expect(").skip(1) {
            let said = text.trim_start().strip_prefix('"');
            let said = said.and_then(|text| text.split('"').next());
            if said.is_none_or(|said| said.split_whitespace().count() < 3) {
                let start: String = text.chars().take(40).collect();
                silent.push(format!("{}: .expect({start}", source.path));
            }
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

fn begins_function(line: &str) -> bool {
    let words = line.split(' ').skip_while(|word| {
        word.starts_with("pub") || ["const", "async", "extern", "\"C\""].contains(word)
    });
    words.take(1).any(|word| word == "fn")
}

#[test]
fn files_and_functions_stay_readable() {
    let mut long = Vec::new();
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        collect(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
            &mut files,
        );
    }
    for file in files {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        if lines > 500 {
            long.push(format!("{}: {lines} lines", file.display()));
        }
    }
    for source in sources() {
        let mut start = None;
        for (number, line) in source.code.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let text = line.trim_start();
            if start.is_none()
                && begins_function(text)
                && !text.ends_with(';')
                && !text.ends_with('}')
            {
                start = Some((number, indent, text.to_owned()));
            }
            let only_declared = text.starts_with(')') && text.ends_with(';');
            if only_declared && start.as_ref().is_some_and(|(_, depth, _)| *depth == indent) {
                start = None;
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
