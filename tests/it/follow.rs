//! Following a visitor from another device: what it may is enforced here, whatever its page shows.

use serde_json::{Value, json};

use crate::harness::{Server, Visitor, run};

const FOLLOW: &str = "/api/v1/follow";

async fn share(server: &Server, token: &str, control: bool) -> (u16, Value) {
    let address = server.address();
    let call = address.post(FOLLOW, &json!({"control": control}), Some(token));
    address.call(call).await.unwrap()
}

/// A device that follows `visitor` from the oldest frame that is held.
async fn follower(server: &Server, visitor: &Visitor, control: bool) -> Visitor {
    let (status, made) = share(server, &visitor.connection.token, control).await;
    assert_eq!(status, 201, "{made}");
    let token = made["token"].as_str().unwrap().to_owned();
    let user = visitor.connection.user_id.clone();
    let connection = server
        .address()
        .connect(user, token, "?last_sequence=0")
        .await
        .unwrap();
    Visitor::new(connection).await
}

async fn acknowledged(server: &Server, visitor: &Visitor) -> u64 {
    let (user, token) = (&visitor.connection.user_id, &visitor.connection.token);
    let own = server.address();
    let own = own.connect(user.clone(), token.clone(), "").await.unwrap();
    Visitor::new(own).await.hello["acknowledged_sequence"]
        .as_u64()
        .unwrap()
}

#[test]
fn a_follower_sees_every_frame_and_acknowledges_for_itself_alone() {
    // req: V2, S2
    run(async {
        let server = Server::start(&[
            ("EMFLOW_DELIVERY__WINDOW", "2"),
            ("EMFLOW_DELIVERY__ACK_TIMEOUT", "200ms"),
        ]);
        let mut visitor = server.visit().await;
        let mut device = follower(&server, &visitor, false).await;
        assert_eq!(device.hello["scope"], "read");
        assert_eq!(visitor.hello["scope"], "visitor");
        visitor.ask("m-1").await;
        // The window of two frames moves by its own acknowledgements.
        while device.until_sequenced().await["type"] != "agent_completed" {
            device.ack_all().await;
        }
        device.ack_all().await;
        assert_eq!(acknowledged(&server, &visitor).await, 0);
        // The visitor has not lost one to it, and the bytes are the same.
        while visitor.until_sequenced().await["type"] != "agent_completed" {
            visitor.ack_all().await;
        }
        assert_eq!(visitor.seen, device.seen);
        // What was never sent to it, it cannot have.
        device.send("ack", json!({"sequence": 10_000})).await;
        let refused = device.until("error").await;
        assert_eq!(refused["payload"]["code"], "ack_out_of_range");
    });
}

#[test]
fn one_that_looks_on_may_not_ask_stop_be_counted_or_pass_on() {
    // req: V2
    run(async {
        let server = Server::start(&[("EMFLOW_AGENTS__PACE", "300ms")]);
        let mut visitor = server.visit().await;
        let session = visitor.ask("m-1").await;
        let mut device = follower(&server, &visitor, false).await;
        let chat = device.chat("m-2", crate::harness::QUESTION);
        for (kind, payload) in [
            ("chat_message", chat),
            ("cancel", json!({"session_id": session})),
            ("track", json!({"event": "call_to_action"})),
        ] {
            device.send(kind, payload).await;
            let refused = device.until("error").await;
            assert_eq!(refused["payload"]["code"], "read_only", "{kind}");
        }
        device.send("ping", json!({"nonce": 1})).await;
        device.until("pong").await;
        let token = device.connection.token.clone();
        let address = server.address();
        let understand = "/api/v1/example-messages/understand";
        let draft = json!({"content": crate::harness::QUESTION});
        for (path, sent) in [(understand, draft), (FOLLOW, json!({"control": true}))] {
            let call = address.post(path, &sent, Some(&token));
            let (status, problem) = address.call(call).await.unwrap();
            assert_eq!(
                (status, &problem["code"]),
                (403, &json!("forbidden")),
                "{path}"
            );
        }
        // It reads the session, and a ticket gives it no more than it has.
        let read = format!("/api/v1/example-messages/sessions/{session}");
        let read = address
            .call(address.get(&read, Some(&token)))
            .await
            .unwrap();
        assert_eq!(read.0, 200);
        let ticket = address.post("/api/v1/tickets", &json!({}), Some(&token));
        assert_eq!(address.call(ticket).await.unwrap().1["scope"], "read");
        visitor.until("agent_completed").await;
    });
}

