//! Who is it, and may they: visitors, their credentials, and the limits on asking.
//!
//! A visitor proves who they are with a signed [token](tokens), with a single-use
//! [ticket](tickets) where no header can be set, or with the operator's own
//! [JWT](jwt). What comes out is an [`Identity`]; it is worth something until its
//! token expires or the visitor's generation rises, which revokes all at once.
//!
//! Tokens depend on the way visitors are let in: after a change of it, or of the
//! access code, those made before are worth nothing.

pub mod address;
pub mod admin;
pub mod audit;
pub mod credential;
pub mod follow;
pub mod jwt;
pub mod limits;
pub mod permits;
pub mod tickets;
pub mod tokens;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

pub use credential::Credential;

use crate::clock::Wall;
use crate::id::UserId;
use tickets::Tickets;
use tokens::{Claims, Kind, TokenError, Tokens};

/// What the store knows of revocation.
pub trait Generations: Send + Sync {
    /// The visitor's generation; 0 for one that was never revoked. Raising it revokes all tokens.
    fn generation(&self, user: &UserId) -> u64;

    /// When it was last raised. A JWT carries no generation: those issued (`iat`) up to
    /// then are revoked, and with them those that do not say when they were issued.
    fn revoked_at(&self, user: &UserId) -> Option<Wall>;

    /// What lets other devices follow the visitor is worth nothing if it was made up to then.
    fn follow_revoked_at(&self, user: &UserId) -> Wall;
}

/// A secret text to compare with; only its hash is kept.
#[derive(Clone)]
pub struct AccessCode([u8; 32]);

impl AccessCode {
    /// Keeps the hash.
    pub fn new(code: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, code.as_bytes()).as_ref());
        Self(hash)
    }

    /// Compares hashes, in constant time: neither content nor length shows.
    pub fn matches(&self, given: &str) -> bool {
        self.0.ct_eq(&Self::new(given).0).into()
    }
}

impl fmt::Debug for AccessCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessCode(…)")
    }
}

/// How visitors are let in.
#[derive(Debug)]
pub enum AuthMode {
    /// Anyone may have an id.
    Open,
    /// Who knows the code may.
    AccessCode(AccessCode),
    /// Visitors come with a JWT of the operator's platform; nobody gets an id here.
    Jwt(jwt::Verifier),
}

impl AuthMode {
    /// What tokens depend on.
    fn realm(&self) -> Vec<u8> {
        match self {
            Self::Open => b"open".to_vec(),
            Self::AccessCode(code) => [b"access_code\0".as_slice(), &code.0].concat(),
            Self::Jwt(_) => b"jwt".to_vec(),
        }
    }
}

/// What a credential lets its bearer do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything: the visitor.
    Visitor,
    /// Looks on from another device, see [`follow`].
    Follower {
        /// Whether it may also ask and stop.
        control: bool,
        /// When its token was made.
        issued: Wall,
    },
}

impl Role {
    /// Whether it may ask, stop, and be counted.
    pub fn may_act(self) -> bool {
        !matches!(self, Self::Follower { control: false, .. })
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Follower { control: true, .. } => "control",
            Self::Follower { control: false, .. } => "read",
        }
    }
}

/// Somebody who has proven who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub user_id: UserId,
    /// When the proof expires; a ticket's is its token's.
    pub expires: Wall,
    /// The visitor's generation when it was proven.
    pub generation: u64,
    /// What they may.
    pub role: Role,
}

/// Why a credential is not accepted: for logs and counters. A client is told `unauthenticated`
/// and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// A bearer token or cookie.
    #[error("{0}")]
    Token(#[from] TokenError),
    /// The operator's JWT.
    #[error("JWT: {0}")]
    Jwt(#[from] jwt::JwtError),
    /// A ticket that never was, was redeemed, or is too old.
    #[error("an unknown, used or expired ticket")]
    Ticket,
    /// The visitor's tokens were revoked after this one was made.
    #[error("a revoked credential")]
    Revoked,
}

/// What somebody says who wants to be a visitor.
#[derive(Debug, Default)]
pub struct NewVisitorRequest<'a> {
    /// Needed where the mode is [`AuthMode::AccessCode`].
    pub access_code: Option<&'a str>,
    /// Told back with the answer and not kept; see [`NewVisitor::display_name`].
    pub display_name: Option<&'a str>,
}

