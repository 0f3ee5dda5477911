//! Which address is answered by what, and who may call it: one table, one guard.
//!
//! Each topic names its own routes beside what answers them. What holds for all of them stands
//! here once: the match, "not this method", and the guard. warp carries the request this far and
//! no further, because a chain of filters can say neither who may call a route nor which methods
//! an address has, and both must be known of all of them.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use hyper::upgrade::OnUpgrade;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::reply::Response as Reply;

use super::pages::Filling;
use super::{Peer, Services, files, guard, reply};
use crate::access::admin::{Principal, Scope};
use crate::clock;
use crate::meter::{Draft, EventKind};
use crate::protocol::problem::{Code, Problem};

type Shared = Arc<Services>;

/// Every route but those of the pages, by topic.
const TABLES: &[&[Route]] = &[
    &super::admin::ROUTES,
    &super::alerts::ROUTES,
    &super::backups::ROUTES,
    &super::documents::ROUTES,
    &super::door::ROUTES,
    &super::live::ROUTES,
    &super::follow::ROUTES,
    &super::history::ROUTES,
    &super::logs::ROUTES,
    &super::observation::ROUTES,
    &super::operate::appearance::ROUTES,
    &super::operate::breakers::ROUTES,
    &super::operate::certificate::ROUTES,
    &super::operate::cleanup::ROUTES,
    &super::operate::connections::ROUTES,
    &super::operate::examples::ROUTES,
    &super::operate::messages::ROUTES,
    &super::operate::sessions::ROUTES,
    &super::operate::settings::ROUTES,
    &super::operate::upgrades::ROUTES,
    &super::operate::visitors::ROUTES,
    &super::presenter::ROUTES,
    &super::report::ROUTES,
    &super::rest::ROUTES,
    &super::trust::ROUTES,
    &super::understand::ROUTES,
];

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Anyone.
    Anyone,
    /// A visitor, whom the route itself recognises: its credential may be a ticket, or be made here.
    Visitor,
    /// Whoever proves in this very call to be the administrator: the login.
    Login,
    /// The administrator, or a token that may read.
    Read,
    /// The administrator, or a token that may change something.
    Operate,
}

/// One route.
pub(super) struct Route {
    method: Method,
    /// As the documents write it: `{name}` stands for one segment.
    path: &'static str,
    who: Who,
    answer: fn(Call) -> Answer,
    /// Whether `HEAD` is answered like `GET`.
    head: bool,
    /// Bytes of a body, where it may be larger than `limits.max_body`.
    max_body: Option<usize>,
}

impl Route {
    /// A route that is read. `HEAD` comes with it.
    pub(super) const fn get(path: &'static str, who: Who, answer: fn(Call) -> Answer) -> Self {
        Self::new(Method::GET, path, who, answer)
    }

    /// A route that is sent to.
    pub(super) const fn post(path: &'static str, who: Who, answer: fn(Call) -> Answer) -> Self {
        Self::new(Method::POST, path, who, answer)
    }

    /// A route that is put in the place of what is there.
    pub(super) const fn put(path: &'static str, who: Who, answer: fn(Call) -> Answer) -> Self {
        Self::new(Method::PUT, path, who, answer)
    }

    /// The same route with a body of up to so many bytes, where `limits.max_body` is less.
    pub(super) const fn with_body(mut self, bytes: usize) -> Self {
        self.max_body = Some(bytes);
        self
    }

    /// The same route without `HEAD`, because reading it does something.
    pub(super) const fn without_head(mut self) -> Self {
        self.head = false;
        self
    }

    /// Which method.
    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// The address, with `{name}` for each part that varies.
    pub(super) fn path(&self) -> &'static str {
        self.path
    }

    /// Who may call it.
    pub(super) fn who(&self) -> Who {
        self.who
    }

    fn answers(&self, method: &Method) -> bool {
        self.method == *method
            || (self.head && self.method == Method::GET && *method == Method::HEAD)
    }

    /// A route that takes something away.
    pub(super) const fn delete(path: &'static str, who: Who, answer: fn(Call) -> Answer) -> Self {
        Self::new(Method::DELETE, path, who, answer)
    }

    const fn new(method: Method, path: &'static str, who: Who, answer: fn(Call) -> Answer) -> Self {
        Self {
            method,
            path,
            who,
            answer,
            head: true,
            max_body: None,
        }
    }
}

/// What a route answers, in its time.
pub(super) type Answer = BoxFuture<'static, Result<Reply, Problem>>;

/// An answer that need not wait.
pub(super) fn at_once(result: Result<Reply, Problem>) -> Answer {
    Box::pin(std::future::ready(result))
}

/// A request, as its route gets it: within the limits on size and time.
pub(super) struct Call {
    /// What stands for each `{name}` of the path, in their order, as it was sent.
    pub(super) parameters: Vec<String>,
    pub(super) method: Method,
    /// Who asks; there on every route for [`Who::Read`] and [`Who::Operate`].
    pub(super) principal: Option<Principal>,
    /// Without the question mark; empty where there is none.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) peer: Peer,
    pub(super) upgrade: Option<OnUpgrade>,
    pub(super) services: Shared,
}

impl Call {
    /// The parameter at this place; a route asks for those that its own path names.
    pub(super) fn parameter(&self, place: usize) -> &str {
        self.parameters.get(place).map_or("", String::as_str)
    }
}

/// Every address.
pub(super) fn all(services: Shared) -> BoxedFilter<(Reply,)> {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::path::full()
        .and(warp::method())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::body::bytes())
        .and(warp::ext::get::<Peer>())
        .and(warp::ext::optional::<OnUpgrade>())
        .then(
            move |path: FullPath, method: Method, query, headers, body, peer, upgrade| {
                let call = Call {
                    parameters: Vec::new(),
                    method,
                    principal: None,
                    query,
                    headers,
                    body,
                    peer,
                    upgrade,
                    services: Arc::clone(&services),
                };
                answer(path, call)
            },
        )
        .boxed()
}

