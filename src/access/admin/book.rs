//! What is stored of the administrator: the password's hash, who is logged in, API tokens.
//! Pure: times and secrets are given. One record, so that a new password and the end of the
//! old sessions are one step.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::secret::Fingerprint;
use crate::clock::Wall;

/// Sessions at once; one more ends the one that was not used for longest.
pub(super) const SESSIONS_MAX: usize = 32;
/// Tokens at once; one more is refused.
pub(super) const TOKENS_MAX: usize = 100;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Look at everything.
    Read,
    /// And change.
    Operate,
}

impl Scope {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }

    /// Reads what [`Self::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Read, Self::Operate]
            .into_iter()
            .find(|scope| scope.as_str() == text)
    }
}

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Without a request.
    pub idle: Duration,
    /// At all.
    pub absolute: Duration,
}

/// A browser that is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Of the cookie's secret.
    pub fingerprint: Fingerprint,
    /// When it logged in.
    pub created: Wall,
    /// When it last asked for anything; on disk up to a minute older.
    pub seen: Wall,
    /// From where it logged in.
    pub from: String,
    /// What the browser calls itself.
    pub client: String,
}

impl Session {
    /// How long it lasts from now on if nobody uses it; none where it is over.
    pub fn left(&self, limits: Lifetimes, now: Wall) -> Option<Duration> {
        let idle = limits.idle.checked_sub(now.since(self.seen))?;
        let absolute = limits.absolute.checked_sub(now.since(self.created))?;
        Some(idle.min(absolute)).filter(|left| !left.is_zero())
    }
}

/// An API token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Of its secret.
    pub fingerprint: Fingerprint,
    /// What it is for; no two have the same.
    pub name: String,
    /// What it may.
    pub scope: Scope,
    /// When it was made.
    pub created: Wall,
    /// From when on it is worth nothing.
    pub expires: Option<Wall>,
    /// When it was last used; on disk up to a minute older.
    pub used: Option<Wall>,
}

impl Token {
    /// Whether it is still worth something.
    pub fn valid(&self, now: Wall) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// A password that was set.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password {
    /// Argon2id, in the PHC form.
    pub hash: String,
    /// When it was set.
    pub changed: Wall,
}

/// The hash is not shown: it can be tried offline.
impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Password(set {})", self.changed.rfc3339())
    }
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// None: nobody can log in.
    pub password: Option<Password>,
    /// Who is logged in.
    pub sessions: Vec<Session>,
    /// API tokens, oldest first.
    pub tokens: Vec<Token>,
}

/// There is a token of this name, or there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// The name is taken.
    #[error("name: another token has this name; take another one, or revoke that one first")]
    Taken,
    /// [`TOKENS_MAX`].
    #[error("there are {TOKENS_MAX} tokens already; revoke one first")]
    Full,
}

impl Book {
    /// The session of this secret, as long as it lasts.
    pub fn session(
        &mut self,
        of: Fingerprint,
        limits: Lifetimes,
        now: Wall,
    ) -> Option<&mut Session> {
        let session = self.sessions.iter_mut().find(|s| s.fingerprint == of)?;
        session.left(limits, now)?;
        Some(session)
    }

    /// The token of this secret, as long as it lasts.
    pub fn token(&mut self, of: Fingerprint, now: Wall) -> Option<&mut Token> {
        let token = self.tokens.iter_mut().find(|t| t.fingerprint == of)?;
        token.valid(now).then_some(token)
    }

    /// Enters a session; those that are over go, and the least used one where there are too many.
    pub fn enter(&mut self, session: Session, limits: Lifetimes, now: Wall) {
        self.sessions.retain(|s| s.left(limits, now).is_some());
        while self.sessions.len() >= SESSIONS_MAX {
            let idlest = (0..self.sessions.len()).min_by_key(|at| self.sessions[*at].seen);
            self.sessions.remove(idlest.unwrap_or(0));
        }
        self.sessions.push(session);
    }

    /// Ends one session.
    pub fn leave(&mut self, of: Fingerprint) {
        self.sessions.retain(|s| s.fingerprint != of);
    }

    /// Sets a password; whoever is logged in with the old one is not any more.
    pub fn set_password(&mut self, password: Password) {
        self.password = Some(password);
        self.sessions.clear();
    }

