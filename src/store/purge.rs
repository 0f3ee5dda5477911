//! Removing all that is held of a visitor in one step, and putting it back.
//!
//! The committer looks up what there is while it gathers the group: everything queued before the
//! clean-up is found, nothing queued after it is touched, and a crash leaves all of it done or
//! nothing. What was removed moves under the kind byte `T` until its time is over, entry by entry,
//! because one large entry would be rewritten as a whole.

use serde::{Deserialize, Serialize};

use super::commit::Group;
use super::record::{self, Chunk, SessionRecord, VisitorRecord};
use super::{Store, StoreError, key};
use crate::clock::Wall;
use crate::id::UserId;

/// What a clean-up removes or has removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Sessions, ended or not.
    pub sessions: u64,
    /// Of those, the ones that had not ended.
    pub running_sessions: u64,
    /// Messages whose repetition would be recognised.
    pub messages: u64,
    /// Frames, acknowledged or not.
    pub frames: u64,
    /// Of those, the ones that wait for an acknowledgement.
    pub pending_frames: u64,
    /// Bytes of all these records.
    pub bytes: u64,
}

impl Removed {
    /// True where there is nothing.
    pub fn is_nothing(&self) -> bool {
        self.sessions == 0 && self.messages == 0 && self.frames == 0
    }
}

/// A clean-up, as long as it may be taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurgeRecord {
    /// Of whom.
    pub user: UserId,
    /// When.
    pub at: Wall,
    /// Until when it may be taken back.
    pub until: Wall,
    /// The visitor's record as it was.
    pub before: VisitorRecord,
    /// The epoch that began with it.
    pub epoch: u64,
    /// What was removed.
    pub removed: Removed,
    /// False where it was larger than what may be kept, and is gone.
    pub kept: bool,
}

/// An order to remove all that is held of a visitor.
#[derive(Debug, Clone)]
pub struct Purge {
    /// The visitor's record as it is.
    pub before: VisitorRecord,
    /// The record that takes its place: a new epoch, numbering from 1.
    pub after: VisitorRecord,
    /// When.
    pub at: Wall,
    /// Until when it may be taken back.
    pub until: Wall,
    /// Bytes that may be kept; what is larger is removed for good.
    pub kept_max: u64,
}

/// An order to put back what a [`Purge`] removed.
#[derive(Debug, Clone)]
pub struct PutBack {
    /// The visitor's record from now on: the numbering of before in a new epoch.
    pub visitor: VisitorRecord,
}

/// A key and its value.
type Entry = (Vec<u8>, Vec<u8>);

impl Group<'_> {
    pub(super) fn purge(&mut self, order: &Purge) -> Result<(), StoreError> {
        let user = &order.before.user;
        self.close_chunk(user)?;
        self.forget_purged(user)?;
        let mut removed = Removed::default();
        let mut taken = self.entries(&key::chunks(user))?;
        for (k, value) in self.entries(&key::messages(user))? {
            let message: record::MessageRecord = record::decode(&k, &value)?;
            let session = key::session(message.session);
            if let Some(value) = self.current(&session)? {
                taken.push((session, value));
            }
            taken.push((k, value));
        }
        for (k, value) in &taken {
            removed.add(k, value, order.before.acked)?;
        }
        let kept = removed.bytes <= order.kept_max && order.until > order.at;
        for (k, value) in taken {
            if kept {
                let place = key::purged_entry(user, &k);
                let sealed = record::encode(&place, &value);
                self.write(place, Some(sealed))?;
            }
            self.write(k, None)?;
        }
        let header = PurgeRecord {
            user: user.clone(),
            at: order.at,
            until: order.until,
            before: order.before.clone(),
            epoch: order.after.epoch,
            removed,
            kept,
        };
        let k = key::purged(user);
        let value = record::encode(&k, &header);
        self.write(k, Some(value))?;
        let k = key::visitor(user);
        let value = record::encode(&k, &order.after);
        self.write(k, Some(value))
    }

    pub(super) fn put_back(&mut self, order: &PutBack) -> Result<(), StoreError> {
        let user = &order.visitor.user;
        self.close_chunk(user)?;
        let header = key::purged(user);
        for (place, value) in self.entries(&header)? {
            if place != header {
                let original = place[header.len()..].to_vec();
                let value: Vec<u8> = record::decode(&place, &value)?;
                self.write(original, Some(value))?;
            }
            self.write(place, None)?;
        }
        let k = key::visitor(user);
        let value = record::encode(&k, &order.visitor);
        self.write(k, Some(value))
    }

    pub(super) fn forget_purged(&mut self, user: &UserId) -> Result<(), StoreError> {
        for (k, _) in self.entries(&key::purged(user))? {
            self.write(k, None)?;
        }
        Ok(())
    }

    /// What stands under `prefix`, this group's own writes included, in the order of the keys.
    fn entries(&self, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        let mut found = std::collections::BTreeMap::new();
        for entry in self.db.scan_prefix(prefix) {
            let (k, value) = entry?;
            found.insert(k.to_vec(), value.to_vec());
        }
        let own = self.writes.iter().filter(|(k, _)| k.starts_with(prefix));
        for (k, value) in own {
            match value {
                Some(value) => found.insert(k.clone(), value.clone()),
                None => found.remove(k),
            };
        }
        Ok(found.into_iter().collect())
    }
}

