//! What everybody in a simulation shares: the dice, the clocks, the disk, the network, the judge.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::disk::Disk;
use super::judge::Judge;
use super::{Bug, Ms, ToClient, ToServer, WALL};
use crate::machine::dice::Dice;

#[derive(Default)]
pub(super) struct Wire {
    pub(super) to_client: VecDeque<(Ms, ToClient)>,
    pub(super) to_server: Vec<(Ms, ToServer)>,
    /// The server has let go; what it wrote before still arrives.
    pub(super) closed: bool,
    /// Nothing goes through any more, and neither end is told.
    pub(super) cut: bool,
}

/// What everybody shares.
pub(super) struct Env {
    pub(super) dice: Dice,
    pub(super) now: Ms,
    pub(super) base: Instant,
    /// What an administrator or a bad time source has added to the wall clock.
    pub(super) leap: i64,
    /// Ages are told every minute; a clock that leaps forth and back between two times is not
    /// simulated. What was told since the last leap, zero for nothing.
    pub(super) told: Ms,
    /// When the housekeeping was last done.
    pub(super) cleaned: Ms,
    pub(super) bug: Option<Bug>,
    pub(super) quiet: bool,
    /// Few crashes and a clock that runs on: timers come to their end.
    pub(super) calm: bool,
    pub(super) users: usize,
    pub(super) disk: Disk,
    pub(super) wires: BTreeMap<u64, Wire>,
    pub(super) judge: Judge,
    pub(super) last_id: u64,
    pub(super) log: u64,
    pub(super) counts: BTreeMap<&'static str, u64>,
}

impl Env {
    pub(super) fn instant(&self) -> Instant {
        self.base + Duration::from_millis(self.now)
    }

    pub(super) fn wall(&self) -> Ms {
        (WALL + self.now).saturating_add_signed(self.leap)
    }

    pub(super) fn fresh(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Everything a client sees goes in here: the same seed must give the same.
    pub(super) fn log(&mut self, words: &[u64]) {
        for word in words {
            self.log = Dice::new(self.log ^ word).next();
        }
    }

    /// Ages were told after the last leap, and a restart knows it.
    pub(super) fn is_leap_settled(&self) -> bool {
        self.told > 0 && (self.disk.durable.told == self.told || self.told == WALL)
    }

    pub(super) fn connect(&mut self) -> u64 {
        let wire = self.fresh();
        self.wires.insert(wire, Wire::default());
        wire
    }

    pub(super) fn delay(&mut self) -> Ms {
        let longest = if self.dice.below(20) == 0 {
            20_000
        } else {
            300
        };
        self.now + self.dice.below(longest)
    }

    pub(super) fn write(&mut self, wire: u64, frame: ToClient) {
        let at = self.delay();
        if let Some(wire) = self.wires.get_mut(&wire)
            && !wire.closed
            && !wire.cut
        {
            // A stream: what was written later never arrives earlier.
            let at = wire
                .to_client
                .back()
                .map_or(at, |(before, _)| at.max(*before));
            wire.to_client.push_back((at, frame));
        }
    }

    pub(super) fn read(&mut self, wire: u64) -> Option<ToClient> {
        let now = self.now;
        let wire = self.wires.get_mut(&wire)?;
        let due = wire.to_client.front().is_some_and(|(at, _)| *at <= now);
        if due {
            wire.to_client.pop_front().map(|(_, frame)| frame)
        } else {
            None
        }
    }

    /// Frames of clients may be lost, doubled or reordered, as far as the other end can tell.
    pub(super) fn send(&mut self, wire: u64, frame: ToServer) {
        let copies = match self.dice.below(16) {
            0 if !self.quiet && matches!(frame, ToServer::Ack(..)) => 0,
            1 if !self.quiet => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let at = self.delay();
            if let Some(wire) = self.wires.get_mut(&wire)
                && !wire.cut
            {
                wire.to_server.push((at, frame));
            }
        }
    }

    pub(super) fn cut(&mut self, wire: u64) {
        if let Some(wire) = self.wires.get_mut(&wire) {
            wire.cut = true;
            wire.to_client.clear();
            wire.to_server.clear();
        }
    }

    pub(super) fn is_cut(&self, wire: u64) -> bool {
        self.wires.get(&wire).is_some_and(|wire| wire.cut)
    }

    /// Nothing more comes to the client.
    pub(super) fn is_over(&self, wire: u64) -> bool {
        self.wires
            .get(&wire)
            .is_none_or(|w| w.cut || (w.closed && w.to_client.is_empty()))
    }

    pub(super) fn close(&mut self, wire: u64) {
        if let Some(wire) = self.wires.get_mut(&wire) {
            wire.closed = true;
            wire.to_server.clear();
        }
    }
}
