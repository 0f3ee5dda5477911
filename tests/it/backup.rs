//! Backup, restore and check by the commands that an operator types.

use std::path::Path;
use std::process::Output;

use crate::harness::{Server, Visitor, command, run};

fn call(dir: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(dir, &[]).args(arguments).output().unwrap();
    let said = [stdout, stderr].concat();
    (status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[track_caller]
fn check(dir: &Path, arguments: &[&str], code: i32, expected: &[&str]) -> String {
    let (ended, said) = call(dir, arguments);
    assert_eq!(ended, Some(code), "{arguments:?}: {said}");
    for words in expected {
        assert!(
            said.contains(words),
            "{arguments:?}: {words:?} is not in: {said}"
        );
    }
    said
}

#[test]
fn what_was_answered_comes_back_from_a_backup_in_a_new_epoch() {
    // req: D8
    run(async {
        let mut server = Server::start(&[]);
        let dir = server.dir.clone();
        let mut visitor = server.visit().await;
        visitor.ask("m1").await;
        let answer = visitor.until("agent_completed").await;
        let epoch = visitor.hello["epoch"].clone();
        visitor.ack_all().await;

        check(
            &dir,
            &["backup", "while-serving.emflow-backup"],
            5,
            &["in use by another process"],
        );
        check(&dir, &["restore", "x", "--force"], 1, &["could not open x"]);
        check(&dir, &["store", "check"], 5, &["in use by another process"]);
        server.signal("TERM");
        assert_eq!(server.wait().code(), Some(0));

        check(
            &dir,
            &["backup", "one.emflow-backup"],
            0,
            &["made 20", "SHA-256"],
        );
        check(
            &dir,
            &["backup", "one.emflow-backup"],
            2,
            &["backups are never overwritten"],
        );
        check(
            &dir,
            &["backup", "verify", "one.emflow-backup"],
            0,
            &["sound", "1 visitors"],
        );
        check(&dir, &["store", "check"], 0, &["sound", "0 not ended"]);
        check(
            &dir,
            &["restore", "one.emflow-backup"],
            2,
            &["holds a store", "--force"],
        );
        check(
            &dir,
            &["restore", "one.emflow-backup", "--force"],
            0,
            &["is kept in", "new epoch"],
        );

        // The same visitor, the same token, another epoch, and it is told.
        let server = Server::start_in(&dir, &[]);
        let query = format!("?last_sequence={}&epoch={}", answer["sequence"], epoch);
        visitor.reconnect(&server, &query.replace('"', "")).await;
        assert_eq!(visitor.hello["recovered"], false, "{}", visitor.hello);
        assert_ne!(visitor.hello["epoch"], epoch);
        let mut again = Visitor::new(
            server
                .address()
                .connect(
                    visitor.connection.user_id.clone(),
                    visitor.connection.token.clone(),
                    "?last_sequence=0",
                )
                .await
                .unwrap(),
        )
        .await;
        let shown = again.until("agent_completed").await;
        assert_eq!(shown["payload"], answer["payload"]);
    });
}

#[test]
fn a_damaged_store_is_told_by_check_and_mended_by_a_backup() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut server = Server::start_in(dir, &[]);
    run(async {
        let mut visitor = server.visit().await;
        visitor.ask("m1").await;
        visitor.until("agent_completed").await;
    });
    server.signal("TERM");
    server.wait();
    check(dir, &["backup", "."], 0, &[".emflow-backup"]);
    let sled = dir.join("emflow-data/sled");
    std::fs::remove_dir_all(&sled).unwrap();
    check(
        dir,
        &["store", "check"],
        74,
        &[
            "DAMAGED",
            "nothing is left of",
            "--accept-loss would give up",
        ],
    );
    let json = check(dir, &["store", "check", "--json"], 74, &[]);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["sound"], false);
    assert!(
        report["loss"]["commits"].as_u64().is_some_and(|n| n > 0),
        "{report}"
    );
    assert!(!sled.exists(), "the check has changed something");

    let file = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let file = file
        .filter(|p| p.extension().is_some_and(|e| e == "emflow-backup"))
        .next()
        .unwrap();
    let file = file.to_str().unwrap();
    check(dir, &["restore", file, "--force"], 0, &["1 visitors"]);
    check(dir, &["store", "check"], 0, &["sound"]);
    drop(Server::start_in(dir, &[]));

    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(dir.join("harmed"), bytes).unwrap();
    check(
        dir,
        &["backup", "verify", "harmed"],
        74,
        &["harmed is damaged"],
    );
    check(
        dir,
        &["restore", "harmed", "--force"],
        74,
        &["harmed is damaged"],
    );
    check(
        dir,
        &["restore", "server.log", "--data-dir", "new"],
        2,
        &["is not a backup of emflow"],
    );
    assert!(
        !dir.join("new").exists(),
        "a directory was made for nothing"
    );
    check(
        dir,
        &["store", "check", "--data-dir", "new"],
        2,
        &["holds no store"],
    );
}
