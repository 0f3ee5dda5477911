//! What the owner of the machine may ask of the administrator's room, without a password.
//!
//! One request and one answer, each one line of JSON. While the appliance serves they go over a
//! Unix socket in the data directory, mode 0600, and the kernel says who is at the other end.
//! While it does not, the command line opens the store itself and asks here directly.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Admin, Refused, Scope};
use crate::access::audit::Actor;
use crate::clock::Wall;

/// The socket's name in the data directory.
pub const SOCKET: &str = "control.sock";
/// The longest line either way, in bytes.
pub const LINE_MAX: usize = 64 * 1024;

/// What is asked.
#[derive(Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Set the password; ends every session.
    SetPassword {
        /// The new one.
        password: String,
    },
    /// Make a one-time link.
    Link {},
    /// End the session of every browser.
    LogoutEverywhere {},
    /// Make a token.
    TokenCreate {
        /// What it is for.
        name: String,
        /// What it may.
        scope: Scope,
        /// Seconds until it expires; none for never.
        expires_in_s: Option<u64>,
    },
    /// List the tokens.
    TokenList {},
    /// Revoke a token.
    TokenRevoke {
        /// Its id or name.
        which: String,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It was done.
    Done {},
    /// A one-time link.
    Link {
        /// Its secret, for the fragment of an address.
        secret: String,
        /// Where the appliance listens.
        listening: SocketAddr,
    },
    /// A new token.
    Token {
        /// Shown once.
        token: String,
        /// About it.
        about: TokenInfo,
    },
    /// The tokens.
    Tokens {
        /// Oldest first.
        tokens: Vec<TokenInfo>,
    },
    /// It was not done.
    Refused {
        /// Why, and what to do.
        why: String,
    },
}

/// A token as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    /// A short name of it, for revoking.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may.
    pub scope: Scope,
    /// RFC 3339.
    pub created_at: String,
    /// None for never.
    pub expires_at: Option<String>,
    /// None for never; up to a minute old after a restart.
    pub last_used_at: Option<String>,
    /// Whether it is worth nothing any more.
    pub expired: bool,
}

impl TokenInfo {
    /// About this token.
    pub fn of(token: &super::Token, now: Wall) -> Self {
        Self {
            id: token.fingerprint.id(),
            name: token.name.clone(),
            scope: token.scope,
            created_at: token.created.rfc3339(),
            expires_at: token.expires.map(Wall::rfc3339),
            last_used_at: token.used.map(Wall::rfc3339),
            expired: !token.valid(now),
        }
    }
}

/// Answers. `listening`: where the appliance serves; none where it does not, and then a link would
/// be worth nothing.
pub async fn answer(
    admin: &Admin,
    request: Request,
    uid: u32,
    listening: Option<SocketAddr>,
    now: Wall,
) -> Answer {
    let actor = Actor {
        who: format!("uid {uid}"),
        via: "local",
        from: String::new(),
    };
    let done = match request {
        Request::SetPassword { password } => admin
            .set_password(&password, &actor)
            .await
            .map(|()| Answer::Done {}),
        Request::Link {} => link(admin, &actor, listening).await,
        Request::LogoutEverywhere {} => admin
            .logout_everywhere(&actor)
            .await
            .map(|()| Answer::Done {}),
        Request::TokenCreate {
            name,
            scope,
            expires_in_s,
        } => {
            let lifetime = expires_in_s.map(Duration::from_secs);
            let made = admin.create_token(&name, scope, lifetime, &actor).await;
            made.map(|(token, about)| Answer::Token {
                token,
                about: TokenInfo::of(&about, now),
            })
        }
        Request::TokenList {} => {
            let book = admin.book();
            let tokens = book.tokens.iter().map(|t| TokenInfo::of(t, now)).collect();
            Ok(Answer::Tokens { tokens })
        }
        Request::TokenRevoke { which } => {
            let revoked = admin.revoke_token(&which, &actor).await;
            revoked.map(|_| Answer::Done {})
        }
    };
    done.unwrap_or_else(|refused| Answer::Refused {
        why: refused.to_string(),
    })
}

async fn link(
    admin: &Admin,
    actor: &Actor,
    listening: Option<SocketAddr>,
) -> Result<Answer, Refused> {
    let Some(listening) = listening else {
        let text = "a link works only while the appliance serves; start it, then ask again";
        return Err(Refused::Conflict(text.to_owned()));
    };
    Ok(Answer::Link {
        secret: admin.link(actor).await?,
        listening,
    })
}
