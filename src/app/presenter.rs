//! From the configuration to what a presenter may.

use std::sync::Arc;

use super::StartError;
use super::wiring::read;
use crate::agents::backend::Backend;
use crate::config::Config;
use crate::examples::Gallery;
use crate::examples::script::Script;
use crate::serve::presenter::{Faults, Presenter, Slowed};
use crate::supervisor::Breakers;
use crate::supervisor::rehearsal::{Standby, Switch, Switched};

/// Who answers, and who answers where that one fails.
pub(super) type Backends = (Arc<dyn Backend>, Option<Arc<dyn Backend>>);

/// Puts the first backend behind a switch. The built-in engine alone has nobody behind it, so
/// then a second instance of it stands by.
fn behind_a_switch((primary, fallback): Backends, switch: &Switch) -> Backends {
    let standby = fallback.unwrap_or_else(|| Arc::new(Standby(Arc::clone(&primary))));
    let switched = Switched {
        inner: primary,
        switch: switch.clone(),
    };
    (Arc::new(switched), Some(standby))
}

pub(super) fn wire(
    config: &Config,
    gallery: &Gallery,
    breakers: &Breakers,
    mut backends: Backends,
) -> Result<(Presenter, Backends), StartError> {
    let mut presenter = Presenter {
        script: script(config, gallery)?,
        pause: config.presenter.pause,
        faults: None,
    };
    if config.presenter.allow_faults {
        let switch = Switch::default();
        backends = behind_a_switch(backends, &switch);
        let names = std::iter::once(&backends.0).chain(&backends.1);
        presenter.faults = Some(Faults {
            switch,
            breakers: breakers.clone(),
            backends: names.map(|backend| backend.name().to_owned()).collect(),
            slowed: Slowed::default(),
            kill: is_watched().then_some(die as fn()),
        });
    }
    Ok((presenter, backends))
}

fn script(config: &Config, gallery: &Gallery) -> Result<Script, StartError> {
    let Some(path) = &config.presenter.script else {
        return Ok(Script::default());
    };
    let known = |id: &str| gallery.examples().iter().any(|example| example.id == id);
    Script::parse(&read(path)?, known).map_err(|faults| {
        StartError::File(format!(
            "presenter.script {}: {}",
            path.display(),
            faults.join("; ")
        ))
    })
}

/// Set for the process that `serve --supervised` starts.
pub const SUPERVISED: &str = "EMFLOW_SUPERVISED";

/// Whether somebody starts this process again: our own supervisor, or systemd, which sets the
/// other for its services.
fn is_watched() -> bool {
    [SUPERVISED, "INVOCATION_ID"]
        .iter()
        .any(|name| std::env::var_os(name).is_some())
}

/// What `kill -9` does: no destructor, no flush, no farewell.
fn die() {
    let own = rustix::process::getpid();
    if let Err(error) = rustix::process::kill_process(own, rustix::process::Signal::KILL) {
        tracing::error!(%error, "this process could not be killed");
    }
}
