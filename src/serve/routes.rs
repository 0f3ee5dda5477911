//! Which address is answered by what.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header;
use hyper::upgrade::OnUpgrade;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::reply::Response as Reply;
use warp::{Filter, path};

use super::{Peer, Services, door, files, reply, report, rest};

type Shared = Arc<Services>;

/// What is sent to, not read.
const POSTED: [&str; 2] = ["/api/v1/visitors", "/api/v1/tickets"];

/// The methods of an address that has others than the one that was tried.
pub(super) fn allowed(path: &str) -> &'static str {
    if POSTED.contains(&path) {
        "POST"
    } else {
        "GET, HEAD"
    }
}

/// Every route. The rejections that are left are "not found" and "not this method".
pub(super) fn all(services: Shared) -> BoxedFilter<(Reply,)> {
    socket(&services)
        .or(visitors(&services))
        .unify()
        .or(tickets(&services))
        .unify()
        .or(session(&services))
        .unify()
        .or(examples(&services))
        .unify()
        .or(health(&services))
        .unify()
        .or(probes(&services))
        .unify()
        .or(pages())
        .unify()
        .boxed()
}

fn with(services: &Shared) -> impl Filter<Extract = (Shared,), Error = Infallible> + Clone + use<> {
    let services = Arc::clone(services);
    warp::any().map(move || Arc::clone(&services))
}

fn socket(services: &Shared) -> BoxedFilter<(Reply,)> {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    path!("api" / "v1" / "example-messages" / "ws" / String)
        .and(warp::get())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<OnUpgrade>())
        .and(warp::ext::get::<Peer>())
        .and(with(services))
        .map(
            |user: String, query: String, headers: HeaderMap, upgrade, peer, s: Shared| {
                reply::either(door::open(&user, &query, &headers, upgrade, peer, &s))
            },
        )
        .boxed()
}

fn visitors(services: &Shared) -> BoxedFilter<(Reply,)> {
    path!("api" / "v1" / "visitors")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::bytes())
        .and(warp::ext::get::<Peer>())
        .and(with(services))
        .map(|headers: HeaderMap, body: Bytes, peer: Peer, s: Shared| {
            reply::either(rest::create_visitor(&headers, &body, &peer, &s))
        })
        .boxed()
}

fn tickets(services: &Shared) -> BoxedFilter<(Reply,)> {
    path!("api" / "v1" / "tickets")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(with(services))
        .map(|headers: HeaderMap, s: Shared| reply::either(rest::issue_ticket(&headers, &s)))
        .boxed()
}

fn session(services: &Shared) -> BoxedFilter<(Reply,)> {
    let one = path!("api" / "v1" / "example-messages" / "sessions" / String)
        .and(warp::get())
        .and(warp::header::headers_cloned())
        .and(with(services))
        .map(|id: String, headers: HeaderMap, s: Shared| {
            reply::either(report::session(&id, &headers, &s))
        });
    let file = path!("api" / "v1" / "example-messages" / "sessions" / String / String)
        .and(warp::get())
        .and(warp::header::headers_cloned())
        .and(with(services))
        .map(|id: String, file: String, headers: HeaderMap, s: Shared| {
            reply::either(report::report(&id, &file, &headers, &s))
        });
    one.or(file).unify().boxed()
}

fn examples(services: &Shared) -> BoxedFilter<(Reply,)> {
    path!("api" / "v1" / "example-messages" / "examples")
        .and(warp::get())
        .and(with(services))
        .map(|s: Shared| rest::examples(&s))
        .boxed()
}

fn health(services: &Shared) -> BoxedFilter<(Reply,)> {
    path!("api" / "v1" / "example-messages" / "health")
        .and(warp::get())
        .and(with(services))
        .then(|s: Shared| async move { rest::health(&s).await })
        .boxed()
}

fn probes(services: &Shared) -> BoxedFilter<(Reply,)> {
    let alive = path!("healthz").and(warp::get()).map(rest::alive);
    let ready = path!("readyz")
        .and(warp::get())
        .and(with(services))
        .map(|s: Shared| rest::ready(&s));
    alive.or(ready).unify().boxed()
}

fn pages() -> BoxedFilter<(Reply,)> {
    // The file first and the method then: what is not there is not found, whatever the method.
    warp::path::full()
        .and_then(|path: FullPath| async move {
            let name = path.as_str().trim_start_matches('/').to_owned();
            files::exists(&name)
                .then_some(name)
                .ok_or_else(warp::reject::not_found)
        })
        .and(warp::get())
        .and(warp::header::headers_cloned())
        .map(|name: String, headers: HeaderMap| {
            let tag = door::text(&headers, &header::IF_NONE_MATCH);
            reply::either(files::get(&name, tag))
        })
        .boxed()
}
