//! How a browser comes in, and how one that may not does not.

use std::time::Instant;

use http::header::{CONTENT_TYPE, HeaderName, ORIGIN, RETRY_AFTER};
use http::{Method, Response};
use serde_json::{Value, json};

use super::{ADMIN_COOKIE, Caller, PASSWORD, done, enter, house, login, parts, status};
use crate::harness::{Server, run};

const LOGIN: &str = "/api/v1/admin/login";
const TOKENS: &str = "/api/v1/admin/tokens";
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

#[test]
fn a_login_gives_a_cookie_that_only_this_site_gets_and_a_new_one_each_time() {
    run(async {
        let server = house();
        let body = json!({"password": PASSWORD});
        let (first, set) = enter(&server, LOGIN, body.clone()).await.ok().unwrap();
        let mut flags: Vec<&str> = set.split("; ").skip(1).collect();
        flags.sort_unstable();
        let wanted = [
            "HttpOnly",
            "Max-Age=43200",
            "Path=/",
            "SameSite=Strict",
            "Secure",
        ];
        assert_eq!(flags, wanted);
        assert!(set.starts_with(&format!("{ADMIN_COOKIE}=")), "{set}");

        let again = first.send(&server, Method::POST, LOGIN, &body).await;
        let again = super::browser(&again);
        assert_ne!((&again.cookie, &again.csrf), (&first.cookie, &first.csrf));
        assert_eq!(status(&first, &server).await, 401, "the old one is over");
        let secret = again.cookie.split_once('=').unwrap().1;
        let (_, told) = again.get(&server, "/api/v1/admin/session").await;
        assert!(
            !told.to_string().contains(secret),
            "no script reads the cookie's value"
        );
        assert_eq!(told["csrf_token"].as_str(), Some(again.csrf.as_str()));
    });
}

#[test]
fn another_site_changes_nothing() {
    run(async {
        let server = house();
        let browser = login(&server, PASSWORD).await.ok().unwrap();
        let bearer = ["token", "create", "script", "--scope", "operate"];
        let script = Caller::token(&done(&server.dir, &bearer, ""));
        let body = json!({"name": "evil", "scope": "operate"});
        let without = |csrf: &str| Caller {
            csrf: csrf.to_owned(),
            ..browser.clone()
        };
        let as_text = |kind: &str| browser.with(CONTENT_TYPE, kind);
        let own = server.url.as_str();
        let table = [
            ("no CSRF value", without(""), 403),
            ("a guessed one", without("AAAA"), 403),
            (
                "another site's page",
                browser.with(ORIGIN, "https://evil.example"),
                403,
            ),
            (
                "a page without an origin",
                browser.with(ORIGIN, "null"),
                403,
            ),
            (
                "a sibling port",
                browser.with(ORIGIN, "https://localhost:1"),
                403,
            ),
            ("a form", as_text("application/x-www-form-urlencoded"), 415),
            ("JSON dressed as text", as_text("text/plain"), 415),
            ("a token that would outlive itself", script, 403),
        ];
        for (what, caller, expected) in table {
            let (status, told) = caller.post(&server, TOKENS, body.clone()).await;
            assert_eq!(status, expected, "{what}: {told}");
        }
        // Nor does it log a browser in, to be watched under a session that it knows.
        let foreign = Caller::default().with(ORIGIN, "https://evil.example");
        let (status, _) = foreign
            .post(&server, LOGIN, json!({"password": PASSWORD}))
            .await;
        assert_eq!(status, 403);

        let (_, listed) = browser.get(&server, TOKENS).await;
        assert_eq!(
            listed["items"].as_array().map(Vec::len),
            Some(1),
            "{listed}"
        );
        let (status, _) = browser.with(ORIGIN, own).post(&server, TOKENS, body).await;
        assert_eq!(status, 201, "our own page may");
    });
}

/// A server that believes the address that a test writes into `X-Forwarded-For`.
fn behind_a_proxy() -> Server {
    let server = Server::start(&[("EMFLOW_LIMITS__TRUSTED_PROXIES", "127.0.0.1")]);
    done(&server.dir, &["set-password", "--stdin"], PASSWORD);
    server
}

async fn knock(server: &Server, from: &str, body: Value) -> Response<bytes::Bytes> {
    let caller = Caller::default().with(FORWARDED, from);
    caller.send(server, Method::POST, LOGIN, &body).await
}

/// The status of an attempt, and for how long one is sent away.
async fn attempt(server: &Server, from: &str, password: &str) -> (u16, Option<u64>) {
    let response = knock(server, from, json!({"password": password})).await;
    let wait = response.headers().get(RETRY_AFTER);
    let wait = wait.map(|wait| wait.to_str().unwrap().parse().unwrap());
    (response.status().as_u16(), wait)
}

