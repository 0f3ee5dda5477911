//! What describes the calls to a machine: OpenAPI 3.1 for HTTP, AsyncAPI 3.0 for the socket.
//!
//! `docs/api/` has one file a topic. They say what only an author can: summaries, bodies, answers.
//! What the table of routes knows, it adds itself, so it cannot be told wrongly: who may call, the
//! parameters of the path, and the refusals that every route of its kind has.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use http::header::{self, HeaderValue};
use http::{Method, StatusCode};
use rust_embed::RustEmbed;
use serde_json::{Map, Value, json};

use super::reply;
use super::routes::{Answer, Route, Who, at_once, routes};
use crate::protocol::problem::Code;

/// These.
pub(super) const ROUTES: [Route; 2] = [
    Route::get("/api/v1/openapi.json", Who::Anyone, |_| served(&OPENAPI)),
    Route::get("/api/v1/asyncapi.json", Who::Anyone, |_| served(&ASYNCAPI)),
];

#[derive(RustEmbed)]
#[folder = "docs/api/"]
struct Topics;

/// The document that the topics are put into.
const BASE: &str = "base.json";
const SOCKET: &str = "asyncapi.json";

static OPENAPI: LazyLock<String> = LazyLock::new(|| openapi().to_string());
static ASYNCAPI: LazyLock<String> = LazyLock::new(|| {
    let mut document = file(SOCKET);
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    document.to_string()
});

fn served(text: &'static str) -> Answer {
    let mut response = reply::body(StatusCode::OK, "application/json", text.as_bytes().to_vec());
    let fresh = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, fresh);
    at_once(Ok(response))
}

/// A file of `docs/api/`; null where it is none of ours.
fn file(name: &str) -> Value {
    let file = Topics::get(name);
    file.and_then(|file| serde_json::from_slice(&file.data).ok())
        .unwrap_or(Value::Null)
}

/// Every topic, by its file's name.
fn topics() -> impl Iterator<Item = (String, Value)> {
    let names = Topics::iter().filter(|name| ![BASE, SOCKET].contains(&name.as_ref()));
    names.map(|name| (name.to_string(), file(&name)))
}

/// The merged document.
fn openapi() -> Value {
    let mut document = file(BASE);
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    let mut tags = Vec::new();
    let mut paths = Map::new();
    for (_, mut topic) in topics() {
        let tag = topic["tag"]["name"].clone();
        if let Value::Object(schemas) = topic["schemas"].take() {
            for (name, schema) in schemas {
                document["components"]["schemas"][name] = schema;
            }
        }
        if let Value::Object(of_topic) = topic["paths"].take() {
            for (path, mut item) in of_topic {
                let operations = item.as_object_mut().into_iter().flatten();
                operations.for_each(|(_, operation)| operation["tags"] = json!([tag]));
                paths.insert(path, item);
            }
        }
        tags.push(topic["tag"].take());
    }
    for route in routes() {
        let method = route.method().as_str().to_ascii_lowercase();
        let item = paths.get_mut(route.path());
        if let Some(operation) = item.and_then(|item| item.get_mut(&method)) {
            complete(operation, route);
        }
    }
    document["tags"] = Value::Array(tags);
    document["paths"] = Value::Object(paths);
    document
}

/// Adds to an operation what its route knows.
fn complete(operation: &mut Value, route: &Route) {
    if operation["security"].is_null() {
        operation["security"] = security(route);
    }
    if let Who::Read | Who::Operate = route.who() {
        let scope = if route.who() == Who::Read {
            "read"
        } else {
            "operate"
        };
        operation["x-scope"] = scope.into();
    }
    let mut parameters = operation["parameters"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    for name in names(route.path()) {
        if !parameters
            .iter()
            .any(|p| p["in"] == "path" && p["name"] == name)
        {
            parameters.push(json!({"$ref": format!("#/components/parameters/{name}")}));
        }
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    let mut codes = of_its_kind(route);
    let own = operation["x-problems"].take();
    let own = own
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    codes.extend(own.filter_map(|word| Code::ALL.into_iter().find(|code| code.as_str() == word)));
    if let Some(operation) = operation.as_object_mut() {
        operation.remove("x-problems");
    }
    for (status, response) in problems(codes) {
        // What the topic says of a status itself stands.
        if operation["responses"][&status].is_null() {
            operation["responses"][&status] = response;
        }
    }
}

fn names(path: &str) -> impl Iterator<Item = &str> {
    let parts = path.split('/');
    parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn security(route: &Route) -> Value {
    match route.who() {
        Who::Anyone | Who::Login => json!([]),
        Who::Visitor => json!([{"visitorToken": []}, {"visitorCookie": []}]),
        Who::Read | Who::Operate if *route.method() == Method::GET => {
            json!([{"adminToken": []}, {"adminCookie": []}])
        }
        Who::Read | Who::Operate => {
            json!([{"adminToken": []}, {"adminCookie": [], "csrf": []}])
        }
    }
}

/// The refusals that every route like this one may give.
fn of_its_kind(route: &Route) -> Vec<Code> {
    // A request may be malformed, slow, too large, too many or too late wherever it goes.
    let mut codes = vec![
        Code::BadRequest,
        Code::RequestTimeout,
        Code::PayloadTooLarge,
        Code::RateLimited,
        Code::Internal,
        Code::Overloaded,
    ];
    if let Who::Read | Who::Operate = route.who() {
        codes.extend([
            Code::Unauthenticated,
            Code::Forbidden,
            Code::OriginNotAllowed,
            Code::AdminDisabled,
        ]);
    }
    if route.who() == Who::Visitor {
        codes.push(Code::Unauthenticated);
    }
    codes
}

/// By status, each with the codes that it may have.
fn problems(codes: Vec<Code>) -> BTreeMap<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        let same = by_status.entry(code.status()).or_default();
        if !same.contains(&code) {
            same.push(code);
        }
    }
    let response = |codes: Vec<Code>| {
        let titles: Vec<&str> = codes.iter().map(|code| code.title()).collect();
        let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
        json!({
            "description": titles.join(", or: "),
            "content": {"application/problem+json": {"schema": {
                "allOf": [{"$ref": "#/components/schemas/Problem"}],
                "properties": {"code": {"enum": words}},
            }}},
        })
    };
    let each = by_status.into_iter();
    each.map(|(status, codes)| (status.to_string(), response(codes)))
        .collect()
}

#[cfg(test)]
mod tests;
