//! Sessions as an administrator looks for them, and the frames of one.

use std::collections::BTreeMap;

use super::Sessions;
use crate::clock::Wall;
use crate::id::{Category, SessionId, UserId};
use crate::machine::session::State;
use crate::protocol::frame::Kind;
use crate::store::{Frame, SessionRecord, StoreError};

/// Stored sessions that one search looks through: the work of a search is bounded.
const LOOKED_THROUGH: usize = 50_000;
/// Sessions read at once.
const STEP: usize = 1000;
/// Frames of a visitor that one page looks through for those of a session.
const FRAMES_LOOKED_THROUGH: usize = 20_000;
/// Frames read at once, and their bytes.
const FRAMES_STEP: (usize, usize) = (500, 2 << 20);

/// Where a session stands in the order of the search: newest first.
pub type Place = (Wall, SessionId);

/// What is looked for; every condition must hold.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// In one of these states.
    pub states: Vec<State>,
    /// Of this category.
    pub category: Option<Category>,
    /// Of this visitor.
    pub user: Option<UserId>,
    /// With this text in title, content or message id; lower case, empty for any.
    pub text: String,
    /// Behind this place.
    pub before: Option<Place>,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// Newest first.
    pub records: Vec<SessionRecord>,
    /// Whether there are more behind the last.
    pub more: bool,
    /// Whether more sessions are stored than were looked through.
    pub truncated: bool,
}

/// Frames with their sequences.
type Numbered = Vec<(u64, Frame)>;

/// Frames of one session.
#[derive(Debug)]
pub struct Told {
    /// With their sequences, in order.
    pub frames: Numbered,
    /// Where to go on; none at the end.
    pub next: Option<u64>,
    /// Whether the first frame of the session is still held.
    pub complete: bool,
}

impl Wanted {
    fn fits(&self, record: &SessionRecord) -> bool {
        let says = |text: &str| text.to_lowercase().contains(&self.text);
        self.states.contains(&record.state)
            && self.category.is_none_or(|c| c == record.category)
            && self.user.as_ref().is_none_or(|user| *user == record.user)
            && self.before.is_none_or(|before| place(record) < before)
            && (self.text.is_empty()
                || says(&record.title)
                || says(&record.content)
                || says(record.message.as_str()))
    }
}

fn place(record: &SessionRecord) -> Place {
    (record.created, record.id)
}

impl Sessions {
    /// The newest `max` sessions that fit, as they stand now.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn search(&self, wanted: &Wanted, max: usize) -> Result<Found, StoreError> {
        let mut newest = BTreeMap::new();
        let mut more = false;
        let mut look = |record: SessionRecord| {
            // What runs is further in memory than on disk.
            let record = self.get(record.id).map_or(record, |live| live.record());
            if wanted.fits(&record) {
                newest.insert(place(&record), record);
                if newest.len() > max {
                    newest.pop_first();
                    more = true;
                }
            }
        };
        let truncated = match &wanted.user {
            Some(user) => {
                let all = self.0.store.sessions_of(user, LOOKED_THROUGH)?;
                let full = all.len() == LOOKED_THROUGH;
                all.into_iter().for_each(&mut look);
                full
            }
            None => self.each(&mut look)?,
        };
        Ok(Found {
            records: newest.into_values().rev().collect(),
            more,
            truncated,
        })
    }

    /// True where there are more than are looked through.
    fn each(&self, mut look: impl FnMut(SessionRecord)) -> Result<bool, StoreError> {
        let mut after = None;
        for _ in 0..LOOKED_THROUGH / STEP {
            let batch = self.0.store.sessions_after(after, STEP)?;
            let full = batch.len() == STEP;
            after = batch.last().map(|record| record.id);
            batch.into_iter().for_each(&mut look);
            if !full {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many sessions of a visitor are stored.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn count_of(&self, user: &UserId) -> Result<usize, StoreError> {
        self.0.store.message_count(user)
    }

    /// A session's record, ended or not, whosever it is.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn record(&self, id: SessionId) -> Result<Option<SessionRecord>, StoreError> {
        match self.get(id) {
            Some(session) => Ok(Some(session.record())),
            None => self.0.store.session(id),
        }
    }

    /// Up to `max` frames of a session that are held, behind the sequence `after`.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn replay(
        &self,
        record: &SessionRecord,
        after: u64,
        max: usize,
    ) -> Result<Told, StoreError> {
        let (frames, next) = self.walk(record, after, max)?;
        let first = match after {
            0 => frames.first().map(|(_, frame)| frame.kind),
            _ => {
                let (first, _) = self.walk(record, 0, 1)?;
                first.first().map(|(_, frame)| frame.kind)
            }
        };
        Ok(Told {
            frames,
            next,
            complete: record.attempts == 0 || first == Some(Kind::ProcessingStarted),
        })
    }

    fn walk(
        &self,
        record: &SessionRecord,
        after: u64,
        max: usize,
    ) -> Result<(Numbered, Option<u64>), StoreError> {
        let (step, bytes) = FRAMES_STEP;
        let mut found = Vec::new();
        let mut last = after;
        let mut looked = 0;
        while looked < FRAMES_LOOKED_THROUGH {
            let batch = self
                .0
                .store
                .frames(&record.user, last.saturating_add(1), step, bytes)?;
            if batch.is_empty() {
                return Ok((found, None));
            }
            looked += batch.len();
            for (sequence, frame) in batch {
                last = sequence;
                let is_last = record.last_sequence == sequence;
                if frame.session == record.id {
                    found.push((sequence, frame));
                }
                if is_last {
                    return Ok((found, None));
                }
                if found.len() == max {
                    return Ok((found, Some(sequence)));
                }
            }
        }
        Ok((found, Some(last)))
    }
}
