//! From the configuration to the rooms.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{StartError, administration, backups, demo, descriptors, observation, presenter};
use crate::access::follow::Follow;
use crate::access::limits::{KeyedLimit, Limits, Rates};
use crate::access::permits::{Capacity, Permits};
use crate::access::{
    Access, AccessCode, AuthMode, Generations, Settings as AccessSettings, jwt, tickets,
};
use crate::agents::backend::{Backend, Builtin};
use crate::cleanup::{self, Cleanup};
use crate::clock::Wall;
use crate::config::{Config, JwtAlgorithm, Visitors};
use crate::id::UserId;
use crate::intake::{Intake, Queue};
use crate::live::InForce;
use crate::machine::{admission, backoff, breaker, connection, outbox};
use crate::meter::Meters;
use crate::observe;
use crate::outbox::Outboxes;
use crate::protocol::frame;
use crate::serve::roster::Roster;
use crate::serve::tls::Reloadable;
use crate::serve::{Live, Reach, Services, Settings};
use crate::sessions::Sessions;
use crate::shutdown::Drain;
use crate::store::{self, Opened, SessionRecord, commit};
use crate::supervisor::{self, Breakers, Supervisor};

/// What a socket's client may cost in a second: 200 ordinary frames, or 20 000 acknowledgements.
const COST_PER_SECOND: u32 = 20_000;

/// Bytes of one visitor that a clean-up keeps for putting back: twice what may be pending by default.
const UNDO_EACH: u64 = 32 << 20;
/// The same of all visitors.
const UNDO_ALL: u64 = 128 << 20;

pub(super) struct Parts {
    pub(super) services: Services,
    pub(super) supervisor: Supervisor,
    pub(super) permits: Permits,
    pub(super) queue: Arc<Queue>,
    pub(super) unfinished: Vec<SessionRecord>,
}

pub(super) fn store_options(config: &Config, accept_loss: bool) -> store::Options {
    // The control run of the power-cut test: it must lose data, or the test proves nothing.
    let unsynced = std::env::var_os("EMFLOW_STORE_UNSYNCED_CONTROL").is_some();
    if unsynced {
        tracing::error!(
            "EMFLOW_STORE_UNSYNCED_CONTROL is set: nothing is synced, a power cut WILL lose data; \
             this is for one test alone"
        );
    }
    store::Options {
        dir: config.server.data_dir.clone(),
        cache: config.store.cache.0 as u64,
        segment_size: config.store.segment_size.0,
        flush_every_ms: u64::try_from(config.store.flush_every.as_millis()).unwrap_or(50),
        accept_loss,
        sync: !unsynced,
        ballast: config.store.ballast.0 as u64,
    }
}

pub(super) fn rates(config: &Config) -> Rates {
    Rates {
        attempts: config.limits.attempts_per_minute,
        visitor_attempts: config.limits.attempts_per_minute,
        messages: config.limits.messages_per_minute,
        drafts: config.limits.drafts_per_minute,
        bytes: u32::try_from(config.limits.bytes_per_minute.0).unwrap_or(u32::MAX),
    }
}

pub(super) fn capacity(config: &Config) -> Capacity {
    let places = descriptors::places(config.limits.max_connections as u64);
    Capacity {
        per_address: u32::try_from(config.limits.connections_per_address).unwrap_or(u32::MAX),
        total: u32::try_from(places.connections).unwrap_or(u32::MAX),
    }
}

/// The rooms through which a message travels.
struct Rooms {
    outboxes: Outboxes,
    sessions: Sessions,
    queue: Arc<Queue>,
    intake: Intake,
    cleanup: Cleanup,
    disk_low: Arc<AtomicBool>,
}

