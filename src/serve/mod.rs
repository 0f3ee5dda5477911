//! Serving: accept loop, TLS, routes, the socket, static files, refusals. The only
//! room that knows warp, hyper, rustls and sockets.

pub mod accept;
mod admin;
mod alerts;
pub mod authority;
mod certificate;
pub mod control;
mod door;
pub mod examine;
mod files;
mod framing;
mod guard;
mod headers;
mod keyfile;
mod live;
mod observation;
mod operate;
mod reply;
mod report;
mod rest;
pub mod roster;
pub mod routes;
mod socket;
pub mod tls;
mod trust;
mod understand;
pub mod webhook;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::access::Access;
use crate::access::address::Address;
use crate::access::admin::Admin;
use crate::access::audit::Audit;
use crate::access::limits::{KeyedLimit, Limits};
use crate::access::permits::{NoPermit, Permit};
use crate::agents::backend::Reader;
use crate::cleanup::Cleanup;
use crate::config::{Network, WebOrigin};
use crate::examples::Gallery;
use crate::intake::Intake;
use crate::machine::connection;
use crate::machine::outbox::SendPolicy;
use crate::meter::Meters;
use crate::observe::Observer;
use crate::outbox::Outboxes;
use crate::report::seal::Signer;
use crate::sessions::Sessions;
use crate::shutdown::Drain;
use crate::supervisor::Breakers;

/// What the routes and sockets need; made once by the app.
pub struct Services {
    /// Who is it, and may they.
    pub access: Access,
    /// The administrator.
    pub admin: Admin,
    /// Who changed what.
    pub audit: Audit,
    /// Rates by address and visitor.
    pub limits: Limits,
    /// New visitors by address; a bucket of its own, so that asking for an id does not use up connecting.
    pub new_visitors: KeyedLimit<Address>,
    /// Streams.
    pub outboxes: Outboxes,
    /// Messages in.
    pub intake: Intake,
    /// Sessions that have not ended, and the records of all.
    pub sessions: Sessions,
    /// Sockets that are open.
    pub roster: roster::Roster,
    /// Removing all of a visitor.
    pub cleanup: Cleanup,
    /// The breakers of the backends.
    pub breakers: Breakers,
    /// What is counted.
    pub meters: Meters,
    /// Health, and what is made of the counts.
    pub observer: Observer,
    /// Who is told of alerts.
    pub webhook: webhook::Webhook,
    /// What the demo page shows.
    pub demo: Demo,
    /// The certificate of the moment, for the page that says how to trust it.
    pub tls: Arc<tls::Reloadable>,
    /// The end.
    pub drain: Drain,
    /// Numbers.
    pub settings: Settings,
}

/// What the demo page shows.
pub struct Demo {
    /// The examples.
    pub gallery: Arc<Gallery>,
    /// What is understood of a message while it is written.
    pub reader: Reader,
    /// The seal under reports.
    pub signer: Signer,
    /// Which engine answers.
    pub engine: String,
}

/// The numbers of this room.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A socket's sending.
    pub send: SendPolicy,
    /// A socket's limits.
    pub connection: connection::Policy,
    /// How long a write may take.
    pub write_timeout: Duration,
    /// Bytes of a client frame.
    pub max_frame: usize,
    /// Bytes of a request body.
    pub max_body: usize,
    /// How long a whole request may take to arrive.
    pub request_timeout: Duration,
    /// How long the head of a request may take.
    pub header_timeout: Duration,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// Handshakes at once.
    pub max_handshakes: usize,
    /// How long acknowledged frames of a session are kept.
    pub retention: Duration,
    /// Told to clients.
    pub limits: crate::protocol::frame::Limits,
    /// Origins besides our own.
    pub allowed_origins: Vec<WebOrigin>,
    /// Whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<Network>,
    /// How long clients are given to come back in during a drain.
    pub drain_timeout: Duration,
}

/// The other end of a connection; rides in a request's extensions.
#[derive(Clone)]
pub(crate) struct Peer {
    address: SocketAddr,
    /// The place of the connection, held as long as the socket lives.
    permit: Result<Arc<Permit>, NoPermit>,
}
