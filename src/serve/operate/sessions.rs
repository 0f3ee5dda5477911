//! Sessions: find, replay, cancel.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::{Nothing, audited, cursor, entry, failed, millis, page, query, reading};
use crate::clock::{self, Wall};
use crate::id::{Category, SessionId, UserId};
use crate::machine::session::State;
use crate::protocol::fault::FaultCode;
use crate::protocol::problem::{Code, FieldError, Problem};
use crate::serve::reply;
use crate::serve::routes::{Call, Route, Who};
use crate::sessions::{Place, Stop, Wanted};
use crate::store::SessionRecord;

/// These.
pub(in crate::serve) const ROUTES: [Route; 3] = [
    Route::get("/api/v1/admin/sessions", Who::Read, |call| {
        reading(call, found)
    }),
    Route::get("/api/v1/admin/sessions/{id}/frames", Who::Read, |call| {
        reading(call, frames)
    }),
    Route::post("/api/v1/admin/sessions/{id}/cancel", Who::Operate, |call| {
        Box::pin(async move { cancel(&call).await })
    }),
];

/// The longest text that is searched for, in characters.
const TEXT_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    state: Option<String>,
    category: Option<String>,
    visitor: Option<String>,
    text: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/v1/admin/sessions`
fn found(call: &Call) -> Result<Reply, Problem> {
    let asked: Query = query(call, "state, category, visitor, text, after and limit")?;
    let limit = page(asked.limit)?;
    let before = cursor(asked.after.as_ref(), place)?;
    let wanted = wanted(&asked, before)?;
    let sessions = &call.services.sessions;
    let found = sessions.search(&wanted, limit).map_err(|e| failed(&e))?;
    let items: Vec<Value> = found
        .records
        .iter()
        .map(|record| described(call, record))
        .collect();
    let next = found.records.last().filter(|_| found.more);
    let next = next.map(|last| format!("{}-{}", last.created.0, last.id));
    let answer = json!({"items": items, "next": next, "truncated": found.truncated});
    Ok(reply::json(StatusCode::OK, &answer))
}

fn place(text: &str) -> Option<Place> {
    let (at, id) = text.split_once('-')?;
    Some((Wall(at.parse().ok()?), SessionId::parse(id).ok()?))
}

fn wanted(asked: &Query, before: Option<Place>) -> Result<Wanted, Problem> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, rule: String| {
        errors.push(FieldError {
            field: field.to_owned(),
            rule,
        });
    };
    let states = match asked.state.as_deref() {
        None => State::ALL.to_vec(),
        Some("live") => State::ALL.into_iter().filter(|s| !s.ended()).collect(),
        Some("ended") => State::ALL.into_iter().filter(|s| s.ended()).collect(),
        Some(name) => State::ALL
            .into_iter()
            .filter(|s| s.as_str() == name)
            .collect(),
    };
    if states.is_empty() {
        let names: Vec<&str> = State::ALL.iter().map(|s| s.as_str()).collect();
        wrong(
            "state",
            format!("must be live, ended, or one of {}", names.join(", ")),
        );
    }
    let category = asked.category.as_deref().map(Category::parse);
    if category == Some(None) {
        let names: Vec<&str> = Category::ALL.iter().map(|c| c.as_str()).collect();
        wrong("category", format!("must be one of {}", names.join(", ")));
    }
    let visitor = asked.visitor.as_deref().map(UserId::parse).transpose();
    let visitor = visitor.unwrap_or_else(|rule| {
        wrong("visitor", format!("must be {rule}"));
        None
    });
    let text = asked.text.as_deref().unwrap_or("").trim().to_lowercase();
    if text.chars().count() > TEXT_MAX {
        wrong("text", format!("must have at most {TEXT_MAX} characters"));
    }
    if !errors.is_empty() {
        let list: Vec<String> = errors
            .iter()
            .map(|e| format!("{} {}", e.field, e.rule))
            .collect();
        return Err(Problem::new(Code::BadRequest, list.join("; ")).with_errors(errors));
    }
    Ok(Wanted {
        states,
        category: category.flatten(),
        user: visitor,
        text,
        before,
    })
}

fn described(call: &Call, record: &SessionRecord) -> Value {
    let until = record.ended.unwrap_or_else(clock::wall);
    let live = !record.state.ended();
    let position = live.then(|| call.services.intake.position(record.id));
    json!({
        "session_id": record.id, "user_id": record.user, "example_message_id": record.message,
        "title": record.title, "content": record.content, "category": record.category,
        "complexity": record.complexity, "businessValue": record.business_value,
        "state": record.state.as_str(), "attempts": record.attempts,
        "created_at": record.created.rfc3339(), "ended_at": record.ended.map(Wall::rfc3339),
        "duration_ms": millis(until.since(record.created)),
        "queue_position": position.flatten(), "last_sequence": record.last_sequence,
    })
}

fn session(call: &Call) -> Result<SessionRecord, Problem> {
    let missing = || Problem::new(Code::NotFound, "there is no such session");
    let id = SessionId::parse(call.parameter(0)).map_err(|_| missing())?;
    let record = call.services.sessions.record(id).map_err(|e| failed(&e))?;
    record.ok_or_else(missing)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FramesQuery {
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/v1/admin/sessions/{id}/frames`
fn frames(call: &Call) -> Result<Reply, Problem> {
    let asked: FramesQuery = query(call, "after and limit")?;
    let limit = page(asked.limit)?;
    let after = cursor(asked.after.as_ref(), |text| text.parse::<u64>().ok())?;
    let record = session(call)?;
    let services = &call.services;
    let told = services.sessions.replay(&record, after.unwrap_or(0), limit);
    let told = told.map_err(|e| failed(&e))?;
    let pending = services.outboxes.look(&record.user);
    let epoch = pending.map_err(|e| failed(&e))?.marks.epoch;
    let items: Vec<Value> = told
        .frames
        .iter()
        .map(|(sequence, frame)| {
            json!({
                "sequence": sequence, "type": frame.kind.as_str(), "timestamp": frame.at.rfc3339(),
                "offset_ms": millis(frame.at.since(record.created)),
                "payload": serde_json::from_str(&frame.payload).unwrap_or(Value::Null),
            })
        })
        .collect();
    let answer = json!({
        "session_id": record.id, "user_id": record.user, "epoch": epoch,
        "items": items, "next": told.next.map(|n| n.to_string()), "complete": told.complete,
    });
    Ok(reply::json(StatusCode::OK, &answer))
}

/// `POST /api/v1/admin/sessions/{id}/cancel`
async fn cancel(call: &Call) -> Result<Reply, Problem> {
    Nothing::of(call)?;
    let record = session(call)?;
    if record.state.ended() {
        let text = format!("this session has ended already: {}", record.state.as_str());
        return Err(Problem::new(Code::Conflict, text));
    }
    let about = entry(call, "session.cancel", record.id.to_string());
    let about = about.before(&json!({"user_id": record.user, "state": record.state.as_str()}));
    let with = audited(call, about);
    let stopped = call
        .services
        .intake
        .stop(&record.user, record.id, Stop::ByAdministrator, with)
        .await;
    let ended = stopped.map_err(|fault| {
        let code = match fault.code {
            FaultCode::NotFound => Code::NotFound,
            FaultCode::AlreadyEnded => Code::Conflict,
            _ => Code::Internal,
        };
        Problem::new(code, fault.message)
    })?;
    let state = if ended { "cancelled" } else { "stopping" };
    let answer = json!({"session_id": record.id, "state": state});
    Ok(reply::json(StatusCode::OK, &answer))
}
