//! The room for backups, from the configuration.

use std::path::PathBuf;
use std::sync::Arc;

use super::{StartError, wiring};
use crate::backups::{Backups, Settings, Verifier};
use crate::clock::Wall;
use crate::config::Config;
use crate::observe::Fact;
use crate::shutdown::Drain;
use crate::store::{Committer, Store};

/// Opens it; it looks at what is on the disk.
pub(super) async fn open(
    config: &Config,
    store: &Store,
    committer: &Committer,
    drain: &Drain,
) -> Result<Backups, StartError> {
    let within = || config.server.data_dir.join("backups");
    let settings = Settings {
        directory: config.backup.directory.clone().unwrap_or_else(within),
        every: config.backup.every,
        keep: config.backup.keep,
        min_free: config.store.min_free.0 as u64,
        scratch: wiring::store_options(config, false),
        verifier: verifier(),
    };
    let (store, committer, drain) = (store.clone(), committer.clone(), drain.clone());
    let open = move || Backups::new(store, committer, drain, settings);
    let opened = tokio::task::spawn_blocking(open).await;
    let early = |error| StartError::File(format!("the backups could not be looked at: {error}"));
    Ok(opened.map_err(early)??)
}

/// A process of the binary that runs, even where an upgrade has replaced its file.
fn verifier() -> Verifier {
    let running = PathBuf::from("/proc/self/exe");
    let binary = running.exists().then_some(running);
    match binary.or_else(|| std::env::current_exe().ok()) {
        Some(binary) => Verifier::Process(binary),
        None => Verifier::Inside,
    }
}

/// When the last backup succeeded, for whoever watches that; none where there is no plan.
pub(super) fn last(backups: &Backups) -> Fact<Option<Option<Wall>>> {
    let backups = backups.clone();
    Arc::new(move || {
        let planned = !backups.settings().every.is_zero();
        planned.then(|| backups.last_success())
    })
}
