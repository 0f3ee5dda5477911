//! The open sockets: look, close one.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use warp::reply::Response as Reply;

use super::{Nothing, cursor, entry, failed, list, page, query, write_down};
use crate::id::{ConnectionId, UserId};
use crate::protocol::close::Close;
use crate::protocol::problem::{Code, Problem};
use crate::serve::reply;
use crate::serve::routes::{Call, Route, Who, at_once};

/// These.
pub(in crate::serve) const ROUTES: [Route; 2] = [
    Route::get("/api/v1/admin/connections", Who::Read, |call| {
        at_once(connections(&call))
    }),
    Route::post(
        "/api/v1/admin/connections/{id}/close",
        Who::Operate,
        |call| Box::pin(async move { close(&call).await }),
    ),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    visitor: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/v1/admin/connections`
fn connections(call: &Call) -> Result<Reply, Problem> {
    let wanted: Wanted = query(call, "visitor, after and limit")?;
    let limit = page(wanted.limit)?;
    let after = cursor(wanted.after.as_ref(), |text| ConnectionId::parse(text).ok())?;
    let visitor = wanted.visitor.as_deref().map(UserId::parse).transpose();
    let visitor = visitor.map_err(|rule| {
        let text = format!("visitor must be {rule}");
        Problem::new(Code::BadRequest, text)
    })?;
    let roster = &call.services.roster;
    let mut found = roster.after(after, visitor.as_ref(), limit + 1);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more);
    let next = next.map(|entry| entry.id().to_string());
    Ok(list(
        found.iter().map(|entry| entry.described()).collect(),
        next,
    ))
}

/// `POST /api/v1/admin/connections/{id}/close`
async fn close(call: &Call) -> Result<Reply, Problem> {
    Nothing::of(call)?;
    let gone = || Problem::new(Code::NotFound, "this connection is not open (any more)");
    let id = ConnectionId::parse(call.parameter(0)).map_err(|_| gone())?;
    let socket = call.services.roster.get(id).ok_or_else(gone)?;
    let about = entry(call, "connection.close", id.to_string());
    let whose = json!({"user_id": socket.user()});
    write_down(call, about.before(&whose)).await?;
    let stream = call.services.outboxes.stream(socket.user());
    let closed = stream.map_err(|e| failed(&e))?;
    if !closed.close(id, Close::ByAdministrator) {
        return Err(gone());
    }
    let answer = json!({"connection_id": id, "closed": true});
    Ok(reply::json(StatusCode::OK, &answer))
}
