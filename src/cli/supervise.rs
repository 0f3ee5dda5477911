//! `emflow serve --supervised`: a small parent that starts the server again when it is killed.
//!
//! For a laptop without a service manager; a package has systemd for it. The parent holds no
//! data and no socket: what it starts again is a whole new process that recovers from the disk.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Exit, ServeArgs, check_config};
use crate::app::SUPERVISED;
use crate::clock::{self, Instant};

/// Deaths within [`WINDOW`] after which it is left dead: it would only die again.
const DEATHS: usize = 10;
/// See [`DEATHS`].
const WINDOW: Duration = Duration::from_secs(60);

/// When it died. Pure: the time is given.
#[derive(Debug, Default)]
struct Deaths(VecDeque<Instant>);

impl Deaths {
    /// It died now; whether it is started again.
    fn again(&mut self, now: Instant) -> bool {
        self.0.retain(|at| now.duration_since(*at) < WINDOW);
        self.0.push_back(now);
        self.0.len() <= DEATHS
    }
}

/// Whether this process is the one that the supervisor started.
pub(super) fn is_child() -> bool {
    std::env::var_os(SUPERVISED).is_some()
}

/// Ends the server with its supervisor: nobody would start it again, or know of it.
pub(super) fn end_with_parent() {
    let signal = rustix::process::Signal::TERM;
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(signal)) {
        tracing::warn!(%error, "the server would outlive its supervisor");
    }
}

/// Runs the server as a child until it ends by itself or is told to.
pub(super) fn run(args: &ServeArgs) -> Exit {
    let listen = match args.load() {
        Ok(loaded) => loaded.config.server.listen,
        Err(errors) => {
            let _ = check_config::report(&errors, &mut std::io::stderr());
            return Exit::Usage;
        }
    };
    if listen.port() == 0 {
        eprintln!(
            "emflow: --supervised needs a port that stays the same after a restart; \
             name one with --listen ADDR:PORT instead of port 0"
        );
        return Exit::Usage;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = runtime.and_then(|runtime| runtime.block_on(watch()));
    outcome.unwrap_or_else(|error| {
        eprintln!("emflow: the supervisor failed: {error}");
        Exit::Failed
    })
}

async fn watch() -> std::io::Result<Exit> {
    let mut orders = Orders::listen()?;
    let mut deaths = Deaths::default();
    loop {
        let mut child = start()?;
        let status = loop {
            tokio::select! {
                status = child.wait() => break status?,
                order = orders.next() => pass_on(&child, order),
            }
        };
        if let Some(code) = status.code() {
            // It ended by itself and has said why.
            return Ok(Exit::of(code));
        }
        if !deaths.again(clock::now()) {
            eprintln!("emflow: the server was killed {DEATHS} times within a minute; giving up");
            return Ok(Exit::Failed);
        }
        eprintln!("emflow: the server was killed ({status}); starting it again");
    }
}

fn start() -> std::io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(SUPERVISED, "1")
        // Of its own group: Ctrl-C reaches us alone, and is passed on once.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

fn pass_on(child: &Child, order: rustix::process::Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        // Where it has just ended, its end is told next.
        let _ = rustix::process::kill_process(pid, order);
    }
}

/// What we are told, for the server.
struct Orders {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Orders {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> rustix::process::Signal {
        tokio::select! {
            _ = self.hangup.recv() => rustix::process::Signal::HUP,
            _ = self.terminate.recv() => rustix::process::Signal::TERM,
            _ = self.interrupt.recv() => rustix::process::Signal::INT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_started_again_until_it_dies_too_often() {
        let (mut deaths, now) = (Deaths::default(), clock::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        assert!((0..DEATHS as u64).all(|n| deaths.again(at(n))));
        assert!(!deaths.again(at(11)), "once more within the minute");
        assert!(deaths.again(at(80)), "and later it counts anew");
    }
}
