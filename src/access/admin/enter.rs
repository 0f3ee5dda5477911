//! Coming in and going out: login, one-time link, logout, a new password.

use std::net::IpAddr;

use super::book::{Password, Session};
use super::password::{self, MAX};
use super::secret::{Fingerprint, mint};
use super::{Admin, Denied, NAME, Principal, Refused, Via, nobody, now};
use crate::access::address::Address;
use crate::access::audit::{Actor, Entry};
use crate::clock;
use crate::store::StoreError;

/// The longest name of a browser that is kept, in characters.
const CLIENT_MAX: usize = 160;
/// What is told to whoever could not be served at once.
const BUSY: std::time::Duration = std::time::Duration::from_secs(1);
const WRONG: &str = "this is not the administrator's name and password";

/// Who stands at the door.
#[derive(Debug, Clone, Copy)]
pub struct Knock<'a> {
    /// From where.
    pub from: IpAddr,
    /// What the browser calls itself.
    pub client: &'a str,
    /// The session it brought along, by its secret; it ends when a new one begins.
    pub old: Option<&'a str>,
}

/// A new session.
pub struct Entered {
    /// The cookie's value.
    pub secret: String,
    /// The session.
    pub session: Session,
}

impl Admin {
    /// Logs in with the password.
    ///
    /// Right or wrong, known name or not, takes the same time: one hashing.
    ///
    /// # Errors
    /// Disabled, wrong, too often, too many at once.
    pub async fn login(
        &self,
        name: &str,
        password: &str,
        knock: Knock<'_>,
    ) -> Result<Entered, Refused> {
        let actor = nobody(knock.from);
        let right = self.try_password(password, knock.from, &actor, "login", name == NAME);
        right.await?;
        self.open(knock, "login").await
    }

    /// Logs in with a one-time link.
    ///
    /// # Errors
    /// Disabled, or a link that is not good (any more). A link is not guessed, so it needs no
    /// throttle.
    pub async fn redeem(&self, link: &str, knock: Knock<'_>) -> Result<Entered, Refused> {
        if self.disabled() {
            return Err(Denied::Disabled.into());
        }
        if !self.lock().links.redeem(Fingerprint::of(link), now()) {
            return Err(Refused::Wrong(
                "this link was used, or is too old; make another one with `emflow admin link`",
            ));
        }
        self.open(knock, "link.redeem").await
    }

    /// Ends the session.
    ///
    /// # Errors
    /// The store.
    pub async fn logout(&self, principal: &Principal, from: IpAddr) -> Result<(), Refused> {
        let of = principal.fingerprint;
        let entry = Entry::new(&principal.actor(from), "logout", of.id());
        let leave = |book: &mut super::Book| {
            book.leave(of);
            Ok(())
        };
        self.change(leave, Some(entry)).await
    }

    /// Ends every session; links that are out are worth nothing any more.
    ///
    /// # Errors
    /// The store.
    pub async fn logout_everywhere(&self, actor: &Actor) -> Result<(), Refused> {
        let count = self.lock().book.sessions.len();
        let entry = Entry::new(actor, "logout.everywhere", "").before(&count);
        self.lock().links.clear();
        let leave = |book: &mut super::Book| {
            book.sessions.clear();
            Ok(())
        };
        self.change(leave, Some(entry)).await
    }

    /// Changes the password of somebody who is logged in and knows it. Every session ends; the
    /// one that asked goes on as a new one.
    ///
    /// # Errors
    /// Wrong, unfit, configured elsewhere.
    pub async fn change_password(
        &self,
        current: &str,
        new: &str,
        principal: &Principal,
        knock: Knock<'_>,
    ) -> Result<Entered, Refused> {
        if principal.via != Via::Session {
            return Err(Refused::Bad(
                "the password is changed by who is logged in with it, not by a token".to_owned(),
            ));
        }
        password::check(new).map_err(|unfit| Refused::Bad(format!("new: {unfit}")))?;
        self.not_configured()?;
        let actor = principal.actor(knock.from);
        self.try_password(current, knock.from, &actor, "password.change", true)
            .await?;
        self.put_password(new, &actor, "password.change").await?;
        self.open(knock, "login").await
    }