/// A new visitor.
pub struct NewVisitor {
    /// `v-` and 20 characters, 100 random bits.
    pub user_id: UserId,
    /// The token, for the answer and the cookie.
    pub token: String,
    /// When the token expires.
    pub expires: Wall,
    /// Trimmed, of 1 to [`DISPLAY_NAME_MAX`] characters, none of them a control.
    pub display_name: Option<String>,
}

/// The longest display name, in Unicode scalar values.
pub const DISPLAY_NAME_MAX: usize = 64;

/// Why somebody is not made a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// `401`: the access code is missing or wrong.
    #[error("the access code is missing or wrong")]
    WrongCode,
    /// `404`: visitors come with a JWT.
    #[error("visitors come with a JWT of the operator's platform")]
    NotHere,
    /// `400`.
    #[error("display_name: 1 to 64 characters, no control characters")]
    DisplayName,
    /// `503`: the system gives no random numbers, and without them nothing is safe.
    #[error("no random numbers")]
    NoRandomness,
}

/// Why no ticket is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTicket {
    /// `503` with `Retry-After`.
    #[error(transparent)]
    Full(#[from] tickets::Full),
    /// `503`, as [`NotAdmitted::NoRandomness`].
    #[error("no random numbers")]
    NoRandomness,
}

/// How long proofs last.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// A visitor's token.
    pub token_lifetime: Duration,
    /// A token with which another device follows.
    pub follow_lifetime: Duration,
    /// Tickets.
    pub tickets: tickets::Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_lifetime: Duration::from_secs(30 * 86_400),
            follow_lifetime: Duration::from_secs(12 * 3600),
            tickets: tickets::Limits::default(),
        }
    }
}

/// Makes visitors and recognises them.
pub struct Access {
    mode: AuthMode,
    settings: Settings,
    tokens: Tokens,
    tickets: Mutex<Tickets>,
    generations: Arc<dyn Generations>,
    random: SystemRandom,
}

impl Access {
    /// `key`: 32 random bytes, kept with the store, so that tokens survive a restart.
    pub fn new(
        mode: AuthMode,
        settings: Settings,
        key: &[u8; 32],
        generations: Arc<dyn Generations>,
    ) -> Self {
        Self {
            tokens: Tokens::new(key, &mode.realm()),
            tickets: Mutex::new(Tickets::new(settings.tickets)),
            mode,
            settings,
            generations,
            random: SystemRandom::new(),
        }
    }

    /// Makes a visitor, where the mode allows.
    pub fn create_visitor(
        &self,
        request: &NewVisitorRequest<'_>,
        now: Wall,
    ) -> Result<NewVisitor, NotAdmitted> {
        match &self.mode {
            AuthMode::Open => {}
            AuthMode::AccessCode(code) if request.access_code.is_some_and(|c| code.matches(c)) => {}
            AuthMode::AccessCode(_) => return Err(NotAdmitted::WrongCode),
            AuthMode::Jwt(_) => return Err(NotAdmitted::NotHere),
        }
        let display_name = request.display_name.map(display_name).transpose()?;
        let user_id = self.new_user_id().ok_or(NotAdmitted::NoRandomness)?;
        let claims = Claims {
            kind: Kind::Own,
            generation: self.generations.generation(&user_id),
            user_id,
            issued: now,
            expires: now.plus(self.settings.token_lifetime),
        };
        Ok(NewVisitor {
            token: self.tokens.mint(&claims),
            user_id: claims.user_id,
            expires: claims.expires,
            display_name,
        })
    }

    /// Who brought this credential. A ticket is used up, whether or not it is accepted.
    pub fn authenticate(
        &self,
        credential: Credential<'_>,
        now: Instant,
        wall: Wall,
    ) -> Result<Identity, Denied> {
        let identity = match credential {
            Credential::Ticket(text) => {
                let holder = self.lock_tickets().redeem(text, now);
                holder.ok_or(Denied::Ticket)?
            }
            Credential::Bearer(text) | Credential::Cookie(text) => match &self.mode {
                // What lets a device follow is ours in every mode; a JWT has dots, ours has none.
                AuthMode::Jwt(verifier) if text.contains('.') => {
                    self.jwt_identity(verifier.verify(text, wall)?)?
                }
                AuthMode::Jwt(_) => match self.tokens.verify(text, wall)? {
                    claims if claims.kind == Kind::Own => return Err(TokenError::Malformed.into()),
                    claims => identity(claims),
                },
                AuthMode::Open | AuthMode::AccessCode(_) => {
                    identity(self.tokens.verify(text, wall)?)
                }
            },
        };
        self.recheck(&identity, wall)?;
        Ok(identity)
    }

