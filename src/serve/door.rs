//! The door of a WebSocket: everything is decided over HTTP, before the upgrade.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;
use http::header;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use warp::reply::Response as Reply;

use super::roster::Origin;
use super::routes::{Call, Route, Who, at_once};
use super::{Peer, Services, reply, socket};
use crate::access::address::{Address, client_address};
use crate::access::{Credential, Identity};
use crate::clock;
use crate::config::WebOrigin;
use crate::id::UserId;
use crate::machine::outbox::Resume;
use crate::protocol::problem::{Code, Problem};
use crate::protocol::{MAX_SAFE_INTEGER, SUBPROTOCOL};
use crate::shutdown::Phase;

/// The WebSocket.
pub(super) const ROUTES: [Route; 1] = [Route::get(
    "/api/v1/example-messages/ws/{user_id}",
    Who::Visitor,
    |call| at_once(open(call)),
)];

/// A header as text; none where it is absent or not text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Decides, and starts the socket.
///
/// # Errors
/// The refusal, with its status.
fn open(call: Call) -> Result<Reply, Problem> {
    let (headers, services) = (&call.headers, &call.services);
    let bad = |text: &str| Problem::new(Code::BadRequest, text);
    if services.drain.phase() > Phase::Running {
        return Err(
            Problem::new(Code::Overloaded, "the server is going away; come back").retry_after(2),
        );
    }
    attempt(
        &services.limits.attempts,
        &client(headers, &call.peer, services),
    )?;
    let key = websocket_key(headers)?;
    let user = UserId::parse(call.parameter(0))
        .map_err(|rule| bad(&format!("the user id must be {rule}")))?;
    let subprotocol = subprotocol(headers)?;
    let query = Query::parse(&call.query)?;
    check_origin(headers, services)?;
    let identity = authenticate(headers, query.ticket.as_deref(), services)?;
    if identity.user_id != user {
        return Err(Problem::new(
            Code::Forbidden,
            "this credential belongs to another visitor",
        ));
    }
    attempt(&services.limits.visitor_attempts, &user)?;
    let Some(upgrade) = call.upgrade else {
        return Err(Problem::new(
            Code::UpgradeRequired,
            "connect with a WebSocket client over HTTP/1.1",
        ));
    };
    socket::start(
        upgrade,
        identity,
        query.resume(),
        Origin {
            address: client_ip(headers, &call.peer, services),
            user_agent: text(headers, &header::USER_AGENT).map(str::to_owned),
        },
        call.peer,
        Arc::clone(services),
    );
    Ok(reply::switching(
        &derive_accept_key(key.as_bytes()),
        subprotocol,
    ))
}

/// The address that limits count.
pub(super) fn client(headers: &HeaderMap, peer: &Peer, services: &Services) -> Address {
    Address::from(client_ip(headers, peer, services))
}

/// Where a request comes from: the peer, or what a trusted proxy says of it.
pub(super) fn client_ip(headers: &HeaderMap, peer: &Peer, services: &Services) -> IpAddr {
    let lines = headers.get_all("x-forwarded-for");
    let forwarded: Vec<&str> = lines.iter().filter_map(|v| v.to_str().ok()).collect();
    let trusted = |ip| {
        services
            .settings
            .trusted_proxies
            .iter()
            .any(|network| network.contains(ip))
    };
    client_address(peer.address.ip(), Some(&forwarded.join(",")), trusted)
}

/// One more attempt of this key.
pub(super) fn attempt<K: std::hash::Hash + Eq + Clone>(
    limit: &crate::access::limits::KeyedLimit<K>,
    key: &K,
) -> Result<(), Problem> {
    limit.check(key).map_err(|wait| {
        let seconds = wait.0.as_secs() + 1;
        Problem::new(
            Code::RateLimited,
            format!("too many attempts; come back in {seconds} s"),
        )
        .retry_after(seconds)
    })
}

/// Who asks, by the first credential that is there.
///
/// # Errors
/// 401 for every kind of failure alike: which one it was is nobody's business.
pub(super) fn authenticate(
    headers: &HeaderMap,
    ticket: Option<&str>,
    services: &Services,
) -> Result<Identity, Problem> {
    let found = Credential::find(
        text(headers, &header::AUTHORIZATION),
        ticket,
        text(headers, &header::COOKIE),
    );
    let denied = "send a valid token as Authorization: Bearer, a fresh ticket, or the visitor's cookie; POST /api/v1/visitors gives one";
    let credential = found.ok_or_else(|| Problem::new(Code::Unauthenticated, denied))?;
    services
        .access
        .authenticate(credential, clock::now(), clock::wall())
        .map_err(|reason| {
            tracing::debug!(%reason, "a credential was refused");
            Problem::new(Code::Unauthenticated, denied)
        })
}

