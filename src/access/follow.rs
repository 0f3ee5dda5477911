//! Following a visitor from another device: a signed token that expires and can be taken back.
//!
//! The token is the visitor's, made smaller: it reads, or it also asks and stops, and it never
//! acknowledges for the visitor or makes further tokens. Nothing is stored for one, so that it
//! survives a restart as the visitor's own does. Taking back is by visitor, all at once: what
//! was made up to then is worth nothing. Those moments are kept here, and only as long as a
//! token made before them could still be good.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Wall;
use crate::id::UserId;
use crate::store::{Committer, Store, StoreError, commit};

/// The longest that such a token may be good: the greatest value of `auth.follow_ttl`.
pub const LIFETIME_MAX: Duration = Duration::from_secs(30 * 86_400);
/// Visitors whose moment is kept.
const KEPT: usize = 1024;
/// The setting of the store.
const SETTING: &str = "follow_revoked";

/// When each visitor took back what lets others follow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Book {
    /// For everybody: beyond [`KEPT`] the oldest moment becomes that of all. It ends more than it
    /// has to, and never less.
    all: Wall,
    by_user: BTreeMap<UserId, Wall>,
}

impl Book {
    fn revoked_at(&self, user: &UserId) -> Wall {
        self.by_user
            .get(user)
            .map_or(self.all, |at| self.all.max(*at))
    }

    fn revoke(&mut self, user: &UserId, now: Wall, kept: usize) {
        self.by_user.retain(|_, at| at.plus(LIFETIME_MAX) > now);
        let at = self.revoked_at(user).max(now);
        self.by_user.insert(user.clone(), at);
        while self.by_user.len() > kept
            && let Some((oldest, at)) = self.by_user.iter().min_by_key(|(_, at)| **at)
        {
            self.all = self.all.max(*at);
            let oldest = oldest.clone();
            self.by_user.remove(&oldest);
        }
    }
}

/// A handle; cloned freely.
#[derive(Clone)]
pub struct Follow {
    committer: Committer,
    book: Arc<Mutex<Book>>,
}

impl Follow {
    /// With what the store knows.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn open(store: &Store, committer: Committer) -> Result<Self, StoreError> {
        let book = store.setting(SETTING)?.unwrap_or_default();
        Ok(Self {
            committer,
            book: Arc::new(Mutex::new(book)),
        })
    }

    /// What was made up to then for this visitor is worth nothing; zero where nothing was taken back.
    pub fn revoked_at(&self, user: &UserId) -> Wall {
        self.lock().revoked_at(user)
    }

    /// Takes back everything that lets others follow this visitor; counts at once, and is durable
    /// when this returns.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub async fn revoke(&self, user: &UserId, now: Wall) -> Result<(), StoreError> {
        let permit = self.committer.reserve().await?;
        let (tell, told) = tokio::sync::oneshot::channel();
        {
            let mut book = self.lock();
            book.revoke(user, now, KEPT);
            // Queued under the lock: a later book is never overwritten by an earlier one.
            let op = commit::setting(SETTING, &*book);
            permit.send(vec![op], Box::new(|result| drop(tell.send(result))));
        }
        told.await.unwrap_or(Err(StoreError::Stopped))
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::dice::{Dice, seeds};

    fn user(name: &str) -> UserId {
        UserId::parse(name).unwrap()
    }

    #[test]
    fn a_moment_is_its_visitors_and_ends_when_no_token_can_be_older() {
        let mut book = Book::default();
        book.revoke(&user("a"), Wall(5), KEPT);
        assert_eq!(book.revoked_at(&user("a")), Wall(5));
        assert_eq!(book.revoked_at(&user("b")), Wall(0));
        let late = Wall(5).plus(LIFETIME_MAX);
        book.revoke(&user("b"), late, KEPT);
        assert_eq!(book.by_user.len(), 1, "{book:?}");
    }

    #[test]
    fn beyond_what_is_kept_more_is_taken_back_and_never_less() {
        seeds(300, |seed| {
            let mut dice = Dice::new(seed);
            let (mut book, mut model) = (Book::default(), BTreeMap::new());
            for step in 1..60_u64 {
                let name = user(&format!("u{}", dice.below(8)));
                book.revoke(&name, Wall(step), 3);
                model.insert(name, Wall(step));
                assert!(book.by_user.len() <= 3);
                for (user, at) in &model {
                    assert!(book.revoked_at(user) >= *at, "{user} {book:?}");
                }
            }
        });
    }
}
