//! What the appliance says of itself to those who look after it.

use http::StatusCode;
use warp::reply::Response as Reply;

use super::routes::{Call, Route, Who, at_once};
use super::{guard, reply};
use crate::access::admin::Scope;
use crate::protocol::problem::{Code, Problem};

/// These.
pub(super) const ROUTES: [Route; 2] = [
    Route::get("/metrics", Who::Anyone, |call| at_once(metrics(&call))),
    Route::get("/api/v1/example-messages/stats", Who::Read, |call| {
        at_once(stats(&call))
    }),
];

/// The media type of Prometheus text.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /metrics`: for this machine, and for whoever may read.
fn metrics(call: &Call) -> Result<Reply, Problem> {
    // A proxy on this machine forwards what comes from anywhere, and says so.
    let forwarded = ["x-forwarded-for", "forwarded", "via"];
    let is_local = call.peer.address.ip().to_canonical().is_loopback()
        && !forwarded
            .iter()
            .any(|name| call.headers.contains_key(*name));
    if !is_local {
        guard::principal(call, Scope::Read)?;
    }
    let text = call.services.observer.metrics().map_err(|error| {
        tracing::error!(%error, "the metrics could not be written");
        Problem::new(Code::Internal, "the metrics could not be written")
    })?;
    Ok(reply::body(StatusCode::OK, PROMETHEUS, text))
}

/// `GET /api/v1/example-messages/stats`
fn stats(call: &Call) -> Result<Reply, Problem> {
    let stats = call.services.observer.stats().map_err(|error| {
        tracing::error!(%error, "the statistics could not be read");
        Problem::new(Code::Internal, "the statistics could not be read")
    })?;
    Ok(reply::json(StatusCode::OK, &stats))
}