    /// Sets the password without the old one, for who owns the machine. Every session ends.
    ///
    /// # Errors
    /// Unfit, configured elsewhere, the store.
    pub async fn set_password(&self, new: &str, actor: &Actor) -> Result<(), Refused> {
        password::check(new)?;
        self.not_configured()?;
        self.put_password(new, actor, "password.set").await
    }

    /// At the start: a configured password counts, and replaces another one that was stored,
    /// whose sessions end. Without one the stored one counts; where there is none either and
    /// `generate` is set, one is made and returned, to be shown once.
    ///
    /// # Errors
    /// The store, or an unfit password in the configuration.
    pub async fn prepare(
        &self,
        configured: Option<&str>,
        generate: bool,
    ) -> Result<Option<String>, Refused> {
        let actor = Actor {
            who: "the start".to_owned(),
            via: "local",
            from: String::new(),
        };
        let stored = self.lock().book.password.clone();
        if let Some(wanted) = configured {
            password::check(wanted)?;
            let same = match stored {
                Some(stored) => {
                    let place = self.0.hasher.place().ok_or(Refused::Wait(BUSY))?;
                    place.verify(wanted.to_owned(), stored.hash).await
                }
                None => false,
            };
            if !same {
                self.put_password(wanted, &actor, "password.configured")
                    .await?;
            }
            self.lock().configured = true;
            return Ok(None);
        }
        if stored.is_some() || !generate {
            return Ok(None);
        }
        let made = password::generate()?;
        self.put_password(&made, &actor, "password.generated")
            .await?;
        Ok(Some(made))
    }

    fn not_configured(&self) -> Result<(), Refused> {
        if self.configured() {
            return Err(Refused::Conflict(
                "the password stands in the configuration (admin.password); change it there and restart"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Whether it is the password; wrong ones are counted and written down.
    async fn try_password(
        &self,
        password: &str,
        from: IpAddr,
        actor: &Actor,
        action: &'static str,
        known: bool,
    ) -> Result<(), Refused> {
        let address = Address::from(from);
        let stored = self.lock().book.password.clone().ok_or(Denied::Disabled)?;
        if password.len() > MAX {
            return Err(Refused::Bad(format!("password: at most {MAX} bytes")));
        }
        // The place first, so that who finds none is not counted as wrong.
        let place = self.0.hasher.place().ok_or(Refused::Wait(BUSY))?;
        let attempt = self.lock().throttle.attempt(address, now());
        attempt.map_err(Refused::Wait)?;
        let right = place.verify(password.to_owned(), stored.hash).await & known;
        if right {
            self.lock().throttle.right(address, now());
            return Ok(());
        }
        // Each is one hashing, so their rate is bounded; the log keeps them in a ring of their own.
        let entry = Entry::new(actor, action, "").refused("a wrong password");
        self.0.audit.record(entry).await?;
        Err(Refused::Wrong(WRONG))
    }

    async fn put_password(
        &self,
        new: &str,
        actor: &Actor,
        action: &'static str,
    ) -> Result<(), Refused> {
        let place = self.0.hasher.place().ok_or(Refused::Wait(BUSY))?;
        let hash = place.hash(new.to_owned()).await;
        let hash = hash.ok_or(Refused::Store(StoreError::Stopped))?;
        let password = Password {
            hash,
            changed: clock::wall(),
        };
        self.lock().links.clear();
        let entry = Entry::new(actor, action, "");
        let set = |book: &mut super::Book| {
            book.set_password(password);
            Ok(())
        };
        self.change(set, Some(entry)).await
    }

    async fn open(&self, knock: Knock<'_>, action: &'static str) -> Result<Entered, Refused> {
        let secret = mint()?;
        let wall = clock::wall();
        let session = Session {
            fingerprint: Fingerprint::of(&secret),
            created: wall,
            seen: wall,
            from: knock.from.to_string(),
            client: knock.client.chars().take(CLIENT_MAX).collect(),
        };
        let actor = Actor {
            who: NAME.to_owned(),
            ..nobody(knock.from)
        };
        let entry = Entry::new(&actor, action, session.fingerprint.id());
        let (limits, new) = (self.lifetimes(), session.clone());
        let enter = |book: &mut super::Book| {
            if let Some(old) = knock.old {
                book.leave(Fingerprint::of(old));
            }
            book.enter(new, limits, wall);
            Ok(())
        };
        self.change(enter, Some(entry)).await?;
        Ok(Entered { secret, session })
    }
}
