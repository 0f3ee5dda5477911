//! Alerts of a server that are fired and cleared by what is done to it, and posted both times.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use tokio::net::TcpListener;

use super::admin::{Admin, PASSWORD};
use super::alerts::receive;
use crate::harness::{Server, run};

/// A receiver, and a server that posts to it at once.
pub(crate) async fn posting(dir: &Path, more: &[(&str, &str)]) -> (TcpListener, Server) {
    let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", receiver.local_addr().unwrap());
    let mut env = vec![
        ("EMFLOW_ADMIN__PASSWORD", PASSWORD),
        ("EMFLOW_ALERTS__HOLD", "0s"),
        ("EMFLOW_ALERTS__SETTLE", "0s"),
        ("EMFLOW_ALERTS__WEBHOOK_PLAIN", "true"),
        ("EMFLOW_ALERTS__WEBHOOK_URL", &url),
    ];
    env.extend(more);
    let server = Server::start_in(dir, &env);
    (receiver, server)
}

#[test]
fn a_breaker_that_stays_open_fires_and_its_reset_clears() {
    // req: M4
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let (receiver, server) =
            posting(dir.path(), &[("EMFLOW_ALERTS__BREAKER_OPEN", "1s")]).await;
        let admin = Admin::login(&server).await;
        let breaker = "/api/v1/example-messages/circuit-breaker";
        let trip = json!({"name": "builtin", "reason": "a test"});
        assert_eq!(admin.post(&format!("{breaker}/trip"), &trip).await.0, 200);
        let (_, raised) = receive(
            &receiver,
            ("alert.raised", Some("breaker_open")),
            "204 Taken",
        )
        .await;
        assert!(
            raised["alert"]["why"]
                .as_str()
                .unwrap()
                .starts_with("builtin"),
            "{raised}"
        );
        assert_eq!(
            admin.post(&format!("{breaker}/reset"), &json!({})).await.0,
            200
        );
        let (_, resolved) = receive(
            &receiver,
            ("alert.resolved", Some("breaker_open")),
            "204 Taken",
        )
        .await;
        assert_eq!(resolved["alert"]["state"], "ok", "{resolved}");
        assert_eq!(resolved["alert"]["last_fired"], raised["alert"]["since"]);
    });
}

/// A certificate for so many days, and its key, in the place of what is there.
fn certify(dir: &Path, days: &str) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args([
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .args(["-days", days, "-out", "own.pem", "-keyout", "own.key"])
        .current_dir(dir)
        .output()
        .expect("openssl, which the other tests need too");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

#[test]
fn a_certificate_that_ends_soon_fires_and_a_new_one_clears() {
    // req: M4
    run(async {
        let dir = tempfile::tempdir().unwrap();
        certify(dir.path(), "20");
        let more = [
            ("EMFLOW_TLS__CERTIFICATE", "own.pem"),
            ("EMFLOW_TLS__KEY", "own.key"),
            ("EMFLOW_ALERTS__CERTIFICATE_DAYS", "30"),
        ];
        let (receiver, server) = posting(dir.path(), &more).await;
        let (_, raised) = receive(
            &receiver,
            ("alert.raised", Some("certificate_expiry")),
            "204 Taken",
        )
        .await;
        let days = raised["alert"]["value"].as_f64().unwrap();
        assert!((18.0..=20.0).contains(&days), "{raised}");
        certify(dir.path(), "300");
        server.signal("HUP");
        let (_, resolved) = receive(
            &receiver,
            ("alert.resolved", Some("certificate_expiry")),
            "204 Taken",
        )
        .await;
        assert!(
            resolved["alert"]["value"].as_f64().unwrap() > 290.0,
            "{resolved}"
        );
    });
}

#[test]
fn a_receiver_that_never_takes_an_alert_is_given_up_and_told_of_and_is_tried_again_with_the_next() {
    // req: M4
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let (receiver, server) = posting(dir.path(), &[("EMFLOW_ALERTS__CATALOG_DAYS", "1")]).await;
        let raised = ("alert.raised", Some("catalog_age"));
        for _ in 0..5 {
            receive(&receiver, raised, "500 Broken").await;
        }
        let admin = Admin::login(&server).await;
        let given_up = loop {
            let events = admin.get("/api/v1/admin/events?kind=webhook").await;
            if let Some(event) = events["items"].get(0) {
                break event["message"].as_str().unwrap().to_owned();
            }
        };
        assert!(
            given_up.contains("five") && given_up.contains("500"),
            "{given_up}"
        );
        let nothing = json!({});
        let acknowledge = admin.post("/api/v1/admin/alerts/catalog_age/acknowledge", &nothing);
        let seen = receive(
            &receiver,
            ("alert.acknowledged", Some("catalog_age")),
            "204 Taken",
        );
        let ((status, _), _) = tokio::join!(acknowledge, seen);
        assert_eq!(status, 200);

        let test = admin.post("/api/v1/admin/alerts/webhook/test", &nothing);
        let taken = receive(&receiver, ("test", None), "204 Taken");
        let ((status, outcome), _) = tokio::join!(test, taken);
        assert_eq!(
            (status, &outcome["ok"], &outcome["status"]),
            (200, &json!(true), &json!(204))
        );
        let list = admin.get("/api/v1/admin/alerts").await;
        let webhook = &list["webhook"];
        assert_eq!(webhook["last"]["ok"], true, "{webhook}");
    });
}
