//! An alert reaches whoever is to hear of it.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::admin::{Admin, PASSWORD};
use super::metrics;
use crate::harness::{PATIENCE, Server, run};

/// Takes one post, unanswered; the head and the body.
async fn take(receiver: &TcpListener) -> (TcpStream, String, Value) {
    let accepted = tokio::time::timeout(PATIENCE, receiver.accept()).await;
    let (mut stream, _) = accepted.expect("nobody posts").unwrap();
    let mut read = Vec::new();
    loop {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "cut off");
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        // Complete once it is JSON: it is one object.
        if let Ok(body) = serde_json::from_str(body) {
            return (stream, head.to_lowercase(), body);
        }
    }
}

async fn answer(mut stream: TcpStream, status: &str) {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
}

/// The next post of that kind about that alert, or about none. Others may be raised on a busy
/// machine; they are taken.
async fn receive(
    receiver: &TcpListener,
    (event, alert): (&str, Option<&str>),
    status: &str,
) -> (String, Value) {
    loop {
        let (stream, head, body) = take(receiver).await;
        if body["event"] == event && body["alert"]["id"].as_str() == alert {
            answer(stream, status).await;
            return (head, body);
        }
        answer(stream, "204 Taken").await;
    }
}

async fn state(admin: &Admin, id: &str) -> Value {
    let list = admin.get("/api/v1/admin/alerts").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 11, "{list}");
    let mut items = list["items"].as_array().unwrap().iter();
    items.find(|alert| alert["id"] == id).unwrap().clone()
}

#[test]
fn an_alert_is_posted_until_it_is_taken_shown_and_acknowledged() {
    // req: M4
    run(async {
        let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?key=k", receiver.local_addr().unwrap());
        let server = Server::start(&[
            ("EMFLOW_ADMIN__PASSWORD", PASSWORD),
            ("EMFLOW_ALERTS__HOLD", "0s"),
            // The prices of a release are older than a day.
            ("EMFLOW_ALERTS__CATALOG_DAYS", "1"),
            ("EMFLOW_ALERTS__WEBHOOK_URL", &url),
            ("EMFLOW_ALERTS__WEBHOOK_PLAIN", "true"),
            ("EMFLOW_ALERTS__WEBHOOK_SECRET", "shared"),
        ]);
        let raised = ("alert.raised", Some("catalog_age"));
        let (_, body) = receive(&receiver, raised, "503 Not now").await;
        let (head, again) = receive(&receiver, raised, "204 Taken").await;
        assert_eq!(body["alert"], again["alert"]);
        assert!(head.starts_with("post /hook?key=k http/1.1"), "{head}");
        assert!(head.contains("x-emflow-signature: t="), "{head}");

        let admin = Admin::login(&server).await;
        let alert = state(&admin, "catalog_age").await;
        assert_eq!(alert["state"], "firing", "{alert}");
        assert!(alert["value"].as_f64() > alert["threshold"].as_f64());
        assert_eq!(state(&admin, "store_failed").await["state"], "ok");
        let (_, found) = metrics(&server).await;
        assert_eq!(found["emflow_alert_firing{alert=\"catalog_age\"}"], 1.0);
        assert_eq!(found["emflow_alert_firing{alert=\"error_rate\"}"], 0.0);
        let events = admin.get("/api/v1/admin/events?kind=alert").await;
        assert_eq!(events["items"][0]["alert"], "catalog_age", "{events}");

        let acknowledge = |id: &str| format!("/api/v1/admin/alerts/{id}/acknowledge");
        for (id, body, status) in [
            ("nonsense", json!({}), 404),
            ("store_failed", json!({}), 409),
            ("catalog_age", json!({"note": ""}), 400),
            ("catalog_age", json!({"colour": "red"}), 400),
        ] {
            let (found, answer) = admin.post(&acknowledge(id), &body).await;
            assert_eq!(found, status, "{id}: {answer}");
        }
        let note = json!({"note": "I am on it"});
        let (status, alert) = admin.post(&acknowledge("catalog_age"), &note).await;
        assert_eq!(
            (status, &alert["state"]),
            (200, &json!("acknowledged")),
            "{alert}"
        );
        assert_eq!(alert["acknowledged"]["by"], "admin");
        let seen = ("alert.acknowledged", Some("catalog_age"));
        receive(&receiver, seen, "204 Taken").await;

        let nothing = json!({});
        let test = admin.post("/api/v1/admin/alerts/webhook/test", &nothing);
        let elsewhere = receive(&receiver, ("test", None), "302 Elsewhere");
        let ((status, outcome), _) = tokio::join!(test, elsewhere);
        assert_eq!((status, &outcome["ok"]), (200, &json!(false)), "{outcome}");
        assert_eq!(
            outcome["status"], 302,
            "a redirect is not followed: {outcome}"
        );
        let list = admin.get("/api/v1/admin/alerts").await;
        let shown = list["webhook"]["url"].as_str().unwrap();
        assert!(!shown.contains("key"), "{shown}");
        assert_eq!(list["webhook"]["last"]["ok"], false);
    });
}
