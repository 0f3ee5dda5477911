//! Visitors: look, revoke.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::{Nothing, cursor, entry, failed, list, page, query, reading, user};
use crate::clock::Wall;
use crate::id::UserId;
use crate::protocol::problem::{Code, Problem};
use crate::serve::reply;
use crate::serve::routes::{Call, Route, Who};
use crate::store::{StoreError, VisitorRecord};

/// These.
pub(in crate::serve) const ROUTES: [Route; 2] = [
    Route::get("/api/v1/admin/visitors", Who::Read, |call| {
        reading(call, visitors)
    }),
    Route::post(
        "/api/v1/admin/visitors/{user_id}/revoke",
        Who::Operate,
        |call| Box::pin(async move { revoke(call).await }),
    ),
];

/// Records looked through for one page where a text is searched.
const LOOKED_AT: usize = 10_000;
/// Sockets looked at to tell when a visitor was heard last.
const SOCKETS: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    text: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/v1/admin/visitors`
fn visitors(call: &Call) -> Result<Reply, Problem> {
    let wanted: Wanted = query(call, "text, after and limit")?;
    let limit = page(wanted.limit)?;
    let after = cursor(wanted.after.as_ref(), |text| UserId::parse(text).ok())?;
    let text = wanted.text.unwrap_or_default();
    if text.len() > 64 {
        let rule = "text must be a part of a user id: up to 64 characters";
        return Err(Problem::new(Code::BadRequest, rule));
    }
    let looked = call
        .services
        .outboxes
        .visitors_after(after.as_ref(), LOOKED_AT);
    let looked = looked.map_err(|e| failed(&e))?;
    let mut items = Vec::new();
    let mut last = None;
    for visitor in &looked {
        if items.len() == limit {
            break;
        }
        last = Some(&visitor.user);
        if visitor.user.as_str().contains(&text) {
            items.push(described(call, visitor).map_err(|e| failed(&e))?);
        }
    }
    let all_seen = looked.len() < LOOKED_AT && last == looked.last().map(|v| &v.user);
    let next = last.filter(|_| !all_seen).map(ToString::to_string);
    Ok(list(items, next))
}

fn described(call: &Call, visitor: &VisitorRecord) -> Result<Value, StoreError> {
    let services = &call.services;
    let user = &visitor.user;
    let pending = services.outboxes.look(user)?;
    let sockets = services.roster.after(None, Some(user), SOCKETS);
    let heard = sockets.iter().map(|socket| socket.heard()).max();
    let seen = pending.touched.max(heard.unwrap_or(Wall(0)));
    let undo = services.cleanup.undo_of(user)?;
    let revoked = services.outboxes.revoked_at(user);
    Ok(json!({
        "user_id": user, "epoch": pending.marks.epoch,
        "pending_count": pending.marks.stable - pending.marks.acked,
        "pending_bytes": pending.bytes, "expired_frames": pending.expired,
        "sessions": services.sessions.count_of(user)?,
        "running_sessions": services.sessions.of(user).len(),
        "connections": pending.sockets, "last_seen": seen.rfc3339(),
        "revoked_at": revoked.map(Wall::rfc3339),
        "undo_until": undo.map(|purge| purge.until.rfc3339()),
    }))
}

/// `POST /api/v1/admin/visitors/{user_id}/revoke`
async fn revoke(call: Call) -> Result<Reply, Problem> {
    let user = user(&call)?;
    Nothing::of(&call)?;
    let about = entry(&call, "visitor.revoke", user.as_str());
    let audit = call.services.audit.clone();
    let (at, closed) = call
        .services
        .cleanup
        .revoke(user.clone(), move || audit.entry(about))
        .await
        .map_err(|e| failed(&e))?;
    let answer = json!({"user_id": user, "revoked_at": at.rfc3339(), "closed_connections": closed});
    Ok(reply::json(StatusCode::OK, &answer))
}
