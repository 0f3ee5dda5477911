//! What the administrator changes of the appliance itself: settings, gallery, look; and its certificate.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Server, run};
use crate::operator::{Operator, PASSWORD};

const CALLS: &str = "/api/v1/example-messages";
const ADMIN: &str = "/api/v1/admin";

#[test]
fn a_setting_changes_while_sockets_stay() {
    // req: K
    run(async {
        let mut server = Server::start(&[PASSWORD]);
        let operator = Operator::new(&server).await;
        let mut visitor = server.visit().await;
        let path = format!("{ADMIN}/settings");
        let change = json!({"set": {"log.level": "\"debug\"", "agents.max_processing": "7"}});
        let told = operator.call(200, Method::PUT, &path, &change).await;
        assert_eq!(
            told["changed"],
            json!(["agents.max_processing", "log.level"])
        );
        let entry = operator.newest_entry().await;
        assert_eq!(entry["action"], "settings.change");
        assert_eq!(entry["after"]["set"], change["set"]);
        // The level is in force: an ordinary message leaves debug lines.
        let log = || std::fs::read_to_string(server.dir.join("server.log")).unwrap();
        let before = log().matches("\"DEBUG\"").count();
        visitor.ask("m1").await;
        visitor.until("agent_completed").await;
        let deadline = std::time::Instant::now() + crate::harness::PATIENCE;
        while log().matches("\"DEBUG\"").count() == before {
            assert!(std::time::Instant::now() < deadline, "no line at debug");
            tokio::task::yield_now().await;
        }
        let wrong = json!({"set": {"limits.messages_per_minute": "9", "server.listen": "\"x\""}});
        let refused = operator.call(400, Method::PUT, &path, &wrong).await;
        // One is locked by the environment of the test, the other by its nature.
        assert_eq!(refused["errors"][0]["field"], "server.listen");
        server.crash_and_restart();
        let all = operator.get(&path).await;
        let of = |key: &str| {
            let items = all["items"].as_array().unwrap();
            items
                .iter()
                .find(|item| item["key"] == key)
                .unwrap()
                .clone()
        };
        assert_eq!(of("agents.max_processing")["value"], "7");
        assert_eq!(of("agents.max_processing")["source"], "admin");
        assert_eq!(of("limits.messages_per_minute")["editable"], false);
        assert_eq!(of("admin.password")["value"], "\"********\"");
        assert!(!all.to_string().contains(PASSWORD.1));
    });
}

#[test]
fn a_reload_brings_the_gallery_and_drops_no_socket() {
    // req: K
    run(async {
        let server = Server::start(&[PASSWORD]);
        let operator = Operator::new(&server).await;
        let mut visitor = server.visit().await;
        let one = json!({"id": "own", "title": "Our own", "content": "Ten or more letters",
            "category": "scaling", "complexity": "basic", "businessValue": "expansion",
            "estimatedTime": "5 s"});
        let edit = json!({"items": [one]});
        let path = format!("{ADMIN}/examples/export");
        let exported = operator.send(Method::GET, &path, "text/plain", "").await;
        let exported = String::from_utf8(exported.body().to_vec()).unwrap();
        std::fs::write(
            server.dir.join("gallery.toml"),
            exported.replacen("title = \"", "title = \"New: ", 1),
        )
        .unwrap();
        let config = "[examples]\nfile = \"gallery.toml\"\n";
        std::fs::write(server.dir.join("config.toml"), config).unwrap();
        let done = operator.post(&format!("{ADMIN}/reload"), json!({})).await;
        assert_eq!(done["changed"], json!(["examples.file"]));
        let shown = operator.get(&format!("{ADMIN}/examples")).await;
        assert_eq!(
            (&shown["source"], &shown["file"]),
            (&json!("file"), &json!("gallery.toml"))
        );
        let first = shown["items"][0]["title"].as_str().unwrap();
        assert!(first.starts_with("New: "), "{first}");
        // An edited gallery stands before the file, also through the signal.
        operator
            .call(200, Method::PUT, &format!("{ADMIN}/examples"), &edit)
            .await;
        server.signal("HUP");
        let public = format!("{CALLS}/examples");
        assert_eq!(operator.get(&public).await["examples"], edit["items"]);
        std::fs::write(
            server.dir.join("config.toml"),
            "[examples]\nfile = \"none.toml\"\n",
        )
        .unwrap();
        let refused = operator
            .call(400, Method::POST, &format!("{ADMIN}/reload"), &json!({}))
            .await;
        assert_eq!(refused["errors"][0]["field"], "examples.file");
        visitor.send("ping", json!({})).await;
        visitor.until("pong").await;
    });
}

