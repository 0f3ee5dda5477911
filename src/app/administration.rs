//! The administrator's room: from the configuration and the store, while serving or not.

use super::StartError;
use crate::access::admin::{Admin, Lifetimes, Policy, Refused, Settings};
use crate::access::audit::Audit;
use crate::config::Config;
use crate::store::{Committer, Store};

/// Opens it. Nobody gets in before [`prepare`] has put a password in force.
pub(super) fn open(
    config: &Config,
    store: &Store,
    committer: &Committer,
) -> Result<(Admin, Audit), StartError> {
    let kept = config.admin.audit_entries;
    let audit = Audit::new(store.clone(), committer.clone(), kept)?;
    let settings = Settings {
        sessions: Lifetimes {
            idle: config.admin.session_idle,
            absolute: config.admin.session_lifetime,
        },
        throttle: Policy::default(),
    };
    let admin = Admin::new(store, committer.clone(), audit.clone(), settings)?;
    Ok((admin, audit))
}

/// Puts the configured password in force, or makes one where there is none and somebody is
/// there to read it.
pub(super) async fn prepare(
    config: &Config,
    admin: &Admin,
    generate: bool,
) -> Result<Option<String>, StartError> {
    let configured = &config.admin.password;
    let configured = (!configured.is_empty()).then(|| configured.expose());
    let prepared = admin.prepare(configured, generate).await;
    prepared.map_err(|refused| match refused {
        Refused::Store(error) => StartError::Store(error),
        other => StartError::File(format!("admin.password: {other}")),
    })
}
