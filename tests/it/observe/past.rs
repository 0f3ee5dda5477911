//! What was: lines of the log, figures over time, events of the run before.

use serde_json::{Value, json};

use super::admin::{Admin, PASSWORD};
use super::demo;
use crate::harness::{QUESTION, Server, run};

const LOGS: &str = "/api/v1/admin/logs";
const HISTORY: &str = "/api/v1/admin/history";
const EVENTS: &str = "/api/v1/admin/events";
const BREAKER: &str = "/api/v1/example-messages/circuit-breaker";

fn items(answer: &Value) -> Vec<Value> {
    answer["items"].as_array().unwrap().clone()
}

/// Each query is refused with 400, and the refusal names what is wrong.
async fn refused(admin: &Admin, path: &str, queries: &[(&str, &str)]) {
    for (query, named) in queries {
        let (status, body) = admin.try_get(&format!("{path}?{query}")).await;
        let text = body["detail"].as_str().unwrap_or_default();
        assert!(
            status == 400 && text.contains(named),
            "{path} {query}: {body}"
        );
    }
}

#[test]
fn the_log_is_looked_up_filtered_and_followed_and_holds_no_word_of_a_visitor() {
    // req: V4
    run(async {
        let server = Server::start(&[
            ("EMFLOW_ADMIN__PASSWORD", PASSWORD),
            ("EMFLOW_LOG__LEVEL", "trace"),
        ]);
        let admin = Admin::login(&server).await;
        let mut visitor = server.visit().await;
        let token = visitor.connection.token.clone();
        visitor.ask("m1").await;
        visitor.until("agent_completed").await;
        let followed = admin.stream("?logs=warn&text=BREAKER", None);
        while super::watching(&server).await < 1.0 {}
        let trip = json!({"name": "builtin", "reason": "a test"});
        assert_eq!(admin.post(&format!("{BREAKER}/trip"), &trip).await.0, 200);

        let all = admin.get(&format!("{LOGS}?limit=500")).await;
        let whole = all.to_string();
        for secret in [QUESTION, &QUESTION[..24], &token, PASSWORD] {
            assert!(!whole.contains(secret), "{secret:?} is in the log");
        }
        let lines = items(&all);
        let connected = |line: &Value| line["message"] == "connected";
        let line = lines
            .iter()
            .find(|line| connected(line))
            .expect("it connected");
        assert_eq!(
            (&line["level"], &line["target"]),
            (&json!("info"), &json!("emflow::serve::socket"))
        );
        assert_eq!(
            line["fields"]["visitor"],
            visitor.connection.user_id.to_string()
        );

        let warned = items(
            &admin
                .get(&format!("{LOGS}?level=warn&target=emflow::supervisor"))
                .await,
        );
        assert!(
            warned
                .iter()
                .all(|line| line["level"] == "warn" || line["level"] == "error")
        );
        let tripped = warned
            .iter()
            .find(|line| line["message"] == "a breaker changed");
        let tripped = tripped.expect("it was tripped").clone();
        let found = items(
            &admin
                .get(&format!("{LOGS}?text=BuiltIn&level=warn&limit=1"))
                .await,
        );
        assert_eq!(found, std::slice::from_ref(&tripped));

        // A page and the next one are the two newest lines of that kind; after the newest there is none.
        let page = admin
            .get(&format!("{LOGS}?text=connected&limit=1&level=info"))
            .await;
        let newest = page["items"][0]["id"].as_str().unwrap();
        let after = admin
            .get(&format!("{LOGS}?text=connected&level=info&after={newest}"))
            .await;
        assert_eq!(items(&after), Vec::<Value>::new());
        refused(
            &admin,
            LOGS,
            &[
                ("level=loud", "level"),
                ("after=e1-1", "after"),
                ("before=12", "before"),
                ("limit=0", "limit"),
                ("colour=red", "colour"),
                (&format!("text={}", "x".repeat(201)), "text"),
            ],
        )
        .await;
        let path = "/api/v1/admin/stream";
        refused(
            &admin,
            path,
            &[
                ("logs=loud", "level"),
                ("text=x", "logs"),
                ("lines=warn", "lines"),
            ],
        )
        .await;

        assert_eq!(admin.post("/api/v1/admin/logout", &json!({})).await.0, 200);
        let told = followed.await.unwrap();
        let (first, hello) = &told[0];
        assert_eq!(
            (first.as_str(), &hello["continues"]),
            ("hello", &json!(false))
        );
        let lines: Vec<&Value> = told
            .iter()
            .filter(|(name, _)| name == "log")
            .map(|(_, line)| line)
            .collect();
        assert!(lines.contains(&&tripped), "{lines:?}");
        assert!(
            lines
                .iter()
                .all(|line| line.to_string().to_lowercase().contains("breaker"))
        );
    });
}

