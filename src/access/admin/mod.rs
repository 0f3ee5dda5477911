//! The administrator: password, sessions of browsers, API tokens, one-time links.
//!
//! There is one administrator and one password. A browser logs in and gets a cookie; a script
//! gets a token with a name and a [`Scope`]. Who sits at the machine gets in through
//! [`control`], without the password: they own the files anyway.
//!
//! Where no password is set, nobody gets in and every call is refused as disabled. A password
//! that is configured counts, and can be changed only where it is configured; otherwise the one
//! set last counts. See [`Admin::prepare`].

mod book;
pub mod control;
mod enter;
mod keys;
mod links;
pub mod password;
mod secret;
mod throttle;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

pub use book::{Book, Lifetimes, Scope, Session, Token};
pub use enter::{Entered, Knock};
pub use links::LINK_LIFETIME;
pub use secret::{Fingerprint, TOKEN_PREFIX, csrf};
pub use throttle::Policy;

use crate::access::audit::{Actor, Audit, Entry};
use crate::access::credential::cookie;
use crate::clock::{self, Wall};
use crate::store::{Committer, Store, StoreError, commit};
use links::Links;
use password::{Hasher, Unfit};
use throttle::Throttle;

/// The administrator's cookie; `__Host-` as the visitor's.
pub const ADMIN_COOKIE: &str = "__Host-emflow_admin";
/// The name under which the administrator logs in and stands in the log.
pub const NAME: &str = "admin";
/// Where it stands in the store.
const SETTING: &str = "admin";

/// The numbers.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Of a browser's session.
    pub sessions: Lifetimes,
    /// Of wrong passwords.
    pub throttle: Policy,
}

/// Somebody who may look or operate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// [`NAME`], or the token's.
    pub name: String,
    /// What they brought.
    pub via: Via,
    /// What they may.
    pub scope: Scope,
    /// Of what they brought.
    pub fingerprint: Fingerprint,
}

/// What somebody brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The cookie of a browser that is logged in.
    Session,
    /// An API token.
    Token,
}

impl Via {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
        }
    }
}

impl Principal {
    /// For the log.
    pub fn actor(&self, from: IpAddr) -> Actor {
        Actor {
            who: self.name.clone(),
            via: self.via.as_str(),
            from: from.to_string(),
        }
    }
}