impl Rooms {
    fn new(
        config: &Config,
        (store, committer): (&store::Store, &store::Committer),
        recovered: &store::Recovered,
        drain: &Drain,
        meters: &Meters,
    ) -> Self {
        let (store, committer) = (store.clone(), committer.clone());
        let limits = outbox_limits(config);
        let outboxes = Outboxes::new(
            store.clone(),
            committer.clone(),
            limits,
            recovered,
            meters.clone(),
        );
        let sessions = Sessions::new(store.clone(), committer.clone(), meters.clone());
        let admission = admission::Admission::new(admission_limits(config));
        let queue = Arc::new(Queue::new(admission));
        let disk_low = Arc::new(AtomicBool::new(false));
        let intake = Intake::new(
            store.clone(),
            committer.clone(),
            outboxes.clone(),
            sessions.clone(),
            Arc::clone(&queue),
            drain.clone(),
            Arc::clone(&disk_low),
        );
        let cleanup = Cleanup::new(
            store,
            committer,
            outboxes.clone(),
            sessions.clone(),
            intake.clone(),
            drain.clone(),
            undo_limits(config),
        );
        Self {
            outboxes,
            sessions,
            queue,
            intake,
            cleanup,
            disk_low,
        }
    }

    /// What the observer looks at, but for the ages.
    fn watched(
        &self,
        config: &Config,
        (store, committer): (store::Store, &store::Committer),
        breakers: &Breakers,
        drain: &Drain,
        meters: &Meters,
        ages: observe::Ages,
    ) -> observe::Rooms {
        observe::Rooms {
            store,
            committer: committer.clone(),
            outboxes: self.outboxes.clone(),
            sessions: self.sessions.clone(),
            intake: self.intake.clone(),
            breakers: breakers.clone(),
            drain: drain.clone(),
            meters: meters.clone(),
            disk_low: Arc::clone(&self.disk_low),
            min_free: config.store.min_free.0 as u64,
            limits: observation::limits(config),
            ages,
        }
    }

    /// Runs what the queue lets through.
    fn supervisor(
        &self,
        config: &Config,
        (primary, fallback): presenter::Backends,
        breakers: &Breakers,
        drain: &Drain,
    ) -> Supervisor {
        Supervisor::new(
            supervisor_policy(config),
            self.sessions.clone(),
            Arc::clone(&self.queue),
            drain.clone(),
            primary,
            fallback,
            breakers.clone(),
        )
    }
}

pub(super) async fn wire(
    in_force: InForce,
    opened: Opened,
    backend: Option<Arc<dyn Backend>>,
    tls: Arc<Reloadable>,
    drain: Drain,
) -> Result<Parts, StartError> {
    let config = &in_force.config();
    let (store, committer, recovered) = (opened.store, opened.committer, opened.recovered);
    let catalog = Arc::new(demo::catalog(config)?);
    let demo = demo::wire(config, &catalog, &store, &committer).await?;
    let meters = Meters::default();
    let rooms = Rooms::new(config, (&store, &committer), &recovered, &drain, &meters);
    let breakers = Breakers::new(breaker_policy(config), meters.clone());
    let backends = backends(backend, Arc::new(Builtin::new(Arc::clone(&catalog))));
    let (presenter, backends) =
        presenter::wire(config, demo.gallery.now().gallery(), &breakers, backends)?;
    let supervisor = rooms.supervisor(config, backends, &breakers, &drain);
    let (admin, audit) = administration::open(config, &store, &committer)?;
    let (access, follow) = access(config, &store, &committer, rooms.outboxes.clone()).await?;
    let backups = backups::open(config, &store, &committer, &drain).await?;
    let ages = observation::ages(&tls, catalog, &backups);
    let watched = rooms.watched(
        config,
        (store, &committer),
        &breakers,
        &drain,
        &meters,
        ages,
    );
    let observer = observation::open(watched);
    let services = Services {
        access,
        follow,
        admin,
        audit,
        limits: Limits::new(rates(config)),
        new_visitors: KeyedLimit::new(config.limits.attempts_per_minute),
        outboxes: rooms.outboxes,
        intake: rooms.intake,
        sessions: rooms.sessions,
        roster: Roster::default(),
        cleanup: rooms.cleanup,
        breakers,
        webhook: observation::webhook(config, &meters)?,
        meters,
        observer: observer.await?,
        backups,
        demo,
        in_force,
        committer,
        presenter,
        tls,
        drain,
        settings: settings(config),
    };
    Ok(Parts {
        services,
        supervisor,
        permits: Permits::new(capacity(config)),
        queue: rooms.queue,
        unfinished: recovered.unfinished,
    })
}

