//! The composition root: opens the store, recovers, wires, binds. Knows everybody; nobody knows it.

mod administration;
mod backups;
mod demo;
mod descriptors;
mod housekeeping;
mod observation;
mod presenter;
mod reload;
mod watchdog;
mod wiring;

pub use presenter::SUPERVISED;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use reload::SetLog;

use crate::access::admin::control::{Answer, Request};
use crate::access::permits::Permits;
use crate::agents::backend::Backend;
use crate::clock;
use crate::config::{Config, Origins, Visitors};
use crate::live::{InForce, NotChanged, Reloaded};
use crate::notify;
use crate::serve::Services;
use crate::serve::accept::{self, Listener};
use crate::serve::tls::{Origin, Presented, Reloadable, TlsError};
use crate::shutdown::{Drain, Phase};
use crate::store::{self, Committer, Opened, StoreError};

/// What a start is given besides the configuration.
#[derive(Default)]
pub struct Start {
    /// Go on although data was lost.
    pub accept_loss: bool,
    /// Answers instead of the built-in engine, which then is the fallback.
    pub backend: Option<Arc<dyn Backend>>,
    /// Take the next free port where the configured one is taken.
    pub next_free_port: bool,
    /// A socket that listens already, from the service manager; then the configured address is not used.
    pub listener: Option<std::net::TcpListener>,
    /// Where the configuration was read from; without it nothing can be changed while it serves.
    pub origins: Option<Origins>,
    /// Changes what is logged.
    pub log: Option<SetLog>,
    /// Make a password for the administrator where there is none; somebody is there to read it.
    pub generate_password: bool,
}

/// Why the appliance did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The certificate or its key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A file that the configuration names.
    #[error("{0}")]
    File(String),
    /// The address.
    #[error("{0}; name another with --listen ADDR:PORT (`server.listen`)")]
    Bind(std::io::Error),
}

/// A running appliance.
pub struct App {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its certificate.
    pub presented: Presented,
    /// Which engine answers.
    pub engine: String,
    /// What was lost and accepted at the start.
    pub loss: Option<String>,
    /// Sessions taken up again.
    pub resumed: usize,
    /// The administrator's password that was made at this start, to be shown once.
    pub generated_password: Option<String>,
    drain: Drain,
    committer: Committer,
    tls: Arc<Reloadable>,
    permits: Permits,
    services: Arc<Services>,
}

impl App {
    /// Opens, recovers, wires, binds and serves.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub async fn start(config: Config, start: Start) -> Result<Self, StartError> {
        // The store first: its lock keeps two starts from making two authorities.
        let opened = open_store(&config, start.accept_loss).await?;
        let tls = Arc::new(Reloadable::open(
            &Origin::of(&config),
            accept::ALPN,
            clock::wall(),
        )?);
        let socket = listen(start.listener, &config, start.next_free_port).await;
        let socket = socket.map_err(StartError::Bind)?;
        let address = socket.local_addr().map_err(StartError::Bind)?;