impl Removed {
    fn add(&mut self, k: &[u8], value: &[u8], acked: u64) -> Result<(), StoreError> {
        self.bytes += value.len() as u64;
        match k[0] {
            key::CHUNK => {
                let chunk: Chunk = record::decode(k, value)?;
                self.frames += chunk.frames.len() as u64;
                let pending = chunk.last().saturating_sub(acked.max(chunk.first - 1));
                self.pending_frames += pending;
            }
            key::SESSION => {
                let session: SessionRecord = record::decode(k, value)?;
                self.sessions += 1;
                self.running_sessions += u64::from(!session.state.ended());
            }
            _ => self.messages += 1,
        }
        Ok(())
    }
}

impl Store {
    /// What a clean-up of the visitor would remove now.
    ///
    /// # Errors
    /// Where sled fails or a record is damaged.
    pub fn holdings(&self, user: &UserId) -> Result<Removed, StoreError> {
        let acked = self.visitor(user)?.map_or(0, |v| v.acked);
        let mut all = Removed::default();
        for entry in self.db.scan_prefix(key::chunks(user)) {
            let (k, value) = entry?;
            all.add(&k, &value, acked)?;
        }
        for entry in self.db.scan_prefix(key::messages(user)) {
            let (k, value) = entry?;
            all.add(&k, &value, acked)?;
            let message: record::MessageRecord = record::decode(&k, &value)?;
            let session = key::session(message.session);
            if let Some(value) = self.db.get(&session)? {
                all.add(&session, &value, acked)?;
            }
        }
        Ok(all)
    }

    /// Up to `max` sessions of a visitor, in the order of their messages' ids.
    ///
    /// # Errors
    /// Where sled fails or a record is damaged.
    pub fn sessions_of(&self, user: &UserId, max: usize) -> Result<Vec<SessionRecord>, StoreError> {
        let mut sessions = Vec::new();
        for entry in self.db.scan_prefix(key::messages(user)) {
            let (k, value) = entry?;
            let message: record::MessageRecord = record::decode(&k, &value)?;
            sessions.extend(self.session(message.session)?);
            if sessions.len() == max {
                break;
            }
        }
        Ok(sessions)
    }

    /// How many sessions of a visitor are stored: each answers one message.
    ///
    /// # Errors
    /// Where sled fails.
    pub fn message_count(&self, user: &UserId) -> Result<usize, StoreError> {
        let mut count = 0;
        for entry in self.db.scan_prefix(key::messages(user)) {
            entry?;
            count += 1;
        }
        Ok(count)
    }

    /// The clean-up of the visitor that may still be taken back; its time may be over.
    ///
    /// # Errors
    /// Where sled fails or the record is damaged.
    pub fn purged(&self, user: &UserId) -> Result<Option<PurgeRecord>, StoreError> {
        self.read(&key::purged(user))
    }

    /// Every clean-up that is kept, in the order of the visitors. There are few: each lasts minutes.
    ///
    /// # Errors
    /// Where sled fails or a record is damaged.
    pub fn all_purged(&self) -> Result<Vec<PurgeRecord>, StoreError> {
        let mut all = Vec::new();
        let mut from = vec![key::PURGED];
        while let Some(entry) = self.db.range(from..vec![key::PURGED + 1]).next() {
            let (k, value) = entry?;
            all.push(record::decode(&k, &value)?);
            // Beyond what was removed of this visitor: every key begins with a letter.
            from = [&k[..], &[u8::MAX]].concat();
        }
        Ok(all)
    }
}