    /// Whether an identity proven before, of an open socket for example, is still worth something.
    pub fn recheck(&self, identity: &Identity, wall: Wall) -> Result<(), Denied> {
        if wall >= identity.expires {
            return Err(Denied::Token(TokenError::Expired));
        }
        if self.generations.generation(&identity.user_id) != identity.generation {
            return Err(Denied::Revoked);
        }
        if let Role::Follower { issued, .. } = identity.role
            && issued <= self.generations.follow_revoked_at(&identity.user_id)
        {
            return Err(Denied::Revoked);
        }
        Ok(())
    }

    /// A token with which another device follows the visitor who `holder` is, and its end: not
    /// later than that of what `holder` brought. None for a follower: it does not pass on.
    pub fn share(&self, holder: &Identity, control: bool, now: Wall) -> Option<(String, Wall)> {
        if holder.role != Role::Visitor {
            return None;
        }
        // Made in the millisecond of a revocation, it is of those after it.
        let revoked = self.generations.follow_revoked_at(&holder.user_id);
        let issued = now.max(Wall(revoked.0 + 1));
        let expires = now.plus(self.settings.follow_lifetime).min(holder.expires);
        let claims = Claims {
            kind: Kind::Follow { control },
            user_id: holder.user_id.clone(),
            issued,
            expires,
            generation: holder.generation,
        };
        Some((self.tokens.mint(&claims), expires))
    }

    /// A ticket for somebody who has proven who they are.
    pub fn issue_ticket(&self, holder: Identity, now: Instant) -> Result<String, NoTicket> {
        let secret = self.random_bytes().ok_or(NoTicket::NoRandomness)?;
        Ok(self.lock_tickets().issue(holder, secret, now)?)
    }

    /// How long a ticket may be redeemed.
    pub fn ticket_lifetime(&self) -> Duration {
        self.settings.tickets.lifetime
    }

    /// How long a new token is worth something; the cookie's `Max-Age`.
    pub fn token_lifetime(&self) -> Duration {
        self.settings.token_lifetime
    }

    fn jwt_identity(&self, claims: jwt::JwtClaims) -> Result<Identity, Denied> {
        // The generation is read first: raised in between, the recheck finds another.
        let generation = self.generations.generation(&claims.user_id);
        if let Some(revoked) = self.generations.revoked_at(&claims.user_id)
            && claims.issued.is_none_or(|issued| issued <= revoked)
        {
            return Err(Denied::Revoked);
        }
        Ok(Identity {
            user_id: claims.user_id,
            expires: claims.expires,
            generation,
            role: Role::Visitor,
        })
    }

    fn new_user_id(&self) -> Option<UserId> {
        const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let bytes = self.random_bytes()?;
        let letters = bytes[..20].iter().map(|b| BASE32[usize::from(b & 31)]);
        let id: String = "v-".chars().chain(letters.map(char::from)).collect();
        UserId::parse(&id).ok()
    }

    fn random_bytes(&self) -> Option<[u8; 32]> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes).ok()?;
        Some(bytes)
    }

    /// No statement leaves the tickets half changed in a way that hands one out twice.
    fn lock_tickets(&self) -> MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(|e| e.into_inner())
    }
}

fn identity(claims: Claims) -> Identity {
    Identity {
        user_id: claims.user_id,
        expires: claims.expires,
        generation: claims.generation,
        role: match claims.kind {
            Kind::Own => Role::Visitor,
            Kind::Follow { control } => Role::Follower {
                control,
                issued: claims.issued,
            },
        },
    }
}

fn display_name(text: &str) -> Result<String, NotAdmitted> {
    let name = text.trim();
    // Bidirectional and invisible formatting turns a name on a screen into another one.
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    let length = name.chars().take(DISPLAY_NAME_MAX + 1).count();
    if length == 0 || length > DISPLAY_NAME_MAX || name.chars().any(hidden) {
        return Err(NotAdmitted::DisplayName);
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests;
