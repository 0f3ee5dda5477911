//! Clean-up of a visitor: look what would go, do it, take it back.

use http::StatusCode;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::{Because, Nothing, entry, failed, millis, reading, user};
use crate::cleanup::{NotUndone, Undone};
use crate::protocol::problem::{Code, Problem};
use crate::serve::reply;
use crate::serve::routes::{Call, Route, Who};
use crate::store::purge::{PurgeRecord, Removed};

/// These.
pub(in crate::serve) const ROUTES: [Route; 3] = [
    Route::get(
        "/api/v1/example-messages/cleanup/{user_id}",
        Who::Read,
        |call| reading(call, preview),
    ),
    Route::post(
        "/api/v1/example-messages/cleanup/{user_id}",
        Who::Operate,
        |call| Box::pin(async move { clean(call).await }),
    ),
    Route::post(
        "/api/v1/example-messages/cleanup/{user_id}/undo",
        Who::Operate,
        |call| Box::pin(async move { undo(call).await }),
    ),
];

fn preview(call: &Call) -> Result<Reply, Problem> {
    let user = user(call)?;
    let cleanup = &call.services.cleanup;
    let preview = cleanup.preview(&user).map_err(|e| failed(&e))?;
    let answer = json!({
        "user_id": user, "epoch": preview.epoch,
        "would_remove": counts(&preview.holdings), "connections": preview.sockets,
        "undo_window_ms": millis(cleanup.window()), "undo_possible": preview.may_be_undone,
        "undo": preview.undo.as_ref().map(undoable),
    });
    Ok(reply::json(StatusCode::OK, &answer))
}

async fn clean(call: Call) -> Result<Reply, Problem> {
    let user = user(&call)?;
    let because = Because::of(&call)?;
    let cleanup = call.services.cleanup.clone();
    let holdings = cleanup.preview(&user).map_err(|e| failed(&e))?.holdings;
    let about = entry(&call, "visitor.cleanup", user.as_str())
        .before(&counts(&holdings))
        .after(&json!({"reason": because.reason}));
    let write = {
        let audit = call.services.audit.clone();
        move || audit.entry(about)
    };
    let done = cleanup.clean(user.clone(), write).await;
    let done = done.map_err(|e| failed(&e))?;
    let answer = json!({
        "user_id": user, "removed": counts(&done.removed), "closed_connections": done.sockets,
        "epoch": done.epoch, "epoch_before": done.epoch_before,
        "undo": done.undo.as_ref().map(undoable),
    });
    Ok(reply::json(StatusCode::OK, &answer))
}

async fn undo(call: Call) -> Result<Reply, Problem> {
    let user = user(&call)?;
    Nothing::of(&call)?;
    let about = entry(&call, "visitor.cleanup.undo", user.as_str());
    let audit = call.services.audit.clone();
    let undone = call
        .services
        .cleanup
        .undo(user.clone(), move || audit.entry(about))
        .await;
    let Undone {
        restored,
        epoch,
        resumed,
    } = undone.map_err(|why| match &why {
        NotUndone::Nothing(_) => Problem::new(Code::NotFound, why.to_string()),
        NotUndone::WentOn => Problem::new(Code::Conflict, why.to_string()),
        NotUndone::Store(error) => failed(error),
    })?;
    let answer = json!({
        "user_id": user, "restored": counts(&restored), "epoch": epoch,
        "resumed_sessions": resumed,
    });
    Ok(reply::json(StatusCode::OK, &answer))
}

fn counts(removed: &Removed) -> Value {
    json!({
        "sessions": removed.sessions, "running_sessions": removed.running_sessions,
        "messages": removed.messages, "frames": removed.frames,
        "pending_frames": removed.pending_frames, "bytes": removed.bytes,
    })
}

fn undoable(purge: &PurgeRecord) -> Value {
    json!({
        "removed_at": purge.at.rfc3339(), "until": purge.until.rfc3339(),
        "removed": counts(&purge.removed), "kept": purge.kept,
    })
}
