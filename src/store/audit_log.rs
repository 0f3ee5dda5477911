//! The administrators' log as it is stored: two rings of entries under one numbering.
//!
//! What was refused has a ring of its own, so that somebody who tries passwords for days
//! pushes out other attempts, never the record of what was changed.

use serde::{Deserialize, Serialize};

use super::{Store, StoreError, key, record};
use crate::clock::Wall;

/// Which ring an entry stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Ring {
    /// What was done.
    Done = b'D',
    /// What was tried and refused.
    Refused = b'R',
}

impl Ring {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Done, Self::Refused];
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Rises by one with each entry of either ring.
    pub number: u64,
    /// When.
    pub at: Wall,
    /// Who: `admin`, the name of a token, or the user of this machine.
    pub who: String,
    /// What they brought: `session`, `token`, `local` or `nothing`.
    pub via: String,
    /// The address they came from; empty for a process of this machine.
    pub from: String,
    /// What, as `noun.verb`.
    pub action: String,
    /// To what; empty where the action says it.
    pub target: String,
    /// What it was before, as JSON text.
    pub before: Option<String>,
    /// What it is now, as JSON text.
    pub after: Option<String>,
    /// Why it was refused; none where it was done.
    pub refused: Option<String>,
}

impl AuditRecord {
    /// The ring it stands in.
    pub fn ring(&self) -> Ring {
        match self.refused {
            None => Ring::Done,
            Some(_) => Ring::Refused,
        }
    }
}

impl Store {
    /// The numbers of the entries of a ring, oldest first.
    ///
    /// # Errors
    /// Where sled fails.
    pub fn audit_numbers(&self, ring: Ring) -> Result<Vec<u64>, StoreError> {
        let keys = key::audit(ring, 0)..=key::audit(ring, u64::MAX);
        let number = |k: sled::Result<sled::IVec>| {
            let k = k?;
            let end = k.get(2..).and_then(|end| end.try_into().ok());
            end.map(u64::from_be_bytes)
                .ok_or_else(|| StoreError::Record("a key of the audit log has another form".into()))
        };
        self.db.range(keys).keys().map(number).collect()
    }

    /// Entries of a ring with a number below `before`, newest first, as they are read.
    pub fn audit_before(
        &self,
        ring: Ring,
        before: u64,
    ) -> impl Iterator<Item = Result<AuditRecord, StoreError>> + use<> {
        let keys = key::audit(ring, 0)..key::audit(ring, before);
        self.db.range(keys).rev().map(|entry| {
            let (k, value) = entry?;
            record::decode(&k, &value)
        })
    }
}
