//! What the documents tell to type is typed: the first hour, the administrator's shell, backups.
//!
//! What needs a service manager is typed by `packaging/lifecycle.sh`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::harness::{BINARY, Server};

const FIRST_HOUR: &str = include_str!("../../docs/first-hour.md");
const ADMINISTRATION: &str = include_str!("../../docs/administration.md");
const BACKUP: &str = include_str!("../../docs/backup.md");

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

/// The blocks of commands on a page, in their order.
fn blocks(page: &str) -> Vec<&str> {
    let blocks = page.split("\n```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

/// Typed into a shell in `dir`, where our program stands in `bin`: it must succeed and say `said`.
fn typed(dir: &Path, bin: &Path, server: &Server, block: &str, said: &str) {
    let path = std::env::var("PATH").unwrap_or_default();
    let listen = server.url.replace("https://localhost", "127.0.0.1");
    let done = Command::new("sh")
        .args(["-euc", block])
        .current_dir(dir)
        .env_clear()
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("EMFLOW_SERVER__LISTEN", listen)
        .output()
        .unwrap();
    let told = [done.stdout, done.stderr].concat();
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(done.status.success(), "{block}\n{told}");
    assert!(
        told.contains(said),
        "{said:?} is not said by\n{block}\n{told}"
    );
}

#[test]
fn what_the_first_hour_tells_to_type_does_what_it_says() {
    let (dir, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut server = Server::start_in(dir.path(), &[]);
    let blocks = blocks(FIRST_HOUR);
    assert_eq!(blocks.len(), SAID.len());
    for (block, said) in blocks.iter().zip(SAID) {
        let block = block.replace("https://localhost:8443", &server.url);
        program(bin.path(), &server);
        typed(dir.path(), bin.path(), &server, &block, said);
        if block.contains("kill -9") {
            server.crash_and_restart();
        }
    }
    let bundle = std::fs::read_to_string(dir.path().join("support.txt")).unwrap();
    assert!(!bundle.contains("a password of the test"));
}

#[test]
fn what_an_administrator_is_told_to_type_does_what_it_says() {
    let (dir, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start_in(dir.path(), &[]);
    program(bin.path(), &server);
    let blocks = blocks(ADMINISTRATION);
    assert_eq!(blocks.len(), 1, "a new block of commands is typed here too");
    typed(
        dir.path(),
        bin.path(),
        &server,
        blocks[0],
        "\"name\": \"grafana\"",
    );
}

#[test]
fn what_is_told_of_backups_does_what_it_says() {
    let (dir, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start_in(
        dir.path(),
        &[("EMFLOW_ADMIN__PASSWORD", "a password of the test")],
    );
    program(bin.path(), &server);
    let kept = dir.path().join("kept");
    std::fs::create_dir(&kept).unwrap();
    let blocks: Vec<String> = blocks(BACKUP)
        .iter()
        .map(|block| {
            let token = "EMFLOW_TOKEN=$(emflow admin token create docs --scope operate)";
            block
                .replace("/mnt/backups/", &format!("{}/", kept.display()))
                .replace(
                    "EMFLOW_TOKEN=…",
                    &format!("{token}\nEMFLOW_TOKEN=$EMFLOW_TOKEN"),
                )
                .replace("https://appliance:8443", &server.url)
                .replace("authority.pem", &server.authority().display().to_string())
                .replace("/var/lib/emflow", "restored")
        })
        .collect();
    let [stopped, serving, restore, check] = &blocks[..] else {
        panic!("a new block of commands is typed here too: {blocks:?}");
    };
    typed(dir.path(), bin.path(), &server, serving, "");
    let mut server = server;
    server.signal("TERM");
    assert!(server.wait().success());
    typed(dir.path(), bin.path(), &server, stopped, ": sound");
    typed(dir.path(), bin.path(), &server, restore, "");
    typed(dir.path(), bin.path(), &server, check, "");
    assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 2);
}
