//! What the server says of itself agrees with what was done to it.

pub(crate) mod admin;
pub(crate) mod alerts;
pub(crate) mod clearing;
mod monitoring;
mod past;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Server, run, skip};
use admin::{Admin, PASSWORD};

/// The metrics by name and labels, as they stand in the text.
fn figures(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.rsplit_once(' '));
    pairs
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

async fn metrics(server: &Server) -> (String, BTreeMap<String, f64>) {
    let address = server.address();
    let request = address.get("/metrics", None);
    let response = address.exchange(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    let figures = figures(&text);
    (text, figures)
}

/// A result, read by its visitor, and a frame that was refused.
async fn demo(server: &Server) {
    let mut visitor = server.visit().await;
    visitor.ask("m1").await;
    visitor.until("agent_completed").await;
    visitor.ack_all().await;
    visitor.send("nonsense", serde_json::json!({})).await;
    visitor.until("error").await;
    visitor.connection.close().await;
}

fn promtool(arguments: &[&str], text: &str) {
    let spawned = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut tool) = spawned else {
        return skip(
            "promtool",
            "it is not installed: apt-get install prometheus",
        );
    };
    tool.stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = tool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
}

#[test]
fn the_metrics_tell_what_was_done_and_are_well_formed() {
    // req: M2
    run(async {
        let server = Server::start(&[("EMFLOW_ADMIN__PASSWORD", PASSWORD)]);
        demo(&server).await;
        let (text, found) = metrics(&server).await;
        let expect = [
            ("emflow_messages_total{outcome=\"accepted\"}", 1.0),
            (
                "emflow_sessions_ended_total{state=\"completed\",category=\"cost-optimization\",complexity=\"basic\",business_value=\"conversion\"}",
                1.0,
            ),
            ("emflow_session_processing_seconds_count", 1.0),
            (
                "emflow_agent_attempts_total{backend=\"builtin\",outcome=\"answered\"}",
                1.0,
            ),
            (
                "emflow_breaker_state{backend=\"builtin\",state=\"closed\"}",
                1.0,
            ),
            ("emflow_frames_refused_total{code=\"unknown_type\"}", 1.0),
            ("emflow_websockets_opened_total", 1.0),
            ("emflow_frames_pending", 0.0),
            ("emflow_frames_redelivered_total", 0.0),
            ("emflow_store_failed", 0.0),
            (
                "emflow_http_requests_total{method=\"POST\",route=\"/api/v1/visitors\",status=\"201\"}",
                1.0,
            ),
        ];
        for (name, value) in expect {
            assert_eq!(found.get(name), Some(&value), "{name} in:\n{text}");
        }
        let sent = found["emflow_frames_sent_total"];
        assert!(sent > 3.0);
        for name in ["appended", "acknowledged"] {
            assert_eq!(
                found[&format!("emflow_frames_{name}_total")],
                sent,
                "{name}"
            );
        }
        promtool(&["check", "metrics"], &text);
    });
}

#[test]
fn the_statistics_agree_with_the_metrics_and_count_a_demo_to_its_end() {
    // req: M1, M2, M3, S4, A7
    run(async {
        let mut server = Server::start(&[("EMFLOW_ADMIN__PASSWORD", PASSWORD)]);
        demo(&server).await;
        let admin = Admin::login(&server).await;
        let (_, found) = metrics(&server).await;
        let stats = admin.get("/api/v1/example-messages/stats").await;
        assert_eq!(
            stats["sequencing"]["sent"],
            found["emflow_frames_sent_total"] as u64
        );
        assert_eq!(stats["sessions"]["ended"]["completed"], 1);
        assert_eq!(
            stats["sessions"]["by_category"]["cost-optimization"]["completed"],
            1
        );
        assert_eq!(stats["sessions"]["active"], 0);
        assert_eq!(stats["sessions"]["visitors"]["known"], 1);
        assert_eq!(stats["refusals"]["unknown_type"], 1);
        assert_eq!(stats["routing"]["agents"][0]["answered"], 1);
        assert_eq!(stats["errors"]["rate"], 0.0);
        let took = &stats["latency"]["processing"]["60m"];
        assert!(
            took["count"] == 1 && took["p99_ms"].as_f64() > Some(0.0),
            "{took}"
        );
        assert_eq!(steps(&stats), [1, 0, 1, 1, 0, 0, 0]);

        server.crash_and_restart();
        let admin = Admin::login(&server).await;
        let stats = admin.get("/api/v1/example-messages/stats").await;
        assert_eq!(
            steps(&stats),
            [1, 0, 1, 1, 0, 0, 0],
            "a crash forgets none of it"
        );
        assert_eq!(stats["business"]["completion"], 1.0);
        assert_eq!(stats["business"]["conversion"], 0.0);
        assert_eq!(
            stats["sessions"]["accepted"], 0,
            "what is not durable begins anew"
        );
    });
}

fn steps(stats: &Value) -> Vec<u64> {
    let funnel = stats["business"]["funnel"].as_array().unwrap();
    funnel
        .iter()
        .map(|step| step["count"].as_u64().unwrap())
        .collect()
}

/// How many streams of administrators were opened.
async fn watching(server: &Server) -> f64 {
    let opened =
        "emflow_http_requests_total{method=\"GET\",route=\"/api/v1/admin/stream\",status=\"200\"}";
    metrics(server).await.1.get(opened).copied().unwrap_or(0.0)
}

#[test]
fn what_happens_is_streamed_and_can_be_looked_up_until_the_administrator_leaves() {
    // req: M1, A7
    run(async {
        let server = Server::start(&[("EMFLOW_ADMIN__PASSWORD", PASSWORD)]);
        let admin = Admin::login(&server).await;
        let stream = admin.stream("", None);
        while watching(&server).await < 1.0 {}
        demo(&server).await;
        let events = admin.get("/api/v1/admin/events?kind=refused").await;
        let refused = events["items"][0].clone();
        assert_eq!(refused["code"], "unknown_type", "{events}");
        assert_eq!(events["next"], Value::Null);
        let newest = admin.get("/api/v1/admin/events?limit=1").await;
        let newest = newest["items"][0]["id"].as_str().unwrap();
        let path = format!("/api/v1/admin/events?after={newest}&limit=1");
        let after = admin.get(&path).await;
        assert_eq!(after["items"], serde_json::json!([]));
        for (query, named) in [
            ("kind=nonsense", "kind"),
            ("severity=bad", "severity"),
            ("after=12", "after"),
            ("before=x", "before"),
            ("limit=501", "limit"),
            ("colour=red", "colour"),
        ] {
            let path = format!("/api/v1/admin/events?{query}");
            let (status, body) = admin.try_get(&path).await;
            let text = body["detail"].as_str().unwrap_or_default();
            assert!(status == 400 && text.contains(named), "{query}: {body}");
        }
        let (status, _) = admin
            .post("/api/v1/admin/logout", &serde_json::json!({}))
            .await;
        assert_eq!(status, 200);
        let told = stream.await.unwrap();
        assert_eq!(told.last().unwrap().0, "bye");
        assert_eq!(told.last().unwrap().1["reason"], "logged_out");
        assert!(
            told.contains(&("event".to_owned(), refused)),
            "not told: {told:?}"
        );
        let snapshot = told.iter().find(|(event, _)| event == "snapshot");
        let (_, snapshot) = snapshot.expect("one comes at once");
        assert_eq!(snapshot["status"], "healthy", "{snapshot}");
        assert_eq!(admin.try_get("/api/v1/admin/events").await.0, 401);
    });
}
