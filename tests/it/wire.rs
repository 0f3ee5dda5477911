//! `docs/protocol.md` and the source name the same words and codes, both ways.

use std::collections::BTreeSet;
use std::path::Path;

use emflow::protocol::frame::Kind;
use emflow::protocol::request::TrackEvent;

type Words = BTreeSet<String>;

fn words<'a>(all: impl Iterator<Item = &'a str>) -> Words {
    all.map(str::to_owned).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The first cells of the first table under `heading`, without their backticks.
fn documented(page: &str, heading: &str) -> Words {
    let (_, under) = page
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("the page has no {heading}"));
    let cells = under
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2);
    cells
        .map(|line| {
            line.split('`')
                .nth(1)
                .expect("a word in backticks")
                .to_owned()
        })
        .collect()
}

/// What stands between `before` and `after` in the part of `text` from `from` to `to`.
fn between(text: &str, (from, to): (&str, &str), before: &str, after: &str) -> Words {
    let part = text
        .split_once(from)
        .unwrap_or_else(|| panic!("no {from}"))
        .1;
    let part = part.split(to).next().unwrap();
    part.split(before)
        .skip(1)
        .filter_map(|rest| rest.split_once(after))
        .map(|(word, _)| word.to_owned())
        .collect()
}

/// `NotHere` → `not_here`, as serde writes it.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

fn check(heading: &str, source: Words) {
    assert!(source.len() > 1, "{heading}: the source was not understood");
    let page = documented(&read("docs/protocol.md"), heading);
    assert_eq!(page, source, "{heading}: left the page, right the source");
}

#[test]
fn every_frame_type_is_documented() {
    check(
        "### Sequenced frames",
        words(Kind::ALL.iter().map(|kind| kind.as_str())),
    );
    let frame = read("src/protocol/frame.rs");
    let (from, to) = ("fn value", "fn error_payload");
    check(
        "### Control frames",
        between(&frame, (from, to), "\"type\": \"", "\""),
    );
    let request = read("src/protocol/request.rs");
    let arms = ("match kind", "other =>");
    let mut known = between(&request, arms, "\n        \"", "\" =>");
    assert!(
        known.remove(""),
        "a frame without a type is a case of its own"
    );
    check("### Client frames", known);
    check(
        "### Tracked events",
        words(TrackEvent::ALL.iter().map(|(word, _)| *word)),
    );
}

#[test]
fn every_code_is_documented() {
    let close = read("src/protocol/close.rs");
    check(
        "## Close codes",
        between(&close, ("fn code", "fn reason"), "=> ", ","),
    );
    let problem = read("src/protocol/problem.rs");
    check(
        "### Problem codes",
        between(&problem, ("fn as_str", "fn title"), "=> \"", "\""),
    );
    let fault = read("src/protocol/fault.rs");
    let (_, names) = fault.split_once("pub enum FaultCode {").unwrap();
    let names = names.lines().take_while(|line| *line != "}");
    let names = names.filter_map(|line| line.trim().strip_suffix(','));
    check("### Refusal codes", names.map(snake).collect());
    let outbox = read("src/machine/outbox.rs");
    check(
        "### Reasons",
        between(
            &outbox,
            ("pub fn start(", "\n    }\n}"),
            "from_oldest(\"",
            "\"",
        ),
    );
}
