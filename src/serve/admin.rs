//! The administrator's own calls: coming in, going out, tokens, the log of changes.

use std::time::Duration;

use http::StatusCode;
use http::header::{self, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::door::{attempt, client, text};
use super::routes::{Call, Route, Who, at_once};
use super::{guard, reply};
use crate::access::admin::control::TokenInfo;
use crate::access::admin::{self, ADMIN_COOKIE, Entered, Knock, Scope, Session, Via};
use crate::access::audit::Filter;
use crate::access::credential::cookie;
use crate::clock::{self, Wall};
use crate::protocol::problem::{Code, Problem};
use crate::store::AuditRecord;

/// These.
pub(super) const ROUTES: [Route; 10] = [
    Route::post("/api/v1/admin/login", Who::Login, |call| {
        Box::pin(async move { login(&call).await })
    }),
    Route::post("/api/v1/admin/link", Who::Login, |call| {
        Box::pin(async move { redeem(&call).await })
    }),
    Route::get("/api/v1/admin/session", Who::Read, |call| {
        at_once(Ok(session(&call)))
    }),
    Route::post("/api/v1/admin/logout", Who::Read, |call| {
        Box::pin(async move { logout(&call).await })
    }),
    Route::post("/api/v1/admin/logout-everywhere", Who::Operate, |call| {
        Box::pin(async move { logout_everywhere(&call).await })
    }),
    Route::post("/api/v1/admin/password", Who::Operate, |call| {
        Box::pin(async move { change_password(&call).await })
    }),
    Route::get("/api/v1/admin/tokens", Who::Read, |call| {
        at_once(Ok(tokens(&call)))
    }),
    Route::post("/api/v1/admin/tokens", Who::Operate, |call| {
        Box::pin(async move { create_token(&call).await })
    }),
    Route::delete("/api/v1/admin/tokens/{id}", Who::Operate, |call| {
        Box::pin(async move { revoke_token(&call).await })
    }),
    Route::get("/api/v1/admin/audit", Who::Read, |call| {
        at_once(audit(&call))
    }),
];

/// Entries of one page of the log, where the query does not say.
const PAGE: usize = 50;
/// The most of one page.
const PAGE_MAX: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginBody {
    #[serde(default = "only_name")]
    name: String,
    password: String,
}

fn only_name() -> String {
    admin::NAME.to_owned()
}

/// `POST /api/v1/admin/login`
async fn login(call: &Call) -> Result<Reply, Problem> {
    guard::own_origin(call)?;
    let body: LoginBody = guard::json(call, "{\"password\"}")?;
    knocked(call)?;
    let admin = &call.services.admin;
    let entered = admin.login(&body.name, &body.password, knock(call)).await;
    Ok(welcome(call, entered.map_err(guard::problem)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkBody {
    link: String,
}

/// `POST /api/v1/admin/link`
async fn redeem(call: &Call) -> Result<Reply, Problem> {
    guard::own_origin(call)?;
    let body: LinkBody = guard::json(call, "{\"link\"}")?;
    knocked(call)?;
    let entered = call.services.admin.redeem(&body.link, knock(call)).await;
    Ok(welcome(call, entered.map_err(guard::problem)?))
}

/// One more attempt of this address, besides what the administrator's room counts itself.
fn knocked(call: &Call) -> Result<(), Problem> {
    attempt(
        &call.services.limits.attempts,
        &client(&call.headers, &call.peer, &call.services),
    )
}

fn cookie_of(call: &Call) -> Option<&str> {
    text(&call.headers, &header::COOKIE).and_then(|all| cookie(all, ADMIN_COOKIE))
}

fn knock(call: &Call) -> Knock<'_> {
    Knock {
        from: guard::from(call),
        client: text(&call.headers, &header::USER_AGENT).unwrap_or(""),
        old: cookie_of(call),
    }
}

/// A new session, as its browser is told.
fn welcome(call: &Call, entered: Entered) -> Reply {
    let lifetimes = call.services.admin.lifetimes();
    let body = json!({
        "name": admin::NAME,
        "scope": Scope::Operate,
        "csrf_token": admin::csrf(&entered.secret),
        "expires_at": entered.session.created.plus(lifetimes.absolute).rfc3339(),
        "idle_timeout_ms": millis(lifetimes.idle),
    });
    let response = reply::json(StatusCode::OK, &body);
    with_cookie(response, &entered.secret, lifetimes.absolute)
}

fn with_cookie(mut response: Reply, secret: &str, lifetime: Duration) -> Reply {
    if let Ok(mut value) = HeaderValue::from_str(&admin::set_cookie(secret, lifetime)) {
        value.set_sensitive(true);
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// `GET /api/v1/admin/session`
fn session(call: &Call) -> Reply {
    let admin = &call.services.admin;
    let lifetimes = admin.lifetimes();
    let Some(principal) = &call.principal else {
        return reply::problem(&Problem::new(Code::Unauthenticated, "log in"));
    };
    let now = clock::wall();
    let book = admin.book();
    let mut body = json!({
        "name": principal.name,
        "via": principal.via.as_str(),
        "scope": principal.scope,
        "idle_timeout_ms": millis(lifetimes.idle),
        "password_is_configured": admin.configured(),
        "password_changed_at": book.password.map(|p| p.changed.rfc3339()),
    });
    if principal.via == Via::Session {
        let live = book
            .sessions
            .iter()
            .filter(|s| s.left(lifetimes, now).is_some());
        let own = |s: &Session| s.fingerprint == principal.fingerprint;
        let expires = book.sessions.iter().find(|s| own(s));
        body["csrf_token"] = cookie_of(call).map(admin::csrf).into();
        body["expires_at"] = expires
            .map(|s| s.created.plus(lifetimes.absolute).rfc3339())
            .into();
        body["sessions"] = live
            .map(|s| {
                json!({
                    "id": s.fingerprint.id(),
                    "created_at": s.created.rfc3339(),
                    "last_seen_at": s.seen.rfc3339(),
                    "from": s.from,
                    "client": s.client,
                    "current": own(s),
                })
            })
            .collect();
    }
    reply::json(StatusCode::OK, &body)
}

/// `POST /api/v1/admin/logout`
async fn logout(call: &Call) -> Result<Reply, Problem> {
    let principal = guard::browser(call)?;
    let done = call
        .services
        .admin
        .logout(principal, guard::from(call))
        .await;
    done.map_err(guard::problem)?;
    Ok(gone())
}

/// `POST /api/v1/admin/logout-everywhere`
async fn logout_everywhere(call: &Call) -> Result<Reply, Problem> {
    guard::browser(call)?;
    let admin = &call.services.admin;
    let done = admin.logout_everywhere(&guard::actor(call)).await;
    done.map_err(guard::problem)?;
    Ok(gone())
}

/// Logged out: the browser forgets the cookie. Of the answers it keeps none anyway.
fn gone() -> Reply {
    with_cookie(reply::json(StatusCode::OK, &json!({})), "", Duration::ZERO)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordBody {
    current: String,
    new: String,
}

/// `POST /api/v1/admin/password`
async fn change_password(call: &Call) -> Result<Reply, Problem> {
    let principal = guard::browser(call)?;
    let body: PasswordBody = guard::json(call, "{\"current\", \"new\"}")?;
    let admin = &call.services.admin;
    let entered = admin
        .change_password(&body.current, &body.new, principal, knock(call))
        .await;
    Ok(welcome(call, entered.map_err(guard::problem)?))
}

/// `GET /api/v1/admin/tokens`
fn tokens(call: &Call) -> Reply {
    let now = clock::wall();
    let book = call.services.admin.book();
    let items: Vec<TokenInfo> = book.tokens.iter().map(|t| TokenInfo::of(t, now)).collect();
    reply::json(StatusCode::OK, &json!({"items": items, "next": null}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenBody {
    name: String,
    scope: Scope,
    expires_in_s: Option<u64>,
}

/// `POST /api/v1/admin/tokens`
async fn create_token(call: &Call) -> Result<Reply, Problem> {
    guard::browser(call)?;
    let form = "{\"name\", \"scope\": \"read\" or \"operate\", \"expires_in_s\"?}";
    let body: TokenBody = guard::json(call, form)?;
    let lifetime = body.expires_in_s.map(Duration::from_secs);
    let admin = &call.services.admin;
    let made = admin
        .create_token(&body.name, body.scope, lifetime, &guard::actor(call))
        .await;
    let (token, about) = made.map_err(guard::problem)?;
    let about = TokenInfo::of(&about, clock::wall());
    Ok(reply::json(
        StatusCode::CREATED,
        &json!({"token": token, "about": about}),
    ))
}

/// `DELETE /api/v1/admin/tokens/{id}`
async fn revoke_token(call: &Call) -> Result<Reply, Problem> {
    guard::browser(call)?;
    let admin = &call.services.admin;
    let revoked = admin
        .revoke_token(call.parameter(0), &guard::actor(call))
        .await
        .map_err(guard::problem)?;
    let about = TokenInfo::of(&revoked, clock::wall());
    Ok(reply::json(StatusCode::OK, &json!({"revoked": about})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    before: Option<u64>,
    limit: Option<usize>,
    action: Option<String>,
    who: Option<String>,
    outcome: Option<Outcome>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Done,
    Refused,
}

/// `GET /api/v1/admin/audit?before=&limit=&action=&who=&outcome=`
fn audit(call: &Call) -> Result<Reply, Problem> {
    let bad = |why: String| Problem::new(Code::BadRequest, why);
    let query: AuditQuery = serde_urlencoded::from_str(&call.query).map_err(|e| {
        bad(format!(
            "the query may have before, limit, action, who, outcome: {e}"
        ))
    })?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(bad(format!("limit: from 1 to {PAGE_MAX}, not {limit}")));
    }
    let filter = Filter {
        before: query.before,
        action: query.action,
        who: query.who,
        done: query.outcome.map(|outcome| outcome == Outcome::Done),
    };
    let page = call.services.audit.page(&filter, limit);
    let (entries, next) = page.map_err(|e| guard::problem(e.into()))?;
    let items: Vec<Value> = entries.iter().map(shown).collect();
    Ok(reply::json(
        StatusCode::OK,
        &json!({"items": items, "next": next.map(|n| n.to_string())}),
    ))
}

fn shown(entry: &AuditRecord) -> Value {
    let value = |text: &Option<String>| -> Value {
        let text = text.as_deref().unwrap_or("null");
        serde_json::from_str(text).unwrap_or(Value::Null)
    };
    json!({
        "number": entry.number,
        "at": Wall::rfc3339(entry.at),
        "who": entry.who,
        "via": entry.via,
        "from": entry.from,
        "action": entry.action,
        "target": entry.target,
        "before": value(&entry.before),
        "after": value(&entry.after),
        "outcome": if entry.refused.is_some() { "refused" } else { "done" },
        "reason": entry.refused,
    })
}
