//! What can be wrong with a store, and what going on without it would cost.

use std::collections::BTreeSet;
use std::fmt;

use crate::id::UserId;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// sled itself cannot read its files, with its reason.
    Files(String),
    /// An entry that cannot be read, with the reason.
    Unreadable(String),
    /// Frames that were promised and are not there.
    Missing {
        /// Whose.
        user: UserId,
        /// The first one.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// Frames missing in the middle. Those before can be delivered no more without a gap.
    Gap {
        /// Whose.
        user: UserId,
        /// The first frame that is there.
        oldest: u64,
        /// The last one before the gap.
        after: u64,
        /// The first one behind it.
        next: u64,
    },
    /// Frames of a visitor without a record.
    Unowned(UserId),
    /// There are entries, but neither an account of them nor a watermark.
    NoAccount,
    /// The watermark knows commits, and nothing is there.
    Emptied {
        /// How many commits were durable.
        commits: u64,
    },
    /// Entries without a watermark.
    NoWatermark {
        /// How many commits the account knows.
        commits: u64,
    },
    /// The watermark holds bytes, but nothing that can be read.
    Watermark,
    /// The store is older than its watermark.
    Behind {
        /// Commits missing.
        lost: u64,
        /// Commits that were durable.
        of: u64,
    },
    /// Entries vanished, came, or went back.
    Sum {
        /// Entries by the account.
        committed: u64,
        /// Entries found.
        found: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(why) => write!(f, "sled cannot read its files: {why}"),
            Self::Unreadable(why) => f.write_str(why),
            Self::Missing { user, first, last } => {
                write!(f, "{user} misses the frames {first} to {last}")
            }
            Self::Gap {
                user, after, next, ..
            } => write!(f, "{user} has a gap after frame {after}, up to {next}"),
            Self::Unowned(user) => write!(f, "{user} has frames but no record"),
            Self::NoAccount => f.write_str("the store's account and its watermark are missing"),
            Self::Emptied { commits } => {
                write!(f, "nothing is left of {commits} commits that were durable")
            }
            Self::NoWatermark { commits } => {
                write!(f, "the watermark of {commits} commits is missing")
            }
            Self::Watermark => f.write_str("no slot of the watermark is readable"),
            Self::Behind { lost, of } => write!(f, "{lost} of {of} durable commits are missing"),
            Self::Sum { committed, found } => write!(
                f,
                "{committed} entries were committed, {found} were found, or some are not the last ones"
            ),
        }
    }
}

/// Faults told in one message; more are counted.
const TOLD: usize = 20;

/// All faults in one line; of very many only the first.
pub fn told(faults: &[Fault]) -> String {
    let mut list: Vec<String> = faults.iter().take(TOLD).map(Fault::to_string).collect();
    if faults.len() > TOLD {
        list.push(format!("and {} more", faults.len() - TOLD));
    }
    list.join("; ")
}

/// What `--accept-loss` would give up.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Loss {
    /// Visitors who lose frames.
    pub visitors: u64,
    /// Frames that are gone, or lie before a gap and would go.
    pub frames: u64,
    /// Entries that cannot be read and would be removed.
    pub entries: u64,
    /// Commits whose contents nobody knows: they may have held more frames and visitors.
    pub commits: u64,
}

impl Loss {
    /// What these faults cost.
    pub fn of(faults: &[Fault]) -> Self {
        let mut loss = Self::default();
        let mut visitors = BTreeSet::new();
        for fault in faults {
            match fault {
                Fault::Missing { user, first, last } => {
                    visitors.insert(user);
                    loss.frames += last - first + 1;
                }
                Fault::Gap {
                    user, oldest, next, ..
                } => {
                    visitors.insert(user);
                    loss.frames += next - oldest;
                }
                Fault::Unreadable(_) => loss.entries += 1,
                Fault::Emptied { commits } => loss.commits += commits,
                Fault::Behind { lost, .. } => loss.commits += lost,
                Fault::Files(_)
                | Fault::Unowned(_)
                | Fault::NoAccount
                | Fault::NoWatermark { .. }
                | Fault::Watermark
                | Fault::Sum { .. } => {}
            }
        }
        loss.visitors = visitors.len() as u64;
        loss
    }
}
