//! Frames that wait for an acknowledgement: who has some, which they are, send again, give up.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::{
    Nothing, check_reason, cursor, entry, failed, list, millis, page, query, reading, user,
    write_down,
};
use crate::clock;
use crate::id::UserId;
use crate::outbox::Pending;
use crate::protocol::problem::{Code, Problem};
use crate::serve::routes::{Call, Route, Who};
use crate::serve::{guard, reply};
use crate::store::Frame;

/// These.
pub(in crate::serve) const ROUTES: [Route; 4] = [
    Route::get(
        "/api/v1/example-messages/pending-messages/{user_id}",
        Who::Read,
        |call| reading(call, pending_of),
    ),
    Route::get("/api/v1/admin/messages", Who::Read, |call| {
        reading(call, waiting)
    }),
    Route::post(
        "/api/v1/admin/messages/{user_id}/send-again",
        Who::Operate,
        |call| Box::pin(async move { send_again(&call).await }),
    ),
    Route::post(
        "/api/v1/admin/messages/{user_id}/drop",
        Who::Operate,
        |call| Box::pin(async move { give_up(call).await }),
    ),
];

/// Visitors looked at for one page, whether anything of theirs waits or not.
const LOOKED_AT: usize = 2000;
/// Payload bytes read for one page.
const PAGE_BYTES: usize = 4 << 20;
/// Sockets listed with a visitor's frames: more are not open at once, by `connections.per_user`.
const SOCKETS: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paged {
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET …/pending-messages/{user_id}`
fn pending_of(call: &Call) -> Result<Reply, Problem> {
    let user = user(call)?;
    let wanted: Paged = query(call, "after and limit")?;
    let limit = page(wanted.limit)?;
    let after = cursor(wanted.after.as_ref(), |text| text.parse::<u64>().ok())?;
    let services = &call.services;
    let pending = services.outboxes.look(&user).map_err(|e| failed(&e))?;
    let marks = pending.marks;
    let first = marks.acked.max(after.unwrap_or(0)).saturating_add(1);
    let frames = services.outboxes.frames(&user, first, limit, PAGE_BYTES);
    let frames = frames.map_err(|e| failed(&e))?;
    let next = frames.last().map(|(sequence, _)| *sequence);
    let next = next.filter(|last| *last < marks.stable);
    let items: Vec<Value> = frames
        .iter()
        .map(|(sequence, frame)| described(*sequence, frame, &pending))
        .collect();
    let sockets = services.roster.after(None, Some(&user), SOCKETS);
    let sockets: Vec<Value> = sockets.iter().map(|entry| entry.described()).collect();
    let answer = json!({
        "user_id": user, "epoch": marks.epoch,
        "pending_count": marks.stable - marks.acked, "pending_bytes": pending.bytes,
        "acknowledged_sequence": marks.acked, "last_sequence": marks.stable,
        "attempts": pending.attempts, "expired_frames": pending.expired,
        "pending_messages": items, "next": next.map(|n| n.to_string()), "connections": sockets,
    });
    Ok(reply::json(StatusCode::OK, &answer))
}

fn described(sequence: u64, frame: &Frame, pending: &Pending) -> Value {
    let was_sent = sequence <= pending.marks.sent;
    json!({
        "sequence": sequence, "type": frame.kind.as_str(), "session_id": frame.session,
        "created_at": frame.at.rfc3339(), "age_ms": millis(clock::wall().since(frame.at)),
        // A retry repeats everything from the oldest on that was sent.
        "attempts": if was_sent { pending.attempts + 1 } else { 0 },
        "state": if was_sent { "sending" } else { "pending" },
        "bytes": frame.payload.len(),
    })
}

/// `GET /api/v1/admin/messages`
fn waiting(call: &Call) -> Result<Reply, Problem> {
    let wanted: Paged = query(call, "after and limit")?;
    let limit = page(wanted.limit)?;
    let after = cursor(wanted.after.as_ref(), |text| UserId::parse(text).ok())?;
    let outboxes = &call.services.outboxes;
    let looked = outboxes.visitors_after(after.as_ref(), LOOKED_AT);
    let looked = looked.map_err(|e| failed(&e))?;
    let mut items = Vec::new();
    let mut last = None;
    for visitor in &looked {
        if items.len() == limit {
            break;
        }
        last = Some(&visitor.user);
        let pending = outboxes.look(&visitor.user).map_err(|e| failed(&e))?;
        let marks = pending.marks;
        if marks.stable == marks.acked {
            continue;
        }
        let oldest = outboxes.frames(&visitor.user, marks.acked + 1, 1, PAGE_BYTES);
        let oldest = oldest.map_err(|e| failed(&e))?;
        let at = oldest.first().map(|(_, frame)| frame.at);
        items.push(json!({
            "user_id": visitor.user, "pending_count": marks.stable - marks.acked,
            "pending_bytes": pending.bytes, "oldest_sequence": marks.acked + 1,
            "oldest_at": at.map(clock::Wall::rfc3339),
            "oldest_age_ms": at.map(|at| millis(clock::wall().since(at))),
            "attempts": pending.attempts, "connections": pending.sockets,
        }));
    }
    let all_seen = looked.len() < LOOKED_AT && last == looked.last().map(|v| &v.user);
    let next = last.filter(|_| !all_seen).map(ToString::to_string);
    Ok(list(items, next))
}

/// `POST /api/v1/admin/messages/{user_id}/send-again`
async fn send_again(call: &Call) -> Result<Reply, Problem> {
    let user = user(call)?;
    Nothing::of(call)?;
    let stream = call.services.outboxes.stream(&user);
    let stream = stream.map_err(|e| failed(&e))?;
    let marks = stream.marks();
    let about = entry(call, "messages.send_again", user.as_str());
    let from = json!({"from": marks.acked + 1, "to": marks.stable});
    write_down(call, about.after(&from)).await?;
    let connections = stream.send_again();
    let answer = json!({
        "user_id": user, "connections": connections, "pending_count": marks.stable - marks.acked,
    });
    Ok(reply::json(StatusCode::OK, &answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DropBody {
    through: u64,
    reason: String,
}

/// `POST /api/v1/admin/messages/{user_id}/drop`
async fn give_up(call: Call) -> Result<Reply, Problem> {
    let user = user(&call)?;
    let body: DropBody = guard::json(&call, "{\"through\", \"reason\"}")?;
    check_reason(&body.reason)?;
    let services = &call.services;
    let marks = services.outboxes.look(&user).map_err(|e| failed(&e))?.marks;
    if body.through <= marks.acked || body.through > marks.stable {
        let text = match marks.stable - marks.acked {
            0 => "through: nothing of this visitor waits".to_owned(),
            _ => format!(
                "through must be a waiting sequence, from {} to {}, not {}",
                marks.acked + 1,
                marks.stable,
                body.through
            ),
        };
        return Err(Problem::new(Code::BadRequest, text));
    }
    let gap = json!({"from": marks.acked + 1, "through": body.through, "reason": body.reason});
    let about = entry(&call, "messages.drop", user.as_str()).after(&gap);
    let audit = services.audit.clone();
    let dropped = services
        .cleanup
        .give_up(user.clone(), body.through, move || audit.entry(about))
        .await
        .map_err(|e| failed(&e))?;
    let marks = services.outboxes.look(&user).map_err(|e| failed(&e))?.marks;
    let answer = json!({
        "user_id": user, "dropped": dropped, "through": body.through,
        "oldest_sequence": marks.oldest,
    });
    Ok(reply::json(StatusCode::OK, &answer))
}