#[test]
fn one_with_control_stops_what_runs() {
    // req: V2
    run(async {
        let server = Server::start(&[("EMFLOW_AGENTS__PACE", "2s")]);
        let mut visitor = server.visit().await;
        let session = visitor.ask("m-1").await;
        let mut device = follower(&server, &visitor, true).await;
        assert_eq!(device.hello["scope"], "control");
        device.send("cancel", json!({"session_id": session})).await;
        for each in [&mut visitor, &mut device] {
            let end = each.until("session_cancelled").await;
            assert_eq!(end["session_id"], json!(session));
        }
        let asked = device.ask("m-2").await;
        let begun = visitor.until("processing_started").await;
        assert_eq!(begun["session_id"], json!(asked));
    });
}

#[test]
fn what_is_taken_back_ends_at_once_and_stays_ended_after_a_crash() {
    // req: V2
    run(async {
        let mut server = Server::start(&[]);
        let visitor = server.visit().await;
        let mut devices = Vec::new();
        for control in [true, false] {
            devices.push(follower(&server, &visitor, control).await);
        }
        let address = server.address();
        let about = |token: String| {
            let address = &address;
            async move {
                address
                    .call(address.get(FOLLOW, Some(&token)))
                    .await
                    .unwrap()
            }
        };
        let told = about(visitor.connection.token.clone()).await.1;
        assert_eq!(
            (&told["scope"], &told["followers"]),
            (&json!("visitor"), &json!(2))
        );
        assert_eq!(
            about(devices[1].connection.token.clone()).await.1["scope"],
            "read"
        );
        let call = address.delete(FOLLOW, Some(&visitor.connection.token));
        assert_eq!(
            address.call(call).await.unwrap(),
            (200, json!({"closed": 2}))
        );
        for device in &mut devices {
            let closed = device.until_closed().await;
            assert!(closed.contains("4501"), "{closed}");
        }
        let old = devices[0].connection.token.clone();
        assert_eq!(about(old.clone()).await.0, 401);
        let fresh = follower(&server, &visitor, false).await;
        server.crash_and_restart();
        assert_eq!(about(old).await.0, 401);
        assert_eq!(
            about(fresh.connection.token.clone()).await.0,
            200,
            "it survives"
        );
    });
}

#[test]
fn a_hall_of_followers_leaves_the_visitor_room_and_attempts() {
    // req: D8, V3
    run(async {
        let server = Server::start(&[
            ("EMFLOW_CONNECTIONS__FOLLOWERS_PER_USER", "2"),
            ("EMFLOW_CONNECTIONS__PER_USER", "1"),
            ("EMFLOW_LIMITS__ATTEMPTS_PER_MINUTE", "8"),
        ]);
        let mut visitor = server.visit().await;
        let mut first = follower(&server, &visitor, false).await;
        let token = first.connection.token.clone();
        let user = visitor.connection.user_id.clone();
        let mut held = Vec::new();
        for _ in 0..2 {
            let (user, token) = (user.clone(), token.clone());
            held.push(server.address().connect(user, token, "").await.unwrap());
        }
        assert!(first.until_closed().await.contains("4502"));
        // Its tickets run out before the visitor's do.
        let address = server.address();
        let ask = |token: String| {
            let address = &address;
            async move {
                let call = address.post("/api/v1/tickets", &json!({}), Some(&token));
                address.call(call).await.unwrap().0
            }
        };
        let mut refused = false;
        for _ in 0..8 {
            refused |= ask(token.clone()).await == 429;
        }
        assert!(refused, "no limit on a follower's attempts");
        assert_eq!(ask(visitor.connection.token.clone()).await, 201);
        visitor.ask("m-1").await;
        visitor.until("agent_completed").await;
    });
}

#[test]
fn the_address_for_another_device_is_a_qr_code_or_says_why_it_cannot_be() {
    // req: V1
    run(async {
        let server = Server::start(&[]);
        let visitor = server.visit().await;
        let (_, made) = share(&server, &visitor.connection.token, false).await;
        assert_eq!(made["reachable"], false);
        assert!(
            made["hint"].as_str().unwrap().contains("--listen"),
            "{made}"
        );
        let named = Server::start(&[("EMFLOW_SERVER__PUBLIC_NAMES", "demo.example")]);
        let visitor = named.visit().await;
        let (_, made) = share(&named, &visitor.connection.token, false).await;
        let url = made["url"].as_str().unwrap();
        assert!(url.starts_with("https://demo.example:"), "{url}");
        assert!(url.ends_with(made["token"].as_str().unwrap()));
        let image = made["qr"].as_str().unwrap();
        assert!(image.starts_with("data:image/svg+xml;base64,"), "{image}");
        let address = named.address();
        let wrong = address.post(
            FOLLOW,
            &json!({"control": 1}),
            Some(&visitor.connection.token),
        );
        let (status, problem) = address.call(wrong).await.unwrap();
        assert_eq!(status, 400);
        assert!(problem.to_string().contains("control"), "{problem}");
    });
}