fn undo_limits(config: &Config) -> cleanup::Limits {
    cleanup::Limits {
        window: config.sessions.undo_window,
        each: UNDO_EACH,
        all: UNDO_ALL,
    }
}

fn backends(named: Option<Arc<dyn Backend>>, builtin: Arc<dyn Backend>) -> presenter::Backends {
    match named {
        Some(backend) => (backend, Some(builtin)),
        None => (builtin, None),
    }
}

pub(super) fn admission_limits(config: &Config) -> admission::Limits {
    admission::Limits {
        max_concurrent: config.sessions.max_concurrent,
        max_processing: config.agents.max_processing,
        max_per_visitor: config.sessions.max_per_visitor,
        ..admission::Limits::default()
    }
}

fn breaker_policy(config: &Config) -> breaker::Policy {
    breaker::Policy {
        failure_threshold: config.breaker.failure_threshold,
        recovery_timeout: config.breaker.recovery_timeout,
        max_probes: config.breaker.half_open_probes,
        successes_to_close: config.breaker.success_threshold,
        ..breaker::Policy::default()
    }
}

fn supervisor_policy(config: &Config) -> supervisor::Policy {
    supervisor::Policy {
        agent_timeout: config.agents.timeout,
        pace: config.agents.pace,
        session_timeout: config.sessions.timeout,
        as_of: config.agents.as_of,
    }
}

/// Revocation as the visitor's record knows it, and of those who follow.
struct Revocations(Outboxes, Follow);

impl Generations for Revocations {
    fn generation(&self, user: &UserId) -> u64 {
        self.0.generation(user)
    }
    fn revoked_at(&self, user: &UserId) -> Option<Wall> {
        self.0.revoked_at(user)
    }
    fn follow_revoked_at(&self, user: &UserId) -> Wall {
        self.1.revoked_at(user)
    }
}

fn outbox_limits(config: &Config) -> crate::outbox::Limits {
    crate::outbox::Limits {
        max_pending: config.delivery.max_pending_per_user as u64,
        max_pending_bytes: config.delivery.max_pending_bytes_per_user.0 as u64,
        sockets: config.connections.per_user,
        followers: config.connections.followers_per_user,
    }
}

fn settings(config: &Config) -> Settings {
    Settings {
        send: outbox::SendPolicy {
            window: config.delivery.window as u64,
            ack_timeout: config.delivery.ack_timeout,
            retries: backoff::Policy {
                max_tries: config.delivery.max_attempts,
                ..backoff::Policy::default()
            },
        },
        connection: connection::Policy {
            heartbeat: config.connections.heartbeat_interval,
            idle_timeout: config.connections.idle_timeout,
            max_age: config.connections.max_age,
            error_threshold: config.connections.error_threshold,
            max_cost_per_second: COST_PER_SECOND,
        },
        write_timeout: config.connections.write_timeout,
        max_frame: config.limits.max_frame.0,
        max_body: config.limits.max_body.0,
        request_timeout: config.limits.request_timeout,
        header_timeout: config.limits.header_timeout,
        handshake_timeout: config.tls.handshake_timeout,
        max_handshakes: config.tls.max_handshakes,
        refusals: descriptors::refusals(),
        retention: config.sessions.retention,
        limits: Live::new(told_limits(config)),
        allowed_origins: config.server.allowed_origins.clone(),
        trusted_proxies: Live::new(config.limits.trusted_proxies.clone()),
        followers_per_user: config.connections.followers_per_user,
        reach: Reach {
            listen: config.server.listen.ip(),
            names: config
                .server
                .public_names
                .iter()
                .map(|name| name.as_str().to_owned())
                .collect(),
        },
        drain_timeout: config.server.drain_timeout,
    }
}

