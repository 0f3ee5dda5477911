//! The administrator's calls against a running server.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Server, Visitor, run};
use crate::operator::{Operator, PASSWORD};

const CALLS: &str = "/api/v1/example-messages";

async fn answered(visitor: &mut Visitor, message: &str) -> String {
    let session = visitor.ask(message).await;
    visitor.until("agent_completed").await;
    session
}

#[test]
fn a_visitor_is_cleaned_up_and_put_back() {
    // req: D4
    run(async {
        let server = Server::start(&[PASSWORD]);
        let operator = Operator::new(&server).await;
        let mut visitor = server.visit().await;
        let session = answered(&mut visitor, "m1").await;
        let user = visitor.connection.user_id.clone();
        let path = format!("{CALLS}/cleanup/{user}");
        let preview = operator.get(&path).await;
        assert_eq!(preview["would_remove"]["sessions"], 1);
        assert_eq!(
            (&preview["undo_possible"], &preview["undo"]),
            (&json!(true), &Value::Null)
        );
        let epoch = visitor.hello["epoch"].clone();
        assert_eq!(preview["epoch"], epoch);

        let done = operator.post(&path, json!({"reason": "asked for"})).await;
        assert_eq!(done["removed"], preview["would_remove"]);
        assert_eq!(
            (&done["epoch_before"], &done["closed_connections"]),
            (&epoch, &json!(1))
        );
        assert!(visitor.until_closed().await.contains("4503"));
        let entry = operator.newest_entry().await;
        assert_eq!(entry["action"], "visitor.cleanup");
        assert_eq!(
            (&entry["target"], &entry["after"]["reason"]),
            (&json!(user), &json!("asked for"))
        );

        let again = operator.post(&path, json!({})).await;
        assert_eq!(again["removed"]["frames"], 0);
        assert_eq!(
            (&again["epoch"], &again["undo"]),
            (&done["epoch"], &done["undo"])
        );

        let last = *visitor.seen.keys().last().unwrap();
        let resume = format!("?last_sequence={last}&epoch={}", epoch);
        visitor.reconnect(&server, &resume).await;
        assert_eq!(
            (&visitor.hello["recovered"], &visitor.hello["reason"]),
            (&json!(false), &json!("epoch_changed"))
        );

        let undone = operator.post(&format!("{path}/undo"), json!({})).await;
        assert_eq!(undone["restored"], done["removed"]);
        assert!(visitor.until_closed().await.contains("1012"));
        visitor.seen.clear();
        visitor.reconnect(&server, "").await;
        assert_eq!(visitor.hello["epoch"], undone["epoch"]);
        assert_eq!(
            visitor.until("agent_completed").await["session_id"],
            session.as_str()
        );
        let why = operator
            .refused(404, &format!("{path}/undo"), json!({}))
            .await;
        assert!(why.contains("no clean-up"), "{why}");
    });
}

#[test]
fn a_clean_up_is_whole_or_not_at_all_over_kill_nine() {
    // req: D4
    run(async {
        let mut server = Server::start(&[PASSWORD]);
        let operator = Operator::new(&server).await;
        let mut outcomes = [0, 0];
        for round in 0..10u64 {
            let mut visitor = server.visit().await;
            for message in 0..3 {
                answered(&mut visitor, &format!("m{message}")).await;
            }
            let user = visitor.connection.user_id.clone();
            let path = format!("{CALLS}/cleanup/{user}");
            let before = operator.get(&path).await;
            let cleaning = operator
                .address
                .post(&path, &json!({}), Some(&operator.token));
            let address = server.address();
            let cleaning = tokio::spawn(async move { address.call(cleaning).await });
            // The moment of the kill: from before the call arrives to after it is answered.
            std::thread::sleep(std::time::Duration::from_millis(round * 2));
            server.crash_and_restart();
            let answered = matches!(cleaning.await.unwrap(), Ok((200, _)));
            let after = operator.get(&path).await;
            let cleaned = after["epoch"] != before["epoch"];
            outcomes[usize::from(cleaned)] += 1;
            assert!(cleaned || !answered, "it was answered, and is gone");
            if cleaned {
                for (what, count) in after["would_remove"].as_object().unwrap() {
                    assert_eq!(count, 0, "{what} is left");
                }
                let undone = operator.post(&format!("{path}/undo"), json!({})).await;
                assert_eq!(undone["restored"], before["would_remove"]);
            } else {
                assert_eq!(after["would_remove"], before["would_remove"]);
                assert_eq!(after["undo"], Value::Null);
            }
        }
        println!(
            "kept whole: {}, cleaned whole: {}",
            outcomes[0], outcomes[1]
        );
    });
}