    /// Enters a token; an expired one of the same name makes room.
    ///
    /// # Errors
    /// `NoToken`; nothing is changed then.
    pub fn add_token(&mut self, token: Token, now: Wall) -> Result<(), NoToken> {
        let same = self.tokens.iter().find(|t| t.name == token.name);
        if same.is_some_and(|t| t.valid(now)) {
            return Err(NoToken::Taken);
        }
        let others = self.tokens.iter().filter(|t| t.name != token.name);
        if others.count() >= TOKENS_MAX {
            return Err(NoToken::Full);
        }
        self.tokens.retain(|t| t.name != token.name);
        self.tokens.push(token);
        Ok(())
    }

    /// Takes a token out, named by its id or its name; the id counts first.
    pub fn revoke(&mut self, which: &str) -> Option<Token> {
        let by_id = self.tokens.iter().position(|t| t.fingerprint.id() == which);
        let at = by_id.or_else(|| self.tokens.iter().position(|t| t.name == which))?;
        Some(self.tokens.remove(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Lifetimes = Lifetimes {
        idle: Duration::from_secs(30),
        absolute: Duration::from_secs(100),
    };

    fn at(second: u64) -> Wall {
        Wall(second * 1000)
    }

    fn session(name: &str, second: u64) -> Session {
        Session {
            fingerprint: Fingerprint::of(name),
            created: at(second),
            seen: at(second),
            from: String::new(),
            client: String::new(),
        }
    }

    fn token(name: &str, expires: Option<u64>) -> Token {
        Token {
            fingerprint: Fingerprint::of(name),
            name: name.to_owned(),
            scope: Scope::Read,
            created: at(0),
            expires: expires.map(at),
            used: None,
        }
    }

    #[test]
    fn a_session_ends_by_idleness_or_by_age() {
        let check = |seen: u64, now: u64, left: Option<u64>| {
            let session = Session {
                seen: at(seen),
                ..session("a", 0)
            };
            let expected = left.map(Duration::from_secs);
            assert_eq!(session.left(LIMITS, at(now)), expected, "{seen} {now}");
        };
        check(0, 0, Some(30));
        check(0, 29, Some(1));
        check(0, 30, None);
        check(80, 90, Some(10));
        check(99, 100, None);
        check(50, 40, Some(30)); // The clock went back.
    }

    #[test]
    fn sessions_are_bounded_and_the_least_used_one_goes() {
        let mut book = Book::default();
        for n in 0..SESSIONS_MAX {
            book.enter(session(&n.to_string(), 0), LIMITS, at(0));
        }
        book.session(Fingerprint::of("0"), LIMITS, at(1))
            .unwrap()
            .seen = at(1);
        book.enter(session("new", 1), LIMITS, at(1));
        assert_eq!(book.sessions.len(), SESSIONS_MAX);
        let mut held = |name| book.session(Fingerprint::of(name), LIMITS, at(2)).is_some();
        assert_eq!((held("0"), held("1"), held("new")), (true, false, true));
        book.enter(session("late", 30), LIMITS, at(30));
        assert_eq!(book.sessions.len(), 3, "what is over goes first");
    }

    #[test]
    fn a_new_password_ends_the_sessions_and_keeps_the_tokens() {
        let mut book = Book::default();
        book.enter(session("a", 0), LIMITS, at(0));
        book.add_token(token("t", None), at(0)).unwrap();
        book.set_password(Password {
            hash: "$argon2id$".into(),
            changed: at(1),
        });
        assert!(book.session(Fingerprint::of("a"), LIMITS, at(1)).is_none());
        assert!(book.token(Fingerprint::of("t"), at(1)).is_some());
        assert!(!format!("{book:?}").contains("argon2"));
    }

    #[test]
    fn tokens_have_one_name_each_and_expire() {
        let mut book = Book::default();
        book.add_token(token("t", Some(10)), at(0)).unwrap();
        assert_eq!(book.add_token(token("t", None), at(9)), Err(NoToken::Taken));
        assert!(book.token(Fingerprint::of("t"), at(9)).is_some());
        assert!(book.token(Fingerprint::of("t"), at(10)).is_none());
        book.add_token(token("t", None), at(10)).unwrap();
        for n in 1..TOKENS_MAX {
            book.add_token(token(&n.to_string(), None), at(0)).unwrap();
        }
        assert_eq!(book.add_token(token("x", None), at(0)), Err(NoToken::Full));
        assert_eq!(book.revoke("nobody"), None);
        assert_eq!(book.revoke("7").unwrap().name, "7");
        let id = Fingerprint::of("8").id();
        assert_eq!(book.revoke(&id).unwrap().name, "8");
        assert_eq!(book.tokens.len(), TOKENS_MAX - 2);
    }
}
