//! What must stand nowhere: secrets and contents in a log, secrets in a file or in the list of
//! processes.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use http::{HeaderValue, Method};
use serde_json::{Value, json};

use super::{Caller, PASSWORD, admin, browser, done, house, parts};
use crate::harness::{Server, Visitor, command, run};

/// What was given to the server or by it, and must not be found again.
#[derive(Default)]
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    fn add(&mut self, what: &'static str, secret: &str) -> String {
        assert!(
            secret.len() >= 12,
            "{what}: too short to be told from chance"
        );
        self.0.push((what, secret.to_owned()));
        secret.to_owned()
    }

    /// The first that stands in it, and what stands before it.
    fn found(&self, bytes: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(bytes);
        self.0.iter().find_map(|(what, secret)| {
            let before = text.split_once(secret.as_str())?.0;
            let line = before.rsplit('\n').next().unwrap_or_default();
            Some(format!("{what}, after: {line}"))
        })
    }
}

const CODE: &str = "canary-access-code-1";

/// Everything a visitor gives and gets.
async fn visit(server: &Server, secrets: &mut Canaries, contents: &mut Canaries) {
    let nobody = Caller::default();
    let body = |code: String, name: String| json!({"access_code": code, "display_name": name});
    let wrong = secrets.add("a wrong access code", "canary-access-code-2");
    let name = contents.add("a display name", "canary display name");
    let visitors = "/api/v1/visitors";
    let (status, _) = nobody
        .post(server, visitors, body(wrong, name.clone()))
        .await;
    assert_eq!(status, 401);
    let (status, told) = nobody.post(server, visitors, body(CODE.into(), name)).await;
    assert_eq!(status, 201, "{told}");
    let user = told["user_id"].as_str().unwrap().to_owned();
    let token = secrets.add("a visitor's token", told["token"].as_str().unwrap());
    let (_, told) = Caller::token(&token)
        .post(server, "/api/v1/tickets", json!({}))
        .await;
    let ticket = secrets.add("a ticket", told["ticket"].as_str().unwrap());
    let bad = secrets.add("a bad ticket", "canary-bad-ticket");
    for ticket in [&bad, &ticket] {
        // The ticket counts where no token is brought; the address is in every request's head.
        let path = format!("/api/v1/example-messages/ws/{user}?ticket={ticket}");
        nobody.get(server, &path).await;
    }

    let stranger = secrets.add("a stranger's token", "canary-visitor-token");
    let stranger = Caller::token(&stranger);
    let (status, _) = stranger.post(server, "/api/v1/tickets", json!({})).await;
    assert_eq!(status, 401);

    let address = server.address();
    let query = format!("?ticket={ticket}");
    let connection = address.connect(user, token, &query).await.unwrap();
    let mut visitor = Visitor::new(connection).await;
    for frame in [
        json!("canary no frame at all"),
        json!({"type": "canary unknown frame", "payload": "canary bad payload"}),
        json!({"type": "chat_message", "payload": {"content": ["canary refused content"]}}),
        json!({"type": "track", "payload": {"event": "example_opened", "properties": {"x": "canary property"}}}),
    ] {
        visitor.connection.send(&frame).await.unwrap();
    }
    for content in [
        "canary no frame at all",
        "canary unknown frame",
        "canary bad payload",
        "canary refused content",
        "canary property",
    ] {
        contents.add("what a frame held", content);
    }
    let text =
        "canary message content: we spend $31,337 a month on gpt-4o for 2M requests. Cut it.";
    let mut chat = visitor.chat("m1", &contents.add("a message", text));
    chat["example_message_metadata"]["title"] = json!(contents.add("a title", "canary title"));
    visitor.send("chat_message", chat).await;
    contents.add("a part of a message", "$31,337 a month");
    visitor.until("agent_started").await;
}

