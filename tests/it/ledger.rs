//! The delivery ledger: what happened to each frame, for its visitor and nobody else.

use serde_json::{Value, json};

use crate::harness::{Server, Visitor, run};

/// The answer's status and body; `token` of whoever asks.
async fn ledger(server: &Server, session: &str, token: &str) -> (u16, Value) {
    let path = format!("/api/v1/example-messages/sessions/{session}/delivery");
    let address = server.address();
    let answer = address
        .exchange(address.get(&path, Some(token)))
        .await
        .unwrap();
    crate::admin::parts(&answer)
}

fn token(visitor: &Visitor) -> &str {
    &visitor.connection.token
}

#[test]
fn the_ledger_tells_each_frame_and_counts_the_verdict() {
    // req: D2, D3, S2
    run(async {
        let mut server = Server::start(&[("EMFLOW_DELIVERY__ACK_TIMEOUT", "100ms")]);
        let mut visitor = server.visit().await;
        let session = visitor.ask("m1").await;
        visitor.until("agent_completed").await;
        // Not acknowledged: the first frame comes again.
        while visitor.repeated == 0 {
            visitor.next().await.unwrap();
        }
        let (status, told) = ledger(&server, &session, token(&visitor)).await;
        let frames = told["frames"].as_array().unwrap().len();
        assert_eq!((status, frames), (200, visitor.seen.len()), "{told}");
        assert_eq!(told["verdict"]["pending"], json!(frames), "{told}");
        assert!(told["frames"][0]["sends"].as_u64() > Some(1), "{told}");

        visitor.ack_all().await;
        visitor.send("ping", json!({})).await;
        visitor.until("pong").await;
        let (_, told) = ledger(&server, &session, token(&visitor)).await;
        let verdict = &told["verdict"];
        for none in ["lost", "out_of_order", "pending", "unknown"] {
            assert_eq!(verdict[none], 0, "{none}: {told}");
        }
        assert!(verdict["doubled"].as_u64() > Some(0), "{told}");
        assert!(
            told["frames"]
                .as_array()
                .unwrap()
                .iter()
                .all(|f| f["acknowledged_at"].is_string())
        );

        let other = server.visit().await;
        assert_eq!(ledger(&server, &session, token(&other)).await.0, 404);
        // What this process did not see it does not claim.
        server.crash_and_restart();
        let (_, told) = ledger(&server, &session, token(&visitor)).await;
        assert_eq!(told["verdict"]["unknown"], json!(frames), "{told}");
    });
}
