//! One session, as an answer and as a report to keep, for its visitor and the administrator.

use http::StatusCode;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::door::authenticate;
use super::routes::{Call, Route, Who, at_once};
use super::{guard, reply};
use crate::access::admin::Scope;
use crate::agents::answer::Answer;
use crate::appearance::Appearance;
use crate::clock::Wall;
use crate::id::SessionId;
use crate::machine::ledger::verdict;
use crate::protocol::frame::Kind;
use crate::protocol::problem::{Code, Problem};
use crate::report::delivery::Delivery;
use crate::report::{Document, Outcome};
use crate::store::{SessionRecord, StoreError};

/// These.
pub(super) const ROUTES: [Route; 4] = [
    Route::get("/api/v1/report-key", Who::Anyone, |call| {
        at_once(Ok(key(&call)))
    }),
    Route::get(
        "/api/v1/example-messages/sessions/{id}",
        Who::Visitor,
        |call| at_once(session(&call)),
    ),
    Route::get(
        "/api/v1/example-messages/sessions/{id}/delivery",
        Who::Visitor,
        |call| at_once(proof(&call)),
    ),
    Route::get(
        "/api/v1/example-messages/sessions/{id}/{file}",
        Who::Visitor,
        |call| at_once(report(&call)),
    ),
];

/// A session and the frame that ended it, while that is held.
struct Found {
    record: SessionRecord,
    last: Option<(Kind, Value)>,
}

fn internal(error: StoreError) -> Problem {
    tracing::error!(%error, "a session could not be read");
    Problem::new(Code::Internal, "the session could not be read")
}

/// 404 for another visitor's session as for one that never was.
fn find(call: &Call) -> Result<Found, Problem> {
    let missing = || Problem::new(Code::NotFound, "you have no such session");
    let sessions = &call.services.sessions;
    // A browser may be both: what is not the visitor's may be read by the administrator.
    let visitor = authenticate(&call.headers, None, &call.services);
    let admin = guard::principal(call, Scope::Read);
    let id = SessionId::parse(call.parameter(0)).map_err(|_| missing());
    let record = match (visitor, admin) {
        (_, Ok(_)) => sessions.record(id?).map_err(internal)?,
        (Ok(visitor), Err(_)) => sessions.find(&visitor.user_id, id?).map_err(internal)?,
        (Err(refused), Err(_)) => return Err(refused),
    };
    let record = record.ok_or_else(missing)?;
    let last = sessions.last_frame(&record).map_err(internal)?;
    Ok(Found { record, last })
}

/// `GET /api/v1/example-messages/sessions/{id}`
fn session(call: &Call) -> Result<Reply, Problem> {
    let Found { record, last } = find(call)?;
    let (kind, payload) = last.map_or((None, Value::Null), |(k, payload)| (Some(k), payload));
    Ok(reply::json(
        StatusCode::OK,
        &described(&record, kind, payload),
    ))
}

fn described(record: &SessionRecord, kind: Option<Kind>, payload: Value) -> Value {
    json!({
        "session_id": record.id, "user_id": record.user, "example_message_id": record.message,
        "content": record.content, "title": record.title, "category": record.category,
        "complexity": record.complexity, "businessValue": record.business_value,
        "estimatedTime": record.estimated_time, "parent_session_id": record.parent,
        "assumptions": serde_json::from_str(&record.assumptions).unwrap_or(Value::Null),
        "state": record.state.as_str(), "attempts": record.attempts,
        "created_at": record.created.rfc3339(), "ended_at": record.ended.map(Wall::rfc3339),
        "ended_by": kind.map(Kind::as_str), "outcome": payload,
    })
}