/// Everything that an administrator gives and gets.
async fn administer(server: &Server, secrets: &mut Canaries) {
    let nobody = Caller::default();
    for wrong in ["canary-wrong-password", "canary\u{7}-control-password"] {
        let password = secrets.add("a wrong password", wrong);
        nobody
            .post(server, "/api/v1/admin/login", json!({"password": password}))
            .await;
    }
    let body = json!({"password": secrets.add("the password", "canary-right-password")});
    let entered = nobody
        .send(server, Method::POST, "/api/v1/admin/login", &body)
        .await;
    let page = browser(&entered);
    secrets.add("the cookie", page.cookie.split_once('=').unwrap().1);
    secrets.add("the CSRF value", &page.csrf);
    let body = json!({"name": "t", "scope": "read"});
    let (status, made) = page.post(server, "/api/v1/admin/tokens", body).await;
    assert_eq!(status, 201, "{made}");
    let token = secrets.add("an API token", made["token"].as_str().unwrap());
    let (status, _) = Caller::token(&token)
        .get(server, "/api/v1/admin/audit")
        .await;
    assert_eq!(status, 200);

    let url = done(&server.dir, &["link"], "");
    let link = secrets.add("a link", url.split_once("#link=").unwrap().1);
    let (status, _) = nobody
        .post(server, "/api/v1/admin/link", json!({"link": link}))
        .await;
    assert_eq!(status, 200);
    let other = secrets.add("a refused password", "canary-owner-password");
    let output = admin(&server.dir, &["set-password", "--stdin"], &other);
    assert_eq!(
        secrets.found(&[output.stdout, output.stderr].concat()),
        None
    );

    // What nobody knows is no less secret: it may be the password of another house.
    let headers = [
        (AUTHORIZATION, "Bearer canary-unknown-bearer"),
        (AUTHORIZATION, "Basic canary-unknown-basic"),
        (COOKIE, "__Host-emflow_admin=canary-unknown-cookie"),
        (
            HeaderName::from_static("x-csrf-token"),
            "canary-unknown-csrf",
        ),
    ];
    for (name, value) in headers {
        let caller = nobody.with(name, value);
        for path in [
            "/api/v1/admin/session",
            "/api/v1/example-messages/health",
            "/canary",
        ] {
            caller.get(server, path).await;
        }
        let secret = value.rsplit([' ', '=']).next().unwrap();
        secrets.add("what a header held", secret);
    }
    let half = json!("canary-half-body");
    let told = nobody
        .send(server, Method::POST, "/api/v1/admin/login", &half)
        .await;
    let (_, told) = parts(&told);
    secrets.add("a body that is no login", "canary-half-body");
    assert_eq!(
        secrets.found(told.to_string().as_bytes()),
        None,
        "nor is it told back"
    );
    let path = "/no/such/page?token=canary-query-token";
    nobody.get(server, &secrets.add("a query", path)).await;
}

#[test]
fn at_the_most_talkative_level_no_log_holds_a_secret_or_a_content() {
    // req: V4
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        std::fs::write(&file, "canary-right-password\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let mut server = Server::start_in(
            dir.path(),
            &[
                ("EMFLOW_LOG__LEVEL", "trace"),
                ("EMFLOW_AUTH__VISITORS", "access_code"),
                ("EMFLOW_AUTH__ACCESS_CODE", CODE),
                ("EMFLOW_ADMIN__PASSWORD_FILE", file.to_str().unwrap()),
                ("EMFLOW_AGENTS__PACE", "50ms"),
            ],
        );
        let (mut secrets, mut contents) = (Canaries::default(), Canaries::default());
        secrets.add("the access code", CODE);
        visit(&server, &mut secrets, &mut contents).await;
        administer(&server, &mut secrets).await;
        // Taking up what was interrupted is told too.
        server.crash_and_restart();
        assert!(server.output.contains("go on: 1"), "{}", server.output);
        server.signal("TERM");
        assert_eq!(server.wait().code(), Some(0));

        let log = std::fs::read(dir.path().join("server.log")).unwrap();
        let text = String::from_utf8_lossy(&log);
        assert!(text.contains("\"level\":\"DEBUG\""), "it is talkative");
        let everything = [&log, server.output.as_bytes()].concat();
        assert_eq!(secrets.found(&everything), None);
        assert_eq!(contents.found(&everything), None);
        let mut files = Vec::new();
        all_files(&dir.path().join("emflow-data"), &mut files);
        for file in &files {
            let found = secrets.found(&std::fs::read(file).unwrap());
            assert_eq!(found, None, "{}", file.display());
        }
        // The net has no holes: what does stand in the log is found in it.
        secrets.add(
            "the fingerprint",
            server
                .output
                .split("certificate ")
                .nth(1)
                .unwrap()
                .get(..40)
                .unwrap(),
        );
        assert!(secrets.found(&everything).is_some());
    });
}

