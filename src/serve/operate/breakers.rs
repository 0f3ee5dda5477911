//! The breakers of the backends: look, reset, trip.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::{check_reason, entry, millis, write_down};
use crate::access::admin::Via;
use crate::protocol::problem::{Code, Problem};
use crate::serve::routes::{Call, Route, Who, at_once};
use crate::serve::{guard, reply};
use crate::supervisor::{Breakers, ByHand, Snapshot};

/// These.
pub(in crate::serve) const ROUTES: [Route; 4] = [
    Route::get(
        "/api/v1/example-messages/circuit-breaker",
        Who::Read,
        |call| {
            at_once(Ok(reply::json(
                StatusCode::OK,
                &listed(&call.services.breakers),
            )))
        },
    ),
    Route::post(
        "/api/v1/example-messages/circuit-breaker/reset",
        Who::Operate,
        |call| Box::pin(async move { reset_named(&call).await }),
    ),
    Route::get(
        "/api/v1/example-messages/circuit-breaker/reset",
        Who::Operate,
        |call| Box::pin(async move { reset_by_script(&call).await }),
    )
    .without_head(),
    Route::post(
        "/api/v1/example-messages/circuit-breaker/trip",
        Who::Operate,
        |call| Box::pin(async move { trip(&call).await }),
    ),
];

fn listed(breakers: &Breakers) -> Value {
    let items: Vec<Value> = breakers
        .snapshots()
        .iter()
        .map(|snapshot| described(snapshot, breakers))
        .collect();
    json!({"items": items, "next": null})
}

fn described(breaker: &Snapshot, breakers: &Breakers) -> Value {
    let counts = &breaker.statistics;
    let policy = breakers.policy();
    let changes: Vec<Value> = breaker
        .changes
        .iter()
        .map(|change| {
            json!({
                "at": change.at.rfc3339(), "from": change.from.as_str(), "to": change.to.as_str(),
                "cause": change.cause.as_str(), "by": change.by, "reason": change.reason,
            })
        })
        .collect();
    let failures: Vec<Value> = breaker
        .failures
        .iter()
        .map(|failure| {
            json!({
                "at": failure.at.rfc3339(), "session_id": failure.session,
                "user_id": failure.user, "error": failure.error,
            })
        })
        .collect();
    json!({
        "name": breaker.name, "role": breaker.role, "state": breaker.state.as_str(),
        "since": breaker.changes.first().map(|change| change.at.rfc3339()),
        "retry_after_ms": breaker.retry_after.map(millis),
        "consecutive_failures": counts.consecutive_failures, "admitted": counts.admitted,
        "refused": counts.refused, "successes": counts.successes, "failures": counts.failures,
        "abandoned": counts.abandoned, "unsettled": counts.unsettled, "late": counts.late,
        "transitions": counts.transitions,
        "policy": {
            "failure_threshold": policy.failure_threshold,
            "recovery_timeout_ms": millis(policy.recovery_timeout),
            "max_probes": policy.max_probes, "successes_to_close": policy.successes_to_close,
        },
        "history": changes, "last_failures": failures,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetBody {
    name: Option<String>,
}

async fn reset_named(call: &Call) -> Result<Reply, Problem> {
    let body: ResetBody = guard::json(call, "{} or {\"name\"}")?;
    reset(call, body.name).await
}

/// For scripts that can only fetch. A page of another site could make a browser fetch it with
/// the cookie, so the cookie does not count here.
async fn reset_by_script(call: &Call) -> Result<Reply, Problem> {
    match &call.principal {
        Some(principal) if principal.via == Via::Token => reset(call, None).await,
        _ => Err(Problem::new(
            Code::Forbidden,
            "by GET this needs a token as Authorization: Bearer; a browser sends POST",
        )),
    }
}

async fn reset(call: &Call, name: Option<String>) -> Result<Reply, Problem> {
    let breakers = &call.services.breakers;
    let names = match name {
        Some(name) => vec![known(breakers, name)?],
        None => breakers.snapshots().into_iter().map(|s| s.name).collect(),
    };
    let who = guard::actor(call).who;
    for name in &names {
        let before = breakers.state(name);
        let entry = entry(call, "breaker.reset", name.as_str());
        write_down(call, entry.before(&before).after(&"closed")).await?;
        let hand = ByHand {
            who: &who,
            reason: None,
        };
        breakers.reset(name, hand);
    }
    let mut answer = listed(breakers);
    answer["reset"] = json!(names);
    Ok(reply::json(StatusCode::OK, &answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TripBody {
    name: String,
    reason: String,
}

async fn trip(call: &Call) -> Result<Reply, Problem> {
    let body: TripBody = guard::json(call, "{\"name\", \"reason\"}")?;
    check_reason(&body.reason)?;
    let breakers = &call.services.breakers;
    let name = known(breakers, body.name)?;
    let before = breakers.state(&name);
    let after = json!({"state": "open", "reason": body.reason});
    let entry = entry(call, "breaker.trip", name.as_str());
    write_down(call, entry.before(&before).after(&after)).await?;
    let hand = ByHand {
        who: &guard::actor(call).who,
        reason: Some(&body.reason),
    };
    breakers.trip(&name, hand);
    let mut answer = listed(breakers);
    answer["tripped"] = json!(name);
    Ok(reply::json(StatusCode::OK, &answer))
}

fn known(breakers: &Breakers, name: String) -> Result<String, Problem> {
    if breakers.knows(&name) {
        return Ok(name);
    }
    let names: Vec<String> = breakers.snapshots().into_iter().map(|s| s.name).collect();
    let text = format!(
        "there is no breaker of this name; there are: {}",
        names.join(", ")
    );
    Err(Problem::new(Code::NotFound, text))
}