/// What a client is told of its limits.
pub(super) fn told_limits(config: &Config) -> frame::Limits {
    frame::Limits {
        max_frame: config.limits.max_frame.0,
        content_min: 10,
        content_max: 2000,
        window: config.delivery.window as u64,
        messages_per_minute: config.limits.messages_per_minute,
        max_pending: config.delivery.max_pending_per_user as u64,
        connections_per_user: config.connections.per_user,
    }
}

fn access_settings(config: &Config) -> AccessSettings {
    AccessSettings {
        token_lifetime: config.auth.token_ttl,
        follow_lifetime: config.auth.follow_ttl,
        tickets: tickets::Limits {
            lifetime: config.auth.ticket_ttl,
            ..tickets::Limits::default()
        },
    }
}

async fn access(
    config: &Config,
    store: &store::Store,
    committer: &store::Committer,
    outboxes: Outboxes,
) -> Result<(Access, Follow), StartError> {
    let key = secret("token_key", store, committer).await?;
    let follow = Follow::open(store, committer.clone())?;
    let revocations = Arc::new(Revocations(outboxes, follow.clone()));
    let settings = access_settings(config);
    let access = Access::new(auth_mode(config)?, settings, &key, revocations);
    Ok((access, follow))
}

fn auth_mode(config: &Config) -> Result<AuthMode, StartError> {
    let auth = &config.auth;
    Ok(match auth.visitors {
        Visitors::Open => AuthMode::Open,
        Visitors::AccessCode => AuthMode::AccessCode(AccessCode::new(auth.access_code.expose())),
        Visitors::Jwt => {
            let wrong =
                |e: String| StartError::File(format!("the keys for auth.visitors = \"jwt\": {e}"));
            let keys = match &auth.jwks_file {
                Some(path) => jwt::Keys::jwks(&read(path)?).map_err(|e| wrong(e.to_string()))?,
                None => {
                    let algorithm = match auth.jwt_algorithm {
                        JwtAlgorithm::Hs256 => jwt::Algorithm::Hs256,
                        JwtAlgorithm::Rs256 => jwt::Algorithm::Rs256,
                        JwtAlgorithm::EdDsa => jwt::Algorithm::EdDsa,
                    };
                    jwt::Keys::single(algorithm, auth.jwt_key.expose())
                        .map_err(|e| wrong(e.to_string()))?
                }
            };
            let some = |text: &String| (!text.is_empty()).then(|| text.clone());
            AuthMode::Jwt(jwt::Verifier {
                keys,
                issuer: some(&auth.jwt_issuer),
                audience: some(&auth.jwt_audience),
            })
        }
    })
}

pub(super) fn read(path: &std::path::Path) -> Result<String, StartError> {
    std::fs::read_to_string(path)
        .map_err(|e| StartError::File(format!("could not read {}: {e}", path.display())))
}

/// A secret of the store, made once so that it survives a restart.
pub(super) async fn secret(
    name: &str,
    store: &store::Store,
    committer: &store::Committer,
) -> Result<[u8; 32], StartError> {
    if let Some(key) = store.setting(name)? {
        return Ok(key);
    }
    let halves = [crate::intake::random_u128(), crate::intake::random_u128()];
    let mut key = [0; 32];
    key[..16].copy_from_slice(&halves[0].to_le_bytes());
    key[16..].copy_from_slice(&halves[1].to_le_bytes());
    committer.commit(vec![commit::setting(name, &key)]).await?;
    Ok(key)
}
