//! A result to take away: sealed, with its proof of delivery, checked without the server.

use std::process::Output;

use crate::harness::{Server, Visitor, command, run};

async fn report(server: &Server, visitor: &Visitor, session: &str, kind: &str) -> Vec<u8> {
    let address = server.address();
    let path = format!("/api/v1/example-messages/sessions/{session}/report.{kind}");
    let call = address.get(&path, Some(&visitor.connection.token));
    let response = address.exchange(call).await.unwrap();
    assert_eq!(response.status(), 200, "{kind}");
    response.body().to_vec()
}

fn verify(server: &Server, content: &[u8], more: &[&str]) -> Output {
    let file = server.dir.join("report");
    std::fs::write(&file, content).unwrap();
    let mut verify = command(&server.dir, &[]);
    verify.arg("verify").arg(&file).args(more).output().unwrap()
}

#[test]
fn a_report_is_sealed_and_a_changed_byte_shows_offline() {
    run(async {
        let mut server = Server::start(&[("EMFLOW_AGENTS__PACE", "0s")]);
        let mut visitor = server.visit().await;
        let session = visitor.ask("m-1").await;
        visitor.until("agent_completed").await;
        let address = server.address();
        let call = address.get("/api/v1/report-key", None);
        let (_, key) = address.call(call).await.unwrap();
        let key = key["fingerprint"].as_str().unwrap().to_owned();

        let json = report(&server, &visitor, &session, "json").await;
        let told: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let frames = told["delivery"]["frames"].as_array().unwrap();
        let sequences: Vec<u64> = frames
            .iter()
            .map(|f| f["sequence"].as_u64().unwrap())
            .collect();
        let seen: Vec<u64> = visitor.seen.keys().copied().collect();
        assert_eq!(
            sequences, seen,
            "the report tells of every frame that was seen"
        );
        assert_eq!(frames[0]["type"], "processing_started");
        assert_eq!(frames.last().unwrap()["type"], "agent_completed");

        for kind in ["json", "md", "html"] {
            let file = report(&server, &visitor, &session, kind).await;
            let fine = verify(&server, &file, &["--key", &key]);
            assert!(fine.status.success(), "{kind}: {fine:?}");
            let mut changed = file.clone();
            let at = changed.windows(5).position(|w| w == b"4,500").unwrap();
            changed[at] = b'9';
            let caught = verify(&server, &changed, &[]);
            assert_eq!(caught.status.code(), Some(1), "{kind}");
            assert!(String::from_utf8_lossy(&caught.stderr).contains("NOT GENUINE"));
        }
        // The key survives a crash, or old reports would become anybody's.
        server.crash_and_restart();
        assert!(verify(&server, &json, &["--key", &key]).status.success());
        let address = server.address();
        let (_, again) = address
            .call(address.get("/api/v1/report-key", None))
            .await
            .unwrap();
        assert_eq!(again["fingerprint"], key.as_str());
    });
}
