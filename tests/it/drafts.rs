//! Understanding a message while it is typed, over the wire.

use serde_json::{Value, json};

use crate::harness::{Server, Visitor, run};

const UNDERSTAND: &str = "/api/v1/example-messages/understand";
const TEXT: &str =
    "We run 1M requests a month on gpt-4o with 1000 input tokens each. Cut our cost.";

async fn understand(server: &Server, token: Option<&str>, body: Value) -> (u16, Value) {
    let address = server.address();
    let call = address.post(UNDERSTAND, &body, token);
    address.call(call).await.unwrap()
}

fn token(visitor: &Visitor) -> Option<&str> {
    Some(&visitor.connection.token)
}

#[test]
fn a_draft_is_read_as_the_agent_would_and_the_edit_is_what_it_computes_with() {
    // req: A6, S2
    run(async {
        let server = Server::start(&[("EMFLOW_AGENTS__PACE", "0s")]);
        let mut visitor = server.visit().await;
        let draft = json!({"content": TEXT, "category": "cost-optimization"});
        assert_eq!(understand(&server, None, draft.clone()).await.0, 401);
        let (status, seen) = understand(&server, token(&visitor), draft).await;
        assert_eq!(status, 200, "{seen}");
        let named = |list: &str, name: &str| {
            let found = seen[list].as_array().unwrap().iter();
            found.clone().find(|q| q["name"] == name).cloned()
        };
        let volume = named("quantities", "requests_per_month").unwrap();
        assert_eq!(
            (&volume["value"], &volume["source"]),
            (&json!(1e6), &json!("message"))
        );
        assert!(named("assumptions", "tokens_out").unwrap()["editable"] == true);

        // What the preview names, a message edits.
        let mut message = visitor.chat("m-1", TEXT);
        message["session_context"] = json!({"assumptions": {"tokens_out": 200}});
        visitor.send("chat_message", message).await;
        let done = visitor.until("agent_completed").await;
        let answer = &done["payload"]["result"];
        let out = answer["quantities"].as_array().unwrap().iter();
        let out = out.clone().find(|q| q["name"] == "tokens_out").unwrap();
        assert_eq!(out["value"], 200.0);
    });
}

#[test]
fn a_wrong_draft_names_its_fields_and_typing_has_a_rate_of_its_own() {
    // req: V1, V3
    run(async {
        let server = Server::start(&[("EMFLOW_LIMITS__DRAFTS_PER_MINUTE", "3")]);
        let mut visitor = server.visit().await;
        let wrong = json!({"content": "short", "category": "nothing"});
        let (status, problem) = understand(&server, token(&visitor), wrong).await;
        assert_eq!(status, 400);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("content must have 10 to 2000"), "{detail}");
        assert!(detail.contains("category must be one of"), "{detail}");
        let draft = json!({"content": TEXT});
        for expected in [200, 200, 429] {
            let (status, body) = understand(&server, token(&visitor), draft.clone()).await;
            assert_eq!(status, expected, "{body}");
        }
        // Messages are not used up by it.
        visitor.ask("m-1").await;
        visitor.until("agent_completed").await;
        // Another visitor is not concerned.
        let other = server.visit().await;
        assert_eq!(understand(&server, token(&other), draft).await.0, 200);
    });
}