/// What a request brings.
#[derive(Clone, Copy, Default)]
pub struct Brought<'a> {
    /// The token of `Authorization: Bearer`. It counts before the cookie.
    pub bearer: Option<&'a str>,
    /// `Cookie`.
    pub cookies: Option<&'a str>,
    /// `X-CSRF-Token`.
    pub csrf: Option<&'a str>,
    /// Whether the method may change anything; with a cookie it then needs the CSRF value.
    pub changes: bool,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// `503`: no password is set.
    #[error("no administrator's password is set; set one with `emflow admin set-password`")]
    Disabled,
    /// `401`: nothing was brought, or nothing that is worth anything any more.
    #[error("log in, or send an API token as Authorization: Bearer")]
    Unknown,
    /// `403`: a cookie without its CSRF value.
    #[error(
        "with a cookie this call needs the header X-CSRF-Token, as GET /api/v1/admin/session gives it"
    )]
    Csrf,
}

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// As [`Denied`].
    #[error(transparent)]
    Denied(#[from] Denied),
    /// `401`.
    #[error("{0}")]
    Wrong(&'static str),
    /// `429`: too many wrong ones, or too many at once.
    #[error("too many attempts to log in; come back in {} s", .0.as_secs() + 1)]
    Wait(Duration),
    /// `400`: which field, and its rule.
    #[error("{0}")]
    Bad(String),
    /// `409`.
    #[error("{0}")]
    Conflict(String),
    /// `404`.
    #[error("{0}")]
    NotFound(String),
    /// `500`.
    #[error(transparent)]
    NoRandomness(#[from] secret::NoRandomness),
    /// `500`: the store; the process ends then.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Unfit> for Refused {
    fn from(unfit: Unfit) -> Self {
        Self::Bad(format!("password: {unfit}"))
    }
}

/// A handle; cloned freely.
#[derive(Clone)]
pub struct Admin(Arc<Shared>);

struct Shared {
    committer: Committer,
    audit: Audit,
    settings: Settings,
    hasher: Hasher,
    state: Mutex<State>,
    /// Taken for a change, until it is durable and in force.
    changing: Arc<tokio::sync::Mutex<()>>,
    /// Counts changes, for those who wait for the end of a session or token.
    changed: tokio::sync::watch::Sender<u64>,
}

struct State {
    book: Book,
    throttle: Throttle,
    links: Links,
    /// Whether the password is the configured one.
    configured: bool,
    /// Whether a session or token was used since the book was written.
    touched: bool,
}

impl Admin {
    /// Reads what is stored.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn new(
        store: &Store,
        committer: Committer,
        audit: Audit,
        settings: Settings,
    ) -> Result<Self, StoreError> {
        let state = State {
            book: store.setting(SETTING)?.unwrap_or_default(),
            throttle: Throttle::new(settings.throttle),
            links: Links::default(),
            configured: false,
            touched: false,
        };
        Ok(Self(Arc::new(Shared {
            committer,
            audit,
            settings,
            hasher: Hasher::default(),
            state: Mutex::new(state),
            changing: Arc::default(),
            changed: tokio::sync::watch::Sender::new(0),
        })))
    }

    /// Who it is.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn authenticate(&self, brought: &Brought<'_>, now: Wall) -> Result<Principal, Denied> {
        let mut state = self.lock();
        if state.book.password.is_none() {
            return Err(Denied::Disabled);
        }
        if let Some(text) = brought.bearer {
            let fingerprint = Fingerprint::of(text);
            let token = state.book.token(fingerprint, now).ok_or(Denied::Unknown)?;
            token.used = Some(now);
            let principal = Principal {
                name: token.name.clone(),
                via: Via::Token,
                scope: token.scope,
                fingerprint,
            };
            state.touched = true;
            return Ok(principal);
        }
        let text = brought.cookies.and_then(|all| cookie(all, ADMIN_COOKIE));
        let text = text.ok_or(Denied::Unknown)?;
        let fingerprint = Fingerprint::of(text);
        let limits = self.0.settings.sessions;
        let session = state.book.session(fingerprint, limits, now);
        let session = session.ok_or(Denied::Unknown)?;
        if brought.changes
            && !brought
                .csrf
                .is_some_and(|given| secret::csrf_matches(text, given))
        {
            return Err(Denied::Csrf);
        }
        session.seen = now;
        state.touched = true;
        Ok(Principal {
            name: NAME.to_owned(),
            via: Via::Session,
            scope: Scope::Operate,
            fingerprint,
        })
    }

    /// How long this principal's session or token lasts if nobody uses it; none where it is over.
    pub fn left(&self, principal: &Principal, now: Wall) -> Option<Duration> {
        let mut state = self.lock();
        let of = principal.fingerprint;
        match principal.via {
            Via::Session => {
                let limits = self.0.settings.sessions;
                state.book.session(of, limits, now)?.left(limits, now)
            }
            Via::Token => {
                let token = state.book.token(of, now)?;
                Some(token.expires.map_or(Duration::MAX, |end| end.since(now)))
            }
        }
    }

    /// Waits until the principal's session or token is over: logged out, revoked, expired, the
    /// password changed. For streams that stay open; a stream by itself does not keep a session
    /// from idling out.
    pub async fn ended(&self, principal: &Principal) {
        let mut changed = self.0.changed.subscribe();
        while let Some(left) = self.left(principal, clock::wall()) {
            // Not longer than a minute: the wall clock may leap.
            let pause = left.min(Duration::from_secs(60));
            tokio::select! {
                // The sender lives in self.
                _ = changed.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Whether nobody can log in.
    pub fn disabled(&self) -> bool {
        self.lock().book.password.is_none()
    }

    /// Whether the password is the configured one.
    pub fn configured(&self) -> bool {
        self.lock().configured
    }

    /// Who is logged in, and which tokens there are.
    pub fn book(&self) -> Book {
        self.lock().book.clone()
    }

    /// How long sessions last.
    pub fn lifetimes(&self) -> Lifetimes {
        self.0.settings.sessions
    }

    /// Writes down when sessions and tokens were last used, where that changed. Once a minute
    /// is enough: a restart then takes a session for a minute more idle than it was.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub async fn persist(&self) -> Result<(), StoreError> {
        if !std::mem::take(&mut self.lock().touched) {
            return Ok(());
        }
        match self.change(|_| Ok(()), None).await {
            Err(Refused::Store(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Changes the book: durable first, then in force, both even if nobody waits any more.
    async fn change(
        &self,
        apply: impl FnOnce(&mut Book) -> Result<(), Refused>,
        entry: Option<Entry>,
    ) -> Result<(), Refused> {
        let one = Arc::clone(&self.0.changing).lock_owned().await;
        let place = self.0.committer.reserve().await?;
        let mut next = self.lock().book.clone();
        apply(&mut next)?;
        let mut ops = entry.map(|e| self.0.audit.entry(e)).unwrap_or_default();
        ops.push(commit::setting(SETTING, &next));
        let (tell, told) = tokio::sync::oneshot::channel();
        let admin = self.clone();
        let done = move |result: Result<(), StoreError>| {
            if result.is_ok() {
                admin.lock().book = next;
                admin.0.changed.send_modify(|n| *n += 1);
            }
            drop(one);
            drop(tell.send(result));
        };
        place.send(ops, Box::new(done));
        Ok(told.await.unwrap_or(Err(StoreError::Stopped))?)
    }

    /// The state is whole after each statement.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// The value of `Set-Cookie` that gives a browser the session; with a lifetime of zero it takes
/// it away.
pub fn set_cookie(secret: &str, lifetime: Duration) -> String {
    let seconds = lifetime.as_secs();
    format!("{ADMIN_COOKIE}={secret}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Strict")
}

/// Somebody without a credential, for the log.
pub fn nobody(from: IpAddr) -> Actor {
    Actor {
        who: "anyone".to_owned(),
        via: "nothing",
        from: from.to_string(),
    }
}

/// The time that passes for links and attempts.
fn now() -> Instant {
    clock::now()
}

#[cfg(test)]
mod tests;
