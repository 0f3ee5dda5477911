//! API tokens: made, listed, revoked; and one-time links.

use std::time::Duration;

use serde_json::json;

use super::book::Token;
use super::secret::{Fingerprint, TOKEN_PREFIX, mint};
use super::{Admin, Denied, Refused, Scope, now};
use crate::access::audit::{Actor, Entry};
use crate::clock;

/// The longest name of a token, in characters.
const NAME_MAX: usize = 64;
/// The longest life of a token that expires.
pub(super) const LIFETIME_MAX: Duration = Duration::from_secs(10 * 365 * 86_400);

impl Admin {
    /// Makes a token. Its text is returned, and known to nobody afterwards.
    ///
    /// # Errors
    /// A bad name or lifetime, a name that is taken, too many.
    pub async fn create_token(
        &self,
        name: &str,
        scope: Scope,
        lifetime: Option<Duration>,
        actor: &Actor,
    ) -> Result<(String, Token), Refused> {
        let name = token_name(name)?;
        if lifetime.is_some_and(|l| l.is_zero() || l > LIFETIME_MAX) {
            let text = "the lifetime must be from a second to ten years; leave it out for none";
            return Err(Refused::Bad(text.to_owned()));
        }
        if self.disabled() {
            return Err(Denied::Disabled.into());
        }
        let wall = clock::wall();
        let text = format!("{TOKEN_PREFIX}{}", mint()?);
        let token = Token {
            fingerprint: Fingerprint::of(&text),
            name,
            scope,
            created: wall,
            expires: lifetime.map(|l| wall.plus(l)),
            used: None,
        };
        let expires = token.expires.map(clock::Wall::rfc3339);
        let after = json!({"id": token.fingerprint.id(), "scope": scope, "expires_at": expires});
        let entry = Entry::new(actor, "token.create", &token.name).after(&after);
        let new = token.clone();
        let add = move |book: &mut super::Book| {
            book.add_token(new, wall)
                .map_err(|why| Refused::Conflict(why.to_string()))
        };
        self.change(add, Some(entry)).await?;
        Ok((text, token))
    }

    /// Revokes the token of this id or name; whatever it holds open ends.
    ///
    /// # Errors
    /// There is none.
    pub async fn revoke_token(&self, which: &str, actor: &Actor) -> Result<Token, Refused> {
        let none = || Refused::NotFound("there is no such token".to_owned());
        let token = self.book().revoke(which).ok_or_else(none)?;
        let id = token.fingerprint.id();
        let before = json!({"id": id, "scope": token.scope});
        let entry = Entry::new(actor, "token.revoke", &token.name).before(&before);
        let revoke = move |book: &mut super::Book| book.revoke(&id).map(|_| ()).ok_or_else(none);
        self.change(revoke, Some(entry)).await?;
        Ok(token)
    }

    /// A link that logs one browser in, once, within [`super::LINK_LIFETIME`].
    ///
    /// # Errors
    /// Disabled, the store.
    pub async fn link(&self, actor: &Actor) -> Result<String, Refused> {
        if self.disabled() {
            return Err(Denied::Disabled.into());
        }
        let secret = mint()?;
        self.0
            .audit
            .record(Entry::new(actor, "link.create", ""))
            .await?;
        self.lock().links.add(Fingerprint::of(&secret), now());
        Ok(secret)
    }
}

fn token_name(text: &str) -> Result<String, Refused> {
    let name = text.trim();
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ');
    let fits = !name.is_empty() && name.len() <= NAME_MAX && name.chars().all(legal);
    if !fits {
        return Err(Refused::Bad(format!(
            "name: 1 to {NAME_MAX} of A-Z a-z 0-9 . _ - and space, saying what the token is for"
        )));
    }
    Ok(name.to_owned())
}
