//! Sees everything, knows what was promised, and names the first promise that was broken.

use std::collections::{BTreeMap, BTreeSet};

use super::disk::{Disk, Image};
use super::{CLEANING, Frame, Hello, Kind, LONGEST, Mid, Ms, PENDING_TTL, Sid, User};

type Stream = (User, u64);

#[derive(Default)]
struct Wire {
    last: u64,
    reached: u64,
}

#[derive(Default)]
pub(super) struct Judge {
    /// What stands under a number, as any client saw it.
    contents: BTreeMap<(User, u64, u64), u64>,
    highest: BTreeMap<Stream, u64>,
    /// What clients of the visitor have acknowledged.
    acked: BTreeMap<Stream, u64>,
    /// What was given up in the open, and what else is no longer held.
    expired: BTreeMap<Stream, u64>,
    gone: BTreeMap<Stream, u64>,
    /// A clean-up on its way to the disk.
    cleaning: BTreeMap<User, u64>,
    /// Sessions that a lying disk may have taken back: they may run again.
    doubtful: BTreeSet<Sid>,
    /// Epochs that a visitor's numbering may be in, newest last.
    epochs: BTreeMap<User, Vec<u64>>,
    sessions: BTreeMap<(User, Mid), Sid>,
    owner: BTreeMap<Sid, User>,
    /// How many epochs a session's visitor had seen when it became durable.
    accepted_in: BTreeMap<Sid, usize>,
    /// Accepted, told so, and not ended as far as any client saw.
    open: BTreeSet<(User, Sid)>,
    started: BTreeSet<Sid>,
    ended: BTreeMap<Sid, u64>,
    wires: BTreeMap<u64, Wire>,
    pub(super) broken: Option<String>,
    pub(super) applied: u64,
}

impl Judge {
    pub(super) fn blame(&mut self, rule: &str, text: String) {
        self.broken.get_or_insert(format!("{rule}: {text}"));
    }

    pub(super) fn cleaning(&mut self, user: User, epoch: u64) {
        self.cleaning.insert(user, epoch);
    }

    /// The visitor's numbering begins again, said openly: what was known counts no more.
    pub(super) fn new_epoch(&mut self, user: User, epoch: u64) {
        self.cleaning.remove(&user);
        self.epochs.entry(user).or_default().push(epoch);
        self.sessions.retain(|(owner, _), _| *owner != user);
        self.open.retain(|(owner, _)| *owner != user);
    }

    /// The disk lied and the store has seen it. Numbers and what was acknowledged stay.
    pub(super) fn loss(&mut self, user: User, epoch: u64, acked: u64) {
        self.new_epoch(user, epoch);
        self.acked.insert((user, epoch), acked);
        let of_user = self.owner.iter().filter(|(_, owner)| **owner == user);
        self.doubtful.extend(of_user.map(|(id, _)| *id));
    }

    /// What the server says of itself when a socket comes in, against what clients know by then.
    pub(super) fn on_attached(&mut self, user: User, hello: &Hello) {
        let current = self.epochs.get(&user).and_then(|e| e.last()).copied();
        if current.is_some_and(|epoch| epoch != hello.epoch) {
            self.blame(
                "G8",
                format!("{user} is in epoch {}, not {current:?}", hello.epoch),
            );
        }
        let seen = self.highest.get(&(user, hello.epoch)).copied().unwrap_or(0);
        if hello.last < seen {
            self.blame(
                "G1",
                format!("{seen} was seen, the server knows {}", hello.last),
            );
        }
    }