#[test]
fn breakers_are_tripped_and_reset_by_hand() {
    // req: B2
    run(async {
        let server = Server::start(&[PASSWORD]);
        let operator = Operator::new(&server).await;
        let path = format!("{CALLS}/circuit-breaker");
        let name = operator.get(&path).await["items"][0]["name"].clone();
        let why = operator
            .refused(
                404,
                &format!("{path}/trip"),
                json!({"name": "x", "reason": "r"}),
            )
            .await;
        assert!(why.contains(name.as_str().unwrap()), "{why}");
        let trip = json!({"name": name, "reason": "a rehearsal"});
        let tripped = operator.post(&format!("{path}/trip"), trip).await;
        let breaker = &tripped["items"][0];
        assert_eq!(
            (&breaker["state"], &breaker["history"][0]["reason"]),
            (&json!("open"), &json!("a rehearsal"))
        );
        assert!(breaker["retry_after_ms"].as_u64().unwrap() > 0);
        let mut visitor = server.visit().await;
        visitor.ask("m1").await;
        assert_eq!(
            visitor.until("error").await["payload"]["code"],
            "breaker_open"
        );
        let health = operator.get(&format!("{CALLS}/health")).await;
        assert_eq!(health["status"], "degraded");
        let component = |health: &Value| {
            let parts = health["components"].as_array().unwrap();
            parts
                .iter()
                .find(|part| part["name"] == "breakers")
                .unwrap()["status"]
                .clone()
        };
        assert_eq!(component(&health), "degraded");

        // HEAD reads nothing into doing; a cookie does not reset by GET; a token does.
        let reset = format!("{path}/reset");
        operator.call(405, Method::HEAD, &reset, &Value::Null).await;
        let by_browser = operator.as_browser(Method::GET, &reset, &Value::Null);
        assert_eq!(operator.address.call(by_browser).await.unwrap().0, 403);
        assert_eq!(operator.get(&path).await["items"][0]["state"], "open");
        let answer = operator.get(&reset).await;
        assert_eq!(
            (&answer["reset"], &answer["items"][0]["state"]),
            (&json!([name]), &json!("closed"))
        );
        assert_eq!(operator.newest_entry().await["action"], "breaker.reset");
        answered(&mut visitor, "m2").await;
        // Nobody learns the parts without a credential.
        let (_, health) = server
            .address()
            .call(server.address().get(&format!("{CALLS}/health"), None))
            .await
            .unwrap();
        assert!(health.get("components").is_none());
    });
}

#[test]
fn pending_frames_are_seen_sent_again_and_given_up() {
    // req: D2, D3
    run(async {
        let server = Server::start(&[PASSWORD]);
        let operator = Operator::new(&server).await;
        let mut visitor = server.visit().await;
        answered(&mut visitor, "m1").await;
        let user = visitor.connection.user_id.clone();
        let count = visitor.seen.len() as u64;
        let path = format!("{CALLS}/pending-messages/{user}");
        let first = operator.get(&format!("{path}?limit=2")).await;
        assert_eq!(
            (&first["pending_count"], &first["next"]),
            (&json!(count), &json!("2"))
        );
        assert_eq!(first["pending_messages"][0]["type"], "processing_started");
        assert_eq!(first["pending_messages"][0]["state"], "sending");
        assert_eq!(first["connections"][0]["user_id"], user.as_str());
        let rest = operator.get(&format!("{path}?after=2&limit=200")).await;
        assert_eq!(
            rest["pending_messages"].as_array().unwrap().len() as u64,
            count - 2
        );
        assert_eq!(rest["next"], Value::Null);
        let waiting = operator.get("/api/v1/admin/messages").await;
        assert_eq!(waiting["items"][0]["pending_count"], count);

        let again = format!("/api/v1/admin/messages/{user}/send-again");
        assert_eq!(operator.post(&again, json!({})).await["connections"], 1);
        while visitor.repeated < count {
            visitor.next().await.unwrap();
        }

        let drop = format!("/api/v1/admin/messages/{user}/drop");
        let body = json!({"through": count + 1, "reason": "r"});
        assert!(
            operator
                .refused(400, &drop, body)
                .await
                .contains("from 1 to")
        );
        let body = json!({"through": 3, "reason": "the visitor asked"});
        let dropped = operator.post(&drop, body).await;
        assert_eq!(
            (&dropped["dropped"], &dropped["oldest_sequence"]),
            (&json!(3), &json!(4))
        );
        assert_eq!(
            operator.newest_entry().await["after"]["reason"],
            "the visitor asked"
        );
        visitor.reconnect(&server, "?last_sequence=1").await;
        assert_eq!(
            (&visitor.hello["recovered"], &visitor.hello["reason"]),
            (&json!(false), &json!("frames_expired"))
        );
    });
}

