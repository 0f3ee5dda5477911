//! `emflow` and `emflow serve`: serves until a signal, then drains.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

use super::{Exit, ServeArgs, check_config, store, supervise, welcome};
use crate::agents::backend::Backend;
use crate::app::{App, SetLog, Start, StartError};
use crate::clock;
use crate::config::{Config, LogFilter, LogFormat};
use crate::notify;
use crate::observe::Logs;
use crate::serve::examine::examine;

/// The port that is replaced by the next free one when it is taken: nobody asked for it.
const DEFAULT_LISTEN: &str = "server.listen";
/// What the end takes beyond the drain: closing, and making the rest durable.
const AFTER_DRAIN: Duration = Duration::from_secs(15);

/// Runs the server.
pub fn run(args: &ServeArgs) -> Exit {
    if args.supervised {
        if !supervise::is_child() {
            return supervise::run(args);
        }
        supervise::end_with_parent();
    }
    run_with(args, None)
}

/// Runs the server with another backend before the built-in engine.
pub(super) fn run_with(args: &ServeArgs, backend: Option<Arc<dyn Backend>>) -> Exit {
    let loaded = match args.load() {
        Ok(loaded) => loaded,
        Err(errors) => {
            let _ = check_config::report(&errors, &mut std::io::stderr());
            return Exit::Usage;
        }
    };
    let logs = Logs::default();
    let log = start_logging(&loaded.config, &logs);
    for warning in loaded.warnings() {
        tracing::warn!("{warning}");
    }
    for finding in examine(&loaded.config, clock::wall()).unwrap_or_default() {
        tracing::warn!(mend = %finding.mend, "{}", finding.what);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        // Computing is short and the cores are few; more threads would only hold memory.
        .max_blocking_threads(16)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("emflow: the runtime could not be started: {error}");
            return Exit::Failed;
        }
    };
    let by_default = loaded.source(DEFAULT_LISTEN) == crate::config::Source::Default;
    let listener = match handed_over() {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!(
                "emflow: the service manager handed over a socket that cannot be used: {error}; \
                 give emflow-listen.socket exactly one ListenStream= with an address and a port"
            );
            return Exit::Usage;
        }
    };
    let start = Start {
        accept_loss: args.accept_loss,
        backend,
        next_free_port: by_default,
        listener,
        origins: Some(args.origins()),
        log,
        logs,
        // What is not a terminal may be a log, and a log must not hold a password.
        generate_password: std::io::stdout().is_terminal(),
    };
    let exit = runtime.block_on(serve(loaded.config, start));
    // What is still blocked (a name lookup, say) does not hold the process.
    runtime.shutdown_background();
    exit
}

async fn serve(config: Config, start: Start) -> Exit {
    let signals = Signals::listen();
    let Ok(mut signals) = signals else {
        eprintln!("emflow: signals could not be listened for");
        return Exit::Failed;
    };
    notify::status("opening the store and checking all of it");
    let app = match App::start(config.clone(), start).await {
        Ok(app) => app,
        Err(error) => {
            notify::status(&error.to_string());
            eprintln!("emflow: {error}");
            return exit_of(&error);
        }
    };
    if app.admin_disabled() {
        tracing::warn!(
            "no administrator's password is set, so nobody can administer the appliance; \
             set one with `emflow admin set-password`, it may go on serving meanwhile"
        );
    }
    welcome::print(&app, &config);
    notify::ready(&app.status());
    loop {
        tokio::select! {
            _ = signals.hangup.recv() => {
                notify::reloading();
                read_again(&app).await;
                notify::ready(&app.status());
            }
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
            why = app.failed() => {
                app.last_words().await;
                // Closing an engine that has failed may wait for it: the process ends without.
                std::mem::forget(app);
                return damaged(&why);
            }
        }
    }
    tracing::info!("draining; a second signal ends at once");
    // Before the service manager is told: whoever comes from then on is not taken and dropped.
    app.stop_accepting();
    notify::stopping(config.server.drain_timeout + AFTER_DRAIN);
    tokio::select! {
        drained = app.drain() => match drained {
            Ok(late) if late.is_empty() => {}
            Ok(late) => tracing::warn!(?late, "some tasks did not end in time"),
            Err(why) => return damaged(&why),
        },
        _ = signals.terminate.recv() => tracing::warn!("a second signal: ending at once"),
        _ = signals.interrupt.recv() => tracing::warn!("a second signal: ending at once"),
    }
    tracing::info!("done");
    Exit::Done
}

/// The socket that systemd listens on for us (`emflow-listen.socket`), where it started us for that.
fn handed_over() -> std::io::Result<Option<std::net::TcpListener>> {
    let mut sockets = listenfd::ListenFd::from_env();
    if sockets.len() > 1 {
        return Err(std::io::Error::other(format!(
            "there are {} of them",
            sockets.len()
        )));
    }
    if sockets.len() == 0 {
        return Ok(None);
    }
    sockets.take_tcp_listener(0)
}

/// Fail-stop: what is on disk is not known any more, so nothing more is promised.
fn damaged(why: &str) -> Exit {
    tracing::error!(%why, "the store has stopped; ending");
    // The log may be a file on the very disk that is full: then nobody is told, but the code is right.
    let _ = writeln!(
        std::io::stderr(),
        "emflow: the store has stopped after a failed write: {why}"
    );
    Exit::Damaged
}

async fn read_again(app: &App) {
    match app.reload().await {
        Ok(done) => tracing::info!(
            changed = %done.changed.join(" "),
            needs_restart = %done.needs_restart.join(" "),
            "reloaded"
        ),
        Err(errors) => tracing::error!(%errors, "nothing was reloaded; all stays as it was"),
    }
}

struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

pub(super) fn exit_of(error: &StartError) -> Exit {
    match error {
        StartError::Store(error) => store::exit_of(error),
        StartError::Tls(_) | StartError::File(_) => Exit::Usage,
        StartError::Bind(_) => Exit::Failed,
    }
}

/// Logs go to standard error: text for people on a terminal, JSON otherwise; and the last lines
/// into a ring for the administrator. What changes the level later; none where a test has set logging up before.
fn start_logging(config: &Config, logs: &Logs) -> Option<SetLog> {
    let human = match config.log.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let (filter, handle) = reload::Layer::new(filter_of(&config.log.level));
    // A line that cannot be written is lost. Told on standard error, where it could not be written
    // either, it would be a panic.
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    let registry = tracing_subscriber::registry()
        .with(filter)
        .with(logs.clone());
    let begun = if human {
        registry.with(layer).try_init()
    } else {
        registry.with(layer.json()).try_init()
    };
    begun.ok()?;
    Some(Arc::new(move |level: &LogFilter| {
        if let Err(error) = handle.reload(filter_of(level)) {
            tracing::error!(%error, "the log level could not be changed");
        }
    }))
}

fn filter_of(level: &LogFilter) -> EnvFilter {
    EnvFilter::try_new(level.as_str()).unwrap_or_else(|_| EnvFilter::new("info"))
}