fn all_files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            all_files(&entry.path(), into);
        } else if entry.file_type().unwrap().is_file() {
            into.push(entry.path());
        }
    }
}

#[test]
fn the_data_is_closed_to_other_users() {
    let server = house();
    let data = server.dir.join("emflow-data");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("control.sock")), 0o600);
    let mut files = Vec::new();
    all_files(&data, &mut files);
    let keys: Vec<_> = files
        .iter()
        .filter(|f| std::fs::read_to_string(f).is_ok_and(|t| t.contains("PRIVATE KEY")))
        .collect();
    assert!(!keys.is_empty());
    for key in keys {
        assert_eq!(mode(key), 0o600, "{}", key.display());
    }
}

#[test]
fn a_password_that_is_typed_is_not_in_the_list_of_processes() {
    let server = house();
    let mut child = command(&server.dir, &[])
        .args(["admin", "set-password", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Half a line: it waits for the rest.
    let mut typed = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut typed, b"canary-typed-").unwrap();
    let mut secrets = Canaries::default();
    secrets.add("what was typed", "canary-typed-");
    secrets.add("the password", PASSWORD);
    for pid in [child.id(), server.pid()] {
        for file in ["cmdline", "environ"] {
            // Empty until the process has begun.
            let path = format!("/proc/{pid}/{file}");
            let read = || std::fs::read(&path).unwrap();
            let text = std::iter::repeat_with(read)
                .find(|text| !text.is_empty())
                .unwrap();
            assert_eq!(secrets.found(&text), None, "{file} of {pid}");
        }
    }
    std::io::Write::write_all(&mut typed, b"password\n").unwrap();
    drop(typed);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn no_answer_of_the_administrator_is_kept_by_a_browser_or_a_proxy() {
    run(async {
        let server = house();
        let nobody = Caller::default();
        let body = json!({"password": PASSWORD});
        let entered = nobody
            .send(&server, Method::POST, "/api/v1/admin/login", &body)
            .await;
        let page = browser(&entered);
        let no_store = HeaderValue::from_static("no-store");
        assert_eq!(entered.headers()[http::header::CACHE_CONTROL], no_store);
        for path in ["session", "tokens", "audit"] {
            let path = format!("/api/v1/admin/{path}");
            let answer = page.send(&server, Method::GET, &path, &Value::Null).await;
            assert_eq!(answer.status(), 200, "{path}");
            assert_eq!(
                answer.headers()[http::header::CACHE_CONTROL],
                no_store,
                "{path}"
            );
        }
    });
}

#[test]
fn anyone_learns_that_it_lives_and_nothing_else() {
    run(async {
        let server = house();
        let nobody = Caller::default();
        let data = server.dir.display().to_string();
        let forbidden = [data.as_str(), "components", "emflow-data", "bytes"];
        for path in ["/healthz", "/readyz", "/api/v1/example-messages/health"] {
            let answer = nobody.send(&server, Method::GET, path, &Value::Null).await;
            assert_eq!(answer.status(), 200, "{path}");
            let text = String::from_utf8_lossy(answer.body()).into_owned();
            for word in forbidden {
                assert!(!text.contains(word), "{path} tells {word}: {text}");
            }
        }
    });
}
