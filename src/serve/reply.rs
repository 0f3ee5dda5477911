//! Responses, and refusals as problem documents.

use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;
use warp::Reply as _;
use warp::reply::Response as Reply;

use crate::protocol::problem::{Code, Problem};

/// A body of some media type.
pub(super) fn body(status: StatusCode, media: &'static str, bytes: Vec<u8>) -> Reply {
    let mut response = bytes.into_response();
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

/// A JSON body.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    match serde_json::to_vec(value) {
        Ok(bytes) => body(status, "application/json", bytes),
        Err(_) => problem(&Problem::new(
            Code::Internal,
            "the answer could not be written",
        )),
    }
}

/// A refusal.
pub(super) fn problem(problem: &Problem) -> Reply {
    let status =
        StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = body(
        status,
        "application/problem+json",
        problem.body().into_bytes(),
    );
    let headers = response.headers_mut();
    if let Some(seconds) = problem.retry_after_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if problem.code == Code::Unauthenticated {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// A file to keep.
pub(super) fn attachment(media: &'static str, name: &str, bytes: Vec<u8>) -> Reply {
    let mut response = body(StatusCode::OK, media, bytes);
    let value = format!("attachment; filename=\"{name}\"");
    if let Ok(value) = HeaderValue::from_str(&value) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// Either, as a response.
pub(super) fn either(result: Result<Reply, Problem>) -> Reply {
    result.unwrap_or_else(|refused| problem(&refused))
}

/// A 101 by which the connection becomes a WebSocket.
pub(super) fn switching(accept: &str, subprotocol: Option<&'static str>) -> Reply {
    let mut response = Response::new(warp::reply().into_response().into_body());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(name) = subprotocol {
        headers.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(name),
        );
    }
    response
}
