//! What `docs/first-hour.md` tells a new user to type is typed, in that order.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::harness::{BINARY, Server};

const PAGE: &str = include_str!("../../docs/first-hour.md");

/// What each block of commands must say, in order; with nothing more to say, that it succeeds.
const SAID: [&str; 7] = [
    "emflow serves on",
    "Nothing was changed",
    "4,500",
    "",
    "",
    "",
    ": sound",
];

/// A program of this name that stands before all others of it.
fn stand_in(bin: &Path, name: &str, script: &str) {
    let path = bin.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// The program as the page's reader has it, but for what a test must not do: serving is the harness's,
/// what asks a person is answered, and this machine trusts nobody new.
fn program(bin: &Path, server: &Server) {
    let url = &server.url;
    stand_in(
        bin,
        "emflow",
        &format!(
            "case \"${{1:-serve}} ${{2:-}}\" in\n\
             serve*|--listen*) exit 0;;\n\
             trust*) exec {BINARY} trust --print;;\n\
             'admin set-password') echo 'a password of the test' | exec {BINARY} admin set-password --stdin;;\n\
             send*) shift; exec {BINARY} send --url {url} \"$@\";;\n\
             *) exec {BINARY} \"$@\";;\nesac"
        ),
    );
    stand_in(bin, "pgrep", &format!("echo {}", server.pid()));
}

#[test]
fn what_the_first_hour_tells_to_type_does_what_it_says() {
    let (dir, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut server = Server::start_in(dir.path(), &[]);
    let path = std::env::var("PATH").unwrap_or_default();
    let blocks: Vec<&str> = PAGE.split("\n```sh\n").skip(1).collect();
    assert_eq!(blocks.len(), SAID.len());
    for (block, said) in blocks.iter().zip(SAID) {
        let block = block.split("```").next().unwrap();
        let block = block.replace("https://localhost:8443", &server.url);
        program(bin.path(), &server);
        let done = Command::new("sh")
            .args(["-euc", &block])
            .current_dir(dir.path())
            .env_clear()
            .env("PATH", format!("{}:{path}", bin.path().display()))
            .env(
                "EMFLOW_SERVER__LISTEN",
                server.url.replace("https://localhost", "127.0.0.1"),
            )
            .output()
            .unwrap();
        let told = [done.stdout, done.stderr].concat();
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(done.status.success(), "{block}\n{told}");
        assert!(
            told.contains(said),
            "{said:?} is not said by\n{block}\n{told}"
        );
        if block.contains("kill -9") {
            server.crash_and_restart();
        }
    }
    let bundle = std::fs::read_to_string(dir.path().join("support.txt")).unwrap();
    assert!(!bundle.contains("a password of the test"));
}
