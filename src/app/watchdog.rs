//! Tells the service manager that we live, and what we do.
//!
//! "Alive" is said only after the committer has answered and the accept loop has taken a turn: a
//! timer alone would go on while nobody is served. What is silent is named in the log before the
//! manager ends the process.

use std::sync::Arc;
use std::time::Duration;

use crate::notify;
use crate::serve::Services;
use crate::serve::accept::Pulse;
use crate::shutdown::{Drain, Phase};
use crate::store::Committer;

/// Between two lines of status where no watchdog asks for more.
const STATUS: Duration = Duration::from_secs(10);

pub(super) struct Watchdog {
    /// Within which time the manager must hear from us; none where it does not ask.
    pub(super) limit: Option<Duration>,
    pub(super) committer: Committer,
    pub(super) pulse: Pulse,
    pub(super) services: Arc<Services>,
    pub(super) drain: Drain,
}

pub(super) async fn run(watchdog: Watchdog) {
    // Half of it, so that one late turn is not the last one.
    let every = watchdog.limit.map_or(STATUS, |limit| limit / 2).min(STATUS);
    loop {
        if watchdog.limit.is_some() {
            match silent(&watchdog, every).await {
                None => notify::alive(),
                Some(part) => tracing::error!(
                    part,
                    "does not answer; the service manager will end the process unless it does"
                ),
            }
        }
        if watchdog.drain.phase() == Phase::Running {
            notify::status(&status(&watchdog.services));
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = watchdog.drain.reached(Phase::Closing) => return,
        }
    }
}

/// The part that does not answer within `limit`. The accept loop rightly ends with the drain.
async fn silent(watchdog: &Watchdog, limit: Duration) -> Option<&'static str> {
    let committed = watchdog.committer.commit(Vec::new());
    if !matches!(tokio::time::timeout(limit, committed).await, Ok(Ok(()))) {
        return Some("the committer of the store");
    }
    let turn = tokio::time::timeout(limit, watchdog.pulse.beat());
    let turned = matches!(turn.await, Ok(true));
    (!turned && watchdog.drain.phase() == Phase::Running).then_some("the accept loop")
}

/// For `systemctl status`: what somebody who looks wants to know first.
pub(super) fn status(services: &Services) -> String {
    format!(
        "serving {} sockets, {} sessions; {}",
        services.meters.door.sockets.get(),
        services.sessions.all().len(),
        services.demo.engine
    )
}
