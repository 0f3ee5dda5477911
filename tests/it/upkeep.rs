//! The commands of whoever runs the appliance: preflight, doctor, trust, and the trust page.

use std::process::Output;

use crate::harness::{QUESTION, Server, command, run};

fn said(server: &Server, arguments: &[&str], env: &[(&str, &str)]) -> Output {
    let port = server.url.rsplit(':').next().unwrap();
    let listen = format!("127.0.0.1:{port}");
    command(&server.dir, &[])
        .args(arguments)
        .args(["--listen", &listen])
        .envs(env.iter().copied())
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let both = [output.stdout.clone(), output.stderr.clone()].concat();
    String::from_utf8(both).unwrap()
}

#[test]
fn preflight_sees_the_server_that_runs() {
    let server = Server::start(&[]);
    let output = said(&server, &["preflight"], &[]);
    let lines = text(&output);
    assert_eq!(output.status.code(), Some(0), "{lines}");
    assert!(lines.contains("emflow serves on 127.0.0.1:"), "{lines}");
    assert!(
        lines.contains("is served from, written and read back"),
        "{lines}"
    );
    let output = said(
        &server,
        &["preflight", "--json"],
        &[("EMFLOW_STORE__MIN_FREE", "1TiB")],
    );
    assert_eq!(output.status.code(), Some(1));
    let parsed: Vec<serde_json::Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let disk = parsed.iter().find(|line| line["part"] == "disk").unwrap();
    assert_eq!(disk["state"], "red");
    assert!(disk["mend"].as_str().is_some_and(|mend| !mend.is_empty()));
}

// req: V4
#[test]
fn the_support_bundle_holds_no_secret_and_no_content() {
    let password = "canary-password-1f6b";
    let code = "canary-code-77aa";
    let canaries = [
        ("EMFLOW_ADMIN__PASSWORD", password),
        ("EMFLOW_AUTH__ACCESS_CODE", code),
        (
            "EMFLOW_AUTH__JWT_KEY",
            "canary-key-9c31-canary-key-9c31-canary-key",
        ),
    ];
    let server = Server::start(&canaries[..1]);
    let mut token = String::new();
    run(async {
        let mut visitor = server.visit().await;
        visitor.ask("m1").await;
        visitor.until("agent_completed").await;
        token = visitor.connection.token.clone();
    });
    // A mistake elsewhere must not let the secrets through either.
    for extra in [("EMFLOW_LOG__LEVEL", "debug"), ("EMFLOW_LOG__LEVEL", "[")] {
        let env: Vec<(&str, &str)> = canaries.into_iter().chain([extra]).collect();
        let output = said(&server, &["doctor", "--output", "-"], &env);
        let bundle = text(&output);
        assert_eq!(output.status.code(), Some(0), "{bundle}");
        let private =
            std::fs::read_to_string(server.dir.join("emflow-data/tls/server.key")).unwrap();
        let private = private.lines().nth(1).unwrap();
        for canary in canaries.map(|(_, value)| value).into_iter().chain([
            token.as_str(),
            QUESTION,
            "Cut our cost",
            private,
        ]) {
            assert!(!bundle.contains(canary), "{canary} is in the bundle");
        }
        assert!(bundle.contains("EMFLOW_ADMIN__PASSWORD"), "names are told");
        assert!(bundle.contains("==== log of the service ===="));
    }
    let output = said(&server, &["doctor", "--output", "bundle.txt"], &[]);
    assert!(text(&output).contains("Written to bundle.txt"));
    let bundle = std::fs::read_to_string(server.dir.join("bundle.txt")).unwrap();
    for part in [
        "==== preflight ====",
        "[delivery]",
        "tls/server.key",
        "Max open files",
    ] {
        assert!(bundle.contains(part), "{part}");
    }
    use std::os::unix::fs::MetadataExt;
    let about = std::fs::metadata(server.dir.join("bundle.txt")).unwrap();
    assert_eq!(about.mode() & 0o777, 0o600);
    // Never over a file that is there.
    let output = said(&server, &["doctor", "--output", "bundle.txt"], &[]);
    assert!(!output.status.success() && text(&output).contains("--output"));
}

#[test]
fn trust_says_what_it_would_do_and_changes_nothing_unasked() {
    let server = Server::start(&[]);
    let output = said(
        &server,
        &["trust"],
        &[("HOME", server.dir.to_str().unwrap())],
    );
    let lines = text(&output);
    assert_eq!(output.status.code(), Some(0), "{lines}");
    assert!(lines.contains("emflow local authority") && lines.contains("SHA-256"));
    // Its input is no terminal, so it must not ask and must not act.
    assert!(
        lines.contains("Nothing was changed") || lines.contains("no store of authorities"),
        "{lines}"
    );
    let empty = tempfile::tempdir().unwrap();
    let output = command(empty.path(), &[]).arg("trust").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("the first start of `emflow` makes it"));
}

#[test]
fn another_device_finds_the_authority_and_its_fingerprint() {
    let server = Server::start(&[]);
    let printed = text(&said(&server, &["trust", "--print"], &[]));
    run(async {
        let address = server.address();
        let (status, facts) = address
            .call(address.get("/trust/facts", None))
            .await
            .unwrap();
        assert_eq!(status, 200);
        let fingerprint = facts["authority"]["fingerprint"].as_str().unwrap();
        assert!(printed.contains(fingerprint), "{fingerprint} in {printed}");
        for path in ["/trust", "/trust/emflow-authority.crt"] {
            let (status, _) = address.call(address.get(path, None)).await.unwrap();
            assert_eq!(status, 200, "{path}");
        }
    });
}
