//! Which address is answered by what.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header;
use hyper::upgrade::OnUpgrade;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::reply::Response as Reply;
use warp::{Filter, path};

use super::{Peer, Services, door, files, reply, rest};

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
pub(super) fn all(services: Arc<Services>) -> BoxedFilter<(Reply,)> {
    let with = {
        let services = Arc::clone(&services);
        warp::any().map(move || Arc::clone(&services))
    };
    let peer = warp::ext::get::<Peer>();
    let headers = warp::header::headers_cloned();
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();

    let socket = path!("api" / "v1" / "example-messages" / "ws" / String)
        .and(warp::get())
        .and(query)
        .and(headers)
        .and(warp::ext::optional::<OnUpgrade>())
        .and(peer)
        .and(with.clone())
        .map(
            |user: String,
             query: String,
             headers: HeaderMap,
             upgrade: Option<OnUpgrade>,
             peer: Peer,
             s: Arc<Services>| {
                reply::either(door::open(&user, &query, &headers, upgrade, peer, &s))
            },
        );
    let visitors = path!("api" / "v1" / "visitors")
        .and(warp::post())
        .and(headers)
        .and(warp::body::bytes())
        .and(peer)
        .and(with.clone())
        .map(
            |headers: HeaderMap, body: Bytes, peer: Peer, s: Arc<Services>| {
                reply::either(rest::create_visitor(&headers, &body, &peer, &s))
            },
        );
    let tickets = path!("api" / "v1" / "tickets")
        .and(warp::post())
        .and(headers)
        .and(with.clone())
        .map(|headers: HeaderMap, s: Arc<Services>| {
            reply::either(rest::issue_ticket(&headers, &s))
        });
    let session = path!("api" / "v1" / "example-messages" / "sessions" / String)
        .and(warp::get())
        .and(headers)
        .and(with.clone())
        .map(|id: String, headers: HeaderMap, s: Arc<Services>| {
            reply::either(rest::session(&id, &headers, &s))
        });
    let examples = path!("api" / "v1" / "example-messages" / "examples")
        .and(warp::get())
        .and(with.clone())
        .map(|s: Arc<Services>| rest::examples(&s));
    let health = path!("api" / "v1" / "example-messages" / "health")
        .and(warp::get())
        .and(with.clone())
        .then(|s: Arc<Services>| async move { rest::health(&s).await });
    let alive = path!("healthz").and(warp::get()).map(rest::alive);
    let ready = path!("readyz")
        .and(warp::get())
        .and(with)
        .map(|s: Arc<Services>| rest::ready(&s));
    // The file first and the method then: what is not there is not found, whatever the method.
    let pages = warp::path::full()
        .and_then(|path: FullPath| async move {
            let name = path.as_str().trim_start_matches('/').to_owned();
            files::exists(&name)
                .then_some(name)
                .ok_or_else(warp::reject::not_found)
        })
        .and(warp::get())
        .and(headers)
        .map(|name: String, headers: HeaderMap| {
            let tag = door::text(&headers, &header::IF_NONE_MATCH);
            reply::either(files::get(&name, tag))
        });

    socket
        .or(visitors)
        .unify()
        .or(tickets)
        .unify()
        .or(session)
        .unify()
        .or(examples)
        .unify()
        .or(health)
        .unify()
        .or(alive)
        .unify()
        .or(ready)
        .unify()
        .or(pages)
        .unify()
        .boxed()
}