#[test]
fn figures_over_time_survive_a_restart_and_a_crash_and_are_told_as_they_were_asked_for() {
    // req: M2
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let env = [("EMFLOW_ADMIN__PASSWORD", PASSWORD)];
        let mut server = Server::start_in(dir.path(), &env);
        let visitor = server.visit().await;
        let path = format!("{HISTORY}?series=connections,memory_bytes&range=1h&points=1000");
        let admin = Admin::login(&server).await;
        // Until a sample was taken while the visitor was there.
        let seen = loop {
            let found = admin.get(&path).await;
            let points = found["series"]["connections"].as_array().unwrap();
            if points.last().is_some_and(|point| point[2] == 1.0) {
                break found;
            }
        };
        assert_eq!(
            (&seen["step_ms"], &seen["range"]),
            (&json!(10_000), &json!("1h"))
        );
        assert_eq!(
            seen["units"],
            json!({"connections": "count", "memory_bytes": "bytes"})
        );
        let memory = seen["series"]["memory_bytes"][0][1].as_f64().unwrap();
        assert!(memory > 1e6, "{seen}");
        visitor.connection.close().await;
        server.signal("TERM");
        server.wait();
        drop(server);

        let mut server = Server::start_in(dir.path(), &env);
        let before = &seen["series"]["connections"].as_array().unwrap()[0];
        let holds = async |server: &Server| {
            let admin = Admin::login(server).await;
            let found = admin.get(&path).await;
            let points = found["series"]["connections"].as_array().unwrap();
            assert_eq!(points[0][0], before[0], "{found}");
            assert_eq!(
                points
                    .iter()
                    .map(|point| point[2].as_f64().unwrap())
                    .fold(0.0, f64::max),
                1.0
            );
            let coarse = admin
                .get(&format!("{HISTORY}?series=connections&range=30d&points=1"))
                .await;
            assert_eq!(coarse["step_ms"], 30 * 86_400_000u64);
            assert_eq!(coarse["series"]["connections"][0][2], 1.0, "{coarse}");
        };
        holds(&server).await;
        server.crash_and_restart();
        holds(&server).await;

        let admin = Admin::login(&server).await;
        let all = admin.get(HISTORY).await;
        assert!(all["series"].as_object().unwrap().len() > 30);
        refused(
            &admin,
            HISTORY,
            &[
                ("series=", "series"),
                ("series=connections,nonsense", "ack_p95_ms"),
                ("range=9y", "30d"),
                ("points=0", "points"),
                ("points=1001", "points"),
                ("from=1", "from"),
            ],
        )
        .await;
    });
}

#[test]
fn a_client_can_tell_a_restart_and_gets_what_the_new_run_has() {
    run(async {
        let mut server = Server::start(&[("EMFLOW_ADMIN__PASSWORD", PASSWORD)]);
        demo(&server).await;
        let admin = Admin::login(&server).await;
        let old = items(&admin.get(EVENTS).await)[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        server.crash_and_restart();
        demo(&server).await;
        let admin = Admin::login(&server).await;
        let fresh = items(&admin.get(EVENTS).await);
        assert!(!fresh.is_empty());
        // The first number is given again, and is another id.
        assert!(fresh.iter().all(|event| event["id"] != old.as_str()));
        let after = admin.get(&format!("{EVENTS}?after={old}")).await;
        let after = items(&after);
        assert!(
            fresh.iter().all(|event| after.contains(event)),
            "all of this run came after it: {after:?}"
        );
        let before = admin.get(&format!("{EVENTS}?before={old}")).await;
        assert_eq!(
            (items(&before), &before["next"]),
            (Vec::new(), &Value::Null)
        );

        let stream = admin.stream("", Some(&old));
        while super::watching(&server).await < 1.0 {}
        assert_eq!(admin.post("/api/v1/admin/logout", &json!({})).await.0, 200);
        let told = stream.await.unwrap();
        let (_, hello) = &told[0];
        assert_eq!(hello["continues"], false, "{hello}");
        let epoch = hello["epoch"].as_str().unwrap();
        assert!(!old.contains(epoch) && fresh[0]["id"].as_str().unwrap().contains(epoch));
        let events: Vec<&Value> = told
            .iter()
            .filter(|(name, _)| name == "event")
            .map(|(_, event)| event)
            .collect();
        assert!(
            fresh.iter().all(|event| events.contains(&event)),
            "{events:?}"
        );
    });
}
