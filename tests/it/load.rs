//! `emflow bench`: what it prints is what happened, and it leaves nothing behind.

use serde_json::Value;

use crate::harness::{Server, command};

/// Runs it and gives its figures; they add up and nothing is lost.
fn check(arguments: &[&str], visitors: u64) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let output = command(dir.path(), &[])
        .env("TMPDIR", dir.path())
        .args(["bench", "--json", "--seconds", "1"])
        .args(["--visitors", &visitors.to_string()])
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let figures: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!(output.status.code(), Some(0), "{said}{figures}");
    let number = |name: &str| {
        figures[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name}: {figures}"))
    };
    for name in ["lost", "unanswered", "pending", "refused", "other_ends"] {
        assert_eq!(number(name), 0, "{name}: {figures}");
    }
    assert!(number("results") >= visitors, "{figures}");
    assert_eq!(number("sent"), number("results"), "{figures}");
    assert_eq!(number("delivered"), number("acknowledged"), "{figures}");
    assert!(
        figures["latency_ms"]["result"]["p99"].as_f64() > Some(0.0),
        "{figures}"
    );
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert!(left.is_empty(), "it leaves {left:?}");
    figures
}

#[test]
fn a_server_of_its_own_is_measured_and_removed() {
    let answers = check(&["--spawn"], 3);
    assert!(
        answers["server_bytes"]["most"].as_u64() > Some(1 << 20),
        "{answers}"
    );
    let frames = check(&["--spawn", "--work", "frames", "--in-flight", "2"], 2);
    let each = |figures: &Value| {
        figures["delivered"].as_f64().unwrap() / figures["results"].as_f64().unwrap()
    };
    assert!(
        each(&frames) > 50.0,
        "50 frames of filler and the answer: {frames}"
    );
}

#[test]
fn a_running_server_is_measured() {
    let server = Server::start(&[]);
    let authority = server.authority();
    let figures = check(
        &["--url", &server.url, "--ca", authority.to_str().unwrap()],
        2,
    );
    assert!(
        figures["server_bytes"].is_null(),
        "not known of another's process"
    );
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let code = |arguments: &[&str]| {
        let mut call = command(dir.path(), &[]);
        let output = call.arg("bench").args(arguments).output().unwrap();
        output.status.code()
    };
    assert_eq!(code(&["--work", "frames"]), Some(2));
    assert_eq!(code(&["--visitors", "0"]), Some(2));
    assert_eq!(code(&["--url", "https://127.0.0.1:1"]), Some(4));
}
