//! The administrators' log: who did what, when, from where, what it was before and is now.
//!
//! Durable and bounded: the newest entries are kept, so many of what was done and so many of
//! what was refused. A change and its entry belong into one commit: [`Audit::entry`] gives the
//! operations to put beside those of the change.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use serde::Serialize;

use crate::clock;
use crate::store::audit_log::{AuditRecord, Ring};
use crate::store::{Committer, Op, Store, StoreError};

/// Entries kept of what was refused.
pub const REFUSED_KEPT: usize = 1000;
/// The longest text of who, from, action, target or reason, in bytes.
const TEXT_MAX: usize = 256;
/// The longest JSON text of before and after, in bytes; a longer one is replaced by its size.
const VALUE_MAX: usize = 4096;
/// Entries dropped at most with each new one, where a lower limit was configured.
const DROPPED_MAX: usize = 16;
/// Entries read at most for one page, so that a filter that nothing fits has an end.
const READ_MAX: usize = 20_000;

/// Who does something, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `admin`, the name of a token, `uid 1000`.
    pub who: String,
    /// `session`, `token`, `local` or `nothing`.
    pub via: &'static str,
    /// The address; empty for a process of this machine.
    pub from: String,
}

/// What is to be written down.
#[derive(Debug, Clone)]
pub struct Entry {
    actor: Actor,
    action: &'static str,
    target: String,
    before: Option<String>,
    after: Option<String>,
    refused: Option<String>,
}

impl Entry {
    /// `action` as `noun.verb`, for example `visitor.cleanup`; `target` is empty where there is none.
    pub fn new(actor: &Actor, action: &'static str, target: impl Into<String>) -> Self {
        Self {
            actor: actor.clone(),
            action,
            target: target.into(),
            before: None,
            after: None,
            refused: None,
        }
    }

    /// What it was before.
    pub fn before(mut self, value: &impl Serialize) -> Self {
        self.before = Some(json(value));
        self
    }

    /// What it is now.
    pub fn after(mut self, value: &impl Serialize) -> Self {
        self.after = Some(json(value));
        self
    }

    /// It was refused, and why.
    pub fn refused(mut self, why: impl Into<String>) -> Self {
        self.refused = Some(why.into());
        self
    }
}

fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    if text.len() <= VALUE_MAX {
        return text;
    }
    format!("{{\"too_long_to_keep\":{}}}", text.len())
}

fn shortened(mut text: String) -> String {
    if text.len() > TEXT_MAX {
        text.truncate(text.floor_char_boundary(TEXT_MAX - 3));
        text.push('…');
    }
    text
}

/// Which entries are wanted; an absent condition holds for all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Numbers below this one.
    pub before: Option<u64>,
    /// The action, or what it begins with up to a dot: `token` is `token.create` and `token.revoke`.
    pub action: Option<String>,
    /// Who.
    pub who: Option<String>,
    /// What was done, or what was refused.
    pub done: Option<bool>,
}

impl Filter {
    fn fits(&self, entry: &AuditRecord) -> bool {
        let of = |wanted: &String| {
            let rest = entry.action.strip_prefix(wanted.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.action.as_ref().is_none_or(of)
            && self.who.as_ref().is_none_or(|who| *who == entry.who)
            && self.done.is_none_or(|done| done == entry.refused.is_none())
    }
}

/// A handle; cloned freely.
#[derive(Clone)]
pub struct Audit(Arc<Shared>);

struct Shared {
    store: Store,
    committer: Committer,
    kept: usize,
    numbers: Mutex<Numbers>,
}

/// Which entries there are: the committer is told which ones to drop.
struct Numbers {
    next: u64,
    done: VecDeque<u64>,
    refused: VecDeque<u64>,
}

impl Numbers {
    fn of(&mut self, ring: Ring) -> &mut VecDeque<u64> {
        match ring {
            Ring::Done => &mut self.done,
            Ring::Refused => &mut self.refused,
        }
    }
}

impl Audit {
    /// `kept`: how many entries of what was done; at least one.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn new(store: Store, committer: Committer, kept: usize) -> Result<Self, StoreError> {
        let [done, refused] = [Ring::Done, Ring::Refused].map(|ring| store.audit_numbers(ring));
        let (done, refused) = (VecDeque::from(done?), VecDeque::from(refused?));
        let last = done.back().max(refused.back()).copied().unwrap_or(0);
        let numbers = Numbers {
            next: last + 1,
            done,
            refused,
        };
        Ok(Self(Arc::new(Shared {
            store,
            committer,
            kept: kept.max(1),
            numbers: Mutex::new(numbers),
        })))
    }

    /// The operations that write it down, for the commit of the change itself. Not to be
    /// dropped: the entry has its number.
    #[must_use]
    pub fn entry(&self, entry: Entry) -> Vec<Op> {
        let Entry { actor, .. } = entry;
        let mut record = AuditRecord {
            number: 0,
            at: clock::wall(),
            who: shortened(actor.who),
            via: actor.via.to_owned(),
            from: shortened(actor.from),
            action: entry.action.to_owned(),
            target: shortened(entry.target),
            before: entry.before,
            after: entry.after,
            refused: entry.refused.map(shortened),
        };
        let ring = record.ring();
        let kept = match ring {
            Ring::Done => self.0.kept,
            Ring::Refused => REFUSED_KEPT,
        };
        let mut numbers = self.lock();
        record.number = numbers.next;
        numbers.next += 1;
        let held = numbers.of(ring);
        held.push_back(record.number);
        let excess = held.len().saturating_sub(kept).min(DROPPED_MAX);
        let drop = held.drain(..excess).map(|n| Op::RemoveAudit(ring, n));
        drop.chain([Op::PutAudit(Box::new(record))]).collect()
    }

    /// Writes it down, where the change itself is not in the store. Durable on return.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub async fn record(&self, entry: Entry) -> Result<(), StoreError> {
        // The place first: between taking a number and queueing nothing may wait.
        let place = self.0.committer.reserve().await?;
        let (tell, told) = tokio::sync::oneshot::channel();
        let done = Box::new(move |result| drop(tell.send(result)));
        place.send(self.entry(entry), done);
        told.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Up to `max` entries, newest first, and below which number the next page begins.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn page(
        &self,
        filter: &Filter,
        max: usize,
    ) -> Result<(Vec<AuditRecord>, Option<u64>), StoreError> {
        let before = filter.before.unwrap_or(u64::MAX);
        let [done, refused] = Ring::ALL.map(|ring| self.0.store.audit_before(ring, before));
        let (mut done, mut refused) = (done.peekable(), refused.peekable());
        let mut found: Vec<AuditRecord> = Vec::new();
        let mut last = before;
        for _ in 0..READ_MAX {
            let number = |entry: Option<&Result<AuditRecord, _>>| match entry {
                Some(Ok(entry)) => Some(entry.number),
                Some(Err(_)) => Some(u64::MAX),
                None => None,
            };
            let next = if number(done.peek()) >= number(refused.peek()) {
                done.next()
            } else {
                refused.next()
            };
            let Some(entry) = next.transpose()? else {
                return Ok((found, None));
            };
            if found.len() == max {
                return Ok((found, Some(last)));
            }
            last = entry.number;
            if filter.fits(&entry) {
                found.push(entry);
            }
        }
        Ok((found, Some(last)))
    }

    /// The numbers are whole after each statement.
    fn lock(&self) -> MutexGuard<'_, Numbers> {
        self.0.numbers.lock().unwrap_or_else(|e| e.into_inner())
    }
}

#[cfg(test)]
mod tests;