#[test]
fn sockets_are_listed_and_closed_and_tokens_revoked() {
    // req: C1, V2
    run(async {
        let server = Server::start(&[PASSWORD]);
        let operator = Operator::new(&server).await;
        let mut visitor = server.visit().await;
        let user = visitor.connection.user_id.clone();
        visitor.send("nonsense", json!({})).await;
        visitor.until("error").await;
        let list = format!("/api/v1/admin/connections?visitor={user}");
        let socket = operator.get(&list).await["items"][0].clone();
        assert_eq!(socket["connection_id"], visitor.hello["connection_id"]);
        assert_eq!(
            (&socket["errors"], &socket["status"]),
            (&json!(1), &json!("open"))
        );
        assert!(socket["bytes_in"].as_u64() > Some(0) && socket["bytes_out"].as_u64() > Some(0));
        assert_eq!(socket["address"], "127.0.0.1");
        let close = format!(
            "/api/v1/admin/connections/{}/close",
            socket["connection_id"].as_str().unwrap()
        );
        operator.post(&close, json!({})).await;
        assert!(visitor.until_closed().await.contains("4503"));
        visitor.reconnect(&server, "").await;
        let found = operator
            .get(&format!("/api/v1/admin/visitors?text={user}"))
            .await;
        assert_eq!(
            (&found["items"], &found["next"]),
            (&json!([]), &Value::Null),
            "nothing was ever written for them"
        );
        answered(&mut visitor, "m1").await;
        let found = operator
            .get(&format!("/api/v1/admin/visitors?text={user}"))
            .await;
        assert_eq!(
            (
                &found["items"][0]["sessions"],
                &found["items"][0]["connections"]
            ),
            (&json!(1), &json!(1))
        );

        let revoke = format!("/api/v1/admin/visitors/{user}/revoke");
        assert_eq!(
            operator.post(&revoke, json!({})).await["closed_connections"],
            1
        );
        assert!(visitor.until_closed().await.contains("4501"));
        let connection = &visitor.connection;
        let again = server
            .address()
            .connect(connection.user_id.clone(), connection.token.clone(), "")
            .await;
        assert!(again.is_err(), "the token is revoked");
    });
}

#[test]
fn sessions_are_found_replayed_and_cancelled() {
    run(async {
        let server = Server::start(&[PASSWORD, ("EMFLOW_AGENTS__PACE", "10s")]);
        let operator = Operator::new(&server).await;
        let mut visitor = server.visit().await;
        let user = visitor.connection.user_id.clone();
        let session = visitor.ask("m1").await;
        visitor.until("agent_thinking").await;
        for (query, count) in [
            ("state=live", 1),
            ("state=ended", 0),
            ("category=scaling", 0),
            ("text=GPT-4O", 1),
            ("text=nowhere", 0),
        ] {
            let found = operator
                .get(&format!("/api/v1/admin/sessions?visitor={user}&{query}"))
                .await;
            assert_eq!(found["items"].as_array().unwrap().len(), count, "{query}");
        }
        let wrong = operator
            .call(
                400,
                Method::GET,
                "/api/v1/admin/sessions?state=odd&category=none",
                &Value::Null,
            )
            .await;
        assert_eq!(wrong["errors"].as_array().unwrap().len(), 2, "{wrong}");

        let path = format!("/api/v1/admin/sessions/{session}");
        assert_eq!(
            operator.post(&format!("{path}/cancel"), json!({})).await["state"],
            "stopping"
        );
        let end = visitor.until("session_cancelled").await;
        assert_eq!(end["payload"]["reason"], "cancelled by an administrator");
        operator
            .refused(409, &format!("{path}/cancel"), json!({}))
            .await;
        let frames = operator.get(&format!("{path}/frames?limit=200")).await;
        assert_eq!(
            frames["items"].as_array().unwrap().len(),
            visitor.seen.len()
        );
        assert_eq!(
            (&frames["complete"], &frames["next"]),
            (&json!(true), &Value::Null)
        );
        let first = operator.get(&format!("{path}/frames?limit=1")).await;
        assert_eq!(
            (&first["items"][0]["sequence"], &first["next"]),
            (&json!(1), &json!("1"))
        );
        let told = operator.get(&format!("{CALLS}/sessions/{session}")).await;
        assert_eq!(told["state"], "cancelled");

        // Newest first, page by page.
        let other = visitor.ask("m2").await;
        let page = operator.get("/api/v1/admin/sessions?limit=1").await;
        assert_eq!(page["items"][0]["session_id"], other.as_str());
        let next = page["next"].as_str().unwrap();
        let page = operator
            .get(&format!("/api/v1/admin/sessions?limit=1&after={next}"))
            .await;
        assert_eq!(
            (&page["items"][0]["session_id"], &page["next"]),
            (&json!(session), &Value::Null)
        );
    });
}

#[test]
fn who_may_only_read_changes_nothing() {
    run(async {
        let server = Server::start(&[PASSWORD]);
        let reader = Operator::with_scope(&server, "read").await;
        reader.get("/api/v1/admin/sessions").await;
        for path in [
            format!("{CALLS}/cleanup/v-1"),
            format!("{CALLS}/circuit-breaker/reset"),
            "/api/v1/admin/messages/v-1/send-again".to_owned(),
        ] {
            let why = reader.refused(403, &path, json!({})).await;
            assert!(why.contains("operate"), "{why}");
        }
    });
}
