//! The main job as its user sees it: `emflow send`.

use crate::harness::{QUESTION, Server, command};

fn send(server: &Server, arguments: &[&str]) -> (Option<i32>, String) {
    let ca = server.authority();
    let output = command(&server.dir, &[])
        .args(["send", "--url", &server.url, "--ca"])
        .arg(ca)
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

#[test]
fn the_number_in_the_message_decides_the_number_in_the_answer() {
    // req: A1, A6
    let server = Server::start(&[]);
    let (code, text) = send(&server, &["--category", "cost-optimization", QUESTION]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("$4,500 a month"), "{text}");
    assert!(
        text.contains("1,000,000 × 200"),
        "each recommendation shows its arithmetic: {text}"
    );
    let (code, text) = send(
        &server,
        &[
            "--category",
            "cost-optimization",
            &QUESTION.replace("1M", "2M"),
        ],
    );
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("$9,000 a month") && !text.contains("$4,500 a month"),
        "{text}"
    );
}

#[test]
fn it_says_what_is_wrong_and_ends_with_its_code() {
    let server = Server::start(&[]);
    let (code, text) = send(&server, &["short"]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("10 to 2000 characters"), "{text}");
    let (code, text) = send(&server, &["--json", QUESTION]);
    assert_eq!(code, Some(0), "{text}");
    let frames = text.lines().filter(|l| l.starts_with("{\"type\":")).count();
    assert!(
        frames > 5 && text.contains("\"type\":\"agent_completed\""),
        "{text}"
    );
    let nobody = command(&server.dir, &[])
        .args(["send", "--url", "https://127.0.0.1:1", QUESTION])
        .output()
        .unwrap();
    assert_eq!(nobody.status.code(), Some(4));
}
