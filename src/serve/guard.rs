//! Who may call what the administrator may, and what a body must be.

use std::net::IpAddr;

use http::Method;
use http::header;
use serde::de::DeserializeOwned;

use super::door::{client_ip, is_own_origin, text};
use super::routes::Call;
use crate::access::admin::{Brought, Denied, Principal, Refused, Scope, Via, nobody};
use crate::access::audit::Actor;
use crate::access::credential::bearer;
use crate::clock;
use crate::protocol::problem::{Code, Problem};

/// Where a page repeats the session's CSRF value.
const CSRF: header::HeaderName = header::HeaderName::from_static("x-csrf-token");

/// The administrator who asks, or the token; where it is allowed that much.
///
/// # Errors
/// 503 where no password is set, 401 for nothing or nothing valid, 403 for a token that may not,
/// and for a cookie that another site's page may have sent.
pub(super) fn principal(call: &Call, needed: Scope) -> Result<Principal, Problem> {
    let headers = &call.headers;
    let brought = Brought {
        bearer: text(headers, &header::AUTHORIZATION).and_then(bearer),
        cookies: text(headers, &header::COOKIE),
        csrf: text(headers, &CSRF),
        changes: ![Method::GET, Method::HEAD].contains(&call.method),
    };
    // Only our own pages bring the cookie: `server.allowed_origins` is for visitors.
    if brought.bearer.is_none() {
        own_origin(call)?;
    }
    let principal = call.services.admin.authenticate(&brought, clock::wall());
    let principal = principal.map_err(|denied| problem(denied.into()))?;
    if principal.scope < needed {
        let text = format!(
            "this token may only {}; make one with the scope {}",
            principal.scope.as_str(),
            needed.as_str()
        );
        return Err(Problem::new(Code::Forbidden, text));
    }
    Ok(principal)
}

/// Refuses what a page of another origin sends.
///
/// # Errors
/// 403. Without `Origin` it is no browser, or a plain navigation, which changes nothing.
pub(super) fn own_origin(call: &Call) -> Result<(), Problem> {
    if !call.headers.contains_key(header::ORIGIN) || is_own_origin(&call.headers) {
        return Ok(());
    }
    Err(Problem::new(
        Code::OriginNotAllowed,
        "the administrator's calls are for pages of this server alone",
    ))
}

/// The principal of a browser that is logged in.
///
/// # Errors
/// 403 for a token: what it may do for good, such as making tokens, would outlive its revocation.
pub(super) fn browser(call: &Call) -> Result<&Principal, Problem> {
    match &call.principal {
        Some(principal) if principal.via == Via::Session => Ok(principal),
        _ => Err(Problem::new(
            Code::Forbidden,
            "this needs a browser that is logged in, not a token; at the machine use `emflow admin`",
        )),
    }
}

/// Where the request comes from.
pub(super) fn from(call: &Call) -> IpAddr {
    client_ip(&call.headers, &call.peer, &call.services)
}

/// Who asks, for the log of changes.
pub(super) fn actor(call: &Call) -> Actor {
    let from = from(call);
    match &call.principal {
        Some(principal) => principal.actor(from),
        None => nobody(from),
    }
}

/// The body as JSON; `form` shows what it must be.
///
/// # Errors
/// 415 and 400.
pub(super) fn json<T: DeserializeOwned>(call: &Call, form: &str) -> Result<T, Problem> {
    check_json(call, form)?;
    serde_json::from_slice(&call.body).map_err(|error| {
        // Without what was sent: it may be a password.
        let text = format!("the body must be {form}: {}", without_values(&error));
        Problem::new(Code::BadRequest, text)
    })
}

/// That the body says it is JSON: a form of another site can post text/plain without asking.
///
/// # Errors
/// 415.
pub(super) fn check_json(call: &Call, form: &str) -> Result<(), Problem> {
    let media = text(&call.headers, &header::CONTENT_TYPE).unwrap_or("");
    let media = media.split(';').next().unwrap_or("").trim();
    if media.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let text = format!("send JSON with Content-Type: application/json; it must be {form}");
    Err(Problem::new(Code::UnsupportedMediaType, text))
}

/// What is wrong, and where; serde quotes what it found, up to "expected".
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.strip_prefix("invalid ") {
        Some(rest) => match rest.find("expected ") {
            Some(at) => rest[at..].to_owned(),
            None => format!("at line {} column {}", error.line(), error.column()),
        },
        None => text,
    }
}

/// What is told of a refusal.
pub(super) fn problem(refused: Refused) -> Problem {
    let code = match &refused {
        Refused::Denied(Denied::Disabled) => Code::AdminDisabled,
        Refused::Denied(Denied::Unknown) | Refused::Wrong(_) => Code::Unauthenticated,
        Refused::Denied(Denied::Csrf) => Code::Forbidden,
        Refused::Wait(_) => Code::RateLimited,
        Refused::Bad(_) => Code::BadRequest,
        Refused::Conflict(_) => Code::Conflict,
        Refused::NotFound(_) => Code::NotFound,
        Refused::NoRandomness(_) | Refused::Store(_) => {
            tracing::error!(error = %refused, "an administrator's call failed");
            return Problem::new(Code::Internal, "it could not be done; the log says why");
        }
    };
    let wait = match &refused {
        Refused::Wait(wait) => Some(wait.as_secs() + 1),
        _ => None,
    };
    let problem = Problem::new(code, refused.to_string());
    match wait {
        Some(seconds) => problem.retry_after(seconds),
        None => problem,
    }
}
