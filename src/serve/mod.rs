//! Serving: accept loop, TLS, routes, the socket, static files, refusals. The only
//! room that knows warp, hyper, rustls and sockets.

pub mod accept;
mod admin;
mod alerts;
pub mod authority;
mod backups;
mod certificate;
pub mod control;
mod documents;
mod door;
pub mod examine;
mod files;
mod follow;
mod framing;
mod guard;
mod headers;
mod history;
mod keyfile;
mod line;
mod live;
mod logs;
mod mark;
pub mod network;
mod observation;
mod operate;
mod packed;
mod pages;
pub mod presenter;
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

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::access::Access;
use crate::access::address::Address;
use crate::access::admin::Admin;
use crate::access::audit::Audit;
use crate::access::follow::Follow;
use crate::access::limits::{KeyedLimit, Limits};
use crate::access::permits::{NoPermit, Permit};
use crate::agents::backend::Reader;
use crate::appearance::Look;
use crate::backups::Backups;
use crate::cleanup::Cleanup;
use crate::config::{Network, WebOrigin};
use crate::examples::shelf::Shelf;
use crate::intake::Intake;
use crate::live::InForce;
use crate::machine::connection;
use crate::machine::outbox::SendPolicy;
use crate::meter::Meters;
use crate::observe::{Logs, Observer};
use crate::outbox::Outboxes;
use crate::report::seal::Signer;
use crate::sessions::Sessions;
use crate::shutdown::Drain;
use crate::store::Committer;
use crate::supervisor::Breakers;

/// What the routes and sockets need; made once by the app.
pub struct Services {
    /// Who is it, and may they.
    pub access: Access,
    /// What lets other devices follow, taken back.
    pub follow: Follow,
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
    /// The last lines of the log.
    pub logs: Logs,
    /// Copies of the store.
    pub backups: Backups,
    /// Who is told of alerts.
    pub webhook: webhook::Webhook,
    /// What the demo page shows.
    pub demo: Demo,
    /// The configuration of the moment.
    pub in_force: InForce,
    /// Makes durable what the administrator changes.
    pub committer: Committer,
    /// The certificate of the moment, for the page that says how to trust it.
    pub tls: Arc<tls::Reloadable>,
    /// What a presenter may.
    pub presenter: presenter::Presenter,
    /// The end.
    pub drain: Drain,
    /// Numbers.
    pub settings: Settings,
}

/// What the demo page shows.
pub struct Demo {
    /// The examples.
    pub gallery: Shelf,
    /// What is understood of a message while it is written.
    pub reader: Reader,
    /// The seal under reports.
    pub signer: Signer,
    /// Which engine answers.
    pub engine: String,
    /// How the page looks.
    pub look: Look,
}

/// A value that a reload replaces, as a whole. A handle; its clones see the same value.
#[derive(Debug)]
pub struct Live<T>(Arc<RwLock<Arc<T>>>);

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Live<T> {
    /// With its first value.
    pub fn new(value: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(value))))
    }

    /// The value of the moment.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces it.
    pub fn set(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
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
    /// Connections over their limit that are told so at once; beyond, they are dropped unheard.
    pub refusals: usize,
    /// How long acknowledged frames of a session are kept.
    pub retention: Duration,
    /// Told to clients; a reload changes it.
    pub limits: Live<crate::protocol::frame::Limits>,
    /// Origins besides our own.
    pub allowed_origins: Vec<WebOrigin>,
    /// Whose `X-Forwarded-For` counts; a reload changes it.
    pub trusted_proxies: Live<Vec<Network>>,
    /// Devices that follow one visitor.
    pub followers_per_user: usize,
    /// Where other devices come.
    pub reach: Reach,
    /// How long clients are given to come back in during a drain.
    pub drain_timeout: Duration,
}

impl Settings {
    /// Whether what this address forwards is believed.
    fn is_proxy(&self, ip: IpAddr) -> bool {
        let proxies = self.trusted_proxies.get();
        proxies.iter().any(|network| network.contains(ip))
    }
}

/// Where other devices come.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The address that is listened on.
    pub listen: IpAddr,
    /// `server.public_names`.
    pub names: Vec<String>,
}

/// The other end of a connection; rides in a request's extensions.
#[derive(Clone)]
pub(crate) struct Peer {
    address: SocketAddr,
    /// The place of the connection, held as long as the socket lives.
    permit: Result<Arc<Permit>, NoPermit>,
}
