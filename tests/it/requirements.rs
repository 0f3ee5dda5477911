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

#[test]
fn the_map_names_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = std::fs::read_to_string(root.join("docs/requirements.md")).unwrap();
    let mut tested = BTreeSet::new();
    named(&root.join("src"), &mut tested);
    named(&root.join("tests"), &mut tested);
    let mut listed = BTreeSet::new();
    for row in map
        .lines()
        .filter(|l| l.starts_with("| ") && !l.starts_with("| id") && !l.starts_with("| --"))
    {
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
