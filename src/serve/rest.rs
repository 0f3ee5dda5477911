//! The REST calls of visitors, and health.

use http::StatusCode;
use http::header::{self, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use warp::reply::Response as Reply;

use super::door::{attempt, authenticate, check_origin, client};
use super::routes::{Call, Route, Who, at_once};
use super::{Services, guard, reply};
use crate::access::admin::Scope;
use crate::access::credential::set_visitor_cookie;
use crate::access::{NewVisitorRequest, NotAdmitted};
use crate::clock;
use crate::protocol::problem::{Code, Problem};

/// These.
pub(super) const ROUTES: [Route; 6] = [
    Route::post("/api/v1/visitors", Who::Visitor, |call| {
        at_once(create_visitor(&call))
    }),
    Route::post("/api/v1/tickets", Who::Visitor, |call| {
        at_once(issue_ticket(&call))
    }),
    Route::get("/api/v1/example-messages/examples", Who::Anyone, |call| {
        at_once(Ok(examples(&call.services)))
    }),
    Route::get("/api/v1/example-messages/health", Who::Anyone, |call| {
        Box::pin(async move { Ok(health(&call).await) })
    }),
    Route::get("/healthz", Who::Anyone, |_| at_once(Ok(alive()))),
    Route::get("/readyz", Who::Anyone, |call| {
        at_once(ready(&call.services))
    }),
];

#[derive(Deserialize, Default)]
struct NewVisitorBody {
    access_code: Option<String>,
    display_name: Option<String>,
}

/// `POST /api/v1/visitors`
fn create_visitor(call: &Call) -> Result<Reply, Problem> {
    let (headers, services) = (&call.headers, &call.services);
    check_origin(headers, services)?;
    attempt(
        &services.new_visitors,
        &client(headers, &call.peer, services),
    )?;
    let form = "{} or {\"access_code\", \"display_name\"}";
    let body: NewVisitorBody = guard::json(call, form)?;
    let request = NewVisitorRequest {
        access_code: body.access_code.as_deref(),
        display_name: body.display_name.as_deref(),
    };
    let visitor = services
        .access
        .create_visitor(&request, clock::wall())
        .inspect(|_| services.observer.visit())
        .map_err(|why| match why {
            NotAdmitted::WrongCode => Problem::new(Code::Unauthenticated, why.to_string()),
            NotAdmitted::NotHere => Problem::new(Code::NotFound, why.to_string()),
            NotAdmitted::DisplayName => Problem::new(Code::BadRequest, why.to_string()),
            NotAdmitted::NoRandomness => Problem::new(Code::Internal, "no visitor could be made"),
        })?;
    let cookie = set_visitor_cookie(&visitor.token, services.access.token_lifetime());
    let answer = json!({
        "user_id": visitor.user_id, "token": visitor.token,
        "expires_at": visitor.expires.rfc3339(), "display_name": visitor.display_name,
    });
    let mut response = reply::json(StatusCode::CREATED, &answer);
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `POST /api/v1/tickets`
fn issue_ticket(call: &Call) -> Result<Reply, Problem> {
    let (headers, services) = (&call.headers, &call.services);
    check_origin(headers, services)?;
    let identity = authenticate(headers, None, services)?;
    attempt(&services.limits.visitor_attempts, &identity.user_id)?;
    let user = identity.user_id.clone();
    let ticket = services.access.issue_ticket(identity, clock::now());
    let ticket =
        ticket.map_err(|why| Problem::new(Code::Overloaded, why.to_string()).retry_after(30))?;
    let ms = u64::try_from(services.access.ticket_lifetime().as_millis()).unwrap_or(u64::MAX);
    Ok(reply::json(
        StatusCode::CREATED,
        &json!({"ticket": ticket, "expires_in_ms": ms, "user_id": user}),
    ))
}

/// `GET /api/v1/example-messages/examples`
fn examples(services: &Services) -> Reply {
    reply::json(
        StatusCode::OK,
        &json!({"examples": services.demo.gallery.examples(), "engine": services.demo.engine}),
    )
}

/// `GET /api/v1/example-messages/health`: a summary for anyone, the parts for the administrator.
async fn health(call: &Call) -> Reply {
    let health = call.services.observer.health().await;
    let status = if health.unhealthy() {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    let mut answer = health.summary();
    if guard::principal(call, Scope::Read).is_ok() {
        answer["components"] = health.components();
    }
    reply::json(status, &answer)
}

/// `GET /healthz`
fn alive() -> Reply {
    reply::json(StatusCode::OK, &json!({"status": "alive"}))
}

/// `GET /readyz`
fn ready(services: &Services) -> Result<Reply, Problem> {
    match services.observer.not_ready() {
        None => Ok(reply::json(StatusCode::OK, &json!({"status": "ready"}))),
        Some(why) => Err(Problem::new(Code::Overloaded, why).retry_after(2)),
    }
}