/// A browser says where the page came from; our own origin always may.
///
/// # Errors
/// 403. Without `Origin` it is no browser, and the credential decides.
pub(super) fn check_origin(headers: &HeaderMap, services: &Services) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().ok().and_then(WebOrigin::parse);
    let allowed = origin.is_some_and(|origin| services.settings.allowed_origins.contains(&origin));
    if is_own_origin(headers) || (allowed && headers.get_all(header::ORIGIN).iter().count() == 1) {
        return Ok(());
    }
    Err(Problem::new(
        Code::OriginNotAllowed,
        "pages of this origin may not connect; the operator can add it to server.allowed_origins",
    ))
}

/// Whether `Origin` stands there once and is the address that was asked.
pub(super) fn is_own_origin(headers: &HeaderMap) -> bool {
    let parsed = |origin: &str| WebOrigin::parse(origin);
    let origin = text(headers, &header::ORIGIN).and_then(parsed);
    let host = text(headers, &header::HOST);
    let own = host.and_then(|host| parsed(&format!("https://{host}")));
    origin.is_some() && origin == own && headers.get_all(header::ORIGIN).iter().count() == 1
}

fn websocket_key(headers: &HeaderMap) -> Result<&str, Problem> {
    let has = |name: &header::HeaderName, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|v| v.to_str().ok())
            .flat_map(|v| v.split(','))
            .any(|v| v.trim().eq_ignore_ascii_case(word))
    };
    if !has(&header::UPGRADE, "websocket") || !has(&header::CONNECTION, "upgrade") {
        return Err(Problem::new(
            Code::UpgradeRequired,
            "this address speaks WebSocket: connect with wss://",
        ));
    }
    let key = text(headers, &header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
    match (key, text(headers, &header::SEC_WEBSOCKET_VERSION)) {
        (Some(key), Some("13")) => Ok(key),
        _ => Err(Problem::new(
            Code::BadRequest,
            "Sec-WebSocket-Version must be 13 and Sec-WebSocket-Key 16 bytes in base64",
        )),
    }
}

/// The one to confirm; none where the client names none.
fn subprotocol(headers: &HeaderMap) -> Result<Option<&'static str>, Problem> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let mut named = false;
    for name in lines
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
    {
        named = true;
        if name.trim() == SUBPROTOCOL {
            return Ok(Some(SUBPROTOCOL));
        }
    }
    if named {
        let text = format!("none of the subprotocols is known; this server speaks {SUBPROTOCOL}");
        return Err(Problem::new(Code::BadRequest, text));
    }
    Ok(None)
}

#[derive(Default)]
struct Query {
    ticket: Option<String>,
    last_sequence: Option<u64>,
    epoch: Option<String>,
}

impl Query {
    fn parse(text: &str) -> Result<Self, Problem> {
        let bad = |text: String| Problem::new(Code::BadRequest, text);
        let mut values = HashMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if values.insert(name, value).is_some() {
                return Err(bad(format!(
                    "`{}` stands twice in the query",
                    name.escape_debug()
                )));
            }
        }
        let last_sequence = match values.get("last_sequence") {
            None => None,
            Some(text) => {
                let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                let number = text
                    .parse()
                    .ok()
                    .filter(|n| digits && *n <= MAX_SAFE_INTEGER);
                Some(number.ok_or_else(|| {
                    bad(format!(
                        "last_sequence must be a whole number from 0 to {MAX_SAFE_INTEGER}"
                    ))
                })?)
            }
        };
        let epoch = values.get("epoch").map(|text| (*text).to_owned());
        if epoch.as_ref().is_some_and(|e| e.is_empty() || e.len() > 64) {
            return Err(bad("epoch must be the epoch of a frame".into()));
        }
        if epoch.is_some() && last_sequence.is_none() {
            return Err(bad(
                "epoch stands without last_sequence; send both or neither".into(),
            ));
        }
        Ok(Self {
            ticket: values.get("ticket").map(|t| (*t).to_owned()),
            last_sequence,
            epoch,
        })
    }

    fn resume(&self) -> Resume {
        match self.last_sequence {
            None => Resume::Pending,
            Some(after) => Resume::After {
                after,
                epoch: self.epoch.clone(),
            },
        }
    }
}
