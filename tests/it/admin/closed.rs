//! Every call of the administrator is closed: the table of routes is read from the source, so
//! that one that is added later is tried as well.

use std::path::Path;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, ORIGIN};
use http::{HeaderValue, Method};
use serde_json::{Value, json};

use super::{ADMIN_COOKIE, Caller, PASSWORD, done, house, login, parts};
use crate::harness::{Server, run};

/// A call that only the administrator or a token may make.
struct Guarded {
    method: Method,
    path: String,
    /// Whether a token must be allowed to operate.
    operates: bool,
}

/// Those of every table, with something in the place of each `{name}`.
fn guarded() -> Vec<Guarded> {
    let mut files = Vec::new();
    let serve = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/serve");
    super::super::tidy::collect(&serve, &mut files);
    let texts = files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap());
    let texts: Vec<String> = texts.collect();
    let mut found = Vec::new();
    for entry in texts.iter().flat_map(|text| text.split("Route::").skip(1)) {
        let (method, rest) = entry.split_once('(').unwrap();
        let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else {
            continue;
        };
        if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) {
            continue;
        }
        let path = rest.trim_start().strip_prefix('"');
        let (path, rest) = path
            .and_then(|rest| rest.split_once('"'))
            .unwrap_or_else(|| panic!("a route's path stands beside it: {entry:.60}"));
        let who = rest.split_once("Who::").unwrap().1;
        if who.starts_with("Read") || who.starts_with("Operate") {
            let segment = |part: &str| if part.starts_with('{') { "x" } else { part }.to_owned();
            found.push(Guarded {
                method,
                path: path.split('/').map(segment).collect::<Vec<_>>().join("/"),
                operates: who.starts_with("Operate"),
            });
        }
    }
    assert!(found.len() >= 8, "the table of routes was not read");
    found
}

/// Tries it; the status and code of a refusal that looks as one must.
async fn refusal(caller: &Caller, server: &Server, call: &Guarded) -> (u16, String) {
    let body = match call.method {
        Method::GET => Value::Null,
        _ => json!({}),
    };
    let method = call.method.clone();
    let response = caller.send(server, method, &call.path, &body).await;
    let (status, told) = parts(&response);
    let header = |name| response.headers().get(name).map(HeaderValue::as_bytes);
    let what = format!("{} {} {status}", call.method, call.path);
    assert_eq!(header(CACHE_CONTROL), Some(&b"no-store"[..]), "{what}");
    let kind = Some(&b"application/problem+json"[..]);
    assert_eq!(header(CONTENT_TYPE), kind, "{what}");
    (status, told["code"].as_str().unwrap().to_owned())
}

/// While no password is set.
pub(super) async fn to_everybody(server: &Server) {
    let cookie = Caller {
        cookie: format!("{ADMIN_COOKIE}=x"),
        csrf: "x".into(),
        ..Caller::default()
    };
    for call in guarded() {
        for caller in [Caller::default(), Caller::token("emflow_x"), cookie.clone()] {
            let refused = refusal(&caller, server, &call).await;
            assert_eq!(refused, (503, "admin_disabled".into()), "{}", call.path);
        }
    }
}

#[test]
fn every_call_is_closed_to_whoever_may_not_make_it() {
    // req: V2
    run(async {
        let server = house();
        let browser = login(&server, PASSWORD).await.ok().unwrap();
        let reads = done(&server.dir, &["token", "create", "reads"], "");
        let operates = ["token", "create", "operates", "--scope", "operate"];
        let operates = done(&server.dir, &operates, "");
        let visitor = server.visit().await.connection.token;
        let nobody = Caller::default();
        let stranger = |cookie: &str| Caller {
            cookie: cookie.to_owned(),
            ..browser.clone()
        };
        let unknown = [
            nobody.clone(),
            Caller::token("emflow_x"),
            Caller::token(&visitor),
            stranger(&format!("{ADMIN_COOKIE}=x")),
            stranger(&format!("__Host-emflow_visitor={visitor}")),
            stranger(&browser.cookie[..browser.cookie.len() - 1]),
        ];
        for call in guarded() {
            let check = async |caller: &Caller, status, code: &str| {
                let refused = refusal(caller, &server, &call).await;
                let what = format!("{} {}", call.method, call.path);
                assert_eq!(refused, (status, code.to_owned()), "{what}");
            };
            for caller in &unknown {
                check(caller, 401, "unauthenticated").await;
            }
            if call.operates {
                check(&Caller::token(&reads), 403, "forbidden").await;
            }
            for origin in ["https://evil.example", "null"] {
                let foreign = browser.with(ORIGIN, origin);
                check(&foreign, 403, "origin_not_allowed").await;
            }
            if call.method != Method::GET {
                for csrf in ["", "x", &operates] {
                    let csrf = csrf.to_owned();
                    let forged = Caller {
                        csrf,
                        ..browser.clone()
                    };
                    check(&forged, 403, "forbidden").await;
                }
            }
        }
        let (status, told) = browser.get(&server, "/api/v1/admin/session").await;
        assert_eq!(status, 200, "none of it ended the session: {told}");
    });
}

#[test]
fn nothing_is_changed_by_following_a_link() {
    run(async {
        let server = house();
        let browser = login(&server, PASSWORD).await.ok().unwrap();
        let calls = guarded();
        let read = |path: &str| {
            let of = |call: &&Guarded| call.method == Method::GET && call.path == path;
            calls.iter().any(|call| of(&call))
        };
        for call in calls
            .iter()
            .filter(|c| c.method != Method::GET && !read(&c.path))
        {
            let (status, told) = browser.get(&server, &call.path).await;
            assert_eq!(
                (status, &told["code"]),
                (405, &json!("method_not_allowed")),
                "{}",
                call.path
            );
        }
    });
}