        let committer = opened.committer.clone();
        let in_force = InForce::open(&config, start.origins, &opened.store, committer.clone())?;
        let config = in_force.config();
        let drain = Drain::new();
        let loss = opened.recovered.loss.clone();
        let ages = housekeeping::ages(&opened.store)?;
        let parts = wiring::wire(
            in_force.clone(),
            opened,
            start.backend,
            Arc::clone(&tls),
            drain.clone(),
        )
        .await?;
        let services = Arc::new(parts.services);
        let rooms = (parts.permits.clone(), parts.queue);
        reload::begin(&in_force, &services, &tls, rooms, start.log);
        let generated_password =
            administration::prepare(&config, &services.admin, start.generate_password).await?;
        let resumed = services.intake.resume(parts.unfinished)?;
        drain.spawn("supervisor", parts.supervisor.clone().run());
        drain.spawn(
            "housekeeping",
            housekeeping::run(housekeeping::Chores {
                interval: config.sessions.cleanup_interval,
                retention: config.sessions.retention,
                pending_ttl: config.delivery.pending_ttl,
                config: in_force.subscribe(),
                token_ttl: config.auth.token_ttl,
                keep_revoked: config.auth.visitors == Visitors::Jwt,
                supervisor: parts.supervisor,
                services: Arc::clone(&services),
                ages,
                committer: committer.clone(),
                drain: drain.clone(),
            }),
        );
        let app = Self {
            address,
            presented: tls.presented(),
            engine: services.demo.engine.clone(),
            loss,
            resumed,
            generated_password,
            drain,
            committer,
            tls,
            permits: parts.permits,
            services,
        };
        // Before anybody is let in: what is accepted from here on is never rolled back.
        store::upgrade::settled(&config.server.data_dir)?;
        app.look_after(&config);
        app.accept(socket);
        Ok(app)
    }

    /// Begins what goes on beside the traffic.
    fn look_after(&self, config: &Config) {
        let (services, drain) = (&self.services, &self.drain);
        administration::listen(config, &services.admin, self.address, drain);
        let observer = services.observer.clone();
        drain.spawn(
            "webhook",
            services
                .webhook
                .clone()
                .run(observer.clone(), drain.clone()),
        );
        drain.spawn("observer", observer.run());
        drain.spawn("backups", services.backups.clone().run());
    }

    /// Serves those who come, and lets the service manager know that we do.
    fn accept(&self, socket: tokio::net::TcpListener) {
        let (pulse, asked) = accept::pulse();
        let listener = Listener {
            socket,
            tls: Arc::clone(&self.tls),
            permits: self.permits.clone(),
            services: Arc::clone(&self.services),
            asked,
        };
        self.drain.spawn("accept loop", listener.run());
        if notify::heard() {
            let watchdog = watchdog::Watchdog {
                limit: notify::watchdog(),
                committer: self.committer.clone(),
                pulse,
                services: Arc::clone(&self.services),
                drain: self.drain.clone(),
            };
            self.drain.spawn("watchdog", watchdog::run(watchdog));
        }
    }

    /// What it does now, in a line.
    pub fn status(&self) -> String {
        watchdog::status(&self.services)
    }

    /// Whether no administrator's password is set.
    pub fn admin_disabled(&self) -> bool {
        self.services.admin.disabled()
    }

    /// Waits until the store has failed for good; says why.
    pub async fn failed(&self) -> String {
        let mut failed = self.committer.failed();
        match failed.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            Err(_) => "the committer is gone".to_owned(),
        }
    }

    /// Reads the configuration, the certificate and the gallery again, and applies what can
    /// change live.
    ///
    /// # Errors
    /// What is wrong; everything stays as it is.
    pub async fn reload(&self) -> Result<Reloaded, NotChanged> {
        self.services.in_force.reload().await
    }

    /// Takes no connection any more; [`App::drain`] does the rest.
    pub fn stop_accepting(&self) {
        self.drain.advance(Phase::Draining);
    }

    /// Goes: tells the clients, lets running sessions end within the drain's limit, makes the rest
    /// durable, closes. The names of those that were late.
    ///
    /// # Errors
    /// Why the store failed meanwhile: then not everything is durable.
    pub async fn drain(self) -> Result<Vec<(&'static str, usize)>, String> {
        self.drain.advance(Phase::Draining);
        let deadline = clock::now() + self.services.in_force.config().server.drain_timeout;
        while !self.services.sessions.all().is_empty() && clock::now() < deadline {
            if self.services.intake.processing() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.drain.advance(Phase::Closing);
        let late = self.drain.finished(Duration::from_secs(5)).await;
        // Everything queued before this is durable when this is.
        match self.committer.commit(Vec::new()).await {
            Ok(()) => Ok(late),
            Err(error) => Err(self.committer.why().unwrap_or_else(|| error.to_string())),
        }
    }
}

/// Answers what the owner of the machine asks where nobody serves.
///
/// # Errors
/// As a start; and where the data directory belongs to another user.
pub async fn administer(config: &Config, request: Request) -> Result<Answer, StartError> {
    administration::of_stopped(config, request).await
}

async fn open_store(config: &Config, accept_loss: bool) -> Result<Opened, StoreError> {
    let options = wiring::store_options(config, accept_loss);
    tokio::task::spawn_blocking(move || store::open(&options, clock::wall()))
        .await
        .map_err(|panic| StoreError::Damaged {
            dir: config.server.data_dir.clone(),
            what: format!("reading it failed: {panic}"),
        })?
}

/// The socket that the service manager listens on, which goes on listening while we restart; or one
/// of our own.
async fn listen(
    adopted: Option<std::net::TcpListener>,
    config: &Config,
    next_free: bool,
) -> Result<tokio::net::TcpListener, std::io::Error> {
    let Some(listener) = adopted else {
        return bind(config.server.listen, next_free).await;
    };
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

/// How the store of a configuration is opened.
pub fn store_options(config: &Config, accept_loss: bool) -> store::Options {
    wiring::store_options(config, accept_loss)
}

async fn bind(
    address: SocketAddr,
    next_free: bool,
) -> Result<tokio::net::TcpListener, std::io::Error> {
    let mut wanted = address;
    loop {
        match accept::bind(wanted).await {
            Err(error)
                if next_free
                    && error.kind() == std::io::ErrorKind::AddrInUse
                    && wanted.port() != 0
                    && wanted.port() < address.port().saturating_add(20) =>
            {
                wanted.set_port(wanted.port() + 1);
            }
            other => return other,
        }
    }
}