/// `GET /api/v1/example-messages/sessions/{id}/delivery`: each frame of the session, stored, sent,
/// sent again and acknowledged, and what that comes to.
fn proof(call: &Call) -> Result<Reply, Problem> {
    let Found { mut record, .. } = find(call)?;
    let stream = call
        .services
        .outboxes
        .stream(&record.user)
        .map_err(internal)?;
    let marks = stream.marks();
    let ended = record.last_sequence > 0;
    if !ended {
        // It goes on: looked for backwards from what is on disk by now.
        record.last_sequence = marks.stable;
    }
    let (frames, _) = call.services.sessions.frames(&record).map_err(internal)?;
    let lines = stream.lines(frames.iter().map(|(sequence, _)| *sequence));
    let both = frames.iter().zip(&lines);
    let told = |at: Option<u64>| at.map(|at| Wall(at).rfc3339());
    let rows: Vec<Value> = both
        .clone()
        .map(|((sequence, frame), line)| {
            json!({
                "sequence": sequence, "type": frame.kind, "stored_at": frame.at.rfc3339(),
                "sent_at": told(line.and_then(|l| l.sent)), "sends": line.map(|l| l.sends),
                "acknowledged": *sequence <= marks.acked,
                "acknowledged_at": told(line.and_then(|l| l.acknowledged)),
            })
        })
        .collect();
    let verdict = verdict(both.map(|((n, _), line)| (*n, line.as_ref())), marks.acked);
    let answer = json!({
        "session_id": record.id, "epoch": marks.epoch, "ended": ended, "attempts": record.attempts,
        "frames": rows,
        "verdict": {
            "lost": verdict.lost, "doubled": verdict.doubled, "out_of_order": verdict.out_of_order,
            "pending": verdict.pending, "longest_gap_ms": verdict.longest_gap,
            "unknown": verdict.unknown,
        },
    });
    Ok(reply::json(StatusCode::OK, &answer))
}

/// `GET /api/v1/example-messages/sessions/{id}/report.json|.md|.html`
fn report(call: &Call) -> Result<Reply, Problem> {
    // Who may not ask learns nothing, not even what a report is called.
    let Found { record, last } = find(call)?;
    let extension = match call.parameter(1) {
        "report.json" => "json",
        "report.md" => "md",
        "report.html" => "html",
        _ => {
            let text = "a report is report.json, report.md or report.html";
            return Err(Problem::new(Code::NotFound, text));
        }
    };
    let delivery = delivery(&record, call)?;
    let signer = &call.services.demo.signer;
    let Some((kind, payload)) = last else {
        let text = if record.state.ended() {
            "the result of this session is no longer held"
        } else {
            "this session has not ended yet; there is nothing to report"
        };
        return Err(Problem::new(Code::NotFound, text));
    };
    let (look, _) = call.services.demo.look.now();
    let document = || document(&record, kind, &payload, &delivery, look);
    let (media, text) = match extension {
        "json" => {
            let report = json!({
                "emflow_report": 1, "server_version": env!("CARGO_PKG_VERSION"),
                "session": described(&record, Some(kind), payload.clone()), "delivery": delivery,
            });
            ("application/json", signer.seal_json(&format!("{report:#}")))
        }
        "md" => (
            "text/markdown; charset=utf-8",
            signer.seal_text(&document().markdown()),
        ),
        _ => (
            "text/html; charset=utf-8",
            signer.seal_text(&document().html()),
        ),
    };
    // An id is letters, digits and an underscore: it cannot leave the header's quotes.
    let name = format!("emflow-{}.{extension}", record.id);
    Ok(reply::attachment(media, &name, text.into_bytes()))
}

/// What the store knows of the session's frames.
fn delivery(record: &SessionRecord, call: &Call) -> Result<Delivery, Problem> {
    let (frames, acknowledged) = call.services.sessions.frames(record).map_err(internal)?;
    let frames = frames.iter();
    let frames = frames.map(|(sequence, f)| (*sequence, f.kind, f.at, f.payload.as_str()));
    Ok(Delivery::new(frames, acknowledged))
}

/// `GET /api/v1/report-key`: what a report's seal is compared with.
fn key(call: &Call) -> Reply {
    let signer = &call.services.demo.signer;
    let key = json!({
        "algorithm": "ed25519", "key": signer.public_key(), "fingerprint": signer.fingerprint(),
    });
    reply::json(StatusCode::OK, &key)
}

fn document(
    record: &SessionRecord,
    kind: Kind,
    payload: &Value,
    delivery: &Delivery,
    look: Appearance,
) -> Document {
    let answer: Option<Answer> = match kind {
        Kind::AgentCompleted => serde_json::from_value(payload["result"].clone()).ok(),
        _ => None,
    };
    let words = ["message", "reason"]
        .iter()
        .find_map(|key| payload[key].as_str());
    let outcome = match &answer {
        Some(answer) => Outcome::Answer(answer),
        None => Outcome::Other(kind, words.unwrap_or("a result of another version")),
    };
    Document::new(record, &outcome, delivery, look)
}
