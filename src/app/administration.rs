//! The administrator's room: from the configuration and the store, while serving or not.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{StartError, open_store};
use crate::access::admin::control::{self, Answer, Request};
use crate::access::admin::{Admin, Lifetimes, Policy, Refused, Settings};
use crate::access::audit::{Actor, Audit};
use crate::clock;
use crate::config::Config;
use crate::serve::control::{Control, own_uid};
use crate::shutdown::Drain;
use crate::store::{self, Committer, Store, StoreError};

/// Opens it. Nobody gets in before [`begin`] has put a password in force.
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
async fn prepare(
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

/// Puts the password in force; the one that was made, and a link, where somebody is there to read them.
pub(super) async fn begin(
    config: &Config,
    admin: &Admin,
    attended: bool,
) -> Result<(Option<String>, Option<String>), StartError> {
    let generated = prepare(config, admin, attended).await?;
    Ok((generated, first_link(admin, attended).await?))
}

/// A link for whoever reads the terminal: they could ask for one anyway. None where nobody gets in.
async fn first_link(admin: &Admin, attended: bool) -> Result<Option<String>, StartError> {
    if !attended || admin.disabled() {
        return Ok(None);
    }
    let uid = own_uid().map_err(|error| StartError::File(error.to_string()))?;
    let actor = Actor {
        who: format!("uid {uid}"),
        via: "local",
        from: String::new(),
    };
    match admin.link(&actor).await {
        Ok(link) => Ok(Some(link)),
        Err(Refused::Store(error)) => Err(StartError::Store(error)),
        Err(other) => Err(StartError::File(other.to_string())),
    }
}

/// Lets the owner of the machine in through the control socket.
pub(super) fn listen(config: &Config, admin: &Admin, listening: SocketAddr, drain: &Drain) {
    match Control::bind(&config.server.data_dir) {
        Ok(control) => {
            let serve = control.run(admin.clone(), listening, drain.clone());
            drain.spawn("control socket", serve);
        }
        // Some file systems hold no sockets. Visitors need none, so that is no reason to stay away.
        Err(error) => tracing::warn!(
            %error,
            "there is no control socket in the data directory: `emflow admin` works only while the appliance is stopped"
        ),
    }
}

/// Answers the owner of the machine where nobody serves: opens the store as a start would, with
/// its lock and its audit, and closes it again.
///
/// # Errors
/// As a start; and where what is written would belong to another user than the store does.
pub(super) async fn of_stopped(config: &Config, request: Request) -> Result<Answer, StartError> {
    let dir = config.server.data_dir.as_path();
    if !store::backup::holds_store(dir) {
        return Err(StoreError::Absent(dir.to_owned()).into());
    }
    let uid = owner_of(dir)?;
    let opened = open_store(config, false).await?;
    let (admin, _) = open(config, &opened.store, &opened.committer)?;
    prepare(config, &admin, false).await?;
    Ok(control::answer(&admin, request, uid, None, clock::wall()).await)
}

/// The user that the directory and this process belong to.
fn owner_of(dir: &Path) -> Result<u32, StartError> {
    let both = std::fs::metadata(dir).and_then(|about| Ok((about.uid(), own_uid()?)));
    let (owner, own) =
        both.map_err(|error| StartError::File(format!("{}: {error}", dir.display())))?;
    same_user(dir, owner, own)?;
    Ok(own)
}

/// Root could open the store of another user, and would leave files that this one cannot.
fn same_user(dir: &Path, owner: u32, own: u32) -> Result<(), StartError> {
    if owner == own {
        return Ok(());
    }
    Err(StartError::File(format!(
        "{} belongs to user {owner}, and this is user {own}; where nobody serves, \
         ask as that user: sudo -u '#{owner}' emflow admin …",
        dir.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_store_is_opened_by_its_owner_alone() {
        let dir = Path::new("/var/lib/emflow");
        assert!(same_user(dir, 990, 990).is_ok());
        for (owner, own) in [(990, 0), (0, 990), (990, 1000)] {
            let refused = same_user(dir, owner, own).unwrap_err().to_string();
            assert!(
                refused.contains(&format!("sudo -u '#{owner}'")),
                "{refused}"
            );
        }
    }
}
