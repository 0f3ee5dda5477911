//! What a presenter breaks on purpose really breaks, heals, and is nobody else's to break.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::{PATIENCE, Server, Visitor, command, run};

const PASSWORD: &str = "a password of the presenter";
const ALLOWED: [(&str, &str); 2] = [
    ("EMFLOW_ADMIN__PASSWORD", PASSWORD),
    ("EMFLOW_PRESENTER__ALLOW_FAULTS", "true"),
];

async fn call(server: &Server, method: &str, body: Value, token: Option<&str>) -> (u16, Value) {
    let address = server.address();
    let path = format!("/api/v1/presenter{method}");
    address
        .call(address.post(&path, &body, token))
        .await
        .unwrap()
}

async fn about(server: &Server, token: &str) -> Value {
    let address = server.address();
    let asked = address.get("/api/v1/presenter", Some(token));
    let (status, told) = address.call(asked).await.unwrap();
    assert_eq!(status, 200, "{told}");
    told
}

/// A token of the administrator's, that may operate or only read.
async fn token(server: &Server, scope: &str) -> String {
    let address = server.address();
    let login = address.post("/api/v1/admin/login", &json!({"password": PASSWORD}), None);
    let answer = address.exchange(login).await.unwrap();
    let cookie = answer.headers()[http::header::SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let told: Value = serde_json::from_slice(answer.body()).unwrap();
    let name = json!({"name": format!("presenter-{scope}"), "scope": scope});
    let mut wanted = address.post("/api/v1/admin/tokens", &name, None);
    let headers = wanted.headers_mut();
    headers.insert(http::header::COOKIE, cookie.parse().unwrap());
    headers.insert(
        "x-csrf-token",
        told["csrf_token"].as_str().unwrap().parse().unwrap(),
    );
    let (status, made) = address.call(wanted).await.unwrap();
    assert_eq!(status, 201, "{made}");
    made["token"].as_str().unwrap().to_owned()
}

#[test]
fn faults_are_the_administrators_alone_and_off_until_they_are_allowed() {
    // req: V2
    run(async {
        let off = Server::start(&ALLOWED[..1]);
        let operator = token(&off, "operate").await;
        assert_eq!(about(&off, &operator).await["faults"], Value::Null);
        let (status, told) = call(&off, "/fail", json!({"failing": true}), Some(&operator)).await;
        assert_eq!(status, 403);
        assert!(
            told["detail"]
                .as_str()
                .unwrap()
                .contains("presenter.allow_faults")
        );

        let on = Server::start(&ALLOWED);
        let visitor = on.visit().await;
        let reader = token(&on, "read").await;
        let orders = [
            ("/fail", json!({"failing": true})),
            ("/slow", json!({"user_id": "v-1", "delay_ms": 1})),
            ("/restart", json!({})),
        ];
        for (order, body) in &orders {
            let visitor = Some(visitor.connection.token.as_str());
            for (token, expected) in [(None, 401), (visitor, 401), (Some(reader.as_str()), 403)] {
                let (status, told) = call(&on, order, body.clone(), token).await;
                assert_eq!(status, expected, "{order} {told}");
            }
        }
        let operator = token(&on, "operate").await;
        for (order, body, word) in [
            ("/fail", json!({}), "failing"),
            (
                "/slow",
                json!({"user_id": "v-1", "delay_ms": 3001}),
                "delay_ms",
            ),
            (
                "/slow",
                json!({"user_id": "../x", "delay_ms": 1}),
                "user_id",
            ),
        ] {
            let (status, told) = call(&on, order, body, Some(&operator)).await;
            assert_eq!(status, 400, "{told}");
            assert!(told["detail"].as_str().unwrap().contains(word), "{told}");
        }
        // Nobody would start it again, so it is not killed.
        let (status, told) = call(&on, "/restart", json!({}), Some(&operator)).await;
        assert_eq!((status, &told["code"]), (409, &json!("conflict")));
    });
}

#[test]
fn a_failing_agent_opens_its_breaker_and_the_standby_answers() {
    // req: B1, B4
    run(async {
        let env = [
            ALLOWED[0],
            ALLOWED[1],
            ("EMFLOW_BREAKER__FAILURE_THRESHOLD", "2"),
        ];
        let server = Server::start(&env);
        let operator = token(&server, "operate").await;
        let mut visitor = server.visit().await;
        let mut ask = async |id: &str| {
            visitor.ask(id).await;
            let done = visitor.until("agent_completed").await["payload"].clone();
            visitor.ack_all().await;
            (
                done["fallback_reason"].clone(),
                done["result"]["execution"]["backend"].clone(),
            )
        };
        assert_eq!(ask("m-1").await, (Value::Null, json!("builtin")));
        let (status, _) = call(&server, "/fail", json!({"failing": true}), Some(&operator)).await;
        assert_eq!(status, 200);
        for id in ["m-2", "m-3"] {
            let (why, backend) = ask(id).await;
            assert_eq!(
                (why, backend),
                (
                    json!("agent_failed: the agent failed"),
                    json!("builtin-standby")
                )
            );
        }
        let breakers = about(&server, &operator).await["faults"]["breakers"].clone();
        assert_eq!(breakers[0], json!({"name": "builtin", "state": "open"}));
        assert_eq!(breakers[1]["state"], "closed");
        let (why, _) = ask("m-4").await;
        assert!(why.as_str().unwrap().starts_with("breaker_open"), "{why}");
    });
}

#[test]
fn a_slowed_visitor_gets_everything_and_later() {
    // req: D1
    run(async {
        let server = Server::start(&ALLOWED);
        let operator = token(&server, "operate").await;
        let mut visitor = server.visit().await;
        let slow = json!({"user_id": visitor.connection.user_id, "delay_ms": 300});
        assert_eq!(call(&server, "/slow", slow, Some(&operator)).await.0, 200);
        let begun = std::time::Instant::now();
        visitor.ask("m-1").await;
        visitor.until("agent_completed").await;
        // Never less than two waits, of the acceptance and of the frames; how much more is the machine's.
        assert!(begun.elapsed() >= std::time::Duration::from_millis(600));
        let log = server.address();
        let log = log.call(log.get("/api/v1/admin/audit?action=presenter", Some(&operator)));
        let told = log.await.unwrap().1;
        assert_eq!(told["items"][0]["action"], "presenter.slow");
        assert_eq!(visitor.repeated, 0, "slow is not lost");
    });
}

#[test]
fn killed_by_the_presenter_it_is_started_again_and_the_answer_arrives_whole() {
    // req: D6, D7
    run(async {
        let mut server = Supervised::start().await;
        let operator = token(&server.0, "operate").await;
        assert_eq!(about(&server.0, &operator).await["faults"]["restart"], true);
        let mut visitor = server.0.visit().await;
        visitor.ask("m-1").await;
        visitor.until("tool_executing").await;
        let (status, _) = call(&server.0, "/restart", json!({}), Some(&operator)).await;
        assert_eq!(status, 202);
        visitor.until_closed().await;
        let last = visitor.seen.keys().last().copied().unwrap();
        let epoch = visitor.hello["epoch"].clone();
        server
            .comes_back(
                &mut visitor,
                &format!("?last_sequence={last}&epoch={epoch}"),
            )
            .await;
        assert_eq!(visitor.hello["recovered"], true);
        let done = visitor.until("agent_completed").await;
        assert_eq!(done["payload"]["real_agent_execution"], true);
        assert!(
            visitor
                .seen
                .values()
                .any(|frame| frame.contains(r#""resumed":true"#))
        );
        // A failing agent is forgotten with the process; the way back is a restart.
        assert_eq!(
            about(&server.0, &operator).await["faults"]["failing"],
            false
        );
        assert_eq!(server.stop(), Some(0));
    });
}

/// A server under its own supervisor; the process that is held is the parent.
struct Supervised(Server);

impl Supervised {
    async fn start() -> Self {
        let env = [ALLOWED[0], ALLOWED[1], ("EMFLOW_AGENTS__PACE", "300ms")];
        Self(Server::start_supervised(&env))
    }

    async fn comes_back(&self, visitor: &mut Visitor, query: &str) {
        let begun = std::time::Instant::now();
        loop {
            let (user, token) = (
                visitor.connection.user_id.clone(),
                visitor.connection.token.clone(),
            );
            match self.0.address().connect(user, token, query).await {
                Ok(_) => return visitor.reconnect(&self.0, query).await,
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
            }
        }
    }

    /// As a service manager does it, and what the parent ends with.
    fn stop(&mut self) -> Option<i32> {
        self.0.signal("TERM");
        self.0.wait().code()
    }
}

#[test]
fn supervision_needs_a_port_that_stays() {
    let dir = tempfile::tempdir().unwrap();
    let output = command(dir.path(), &[])
        .args(["--supervised", "--no-open", "--listen", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--listen ADDR:PORT"));
}