/// Every route, of whatever topic.
pub(super) fn routes() -> impl Iterator<Item = &'static Route> {
    TABLES.iter().copied().flatten()
}

/// The label of what is no route: a file of the pages.
const PAGE: &str = "page";
/// The label of addresses that do not exist: those are a client's words.
const NONE: &str = "none";

async fn answer(path: FullPath, call: Call) -> Reply {
    let (meters, method) = (call.services.meters.clone(), method_label(&call.method));
    let started = clock::now();
    let (label, reply) = respond(path, call).await;
    let status = reply.status().as_u16();
    let door = &meters.door;
    door.requests.one((method, label, status));
    if status != StatusCode::SWITCHING_PROTOCOLS {
        let took = clock::now().duration_since(started);
        door.request.record_span(took);
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        door.rate_limited.one("requests");
        let event = Draft::new(
            EventKind::RateLimited,
            format!("{method} {label}: too many"),
        );
        meters.feed.tell(event.code("requests"), clock::wall());
    }
    reply
}

/// A word of ours for a method, which is a client's.
fn method_label(method: &Method) -> &'static str {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let found = known.into_iter().find(|word| *word == method.as_str());
    found.unwrap_or("other")
}

async fn respond(path: FullPath, mut call: Call) -> (&'static str, Reply) {
    let mut methods = Vec::new();
    let mut found = None;
    for route in routes() {
        let Some(parameters) = matched(route.path, path.as_str()) else {
            continue;
        };
        if route.answers(&call.method) {
            found = Some((route, parameters));
            break;
        }
        methods.push(route.method.as_str());
        methods.extend((route.head && route.method == Method::GET).then_some("HEAD"));
    }
    if let Some((route, parameters)) = found {
        call.parameters = parameters;
        let reply = match admitted(route.who, &call) {
            Ok(principal) => {
                call.principal = principal;
                reply::either((route.answer)(call).await)
            }
            Err(refused) => reply::problem(&refused),
        };
        return (route.path, reply);
    }
    let name = path.as_str().trim_start_matches('/');
    // The file first and the method then: what is not there is not found, whatever the method.
    if methods.is_empty() && files::exists(name) {
        if [Method::GET, Method::HEAD].contains(&call.method) {
            return (PAGE, reply::either(page(name, &call)));
        }
        methods.extend(["GET", "HEAD"]);
    }
    if methods.is_empty() {
        let text = "no such address; the demo page is at /";
        return (NONE, reply::problem(&Problem::new(Code::NotFound, text)));
    }
    (NONE, not_this_method(&methods))
}

/// A file of the pages, as they look now.
pub(super) fn page(name: &str, call: &Call) -> Result<Reply, Problem> {
    let demo = &call.services.demo;
    let (look, _) = demo.look.now();
    let filling = Filling {
        look: &look,
        engine: &demo.engine,
    };
    files::get(name, &files::Asked::of(&call.headers), &filling)
}

/// Lets through, or says why not. What a route itself checks is not repeated here.
fn admitted(who: Who, call: &Call) -> Result<Option<Principal>, Problem> {
    match who {
        Who::Anyone | Who::Visitor | Who::Login => Ok(None),
        Who::Read => guard::principal(call, Scope::Read).map(Some),
        Who::Operate => guard::principal(call, Scope::Operate).map(Some),
    }
}

/// What stands for the names in `pattern`, where `path` is of its form.
fn matched(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut parameters = Vec::new();
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        let segment = segments.next()?;
        if wanted.starts_with('{') {
            if segment.is_empty() {
                return None;
            }
            parameters.push(segment.to_owned());
        } else if wanted != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(parameters)
}

fn not_this_method(allowed: &[&str]) -> Reply {
    let text = "this address exists, but not for this method";
    let mut response = reply::problem(&Problem::new(Code::MethodNotAllowed, text));
    if let Ok(value) = HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// Bytes that the body of this request may have, where its route says so.
pub(super) fn max_body<B>(request: &http::Request<B>) -> Option<usize> {
    let path = request.uri().path();
    let fits = |route: &&Route| {
        route.max_body.is_some()
            && route.answers(request.method())
            && matched(route.path, path).is_some()
    };
    routes().find(fits)?.max_body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_of_a_form_or_not() {
        let check = |pattern, path, expected: Option<&[&str]>| {
            let expected = expected.map(|list| list.iter().map(ToString::to_string).collect());
            assert_eq!(matched(pattern, path), expected, "{pattern} {path}");
        };
        check("/a/{id}/b", "/a/1/b", Some(&["1"]));
        check("/a/{id}/{file}", "/a/1/r.json", Some(&["1", "r.json"]));
        check("/a", "/a", Some(&[]));
        for path in [
            "/a", "/a/", "/a//b", "/a/1", "/a/1/c", "/a/1/b/", "/a/1/b/c", "a/1/b",
        ] {
            check("/a/{id}/b", path, None);
        }
    }

    #[test]
    fn no_two_routes_answer_the_same_call() {
        let mut seen = std::collections::BTreeSet::new();
        for route in routes() {
            let names_apart: Vec<&str> = route
                .path
                .split('/')
                .map(|part| if part.starts_with('{') { "{}" } else { part })
                .collect();
            let call = format!("{} {}", route.method, names_apart.join("/"));
            assert!(seen.insert(call.clone()), "{call} stands twice");
            assert!(
                !matches!(route.who, Who::Anyone) || route.method == Method::GET,
                "{call}"
            );
        }
    }
}
