//! `kill -9`: what was accepted ends once, what was seen is known, no number is used twice.

use crate::harness::{Server, run};

#[test]
fn an_accepted_session_goes_on_after_a_crash() {
    // req: D6, D7
    run(async {
        let mut server = Server::start(&[("EMFLOW_AGENTS__PACE", "150ms")]);
        let mut visitor = server.visit().await;
        let session = visitor.ask("m1").await;
        visitor.until("agent_thinking").await;
        let seen = visitor.seen.clone();
        server.crash_and_restart();
        assert!(
            server
                .output
                .contains("answers that the last stop interrupted and that go on: 1"),
            "{}",
            server.output
        );
        let epoch = visitor.hello["epoch"].clone();
        visitor
            .reconnect(&server, &format!("?last_sequence=0&epoch={epoch}"))
            .await;
        assert_eq!(visitor.hello["recovered"], true);
        let end = visitor.until("agent_completed").await;
        assert_eq!(end["session_id"], session.as_str());
        assert!(
            seen.iter()
                .all(|(n, text)| visitor.seen.get(n) == Some(text)),
            "what was seen is unknown afterwards"
        );
        let resumed: Vec<&String> = visitor
            .seen
            .values()
            .filter(|f| f.contains("\"resumed\":true"))
            .collect();
        assert_eq!(resumed.len(), 1);
        let ends = visitor
            .seen
            .values()
            .filter(|f| f.contains("\"type\":\"agent_completed\""))
            .count();
        assert_eq!(ends, 1);
        // The token and the message's id outlive the crash too.
        assert_eq!(visitor.ask("m1").await, session);
    });
}

#[test]
fn a_page_that_follows_loses_nothing_over_many_crashes() {
    // req: D1, D6
    run(async {
        let mut server = Server::start(&[("EMFLOW_AGENTS__PACE", "10ms")]);
        let mut visitor = server.visit().await;
        for round in 0..4 {
            visitor.ask(&format!("m{round}")).await;
            let wanted = [
                "processing_started",
                "agent_started",
                "tool_executing",
                "agent_completed",
            ][round];
            // Acknowledging as it goes, as a page does.
            while visitor.next().await.unwrap()["type"] != wanted {
                visitor.ack_all().await;
            }
            server.crash_and_restart();
            let (epoch, last) = (
                visitor.hello["epoch"].clone(),
                visitor.seen.keys().last().copied().unwrap_or(0),
            );
            visitor
                .reconnect(&server, &format!("?last_sequence={last}&epoch={epoch}"))
                .await;
            assert_eq!(visitor.hello["recovered"], true, "round {round}");
        }
        visitor.ask("last").await;
        let ends = |v: &crate::harness::Visitor| {
            v.seen
                .values()
                .filter(|f| f.contains("\"type\":\"agent_completed\""))
                .count()
        };
        while ends(&visitor) < 5 {
            visitor.next().await.unwrap();
            visitor.ack_all().await;
        }
        assert_eq!(ends(&visitor), 5);
    });
}
