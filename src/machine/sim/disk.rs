//! A disk that can crash: what is applied, what the page cache holds and what is synced stand apart.
//!
//! A group is atomic, as a sled batch is: after a crash all of it is there or nothing. Which
//! of the unsynced groups survive is chance, but a later one never without the earlier.

use std::collections::{BTreeMap, VecDeque};

use super::{Bug, Frame, Mid, Ms, Sid, User};
use crate::machine::dice::Dice;
use crate::machine::session::State;

/// A visitor's record, as the store writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Record {
    pub(super) epoch: u64,
    pub(super) acked: u64,
    /// A lower bound: frames on disk may go further.
    pub(super) next: u64,
    pub(super) attempts: u32,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Visitor {
    pub(super) record: Record,
    pub(super) frames: BTreeMap<u64, (u64, Frame)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Session {
    pub(super) user: User,
    pub(super) mid: Mid,
    pub(super) state: State,
    pub(super) attempts: u32,
}

/// Everything that is stored.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    pub(super) epoch: u64,
    pub(super) commits: u64,
    pub(super) visitors: BTreeMap<User, Visitor>,
    pub(super) sessions: BTreeMap<Sid, Session>,
    pub(super) messages: BTreeMap<(User, Mid), (Sid, u64)>,
    /// The time by which ages were told last.
    pub(super) told: Ms,
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    Append(User, u64, u64, Frame),
    PutVisitor(User, Record),
    PutSession(Sid, Session),
    PutMessage(User, Mid, Sid, u64),
    /// Frames up to here are no longer held.
    Forget(User, u64),
    /// Everything of a visitor; its numbering begins again in this epoch.
    Clean(User, u64),
    /// A new epoch of the whole store: a loss was accepted.
    Epoch(u64),
    Told(Ms),
}

/// Who waits for a group.
#[derive(Clone, Copy, Debug)]
pub(super) enum Done {
    Stable {
        user: User,
        epoch: u64,
        last: u64,
        session: Sid,
    },
    Accepted {
        user: User,
        mid: Mid,
        session: Sid,
    },
    Written(User),
    Cleaned {
        user: User,
        epoch: u64,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Idle,
    Applied,
    Flushed,
    Synced,
}

/// What ends the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Crash {
    /// The page cache survives.
    Kill,
    /// What was not synced may be gone.
    Power,
    /// The disk promised and lied: an older image comes back.
    Lie,
}

pub(super) struct Disk {
    /// What the process reads.
    pub(super) live: Image,
    /// What no crash takes away.
    pub(super) durable: Image,
    older: Option<Image>,
    /// Applied and not synced, oldest first.
    groups: VecDeque<Vec<Op>>,
    flushed: usize,
    stage: Stage,
    jobs: Vec<(Vec<Op>, Done)>,
    waiting: Vec<Done>,
    pub(super) watermark: (u64, u64),
}

impl Image {
    pub(super) fn apply(&mut self, op: &Op) {
        match op {
            Op::Append(user, epoch, sequence, frame) => {
                let visitor = self.visitors.entry(*user).or_default();
                visitor.frames.insert(*sequence, (*epoch, *frame));
            }
            Op::PutVisitor(user, record) => {
                self.visitors.entry(*user).or_default().record = *record;
            }
            Op::PutSession(id, session) => drop(self.sessions.insert(*id, *session)),
            Op::PutMessage(user, mid, session, digest) => {
                self.messages.insert((*user, *mid), (*session, *digest));
            }
            Op::Forget(user, upto) => {
                let visitor = self.visitors.entry(*user).or_default();
                visitor.frames = visitor.frames.split_off(&(upto + 1));
            }
            Op::Clean(user, epoch) => {
                let record = Record {
                    epoch: *epoch,
                    next: 1,
                    ..Record::default()
                };
                let frames = BTreeMap::new();
                self.visitors.insert(*user, Visitor { record, frames });
                self.sessions.retain(|_, s| s.user != *user);
                self.messages.retain(|(owner, _), _| owner != user);
            }
            Op::Epoch(epoch) => self.epoch = *epoch,
            Op::Told(told) => self.told = *told,
        }
    }

    fn apply_group(&mut self, ops: &[Op]) {
        ops.iter().for_each(|op| self.apply(op));
        self.commits += 1;
    }
}

impl Disk {
    pub(super) fn new(image: Image) -> Self {
        Self {
            watermark: (image.epoch, image.commits),
            live: image.clone(),
            durable: image,
            older: None,
            groups: VecDeque::new(),
            flushed: 0,
            stage: Stage::Idle,
            jobs: Vec::new(),
            waiting: Vec::new(),
        }
    }

    pub(super) fn queue(&mut self, ops: Vec<Op>, done: Done) {
        self.jobs.push((ops, done));
    }

    /// Somebody waits for a change of this visitor.
    pub(super) fn holds(&self, user: User) -> bool {
        let of = |done: &Done| match done {
            Done::Stable { user, .. }
            | Done::Accepted { user, .. }
            | Done::Written(user)
            | Done::Cleaned { user, .. } => *user,
        };
        let mut all = self.waiting.iter().chain(self.jobs.iter().map(|(_, d)| d));
        all.any(|done| of(done) == user)
    }

    /// One stage of the committer; who is told now.
    pub(super) fn step(&mut self, bug: Option<Bug>, dice: &mut Dice) -> Vec<Done> {
        match self.stage {
            Stage::Idle if self.jobs.is_empty() => {}
            Stage::Idle => {
                let (ops, done): (Vec<_>, Vec<_>) = self.jobs.drain(..).unzip();
                let ops = ops.concat();
                self.live.apply_group(&ops);
                self.groups.push_back(ops);
                self.stage = Stage::Applied;
                if bug == Some(Bug::AckBeforeFlush) {
                    return done;
                }
                self.waiting = done;
            }
            Stage::Applied => {
                self.flushed = self.groups.len();
                self.stage = Stage::Flushed;
            }
            Stage::Flushed => {
                if dice.below(16) == 0 {
                    self.older = Some(self.durable.clone());
                }
                if bug != Some(Bug::MissingFdatasync) {
                    for ops in self.groups.drain(..) {
                        self.durable.apply_group(&ops);
                    }
                    self.flushed = 0;
                }
                self.stage = Stage::Synced;
            }
            Stage::Synced => {
                self.watermark = (self.live.epoch, self.live.commits);
                self.stage = Stage::Idle;
                return std::mem::take(&mut self.waiting);
            }
        }
        Vec::new()
    }

    /// Ends in the middle of whatever it does; the image that is found afterwards, which is what
    /// everything goes on from.
    pub(super) fn crash(&mut self, how: Crash, dice: &mut Dice) -> Image {
        let least = if how == Crash::Kill { self.flushed } else { 0 };
        let kept = least + dice.below((self.groups.len() - least) as u64 + 1) as usize;
        let mut image = self.durable.clone();
        for ops in self.groups.iter().take(kept) {
            image.apply_group(ops);
        }
        if how == Crash::Lie
            && let Some(older) = self.older.take()
        {
            image = older;
        }
        let watermark = self.watermark;
        *self = Self::new(image.clone());
        self.watermark = watermark;
        image
    }
}