    pub(super) fn on_hello(
        &mut self,
        user: User,
        wire: u64,
        hello: &Hello,
        asked: (u64, Option<u64>),
    ) {
        self.wires.insert(
            wire,
            Wire {
                last: hello.after,
                reached: hello.after,
            },
        );
        let (last, epoch) = asked;
        let gone = self.gone.get(&(user, hello.epoch)).copied().unwrap_or(0);
        let moved = epoch.is_some_and(|epoch| epoch != hello.epoch);
        let justified = match hello.not_recovered {
            None => !moved || last == 0,
            Some("epoch_changed") => moved,
            Some("frames_expired") => gone > last,
            Some(_) => false,
        };
        if !justified {
            let text = format!("asked for {last} of {epoch:?}, got {hello:?}; {gone} are gone");
            self.blame("G8", text);
        }
    }

    pub(super) fn on_written(&mut self, disk: &Disk, user: User, epoch: u64, sequence: u64) {
        let visitor = disk.durable.visitors.get(&user);
        if !visitor.is_some_and(|v| v.frames.get(&sequence).is_some_and(|(e, _)| *e <= epoch)) {
            self.blame(
                "G1",
                format!("frame {sequence} of {user} was written, and is not durable"),
            );
        }
    }

    pub(super) fn on_frame(
        &mut self,
        user: User,
        wire: u64,
        epoch: u64,
        sequence: u64,
        frame: &Frame,
    ) {
        let acked = self.acked.get(&(user, epoch)).copied().unwrap_or(0);
        let expired = self.expired.get(&(user, epoch)).copied().unwrap_or(0);
        let place = self.wires.entry(wire).or_default();
        let (last, reached) = (place.last, place.reached);
        if sequence > reached + 1 || (sequence <= last && sequence > acked.max(expired) + 1) {
            self.blame(
                "G2",
                format!("{sequence} came after {last} (highest {reached}, acknowledged {acked})"),
            );
        }
        let place = self.wires.entry(wire).or_default();
        place.last = sequence;
        place.reached = reached.max(sequence);
        let known = *self
            .contents
            .entry((user, epoch, sequence))
            .or_insert(frame.content);
        if known != frame.content {
            self.blame("G3", format!("{sequence} of {user} has two contents"));
        }
        if *self.owner.entry(frame.session).or_insert(user) != user {
            self.blame(
                "G7",
                format!("session {} was shown to {user}", frame.session),
            );
        }
        let highest = self.highest.entry((user, epoch)).or_default();
        let first_time = sequence > *highest;
        *highest = sequence.max(*highest);
        if first_time {
            self.on_news(user, sequence, frame);
        }
    }

    fn on_news(&mut self, user: User, sequence: u64, frame: &Frame) {
        let id = frame.session;
        let doubtful = self.doubtful.contains(&id);
        if let Some(end) = self.ended.get(&id)
            && !doubtful
        {
            self.blame(
                "G12",
                format!("session {id} goes on at {sequence}, it ended at {end}"),
            );
        }
        match frame.kind {
            Kind::Started { resumed } if !doubtful && resumed != self.started.contains(&id) => {
                // A first attempt whose frame the client has not seen yet cannot be: frames come in order.
                self.blame("G11", format!("session {id} says resumed = {resumed}"));
            }
            Kind::Started { .. } => drop(self.started.insert(id)),
            Kind::Ended(_) => {
                self.ended.insert(id, sequence);
                self.open.remove(&(user, id));
            }
            Kind::Thought => {}
        }
    }

    pub(super) fn on_applied(&mut self, user: User, last: u64, sequence: u64) {
        self.applied += 1;
        if sequence != last + 1 {
            self.blame("G4", format!("{user} applies {sequence} after {last}"));
        }
    }

    pub(super) fn on_ack(&mut self, user: User, epoch: u64, sequence: u64) {
        let acked = self.acked.entry((user, epoch)).or_default();
        *acked = sequence.max(*acked);
    }

    pub(super) fn on_accepted(&mut self, disk: &Disk, user: User, session: Sid) {
        let age = self.age(user);
        self.accepted_in.entry(session).or_insert(age);
        if !disk.durable.sessions.contains_key(&session) {
            self.blame(
                "G1",
                format!("session {session} of {user} was accepted, and is not durable"),
            );
        }
    }

