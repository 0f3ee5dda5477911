//! Backups of a serving appliance, by the calls of an administrator and by the command line.

use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, COOKIE};
use http::{HeaderValue, Method, Response};
use serde_json::{Value, json};

use crate::harness::{Server, Visitor, command, run};

const PASSWORD: &str = "correct horse battery";
const BACKUPS: &str = "/api/v1/example-messages/backups";

fn start() -> Server {
    Server::start(&[("EMFLOW_ADMIN__PASSWORD", PASSWORD)])
}

fn body(response: &Response<bytes::Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

/// Logs in and makes a token.
async fn token(server: &Server, scope: &str) -> String {
    let address = server.address();
    let login = json!({"password": PASSWORD});
    let entered = address
        .exchange(address.post("/api/v1/admin/login", &login, None))
        .await
        .unwrap();
    let cookie = entered.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let csrf = body(&entered)["csrf_token"].as_str().unwrap().to_owned();
    let about = json!({"name": scope, "scope": scope});
    let mut request = address.post("/api/v1/admin/tokens", &about, None);
    let headers = request.headers_mut();
    headers.insert(COOKIE, HeaderValue::from_str(&cookie).unwrap());
    headers.insert("x-csrf-token", HeaderValue::from_str(&csrf).unwrap());
    let made = address.exchange(request).await.unwrap();
    body(&made)["token"].as_str().unwrap().to_owned()
}

async fn call(
    server: &Server,
    method: Method,
    path: &str,
    token: Option<&str>,
) -> Response<bytes::Bytes> {
    let address = server.address();
    let mut request = address.post(path, &json!({}), token);
    *request.method_mut() = method;
    address.exchange(request).await.unwrap()
}

#[test]
fn an_administrator_makes_takes_verifies_and_deletes_a_backup() {
    run(async {
        let server = start();
        let mut visitor = server.visit().await;
        visitor.ask("m1").await;
        visitor.until("agent_completed").await;
        let operator = token(&server, "operate").await;
        let operator = Some(operator.as_str());

        let made = call(&server, Method::POST, BACKUPS, operator).await;
        assert_eq!(made.status(), 201, "{:?}", made.body());
        let made = body(&made);
        let one = format!("{BACKUPS}/{}", made["name"].as_str().unwrap());
        assert_eq!(
            (&made["ok"], &made["verified_at"]),
            (&Value::Null, &Value::Null)
        );

        let verified = call(&server, Method::POST, &format!("{one}/verify"), operator).await;
        assert_eq!(
            (verified.status().as_u16(), &body(&verified)["ok"]),
            (200, &json!(true))
        );

        let listed = body(&call(&server, Method::GET, BACKUPS, operator).await);
        assert_eq!(listed["items"][0], body(&verified));
        let schedule = &listed["schedule"];
        assert_eq!(schedule["last_success_at"], made["created_at"]);
        assert_eq!(
            (&schedule["every_ms"], &schedule["keep"]),
            (&json!(86_400_000), &json!(7))
        );
        assert_eq!(
            (&schedule["made"], &schedule["failures"]),
            (&json!(1), &json!(0))
        );

        let file = call(&server, Method::GET, &one, operator).await;
        assert_eq!(file.headers()[CACHE_CONTROL], "no-store");
        let disposition = file.headers()[CONTENT_DISPOSITION].to_str().unwrap();
        assert!(
            disposition.starts_with("attachment; filename=\"emflow-20"),
            "{disposition}"
        );
        assert_eq!(json!(file.body().len()), made["bytes"]);
        // What was taken away restores elsewhere.
        std::fs::write(server.dir.join("taken"), file.body()).unwrap();
        let restored = command(&server.dir, &[])
            .args(["restore", "taken", "--data-dir", "elsewhere"])
            .output()
            .unwrap();
        assert_eq!(restored.status.code(), Some(0), "{restored:?}");

        let deleted = call(&server, Method::DELETE, &one, operator).await;
        assert_eq!(deleted.status(), 200);
        for (method, path) in [
            (Method::DELETE, one.clone()),
            (Method::GET, one.clone()),
            (Method::POST, format!("{one}/verify")),
            (Method::GET, format!("{BACKUPS}/..%2f..%2fwatermark")),
        ] {
            let answer = call(&server, method.clone(), &path, operator).await;
            assert_eq!(answer.status(), 404, "{method} {path}");
        }
        let audit = call(
            &server,
            Method::GET,
            "/api/v1/admin/audit?action=backup",
            operator,
        )
        .await;
        let audit = body(&audit);
        let actions = audit["items"].as_array().unwrap().iter();
        let actions: Vec<&str> = actions.map(|e| e["action"].as_str().unwrap()).collect();
        assert_eq!(
            actions,
            [
                "backup.delete",
                "backup.download",
                "backup.verify",
                "backup.create"
            ]
        );
    });
}

#[test]
fn whoever_may_only_read_gets_no_secrets_and_changes_nothing() {
    // req: V2
    run(async {
        let server = start();
        let reader = token(&server, "read").await;
        let one = format!("{BACKUPS}/emflow-1.emflow-backup");
        let verify = format!("{one}/verify");
        let expected = [
            (Method::GET, BACKUPS, 200, 401),
            (Method::POST, BACKUPS, 403, 401),
            (Method::GET, &one, 403, 401),
            (Method::POST, &verify, 403, 401),
            (Method::DELETE, &one, 403, 401),
        ];
        for (method, path, as_reader, as_nobody) in expected {
            let read = call(&server, method.clone(), path, Some(&reader)).await;
            assert_eq!(read.status(), as_reader, "{method} {path}");
            let nobody = call(&server, method.clone(), path, None).await;
            assert_eq!(nobody.status(), as_nobody, "{method} {path}");
        }
        assert!(!server.dir.join("emflow-data/backups").exists());
    });
}

#[test]
fn a_serving_appliance_is_backed_up_from_the_command_line() {
    run(async {
        let server = start();
        let mut visitor = server.visit().await;
        visitor.ask("m1").await;
        let answer = visitor.until("agent_completed").await;
        let token = token(&server, "operate").await;
        let backup = |arguments: &[&str], token: &str| {
            let authority = server.authority();
            let output = command(&server.dir, &[])
                .env("EMFLOW_TOKEN", token)
                .args(["backup", "--url", &server.url, "--ca"])
                .arg(authority)
                .args(arguments)
                .output()
                .unwrap();
            let said = [output.stdout, output.stderr].concat();
            (output.status.code(), String::from_utf8(said).unwrap())
        };
        let (code, said) = backup(&["here.emflow-backup"], &token);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("SHA-256"), "{said}");
        // The copy over there is gone, the one here is never overwritten.
        let kept = server.dir.join("emflow-data/backups");
        assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 0);
        assert_eq!(backup(&["here.emflow-backup"], &token).0, Some(2));
        assert_eq!(backup(&["--keep", "."], &token).0, Some(0));
        assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 1);
        for (token, code, words) in [("emflow_no", 4, "refused"), ("", 2, "EMFLOW_TOKEN")] {
            let (ended, said) = backup(&["another"], token);
            assert_eq!(ended, Some(code), "{said}");
            assert!(said.contains(words), "{said}");
        }
        assert!(!server.dir.join("another").exists());

        let restored = command(&server.dir, &[])
            .args([
                "restore",
                "here.emflow-backup",
                "--data-dir",
                "elsewhere/emflow-data",
            ])
            .output()
            .unwrap();
        assert_eq!(restored.status.code(), Some(0), "{restored:?}");
        let again = Server::start_in(&server.dir.join("elsewhere"), &[]);
        let (user, token) = (
            visitor.connection.user_id.clone(),
            visitor.connection.token.clone(),
        );
        let connection = again
            .address()
            .connect(user, token, "?last_sequence=0")
            .await;
        let mut visitor = Visitor::new(connection.unwrap()).await;
        assert_eq!(
            visitor.until("agent_completed").await["payload"],
            answer["payload"]
        );
    });
}

#[test]
fn backups_are_made_by_plan_and_the_oldest_go() {
    run(async {
        let server = Server::start(&[
            ("EMFLOW_ADMIN__PASSWORD", PASSWORD),
            ("EMFLOW_BACKUP__EVERY", "1s"),
            ("EMFLOW_BACKUP__KEEP", "2"),
            ("EMFLOW_BACKUP__DIRECTORY", "copies"),
        ]);
        let reader = token(&server, "read").await;
        let start = std::time::Instant::now();
        loop {
            let listed = body(&call(&server, Method::GET, BACKUPS, Some(&reader)).await);
            let items = listed["items"].as_array().unwrap();
            // While one is made there may be one more than are kept.
            assert!(items.len() <= 3, "{listed}");
            if listed["schedule"]["made"].as_u64() > Some(3) && items.len() == 2 {
                assert_eq!(items[1]["ok"], true, "{listed}");
                break;
            }
            assert!(start.elapsed() < crate::harness::PATIENCE, "{listed}");
            tokio::task::yield_now().await;
        }
        assert!(server.dir.join("copies").is_dir());
    });
}
