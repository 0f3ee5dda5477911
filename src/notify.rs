//! What is told to the service manager that started the process: `sd_notify(3)`.
//!
//! Without one (`NOTIFY_SOCKET` is not set) every call does nothing. A message that cannot be sent
//! is not worth a failure: the manager then judges by its own time limits.

use std::time::Duration;

use sd_notify::NotifyState;

/// The process serves; `status` is what `systemctl status` shows.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// What the process does now, for `systemctl status`.
pub fn status(status: &str) {
    tell(&[NotifyState::Status(status)]);
}

/// A reload begins; [`ready`] ends it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        // systemd from 253 on wants the time beside it.
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The process goes, and may take this long.
pub fn stopping(limit: Duration) {
    let limit = u32::try_from(limit.as_micros()).unwrap_or(u32::MAX);
    tell(&[
        NotifyState::Stopping,
        NotifyState::Status("draining: telling the clients, ending what runs"),
        NotifyState::ExtendTimeoutUsec(limit),
    ]);
}

/// The process is alive: every part that must move has just moved.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// Within which time [`alive`] must be said again; none where nobody asks for it.
pub fn watchdog() -> Option<Duration> {
    // Not by the library, which takes a missing WATCHDOG_PID for somebody else's: sd_watchdog_enabled(3)
    // takes it for ours.
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let limit = number("WATCHDOG_USEC").filter(|limit| ours && *limit > 0)?;
    Some(Duration::from_micros(limit))
}

/// Whether anybody listens.
pub fn heard() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, states) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}
