//! The administrator from outside: the command line of the machine's owner, and what a browser
//! and a script may.

use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use http::header::{AUTHORIZATION, COOKIE, HeaderName, SET_COOKIE};
use http::{Method, Response};
use serde_json::{Value, json};

mod closed;
mod doors;
mod secrets;
mod terminal;

use crate::harness::{Server, command, run};

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const ADMIN_COOKIE: &str = "__Host-emflow_admin";
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");

/// `emflow admin …` in the directory of a server; `typed` is its standard input.
pub(crate) fn admin(dir: &Path, arguments: &[&str], typed: &str) -> Output {
    let mut child = command(dir, &[])
        .arg("admin")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A call that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

/// What it printed, where it ended well.
pub(crate) fn done(dir: &Path, arguments: &[&str], typed: &str) -> String {
    let output = admin(dir, arguments, typed);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// That it ended with this code, and said this.
fn refused(dir: &Path, arguments: &[&str], typed: &str, code: i32, says: &str) {
    let output = admin(dir, arguments, typed);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(said.contains(says), "{arguments:?}: {said}");
}

/// What a browser, or whoever plays one, sends.
#[derive(Clone, Default)]
pub(crate) struct Caller {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
    pub(crate) headers: Vec<(HeaderName, String)>,
}

impl Caller {
    pub(crate) fn with(&self, name: HeaderName, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name, value.to_owned()));
        other
    }

    pub(crate) fn token(token: &str) -> Self {
        Self::default().with(AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// The whole response; `body` is sent as JSON unless a header says otherwise.
    pub(crate) async fn send(
        &self,
        server: &Server,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Response<bytes::Bytes> {
        let address = server.address();
        let mut request = match body {
            Value::Null => address.get(path, None),
            body => address.post(path, body, None),
        };
        *request.method_mut() = method;
        let headers = request.headers_mut();
        if !self.cookie.is_empty() {
            headers.insert(COOKIE, self.cookie.parse().unwrap());
        }
        if !self.csrf.is_empty() {
            headers.insert(CSRF, self.csrf.parse().unwrap());
        }
        for (name, value) in &self.headers {
            headers.insert(name, value.parse().unwrap());
        }
        address.exchange(request).await.unwrap()
    }

    pub(crate) async fn get(&self, server: &Server, path: &str) -> (u16, Value) {
        parts(&self.send(server, Method::GET, path, &Value::Null).await)
    }

    pub(crate) async fn post(&self, server: &Server, path: &str, body: Value) -> (u16, Value) {
        parts(&self.send(server, Method::POST, path, &body).await)
    }
}

pub(crate) fn parts(response: &Response<bytes::Bytes>) -> (u16, Value) {
    let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    (response.status().as_u16(), body)
}

/// The browser that this answer logged in.
pub(crate) fn browser(response: &Response<bytes::Bytes>) -> Caller {
    let set = response.headers()[SET_COOKIE].to_str().unwrap();
    let (_, told) = parts(response);
    Caller {
        cookie: set.split(';').next().unwrap().to_owned(),
        csrf: told["csrf_token"].as_str().unwrap().to_owned(),
        headers: Vec::new(),
    }
}

/// Logs in by this address and body; the browser that then is logged in, and its cookie as set.
pub(crate) async fn enter(
    server: &Server,
    path: &str,
    body: Value,
) -> Result<(Caller, String), (u16, Value)> {
    let response = Caller::default()
        .send(server, Method::POST, path, &body)
        .await;
    let (status, told) = parts(&response);
    if status != 200 {
        return Err((status, told));
    }
    let set = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    Ok((browser(&response), set))
}

pub(crate) async fn login(server: &Server, password: &str) -> Result<Caller, (u16, Value)> {
    let entered = enter(server, "/api/v1/admin/login", json!({"password": password})).await;
    entered.map(|(browser, _)| browser)
}

pub(crate) async fn status(caller: &Caller, server: &Server) -> u16 {
    caller.get(server, "/api/v1/admin/session").await.0
}

/// A server with [`PASSWORD`].
pub(crate) fn house() -> Server {
    let server = Server::start(&[]);
    done(&server.dir, &["set-password", "--stdin"], PASSWORD);
    server
}

#[test]
fn a_service_starts_without_a_password_and_says_what_to_do() {
    run(async {
        let server = Server::start(&[]);
        let log = std::fs::read_to_string(server.dir.join("server.log")).unwrap();
        for text in [&server.output, &log] {
            assert!(text.contains("emflow admin set-password"), "{text}");
        }
        let doors = [
            ("/api/v1/admin/login", json!({"password": PASSWORD})),
            ("/api/v1/admin/link", json!({"link": "x"})),
        ];
        for (path, body) in doors {
            let (status, told) = Caller::default().post(&server, path, body).await;
            let expected = (503, &json!("admin_disabled"));
            assert_eq!((status, &told["code"]), expected, "{path}");
            let detail = told["detail"].to_string();
            assert!(detail.contains("emflow admin set-password"), "{detail}");
        }
        closed::to_everybody(&server).await;
        // From the next moment on, without a restart.
        done(&server.dir, &["set-password", "--stdin"], PASSWORD);
        assert!(login(&server, PASSWORD).await.is_ok());
    });
}

#[test]
fn the_owner_administers_it_while_it_serves() {
    run(async {
        let server = house();
        let dir = &server.dir;
        let browser = login(&server, PASSWORD).await.ok().unwrap();

        let url = done(dir, &["link"], "");
        let (page, secret) = url.split_once("/admin#link=").unwrap();
        assert_eq!(page, server.url);
        let link = json!({"link": secret});
        let (linked, _) = enter(&server, "/api/v1/admin/link", link.clone())
            .await
            .ok()
            .unwrap();
        assert_eq!(status(&linked, &server).await, 200);
        let again = enter(&server, "/api/v1/admin/link", link).await;
        assert_eq!(again.err().unwrap().0, 401);

        let token = done(
            dir,
            &["token", "create", "grafana", "--expires-in", "90d"],
            "",
        );
        let script = Caller::token(&token);
        assert_eq!(status(&script, &server).await, 200);
        let listed = done(dir, &["token", "list"], "");
        assert!(
            listed.contains("grafana") && !listed.contains(&token),
            "{listed}"
        );
        let listed: Value =
            serde_json::from_str(&done(dir, &["token", "list", "--json"], "")).unwrap();
        assert_eq!(
            (&listed[0]["name"], &listed[0]["scope"]),
            (&json!("grafana"), &json!("read"))
        );
        refused(
            dir,
            &["token", "create", "grafana"],
            "",
            1,
            "another token has this name",
        );
        done(dir, &["token", "revoke", "grafana"], "");
        assert_eq!(status(&script, &server).await, 401);
        refused(dir, &["token", "revoke", "grafana"], "", 1, "no such token");

        done(dir, &["logout-everywhere"], "");
        assert_eq!(
            (
                status(&browser, &server).await,
                status(&linked, &server).await
            ),
            (401, 401)
        );
        done(dir, &["set-password", "--stdin"], "another password\n");
        assert_eq!(login(&server, PASSWORD).await.err().unwrap().0, 401);
        assert!(login(&server, "another password").await.is_ok());
    });
}

#[test]
fn the_owner_administers_it_while_it_is_stopped() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let set = ["set-password", "--stdin"];
        refused(dir, &set, PASSWORD, 2, "holds no store");
        let mut server = Server::start_in(dir, &[]);
        let socket = dir.join("emflow-data/control.sock");
        server.signal("TERM");
        assert_eq!(server.wait().code(), Some(0));
        assert!(!socket.exists());
        refused(dir, &["token", "create", "t"], "", 1, "set-password");
        done(dir, &set, PASSWORD);
        let token = done(dir, &["token", "create", "t", "--scope", "operate"], "");
        refused(dir, &["link"], "", 1, "only while the appliance serves");

        let mut server = Server::start_in(dir, &[]);
        assert!(!server.output.contains("set-password"), "{}", server.output);
        assert!(login(&server, PASSWORD).await.is_ok());
        assert_eq!(status(&Caller::token(&token), &server).await, 200);
        // What a killed process leaves behind is in nobody's way.
        server.signal("KILL");
        server.wait();
        assert!(socket.exists());
        done(dir, &["token", "revoke", "t"], "");
        let server = Server::start_in(dir, &[]);
        assert_eq!(status(&Caller::token(&token), &server).await, 401);
        done(dir, &["token", "list"], "");
    });
}

#[test]
fn a_password_comes_by_no_argument_and_must_be_fit() {
    let server = house();
    let dir = &server.dir;
    refused(
        dir,
        &["set-password", PASSWORD],
        "",
        2,
        "unexpected argument",
    );
    refused(dir, &["set-password"], PASSWORD, 2, "--stdin");
    refused(
        dir,
        &["set-password", "--stdin"],
        "short\n",
        2,
        "12 characters",
    );
    refused(dir, &["token", "create", "a/b"], "", 1, "name: 1 to 64");
    refused(
        dir,
        &["token", "create", "t", "--scope", "all"],
        "",
        2,
        "operate",
    );
    refused(
        dir,
        &["token", "create", "t", "--expires-in", "soon"],
        "",
        2,
        "30d",
    );
    // A configured one is changed where it stands.
    let configured = [("EMFLOW_ADMIN__PASSWORD", PASSWORD)];
    let server = Server::start(&configured);
    let set = ["set-password", "--stdin"];
    refused(&server.dir, &set, "another password", 1, "admin.password");
}
