//! The composition root: opens the store, recovers, wires, binds. Knows everybody; nobody knows it.

mod administration;
mod demo;
mod descriptors;
mod housekeeping;
mod wiring;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::access::permits::Permits;
use crate::agents::backend::Backend;
use crate::clock;
use crate::config::{Config, Visitors};
use crate::serve::Services;
use crate::serve::accept::{self, Listener};
use crate::serve::tls::{Origin, Presented, Reloadable, TlsError};
use crate::shutdown::{Drain, Phase};
use crate::store::{self, Committer, StoreError};

/// What a start is given besides the configuration.
#[derive(Default)]
pub struct Start {
    /// Go on although data was lost.
    pub accept_loss: bool,
    /// Answers instead of the built-in engine, which then is the fallback.
    pub backend: Option<Arc<dyn Backend>>,
    /// Take the next free port where the configured one is taken.
    pub next_free_port: bool,
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
    config: Config,
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
        let options = wiring::store_options(&config, start.accept_loss);
        let opened = tokio::task::spawn_blocking(move || store::open(&options, clock::wall()))
            .await
            .map_err(|panic| StoreError::Damaged {
                dir: config.server.data_dir.clone(),
                what: format!("reading it failed: {panic}"),
            })??;
        let tls = Arc::new(Reloadable::open(
            &Origin::of(&config),
            accept::ALPN,
            clock::wall(),
        )?);
        let socket = bind(config.server.listen, start.next_free_port)
            .await
            .map_err(StartError::Bind)?;
        let address = socket.local_addr().map_err(StartError::Bind)?;

        let drain = Drain::new();
        let loss = opened.recovered.loss.clone();
        let committer = opened.committer.clone();
        let parts = wiring::wire(&config, opened, start.backend, drain.clone()).await?;
        let services = Arc::new(parts.services);
        let generated_password =
            administration::prepare(&config, &services.admin, start.generate_password).await?;
        let resumed = services.intake.resume(parts.unfinished)?;
        drain.spawn("supervisor", parts.supervisor.clone().run());
        drain.spawn("backups", services.backups.clone().run());
        drain.spawn(
            "housekeeping",
            housekeeping::run(housekeeping::Chores {
                interval: config.sessions.cleanup_interval,
                retention: config.sessions.retention,
                pending_ttl: config.delivery.pending_ttl,
                token_ttl: config.auth.token_ttl,
                keep_revoked: config.auth.visitors == Visitors::Jwt,
                supervisor: parts.supervisor,
                services: Arc::clone(&services),
                drain: drain.clone(),
            }),
        );
        let listener = Listener {
            socket,
            tls: Arc::clone(&tls),
            permits: parts.permits.clone(),
            services: Arc::clone(&services),
        };
        drain.spawn("accept loop", listener.run());
        let engine = services.demo.engine.clone();
        Ok(Self {
            address,
            presented: tls.presented(),
            engine,
            loss,
            resumed,
            generated_password,
            config,
            drain,
            committer,
            tls,
            permits: parts.permits,
            services,
        })
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

    /// Reads the certificate again and applies what can change live.
    ///
    /// # Errors
    /// What is wrong with the new certificate; the old one stays.
    pub fn reload(&self, config: &Config) -> Result<Presented, TlsError> {
        let presented = self.tls.reload(&Origin::of(config), clock::wall())?;
        self.services.limits.set(wiring::rates(config));
        self.permits.set(wiring::capacity(config));
        Ok(presented)
    }

    /// Goes: tells the clients, lets running sessions end within the drain's limit, makes the rest
    /// durable, closes. The names of those that were late.
    ///
    /// # Errors
    /// Why the store failed meanwhile: then not everything is durable.
    pub async fn drain(self) -> Result<Vec<(&'static str, usize)>, String> {
        self.drain.advance(Phase::Draining);
        let deadline = clock::now() + self.config.server.drain_timeout;
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
