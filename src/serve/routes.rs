//! Which address is answered by what.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use hyper::upgrade::OnUpgrade;
use warp::filters::BoxedFilter;
use warp::reply::Response as Reply;
use warp::{Filter, path};

use super::{Peer, Services, door, files, reply, rest};

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
    let pages = warp::path::full()
        .and(warp::get().or(warp::head()).unify())
        .and(warp::header::optional::<String>("if-none-match"))
        .map(|path: warp::path::FullPath, tag: Option<String>| {
            reply::either(files::get(
                path.as_str().trim_start_matches('/'),
                tag.as_deref(),
            ))
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