    fn age(&self, user: User) -> usize {
        self.epochs.get(&user).map_or(0, Vec::len)
    }

    pub(super) fn on_told_accepted(&mut self, user: User, mid: Mid, session: Sid) {
        if self.accepted_in.get(&session) != Some(&self.age(user)) {
            // The word was on its way while the visitor was cleaned up.
            return;
        }
        let known = *self.sessions.entry((user, mid)).or_insert(session);
        if known != session {
            self.blame(
                "G6",
                format!("message {mid} of {user} has the sessions {known} and {session}"),
            );
        }
        self.owner.entry(session).or_insert(user);
        if !self.ended.contains_key(&session) {
            self.open.insert((user, session));
        }
    }

    pub(super) fn on_forgotten(&mut self, user: User, epoch: u64, upto: u64) {
        let gone = self.gone.entry((user, epoch)).or_default();
        *gone = upto.max(*gone);
    }

    /// Given up unacknowledged, as the administrator sees it. `age` is the youngest one's.
    pub(super) fn on_expired(&mut self, user: User, epoch: u64, frames: &[(u64, Frame)], age: Ms) {
        for (sequence, frame) in frames {
            let highest = self.highest.entry((user, epoch)).or_default();
            if *sequence > *highest {
                *highest = *sequence;
                self.on_news(user, *sequence, frame);
            }
            let expired = self.expired.entry((user, epoch)).or_default();
            *expired = (*sequence).max(*expired);
        }
        // Ages pass at most twice as fast as time, and are told once a round.
        // A disk that lied may have taken back by which clock its frames were stamped.
        if self.doubtful.is_empty() && age < PENDING_TTL / 2 - CLEANING - LONGEST {
            self.blame("G10", format!("frames of {user} expired after {age} ms"));
        }
    }

    /// The server's acknowledged mark: nothing is taken as acknowledged that no client acknowledged.
    pub(super) fn on_marks(&mut self, user: User, epoch: u64, acked: u64) {
        let most = |map: &BTreeMap<Stream, u64>| map.get(&(user, epoch)).copied().unwrap_or(0);
        if acked > most(&self.acked).max(most(&self.expired)) {
            self.blame(
                "G5",
                format!("{acked} of {user} counts as acknowledged, nobody did it"),
            );
        }
    }

    /// What is found after a crash, before anything else is done.
    pub(super) fn on_recovered(&mut self, image: &Image) {
        for (user, visitor) in &image.visitors {
            let record = &visitor.record;
            let epoch = record.epoch.max(image.epoch);
            // The crash came between the disk and the answer: the clean-up counts all the same.
            if self.cleaning.remove(user) == Some(epoch) {
                self.new_epoch(*user, epoch);
            }
            if visitor.frames.values().any(|(e, _)| *e > epoch) {
                self.blame(
                    "D4",
                    format!("frames of {user} are of another epoch than its record"),
                );
            }
            let held: Vec<u64> = visitor.frames.keys().copied().collect();
            if held.windows(2).any(|w| w[1] != w[0] + 1) {
                self.blame("G2", format!("a gap in what is held of {user}: {held:?}"));
            }
            if held.first().is_some_and(|first| *first > record.acked + 1) {
                self.blame(
                    "G2",
                    format!("{user} acknowledged {}, held from {held:?}", record.acked),
                );
            }
        }
        for (id, session) in &image.sessions {
            if image
                .messages
                .get(&(session.user, session.mid))
                .map(|(s, _)| s)
                != Some(id)
            {
                self.blame("D4", format!("session {id} is there, its message is not"));
            }
        }
    }

    /// After the quiet phase.
    pub(super) fn finish(&mut self) {
        if let Some((user, id)) = self.open.first().copied() {
            self.blame(
                "G12",
                format!("session {id} of {user} was accepted and never ended"),
            );
        }
    }
}
