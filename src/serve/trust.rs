//! How another device learns to trust the appliance's own authority: a page that says how, and the
//! authority's certificate to download.
//!
//! The page comes over the connection that is not trusted yet, so it asks the reader to compare the
//! fingerprint with the one that the terminal (`emflow trust`) shows: that is where trust begins.

use http::StatusCode;
use http::header::{self, HeaderValue};
use serde_json::json;
use warp::reply::Response as Reply;

use super::routes::{Call, Route, Who, at_once};
use super::tls::{Shown, shown};
use super::{reply, routes};
use crate::protocol::problem::{Code, Problem};

/// These.
pub(super) const ROUTES: [Route; 3] = [
    Route::get("/trust", Who::Anyone, |call| {
        at_once(routes::page("trust.html", &call))
    }),
    Route::get("/trust/facts", Who::Anyone, |call| at_once(facts(&call))),
    Route::get("/trust/emflow-authority.crt", Who::Anyone, |call| {
        at_once(download(&call))
    }),
];

/// The authority, where there is one of ours.
fn authority(call: &Call) -> Result<Option<Shown>, Problem> {
    let Some(issued) = call.services.tls.presented().and_then(|p| p.issued) else {
        return Ok(None);
    };
    shown(&issued.authority).map(Some).map_err(|error| {
        tracing::error!(%error, "the authority cannot be shown");
        Problem::new(Code::Internal, "the authority cannot be read")
    })
}

fn facts(call: &Call) -> Result<Reply, Problem> {
    let authority = authority(call)?.map(|authority| {
        json!({
            "name": authority.name,
            "fingerprint": authority.fingerprint,
            "expires_at": authority.not_after.rfc3339(),
        })
    });
    let certificate = call.services.tls.presented().map(|presented| {
        json!({
            "fingerprint": presented.fingerprint,
            "expires_at": presented.not_after.rfc3339(),
        })
    });
    let body = json!({"authority": authority, "certificate": certificate});
    let mut answer = reply::json(StatusCode::OK, &body);
    no_store(&mut answer);
    Ok(answer)
}

fn download(call: &Call) -> Result<Reply, Problem> {
    let authority = authority(call)?.ok_or_else(|| {
        Problem::new(
            Code::NotFound,
            "this appliance has a certificate of its operator, or a proxy in front of it; there is no authority of its own",
        )
    })?;
    // The media type by which phones offer to install it.
    let media = "application/x-x509-ca-cert";
    let mut answer = reply::body(StatusCode::OK, media, authority.pem);
    let name = HeaderValue::from_static("attachment; filename=\"emflow-authority.crt\"");
    answer
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, name);
    no_store(&mut answer);
    Ok(answer)
}

fn no_store(answer: &mut Reply) {
    let value = HeaderValue::from_static("no-store");
    answer.headers_mut().insert(header::CACHE_CONTROL, value);
}
