//! `docs/requirements.md` says for each requirement where it is done and tested; this holds it to that.

use std::collections::BTreeSet;
use std::path::Path;

/// Every requirement that a test names as `req: ID`.
fn named(dir: &Path, into: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            named(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for line in text
                .lines()
                .filter_map(|l| l.trim().strip_prefix("// req: "))
            {
                into.extend(line.split(',').map(|id| id.trim().to_owned()));
            }
        }
    }
}

/// The rows of a table without its head.
fn rows(table: &str) -> impl Iterator<Item = &str> {
    let head = |l: &str| {
        ["| id", "| requirement", "| --"]
            .iter()
            .any(|h| l.starts_with(h))
    };
    table
        .lines()
        .filter(move |l| l.starts_with("| ") && !head(l))
}

/// Every named file says that it tests the requirement, every named fault is in the programme, and
/// no requirement of delivery, connections, sessions and breakers is left out but open ones.
fn check_tests(root: &Path, table: &str, list: &str) {
    let mut programme = String::new();
    for entry in std::fs::read_dir(root.join("tests/faults")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "py") {
            programme += &std::fs::read_to_string(path).unwrap();
        }
    }
    let mut told = BTreeSet::new();
    for row in rows(table) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [id, tests, faults] = cells[..] else {
            panic!("a row has three cells: {row}")
        };
        told.insert(id);
        for path in tests.split('`').skip(1).step_by(2) {
            let text = std::fs::read_to_string(root.join(path)).unwrap_or_default();
            let mut named = text
                .lines()
                .filter_map(|l| l.trim().strip_prefix("// req: "))
                .flat_map(|l| l.split(',').map(str::trim));
            assert!(named.any(|n| n == id), "{path} does not say `// req: {id}`");
        }
        for fault in faults.split_whitespace() {
            let known = programme.contains(&format!("@fault(\"{fault}\""));
            assert!(known, "{id} names the fault {fault}, which is none");
        }
    }
    for row in rows(list).filter(|row| !row.ends_with("| open |")) {
        let id = row.trim_matches('|').split('|').next().unwrap().trim();
        let numbered = id.len() == 2 && id.starts_with(['D', 'C', 'S', 'B']);
        assert!(
            !numbered || told.contains(id),
            "no tests are named for {id}"
        );
    }
}

#[test]
fn the_map_names_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = std::fs::read_to_string(root.join("docs/requirements.md")).unwrap();
    let mut tested = BTreeSet::new();
    named(&root.join("src"), &mut tested);
    named(&root.join("tests"), &mut tested);
    let mut listed = BTreeSet::new();
    let (list, tests) = map.split_once("\n## ").expect("a second table: the tests");
    check_tests(root, tests, list);
    for row in rows(list) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [id, _, code, state] = cells[..] else {
            panic!("a row has four cells: {row}")
        };
        listed.insert(id.to_owned());
        for path in code.split('`').skip(1).step_by(2) {
            assert!(
                root.join(path).exists(),
                "{id} names {path}, which is not there"
            );
        }
        let known = ["tested", "partly", "open"].contains(&state);
        let named = tested.contains(id);
        assert!(
            known && (state == "open") != named,
            "{id} is `{state}`; a test names it: {named}"
        );
    }
    let unlisted: Vec<_> = tested.difference(&listed).collect();
    assert!(
        unlisted.is_empty(),
        "tests name requirements that the map does not list: {unlisted:?}"
    );
}
