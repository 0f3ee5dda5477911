//! Order, acknowledgement, repetition, resumption: the wire's promises over real sockets.

use serde_json::json;

use crate::harness::{Server, run};

#[test]
fn a_session_from_beginning_to_end() {
    // req: D1, S1, A1
    run(async {
        let server = Server::start(&[]);
        let mut visitor = server.visit().await;
        assert_eq!(
            (&visitor.hello["recovered"], &visitor.hello["last_sequence"]),
            (&json!(true), &json!(0))
        );
        let session = visitor.ask("m1").await;
        let end = visitor.until("agent_completed").await;
        assert_eq!(end["session_id"], session.as_str());
        let result = &end["payload"]["result"];
        assert_eq!(result["headline"][0]["value"], json!(4500.0));
        assert_eq!(end["payload"]["real_agent_execution"], true);
        let kinds: Vec<String> = visitor
            .seen
            .values()
            .map(|f| f.split('"').nth(3).unwrap().to_owned())
            .collect();
        assert_eq!(kinds[..2], ["processing_started", "agent_started"]);
        assert_eq!(
            visitor.seen.keys().copied().collect::<Vec<_>>(),
            (1..=kinds.len() as u64).collect::<Vec<_>>()
        );
    });
}

#[test]
fn what_is_not_acknowledged_comes_again_byte_for_byte() {
    // req: D2, D5, B4
    run(async {
        let server = Server::start(&[]);
        let mut visitor = server.visit().await;
        visitor.ask("m1").await;
        visitor.until("agent_completed").await;
        let count = visitor.seen.len() as u64;
        // Without a word about what it has: everything pending comes again, byte-equal.
        visitor.reconnect(&server, "").await;
        visitor.until("agent_completed").await;
        assert_eq!(visitor.repeated, count);
        // In the middle: what follows comes, and nothing else.
        let epoch = visitor.hello["epoch"].clone();
        visitor
            .reconnect(
                &server,
                &format!("?last_sequence={}&epoch={epoch}", count - 1),
            )
            .await;
        visitor.until("agent_completed").await;
        assert_eq!(
            (visitor.repeated, &visitor.hello["recovered"]),
            (count + 1, &json!(true))
        );
        // Acknowledged: nothing is pending, but a page that lost its state can have it all.
        visitor.ack_all().await;
        visitor.send("ping", json!({"nonce": 7})).await;
        visitor.until("pong").await;
        visitor.reconnect(&server, "").await;
        assert_eq!(visitor.hello["acknowledged_sequence"], json!(count));
        visitor.send("ping", json!({"nonce": 7})).await;
        assert_eq!(visitor.next().await.unwrap()["type"], "pong");
        visitor
            .reconnect(&server, &format!("?last_sequence=0&epoch={epoch}"))
            .await;
        visitor.until("agent_completed").await;
        // Another epoch: told so, and sent what is held.
        visitor
            .reconnect(&server, &format!("?last_sequence={count}&epoch=1"))
            .await;
        assert_eq!(
            (&visitor.hello["recovered"], &visitor.hello["reason"]),
            (&json!(false), &json!("epoch_changed"))
        );
        visitor.until("agent_completed").await;
    });
}

#[test]
fn a_message_is_taken_once() {
    // req: D7, V1
    run(async {
        let server = Server::start(&[]);
        let mut visitor = server.visit().await;
        let session = visitor.ask("m1").await;
        assert_eq!(visitor.ask("m1").await, session);
        let other = visitor.chat("m1", "We run 2M requests a month on gpt-4o. Cut our cost.");
        visitor.send("chat_message", other).await;
        let refused = loop {
            let frame = visitor.next().await.unwrap();
            if frame["type"] == "error" && frame["sequence"].is_null() {
                break frame;
            }
        };
        assert_eq!(
            (
                &refused["payload"]["code"],
                &refused["payload"]["example_message_id"]
            ),
            (&json!("conflict"), &json!("m1"))
        );
        let mut wrong = visitor.chat("m2", "short");
        wrong["example_message_metadata"]["category"] = json!("costs");
        wrong["user_id"] = json!("somebody");
        visitor.send("chat_message", wrong).await;
        let refused = visitor.until("error").await;
        let fields: Vec<&str> = refused["payload"]["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["field"].as_str().unwrap())
            .collect();
        assert_eq!(
            fields,
            ["content", "example_message_metadata.category", "user_id"]
        );
    });
}

#[test]
fn stop_ends_a_session_once() {
    // req: S1, B3
    run(async {
        let server = Server::start(&[("EMFLOW_AGENTS__PACE", "10s")]);
        let mut visitor = server.visit().await;
        let session = visitor.ask("m1").await;
        visitor.until("agent_thinking").await;
        visitor.send("cancel", json!({"session_id": session})).await;
        visitor.until("session_cancelled").await;
        visitor.send("cancel", json!({"session_id": session})).await;
        assert_eq!(
            visitor.until("error").await["payload"]["code"],
            "already_ended"
        );
        visitor
            .send(
                "cancel",
                json!({"session_id": "s_00000000000000000000000000000000"}),
            )
            .await;
        assert_eq!(visitor.until("error").await["payload"]["code"], "not_found");
    });
}

#[test]
fn every_socket_gets_every_frame_and_the_ninth_replaces_the_first() {
    // req: S2
    run(async {
        let server = Server::start(&[]);
        let mut first = server.visit().await;
        let mut others = Vec::new();
        for _ in 0..8 {
            let (user, token) = (
                first.connection.user_id.clone(),
                first.connection.token.clone(),
            );
            let connection = server.address().connect(user, token, "").await.unwrap();
            others.push(crate::harness::Visitor::new(connection).await);
        }
        assert!(first.until_closed().await.starts_with("4502"));
        others[0].ask("m1").await;
        for socket in &mut others {
            socket.until("agent_completed").await;
        }
        let texts: Vec<_> = others.iter().map(|s| s.seen.clone()).collect();
        assert!(texts.windows(2).all(|pair| pair[0] == pair[1]));
    });
}

#[test]
fn the_tenth_bad_frame_closes() {
    // req: C3
    run(async {
        let server = Server::start(&[]);
        let mut visitor = server.visit().await;
        for _ in 0..10 {
            visitor.send("nonsense", json!({})).await;
        }
        for _ in 0..10 {
            assert_eq!(
                visitor.next().await.unwrap()["payload"]["code"],
                "unknown_type"
            );
        }
        assert!(visitor.until_closed().await.starts_with("4500"));
    });
}