#[test]
fn ten_wrong_passwords_close_the_door_to_an_address_and_to_no_other() {
    // req: V3
    run(async {
        let server = behind_a_proxy();
        for n in 0..10 {
            assert_eq!(
                attempt(&server, "192.0.2.1", "wrong").await,
                (401, None),
                "{n}"
            );
        }
        for password in ["wrong", PASSWORD] {
            let (status, wait) = attempt(&server, "192.0.2.1", password).await;
            assert_eq!(status, 429);
            assert!(wait.is_some_and(|s| (800..=901).contains(&s)), "{wait:?}");
        }
        assert_eq!(attempt(&server, "192.0.2.2", PASSWORD).await, (200, None));
        // Whoever is no proxy writes what they like.
        let plain = house();
        for n in 0..10 {
            let from = format!("192.0.2.{n}");
            assert_eq!(attempt(&plain, &from, "wrong").await.0, 401, "{n}");
        }
        assert_eq!(attempt(&plain, "198.51.100.1", PASSWORD).await.0, 429);
    });
}

#[test]
fn many_addresses_share_a_slow_lane_and_a_known_one_does_not() {
    // req: V3
    run(async {
        let server = behind_a_proxy();
        assert_eq!(attempt(&server, "192.0.2.1", PASSWORD).await.0, 200);
        let mut lane = None;
        let start = Instant::now();
        // The lane begins after fifty; on a slow machine some of what comes then is let through.
        for n in 0..250 {
            let (status, wait) = attempt(&server, &format!("198.51.100.{n}"), "wrong").await;
            if status == 429 {
                lane = Some((n, wait));
                break;
            }
            assert_eq!(status, 401, "{n}");
        }
        let (tried, wait) = lane.unwrap_or_else(|| panic!("250 tried in {:?}", start.elapsed()));
        assert!(tried > 50, "{tried}");
        assert!(wait.is_some_and(|s| (1..=4).contains(&s)), "{wait:?}");
        assert_eq!(attempt(&server, "192.0.2.1", PASSWORD).await.0, 200);
    });
}

/// The most memory that the process ever held, in KiB.
fn peak(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_flood_of_logins_costs_two_hashings_of_memory() {
    // req: V3
    run(async {
        let server = behind_a_proxy();
        attempt(&server, "192.0.2.1", PASSWORD).await;
        let before = peak(&server);
        let flood = (0..40).map(|n| {
            let server = &server;
            async move { attempt(server, &format!("198.51.100.{n}"), "wrong").await }
        });
        let answers = futures_util::future::join_all(flood).await;
        let count = |status| answers.iter().filter(|(s, _)| *s == status).count();
        assert_eq!(count(401) + count(429), 40, "{answers:?}");
        assert!(count(429) > 0, "forty at once found room");
        // Forty at once would take 760 MiB; two take 38, and they are given back to nobody but us.
        let grown = (peak(&server) - before) / 1024;
        assert!(grown < 100, "{grown} MiB");
    });
}

#[test]
fn a_login_tells_nothing_but_wrong() {
    run(async {
        let server = behind_a_proxy();
        let wrong = [
            json!({"password": "wrong"}),
            json!({"name": "root", "password": PASSWORD}),
            json!({"name": "admin", "password": ""}),
        ];
        let mut told = Vec::new();
        for body in wrong {
            let response = knock(&server, "192.0.2.1", body).await;
            let (status, mut problem) = parts(&response);
            let fields = problem.as_object_mut().unwrap();
            fields.remove("request_id");
            told.push((status, problem));
        }
        assert_eq!(told[0].0, 401);
        assert!(told.iter().all(|one| *one == told[0]), "{told:#?}");
        let long = "x".repeat(2000);
        assert_eq!(attempt(&server, "192.0.2.1", &long).await.0, 400);
    });
}

#[test]
fn a_new_password_and_a_logout_end_what_is_logged_in() {
    run(async {
        let server = house();
        let one = login(&server, PASSWORD).await.ok().unwrap();
        let other = login(&server, PASSWORD).await.ok().unwrap();
        let change = json!({"current": PASSWORD, "new": "another password"});
        let path = "/api/v1/admin/password";
        let wrong = json!({"current": "wrong", "new": "another password"});
        assert_eq!(one.post(&server, path, wrong).await.0, 401);
        let changed = one.send(&server, Method::POST, path, &change).await;
        let fresh = super::browser(&changed);
        for old in [&one, &other] {
            assert_eq!(status(old, &server).await, 401);
        }
        assert_eq!(login(&server, PASSWORD).await.err().unwrap().0, 401);

        let second = login(&server, "another password").await.ok().unwrap();
        assert_eq!(
            second
                .post(&server, "/api/v1/admin/logout", json!({}))
                .await
                .0,
            200
        );
        assert_eq!(
            (
                status(&second, &server).await,
                status(&fresh, &server).await
            ),
            (401, 200)
        );
        let third = login(&server, "another password").await.ok().unwrap();
        let everywhere = "/api/v1/admin/logout-everywhere";
        assert_eq!(third.post(&server, everywhere, json!({})).await.0, 200);
        assert_eq!(
            (status(&third, &server).await, status(&fresh, &server).await),
            (401, 401)
        );

        let page = login(&server, "another password").await.ok().unwrap();
        let (_, log) = page.get(&server, "/api/v1/admin/audit").await;
        let actions: Vec<&str> = log["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["action"].as_str().unwrap())
            .collect();
        let expected = [
            "login",
            "logout.everywhere",
            "login",
            "logout",
            "login",
            "login",
        ];
        assert_eq!(actions[..6], expected, "newest first");
        assert!(log["items"][0]["from"] == "127.0.0.1", "{log}");
    });
}