#[test]
fn the_gallery_is_edited_checked_and_kept() {
    run(async {
        let mut server = Server::start(&[PASSWORD]);
        let operator = Operator::new(&server).await;
        let path = format!("{ADMIN}/examples");
        let before = operator.get(&path).await;
        assert_eq!(before["source"], "built-in");
        let mut items = before["items"].as_array().unwrap().clone();
        items.reverse();
        let told = operator
            .call(200, Method::PUT, &path, &json!({"items": items}))
            .await;
        assert_eq!(
            (&told["source"], &told["items"]),
            (&json!("admin"), &json!(items))
        );
        assert_eq!(operator.newest_entry().await["action"], "examples.change");
        // What is exported can be put as it is.
        let export = operator
            .send(
                Method::GET,
                &format!("{path}/export?format=toml"),
                "text/plain",
                "",
            )
            .await;
        let file = String::from_utf8(export.body().to_vec()).unwrap();
        let put = operator
            .send(Method::PUT, &path, "application/toml", &file)
            .await;
        assert_eq!(put.status(), 200);

        let mut wrong = items.clone();
        wrong[1]["title"] = json!("");
        wrong[2]["category"] = json!("scalling");
        wrong[2]["colour"] = json!(1);
        let refused = operator
            .call(
                400,
                Method::POST,
                &format!("{path}/check"),
                &json!({"items": wrong}),
            )
            .await;
        let fields: Vec<&str> = refused["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["field"].as_str().unwrap())
            .collect();
        assert_eq!(fields, ["items[2].category", "items[2].colour"]);
        wrong.remove(2);
        let refused = operator
            .call(400, Method::PUT, &path, &json!({"items": wrong}))
            .await;
        assert_eq!(refused["errors"][0]["field"], "items[1].title");

        server.crash_and_restart();
        assert_eq!(operator.get(&path).await["items"], json!(items));
        let reset = operator.post(&format!("{path}/reset"), json!({})).await;
        assert_eq!(
            (&reset["source"], &reset["items"]),
            (&json!("built-in"), &before["items"])
        );
    });
}

#[test]
fn the_look_of_the_page_is_changed_and_kept() {
    run(async {
        let mut server = Server::start(&[PASSWORD]);
        let operator = Operator::new(&server).await;
        let path = format!("{ADMIN}/appearance");
        assert_eq!(operator.get(&path).await["source"], "default");
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 0h9\"/></svg>";
        let picture = |text: &str| {
            use base64::Engine as _;
            let data = base64::engine::general_purpose::STANDARD.encode(text);
            json!({"media_type": "image/svg+xml", "data_base64": data})
        };
        let mut wanted = json!({"title": "Our answers", "logo": picture(svg),
            "colours": {"accent": "#1a4fd8", "accent_dark": "#8fb0ff"},
            "call_to_action": {"text": "Talk to us", "url": "https://example.org/"}});
        let told = operator.call(200, Method::PUT, &path, &wanted).await;
        assert_eq!(
            (&told["source"], &told["logo"]["bytes"]),
            (&json!("admin"), &json!(svg.len()))
        );
        assert_eq!(operator.newest_entry().await["action"], "appearance.change");
        server.crash_and_restart();
        let public = operator.get("/api/v1/appearance").await;
        assert_eq!(
            (&public["title"], &public["call_to_action"]),
            (&wanted["title"], &wanted["call_to_action"])
        );
        let logo = operator
            .send(
                Method::GET,
                public["logo"].as_str().unwrap(),
                "text/plain",
                "",
            )
            .await;
        assert_eq!(logo.body(), svg.as_bytes());
        let policy = logo.headers()["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("sandbox") && policy.starts_with("default-src 'none'"),
            "{policy}"
        );

        wanted["logo"] = picture("<svg><script>alert(1)</script></svg>");
        wanted["colours"]["accent"] = json!("#ffff00");
        let refused = operator.call(400, Method::PUT, &path, &wanted).await;
        let fields: Vec<&str> = refused["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["field"].as_str().unwrap())
            .collect();
        assert_eq!(fields, ["colours.accent", "logo"]);
        let reset = operator.post(&format!("{path}/reset"), json!({})).await;
        assert_eq!(
            (&reset["source"], &reset["logo"]),
            (&json!("default"), &Value::Null)
        );
    });
}

#[test]
fn the_certificate_is_told_as_it_is_shown() {
    run(async {
        let server = Server::start(&[PASSWORD]);
        let operator = Operator::new(&server).await;
        let told = operator.get(&format!("{ADMIN}/certificate")).await;
        assert_eq!(told["generated"], true);
        assert!(
            told["names"]
                .as_array()
                .unwrap()
                .contains(&json!("localhost"))
        );
        assert!(told["days_left"].as_u64().unwrap() > 300);
        let facts = operator.get("/trust/facts").await;
        assert_eq!(
            told["fingerprint_sha256"],
            facts["certificate"]["fingerprint"]
        );
        assert_eq!(
            told["authority"]["fingerprint_sha256"],
            facts["authority"]["fingerprint"]
        );
        let url = told["authority"]["url"].as_str().unwrap();
        let pem = operator.send(Method::GET, url, "text/plain", "").await;
        assert_eq!(pem.body(), &std::fs::read(server.authority()).unwrap());
    });
}
