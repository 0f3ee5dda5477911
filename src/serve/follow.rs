//! Following a visitor from another device: the token, its address and its QR code.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde::Deserialize;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::door::{attempt_of, authenticate, check_origin, text};
use super::network::{authority, likely};
use super::routes::{Answer, Call, Route, Who, at_once};
use super::{guard, reply};
use crate::access::{Identity, Role};
use crate::clock;
use crate::protocol::close::Close;
use crate::protocol::problem::{Code, Problem};

/// These.
pub(super) const ROUTES: [Route; 3] = [
    Route::get("/api/v1/follow", Who::Visitor, |call| at_once(about(&call))),
    Route::post("/api/v1/follow", Who::Visitor, |call| at_once(share(&call))),
    Route::delete("/api/v1/follow", Who::Visitor, take_back),
];

/// Pixels of a QR code's edge; it scales.
const QR_SIZE: u32 = 240;

#[derive(Deserialize)]
struct Wanted {
    control: bool,
}

/// The visitor who asks. Looking on is no licence to let others.
fn owner(call: &Call) -> Result<Identity, Problem> {
    check_origin(&call.headers, &call.services)?;
    let identity = authenticate(&call.headers, None, &call.services)?;
    attempt_of(&identity, call)?;
    match identity.role {
        Role::Visitor => Ok(identity),
        Role::Follower { .. } => Err(Problem::new(
            Code::Forbidden,
            "only the visitor lets others follow; ask on the first device",
        )),
    }
}

/// `GET /api/v1/follow`: who asks, what they may, and how many devices follow.
fn about(call: &Call) -> Result<Reply, Problem> {
    let services = &call.services;
    let identity = authenticate(&call.headers, None, services)?;
    let stream = services.outboxes.stream(&identity.user_id);
    let followers = stream.map_err(internal)?.followers();
    let answer = json!({
        "user_id": identity.user_id, "scope": identity.role.as_str(),
        "expires_at": identity.expires.rfc3339(), "followers": followers,
        "max_followers": services.settings.followers_per_user,
    });
    Ok(reply::json(StatusCode::OK, &answer))
}

/// `POST /api/v1/follow` `{"control"}`
fn share(call: &Call) -> Result<Reply, Problem> {
    let identity = owner(call)?;
    let wanted: Wanted = guard::json(call, "{\"control\": true or false}")?;
    let made = call
        .services
        .access
        .share(&identity, wanted.control, clock::wall());
    let (token, expires) =
        made.ok_or_else(|| Problem::new(Code::Forbidden, "only the visitor lets others follow"))?;
    let place = place(call);
    let (host, reachable) = match &place {
        Ok(host) => (host.as_str(), true),
        Err(host) => (host.as_str(), false),
    };
    // Behind the hash: it is sent to no server and stands in no log.
    let url = format!("https://{host}/follow#{token}");
    let mut answer = json!({
        "token": token, "scope": if wanted.control { "control" } else { "read" },
        "expires_at": expires.rfc3339(), "url": url, "qr": qr(&url)?, "reachable": reachable,
    });
    if !reachable {
        answer["hint"] = Value::from(
            "this appliance listens for this machine alone; start it with --listen 0.0.0.0:8443 \
             (`server.listen`) so that other devices reach it",
        );
    }
    Ok(reply::json(StatusCode::CREATED, &answer))
}

/// `DELETE /api/v1/follow`: every device that follows is sent away, and what let it is worth nothing.
fn take_back(call: Call) -> Answer {
    Box::pin(async move {
        let user = owner(&call)?.user_id;
        let services = &call.services;
        let revoked = services.follow.revoke(&user, clock::wall()).await;
        revoked.map_err(internal)?;
        let stream = services.outboxes.stream(&user).map_err(internal)?;
        let closed = stream.close_followers(Close::CredentialEnded);
        Ok(reply::json(StatusCode::OK, &json!({"closed": closed})))
    })
}

/// The authority for another device; `Err` holds the one that only this machine knows.
fn place(call: &Call) -> Result<String, String> {
    let reach = &call.services.settings.reach;
    let host = text(&call.headers, &header::HOST).unwrap_or("localhost");
    let elsewhere = || {
        let named = reach.names.first().cloned();
        named.or_else(|| {
            let address = reach.listen.is_unspecified().then(likely)??;
            Some(address.to_string())
        })
    };
    authority(host, elsewhere).ok_or_else(|| host.to_owned())
}

/// As an address that an image shows.
fn qr(url: &str) -> Result<String, Problem> {
    let code = QrCode::with_error_correction_level(url, EcLevel::L).map_err(|error| {
        tracing::error!(%error, "a QR code could not be made");
        Problem::new(Code::Internal, "the QR code could not be made")
    })?;
    let image = code
        .render::<svg::Color>()
        .min_dimensions(QR_SIZE, QR_SIZE)
        .build();
    Ok(format!(
        "data:image/svg+xml;base64,{}",
        STANDARD.encode(image)
    ))
}

fn internal(error: crate::store::StoreError) -> Problem {
    tracing::error!(%error, "the store could not be asked about followers");
    Problem::new(Code::Internal, "it could not be done; the log says why")
}
