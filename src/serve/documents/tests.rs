use std::collections::BTreeSet;

use super::*;
use crate::observe::history::SERIES;
use crate::protocol::close::Close;
use crate::protocol::fault::FaultCode;
use crate::protocol::frame::Kind;
use crate::protocol::request::TrackEvent;

fn calls_of_topics() -> BTreeSet<String> {
    let mut calls = BTreeSet::new();
    for (name, topic) in topics() {
        let paths = topic["paths"].as_object();
        let paths = paths.unwrap_or_else(|| panic!("docs/api/{name} has no `paths`"));
        for (path, item) in paths {
            for method in item.as_object().unwrap().keys() {
                let call = format!("{} {path}", method.to_ascii_uppercase());
                assert!(calls.insert(call.clone()), "{call} is described twice");
            }
        }
    }
    calls
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let served: BTreeSet<String> = routes()
        .map(|route| format!("{} {}", route.method(), route.path()))
        .collect();
    let described = calls_of_topics();
    let missing: Vec<_> = served.difference(&described).collect();
    let invented: Vec<_> = described.difference(&served).collect();
    assert!(
        missing.is_empty(),
        "add these to a file of docs/api/: {missing:#?}"
    );
    assert!(invented.is_empty(), "no route answers these: {invented:#?}");
}

#[test]
fn each_operation_is_whole() {
    let document = openapi();
    let mut ids = BTreeSet::new();
    for route in routes() {
        let method = route.method().as_str().to_ascii_lowercase();
        let operation = &document["paths"][route.path()][&method];
        let call = format!("{method} {}", route.path());
        for member in ["summary", "operationId", "security", "responses", "tags"] {
            assert!(!operation[member].is_null(), "{call} has no {member}");
        }
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} stands twice");
        let responses = operation["responses"].as_object().unwrap();
        let done = |status: &String| status.starts_with(['1', '2']);
        assert!(responses.keys().any(done), "{call} never succeeds");
        let closed = matches!(route.who(), Who::Read | Who::Operate);
        let open = operation["security"] == json!([]);
        assert!(
            !closed || (!open && responses.contains_key("401")),
            "{call}"
        );
        for name in names(route.path()) {
            let parameters = operation["parameters"].as_array().unwrap();
            let own = parameters
                .iter()
                .any(|p| p["in"] == "path" && p["name"] == name);
            let shared = &document["components"]["parameters"][name];
            assert!(own || !shared.is_null(), "{call} does not describe {name}");
        }
    }
}

#[test]
fn refusals_of_the_topics_are_codes() {
    for (name, topic) in topics() {
        let operations = topic["paths"].as_object().unwrap().values();
        for operation in operations.flat_map(|item| item.as_object().unwrap().values()) {
            let words = operation["x-problems"].as_array().into_iter().flatten();
            for word in words.map(|word| word.as_str().unwrap()) {
                let known = Code::ALL.iter().any(|code| code.as_str() == word);
                assert!(known, "docs/api/{name} has the unknown code {word}");
            }
        }
    }
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(target) if name == "$ref" => found.push(target),
                    _ => references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_has_its_target_and_every_schema_its_use() {
    for document in [openapi(), file(SOCKET)] {
        let mut found = Vec::new();
        references(&document, &mut found);
        for target in &found {
            let pointer = target.trim_start_matches('#').to_owned();
            assert!(
                document.pointer(&pointer).is_some(),
                "{target} leads nowhere"
            );
        }
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for name in schemas.keys() {
            let target = format!("#/components/schemas/{name}");
            assert!(found.contains(&target.as_str()), "{name} is used nowhere");
        }
    }
}

/// The constants of `type` of the messages that an operation of the socket may carry.
fn spoken(document: &Value, operation: &str) -> BTreeSet<String> {
    let messages = document["operations"][operation]["messages"].as_array();
    let pointers = messages
        .unwrap()
        .iter()
        .map(|m| m["$ref"].as_str().unwrap());
    let of_channel = |pointer: &str| {
        let message = document.pointer(pointer.trim_start_matches('#')).unwrap();
        let target = message["$ref"]
            .as_str()
            .unwrap()
            .trim_start_matches('#')
            .to_owned();
        let message = document.pointer(&target).unwrap();
        let kind = &message["payload"]["properties"]["type"]["const"];
        kind.as_str()
            .unwrap_or_else(|| panic!("{target} has no type"))
            .to_owned()
    };
    pointers.map(of_channel).collect()
}

#[test]
fn every_figure_of_the_history_is_named() {
    let document = openapi();
    let listed = document["components"]["schemas"]["HistorySeries"]["enum"].as_array();
    let listed: Vec<&str> = listed.unwrap().iter().filter_map(Value::as_str).collect();
    let kept: Vec<&str> = SERIES.iter().map(|series| series.name).collect();
    assert_eq!(listed, kept);
}

fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn the_socket_speaks_what_is_described() {
    let document = file(SOCKET);
    let control = [
        "connection_established",
        "message_accepted",
        "pong",
        "server_draining",
    ];
    let told = Kind::ALL.iter().map(|kind| kind.as_str()).chain(control);
    assert_eq!(spoken(&document, "toClient"), words(told));
    let heard = ["chat_message", "ack", "cancel", "ping", "track"];
    assert_eq!(spoken(&document, "fromClient"), words(heard));

    let schemas = &document["components"]["schemas"];
    let listed = |schema: &str| -> BTreeSet<String> {
        let values = schemas[schema]["enum"].as_array();
        let values = values.unwrap_or_else(|| panic!("{schema} lists nothing"));
        values
            .iter()
            .map(|v| v.as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(
        listed("TrackEvent"),
        words(TrackEvent::ALL.map(|(word, _)| word))
    );
    let faults: BTreeSet<String> = FaultCode::ALL
        .iter()
        .map(|code| json!(code).as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(listed("FaultCode"), faults);
    let closes = document["channels"]["socket"]["x-close-codes"]
        .as_object()
        .unwrap();
    let codes: BTreeSet<String> = Close::ALL.iter().map(|c| c.code().to_string()).collect();
    assert_eq!(closes.keys().cloned().collect::<BTreeSet<_>>(), codes);
}
