//! What is shipped for Prometheus and Grafana asks for what is exported.

use std::path::Path;

use super::{demo, metrics, promtool};
use crate::harness::{Server, run};

/// Present only where there was a backup.
const CONDITIONAL: &[&str] = &["emflow_backup_age_seconds"];

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("packaging")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The metrics that a text asks for.
fn asked(text: &str) -> Vec<&str> {
    let word = |c: char| c.is_ascii_lowercase() || c == '_';
    let words = text.split(|c| !word(c));
    words.filter(|w| w.starts_with("emflow_")).collect()
}

#[test]
fn every_metric_that_the_rules_and_the_dashboard_ask_for_is_exported() {
    // req: M2, M4
    run(async {
        let server = Server::start(&[]);
        demo(&server).await;
        let (text, _) = metrics(&server).await;
        for name in ["prometheus/emflow.rules.yml", "grafana/emflow.json"] {
            let file = shipped(name);
            let asked = asked(&file);
            assert!(asked.len() > 8, "{name}: {asked:?}");
            for metric in asked {
                let family = metric.strip_suffix("_bucket").unwrap_or(metric);
                let exported = text.contains(&format!("# TYPE {family} "));
                assert!(
                    exported || CONDITIONAL.contains(&family),
                    "{name}: {metric}"
                );
            }
        }
    });
}

#[test]
fn the_rules_are_well_formed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/prometheus/emflow.rules.yml");
    promtool(&["check", "rules", path.to_str().unwrap()], "");
    let dashboard = shipped("grafana/emflow.json");
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(
        panels
            .iter()
            .all(|panel| !panel["targets"].as_array().unwrap().is_empty())
    );
}
