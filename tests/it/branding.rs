//! The operator's name, logo, colours and offer: from the configuration to pages and reports, and counted.

use std::time::Instant;

use http::Method;
use serde_json::{Value, json};

use crate::harness::{PATIENCE, Server, run};
use crate::operator::{Operator, PASSWORD};

const ADMIN: &str = "/api/v1/admin";
const PLAIN: &str = "[branding]\ntitle = \"Our & answers\"\nlogo = \"logo.svg\"\naccent = \"#102080\"\n\
    accent_dark = \"#a0b0ff\"\naction_text = \"Talk to us\"\naction_url = \"https://example.org/talk\"\n";
const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 0h9\"/></svg>";

async fn text(operator: &Operator, path: &str) -> String {
    let answer = operator.send(Method::GET, path, "text/plain", "").await;
    assert_eq!(answer.status(), 200, "{path}");
    String::from_utf8(answer.body().to_vec()).unwrap()
}

#[test]
fn the_configuration_dresses_pages_and_reports_and_the_offer_is_counted_once() {
    // req: A7, K
    run(async {
        let server = Server::start(&[PASSWORD, ("EMFLOW_AGENTS__PACE", "0s")]);
        let operator = Operator::new(&server).await;
        let mut visitor = server.visit().await;
        std::fs::write(server.dir.join("logo.svg"), LOGO).unwrap();
        std::fs::write(server.dir.join("config.toml"), PLAIN).unwrap();
        operator.post(&format!("{ADMIN}/reload"), json!({})).await;
        let told = operator.get(&format!("{ADMIN}/appearance")).await;
        assert_eq!(told["source"], "config");

        for page in ["/", "/present", "/follow", "/verify", "/trust", "/docs"] {
            let page = text(&operator, page).await;
            assert!(page.contains("Our &amp; answers</title>") || page.contains("<title>Trust"));
            assert!(!page.contains("{{"), "{page}");
            assert!(page.contains("/css/brand.css"), "{page}");
        }
        let page = text(&operator, "/").await;
        assert!(page.contains("href=\"https://example.org/talk\"") && page.contains("brand-logo"));
        assert!(
            text(&operator, "/css/brand.css")
                .await
                .contains("--accent:#102080")
        );

        let session = visitor.ask("m-1").await;
        visitor.until("agent_completed").await;
        let path = format!("/api/v1/example-messages/sessions/{session}/report.html");
        let report = text(&operator, &path).await;
        for part in [
            "data:image/svg+xml;base64,",
            "Our &amp; answers",
            "--accent:#102080",
            "https://example.org/talk",
        ] {
            assert!(report.contains(part), "{part}");
        }

        for _ in 0..3 {
            let act = json!({"event": "call_to_action", "session_id": session});
            visitor.send("track", act).await;
        }
        let opened = json!({"event": "example_opened", "properties": {"category": "scaling", "business_value": "retention"}});
        visitor.send("track", opened).await;
        let step = |business: &Value, name: &str| {
            let steps = business["funnel"].as_array().unwrap();
            steps.iter().find(|step| step["step"] == name).unwrap()["count"].clone()
        };
        // Counted some time after they came, in any order: both are waited for.
        let begun = Instant::now();
        let business = loop {
            let stats = operator.get("/api/v1/example-messages/stats").await;
            let counted = |name| step(&stats["business"], name) != 0;
            if counted("example_opened") && counted("call_to_action") {
                break stats["business"].clone();
            }
            assert!(begun.elapsed() < PATIENCE, "it is never counted: {stats}");
        };
        assert_eq!(step(&business, "call_to_action"), 1);
        assert_eq!(step(&business, "example_opened"), 1);
        let rows = business["by"].as_array().unwrap();
        let row = rows
            .iter()
            .find(|row| row["category"] == "scaling" && row["business_value"] == "retention");
        assert_eq!(row.unwrap()["counts"]["example_opened"], 1);
    });
}

#[test]
fn a_look_that_breaks_a_rule_is_refused_with_the_key_and_a_way_out() {
    // req: K
    run(async {
        let server = Server::start(&[PASSWORD]);
        let operator = Operator::new(&server).await;
        let check = async |config: &str, key: &str, words: &str| {
            std::fs::write(server.dir.join("config.toml"), config).unwrap();
            let path = format!("{ADMIN}/reload");
            let refused = operator.call(400, Method::POST, &path, &json!({})).await;
            assert_eq!(refused["errors"][0]["field"], key, "{refused}");
            assert!(refused.to_string().contains(words), "{words} in {refused}");
        };
        let set = |line: &str| format!("[branding]\n{line}\n");
        check(&set("accent = \"#ffcc00\""), "branding.accent", "would do").await;
        check(
            &set("accent_dark = \"#203040\""),
            "branding.accent_dark",
            "would do",
        )
        .await;
        check(
            &set("accent = \"red\""),
            "branding.accent",
            "six hexadecimal digits",
        )
        .await;
        check(&set("title = \"\""), "branding.title", "1 to 80 characters").await;
        check(
            &set("action_text = \"Talk\""),
            "branding.action_url",
            "https://",
        )
        .await;
        let script = "action_text = \"Talk\"\naction_url = \"javascript:alert(1)\"";
        check(&set(script), "branding.action_url", "https://").await;
        check(&set("logo = \"none.svg\""), "branding.logo", "none.svg").await;
        let acting = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
        std::fs::write(server.dir.join("logo.svg"), acting).unwrap();
        check(&set("logo = \"logo.svg\""), "branding.logo", "logo.svg").await;
        let large = vec![b' '; 300 * 1024];
        std::fs::write(server.dir.join("logo.svg"), large).unwrap();
        check(&set("logo = \"logo.svg\""), "branding.logo", "at most").await;
        // Nothing of it is shown.
        assert_eq!(
            operator.get(&format!("{ADMIN}/appearance")).await["source"],
            "default"
        );
    });
}
