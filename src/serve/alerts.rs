//! The alerts: see them, say that they were seen, try the receiver.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use warp::reply::Response as Reply;

use super::operate::{Nothing, entry, millis, query, write_down};
use super::routes::{Call, Route, Who, at_once};
use super::{guard, reply};
use crate::observe::NotSeen;
use crate::protocol::problem::{Code, Problem};

/// These.
pub(super) const ROUTES: [Route; 3] = [
    Route::get("/api/v1/admin/alerts", Who::Read, |call| {
        at_once(list(&call))
    }),
    Route::post(
        "/api/v1/admin/alerts/{id}/acknowledge",
        Who::Operate,
        |call| Box::pin(async move { acknowledge(&call).await }),
    ),
    Route::post("/api/v1/admin/alerts/webhook/test", Who::Operate, |call| {
        Box::pin(async move { test(&call).await })
    }),
];

/// The longest note, in characters.
const NOTE_MAX: usize = 200;

/// `GET /api/v1/admin/alerts`
fn list(call: &Call) -> Result<Reply, Problem> {
    let Nothing {} = query(call, "nothing")?;
    let services = &call.services;
    let (waiting, dropped) = services.observer.alert_queue();
    let webhook = &services.webhook;
    let last = webhook.last().map(|last| {
        let ms = millis(last.took);
        let message = match last.status {
            Some(status) if last.ok() => format!("{status} in {ms} ms"),
            _ => last.message.clone(),
        };
        json!({"at": last.at.rfc3339(), "ok": last.ok(), "message": message})
    });
    let body = json!({
        "items": services.observer.alerts(), "next": null,
        "webhook": {
            "url": webhook.shown(), "enabled": webhook.enabled(),
            "waiting": waiting, "dropped": dropped, "last": last,
        },
    });
    Ok(reply::json(StatusCode::OK, &body))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Noted {
    note: Option<String>,
}

/// `POST /api/v1/admin/alerts/{id}/acknowledge`
async fn acknowledge(call: &Call) -> Result<Reply, Problem> {
    let body: Noted = guard::json(call, "{} or {\"note\"}")?;
    let note = body.note.as_deref().map(str::trim);
    if let Some(note) = note {
        let count = note.chars().count();
        if !(1..=NOTE_MAX).contains(&count) {
            let text = format!("note must have 1 to {NOTE_MAX} characters; it has {count}");
            return Err(Problem::new(Code::BadRequest, text));
        }
    }
    let observer = &call.services.observer;
    let id = call.parameter(0);
    let alert = observer
        .alert(id)
        .ok_or_else(|| refused(NotSeen::Unknown))?;
    if !["firing", "acknowledged", "clearing"]
        .iter()
        .any(|state| alert["state"] == *state)
    {
        return Err(refused(NotSeen::Quiet));
    }
    write_down(call, entry(call, "alert.acknowledge", id).after(&note)).await?;
    let who = guard::actor(call).who;
    let alert = observer.acknowledge(id, &who, note).map_err(refused)?;
    Ok(reply::json(StatusCode::OK, &alert))
}

fn refused(why: NotSeen) -> Problem {
    let code = match why {
        NotSeen::Unknown => Code::NotFound,
        NotSeen::Quiet => Code::Conflict,
    };
    Problem::new(code, why.to_string())
}

/// `POST /api/v1/admin/alerts/webhook/test`: one post, at once.
async fn test(call: &Call) -> Result<Reply, Problem> {
    Nothing::of(call)?;
    let webhook = &call.services.webhook;
    if !webhook.enabled() {
        let text = "no receiver is configured: set alerts.webhook_url";
        return Err(Problem::new(Code::Conflict, text));
    }
    write_down(call, entry(call, "webhook.test", "")).await?;
    let Some(outcome) = webhook.post("test", &json!(null)).await else {
        return Err(Problem::new(Code::Internal, "the receiver is gone"));
    };
    let body = json!({
        "ok": outcome.ok(), "status": outcome.status, "took_ms": millis(outcome.took),
        "attempts": 1, "message": outcome.message,
    });
    Ok(reply::json(StatusCode::OK, &body))
}
