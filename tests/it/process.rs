//! How the process starts and ends: exit codes, drain, the lock, bad configuration.

use std::process::Stdio;

use serde_json::json;

use crate::harness::{Server, command, run};

#[test]
fn a_signal_drains() {
    run(async {
        let mut server = Server::start(&[("EMFLOW_AGENTS__PACE", "100ms")]);
        let mut visitor = server.visit().await;
        visitor.ask("m1").await;
        visitor.until("agent_thinking").await;
        server.signal("TERM");
        let told = visitor.until("server_draining").await;
        assert!(
            told["payload"]["reconnect_after_ms"]
                .as_u64()
                .is_some_and(|ms| ms >= 500)
        );
        // What runs may end within the limit.
        visitor.until("agent_completed").await;
        assert!(visitor.until_closed().await.starts_with("1001"));
        assert_eq!(server.wait().code(), Some(0));
    });
}

#[test]
fn the_directory_belongs_to_one_process() {
    let server = Server::start(&[]);
    let second = command(&server.dir, &[])
        .args(["--no-open", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(5), "{said}");
    assert!(said.contains("in use by another process"), "{said}");
}

#[test]
fn a_wrong_configuration_says_where_and_what() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("config.toml"),
        "[server]\nlisten = \"nowhere\"\n[agent]\npace = \"1s\"\n",
    )
    .unwrap();
    for arguments in [&["check-config"][..], &["--no-open"]] {
        let output = command(dir.path(), &[]).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("config.toml:2") && said.contains("server.listen"),
            "{said}"
        );
        assert!(
            said.contains("agents"),
            "the nearest section is named: {said}"
        );
    }
}

#[test]
fn a_damaged_store_is_refused_and_said() {
    // req: D6
    let dir = tempfile::tempdir().unwrap();
    drop(Server::start_in(dir.path(), &[]));
    std::fs::remove_dir_all(dir.path().join("emflow-data/sled")).unwrap();
    let output = command(dir.path(), &[])
        .args(["--no-open", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(74), "{said}");
    assert!(
        said.contains("nothing is left of") && said.contains("--accept-loss"),
        "{said}"
    );
}

#[test]
fn the_loss_is_accepted_by_name_and_clients_are_told() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let mut server = Server::start_in(dir.path(), &[]);
        let mut visitor = server.visit().await;
        visitor.ask("m1").await;
        visitor.until("agent_completed").await;
        server.signal("KILL");
        server.wait();
        std::fs::remove_file(dir.path().join("emflow-data/watermark")).unwrap();
        let mut child = command(dir.path(), &[])
            .args([
                "--no-open",
                "--accept-loss",
                "--listen",
                server.url.trim_start_matches("https://localhost"),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        // A listen address without a host is wrong; the right one follows.
        if let Ok(child) = &mut child {
            assert_eq!(child.wait().unwrap().code(), Some(2));
        }
        let port = server.url.rsplit(':').next().unwrap();
        let listen = format!("127.0.0.1:{port}");
        let mut child = command(dir.path(), &[])
            .args(["--no-open", "--accept-loss", "--listen", &listen])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let epoch = visitor.hello["epoch"].clone();
        let last = visitor.seen.len();
        let (user, token) = (
            visitor.connection.user_id.clone(),
            visitor.connection.token.clone(),
        );
        let fresh = loop {
            let query = format!("?last_sequence={last}&epoch={epoch}");
            if let Ok(connection) = server
                .address()
                .connect(user.clone(), token.clone(), &query)
                .await
            {
                break crate::harness::Visitor::new(connection).await;
            }
        };
        assert_eq!(
            (&fresh.hello["recovered"], &fresh.hello["reason"]),
            (&json!(false), &json!("epoch_changed"))
        );
        assert_ne!(fresh.hello["epoch"], epoch);
        child.kill().unwrap();
        child.wait().unwrap();
    });
}

#[test]
fn send_ends_with_the_code_and_says_what_to_do() {
    let server = Server::start(&[]);
    let ca = server.authority().display().to_string();
    let empty = server.dir.join("server.log").display().to_string();
    let text = "We run 1M requests a month on gpt-4o.";
    let check = |arguments: &[&str], code: i32, says: &str| {
        let output = command(&server.dir, &[])
            .arg("send")
            .args(arguments)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    };
    let url = server.url.as_str();
    check(
        &["--url", "http://localhost", text],
        2,
        "https://localhost:",
    );
    check(&["--url", url, "--ca", "none.pem", text], 2, "none.pem");
    check(&["--url", url, "--ca", &empty, text], 2, "no certificate");
    check(&["--category", "cheap", text], 2, "cost-optimization");
    check(
        &["--url", "https://localhost:1", "--ca", &ca, text],
        4,
        "--url",
    );
    check(&["--url", url, "--ca", &ca, "hi"], 3, "10 to 2000");
    check(&["--url", url, "--ca", &ca, text], 0, "GPT-4o");
}

#[test]
fn a_reader_that_goes_away_is_no_failure_of_send() {
    let server = Server::start(&[]);
    for format in [&["--json"][..], &[]] {
        let mut child = command(&server.dir, &[])
            .args(["send", "--url", &server.url])
            .args(format)
            .arg("We run 1M requests a month on gpt-4o.")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{format:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}
