//! A visitor's stream of frames: the watermarks, and a socket's place in it.
//!
//! [`Marks`] is the truth about the stream, one a visitor:
//! `oldest - 1 ≤ acked ≤ stable < next`, asserted after each mutation.
//! [`Cursor`] is one socket's sending: what it may send now, when a frame is
//! sent again, when it gives up. After a crash a new cursor starts at the
//! acknowledged mark, so nothing stable is ever skipped.

use std::time::{Duration, Instant};

use super::backoff::{self, Backoff};

/// The watermarks of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// Changes when the numbering starts again.
    pub epoch: u64,
    /// The oldest sequence that is held; `next` where nothing is.
    pub oldest: u64,
    /// Everything up to here was acknowledged or has expired.
    pub acked: u64,
    /// Everything up to here is on disk.
    pub stable: u64,
    /// The next sequence to be given.
    pub next: u64,
    /// The highest sequence handed to any socket in this epoch.
    pub sent: u64,
}

/// Why an acknowledgement changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckRefused {
    /// Above the highest sequence ever sent to this visitor.
    NeverSent,
}

/// What a connecting client asks to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resume {
    /// What is pending.
    Pending,
    /// What follows `after`, if the client's epoch is still the stream's.
    After {
        /// 0 asks for everything that is held.
        after: u64,
        /// The client's epoch as text; none means it trusts ours.
        epoch: Option<String>,
    },
}

/// Where sending starts, and whether that is what the client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The last sequence that is not sent.
    pub after: u64,
    /// None where nothing is lost for the client; else the reason on the wire.
    pub not_recovered: Option<&'static str>,
}

impl Marks {
    /// An empty stream.
    pub fn new(epoch: u64) -> Self {
        Self {
            epoch,
            oldest: 1,
            acked: 0,
            stable: 0,
            next: 1,
            sent: 0,
        }
    }

    /// A stream as it was found on disk: all of it stable, and sent as far as a client may have seen it.
    ///
    /// # Panics
    /// Where the marks contradict each other; recovery has checked them before.
    pub fn recovered(epoch: u64, oldest: u64, acked: u64, next: u64) -> Self {
        let marks = Self {
            epoch,
            oldest,
            acked,
            stable: next - 1,
            next,
            sent: next - 1,
        };
        marks.check();
        marks
    }

    fn check(&self) {
        assert!(
            self.oldest <= self.acked + 1
                && self.acked <= self.stable
                && self.stable < self.next
                && self.sent <= self.stable,
            "watermarks out of order: {self:?}"
        );
    }

    /// Gives `count` sequences; returns the first.
    pub fn assign(&mut self, count: u64) -> u64 {
        let first = self.next;
        self.next += count;
        self.check();
        first
    }

    /// The disk holds everything up to `upto`.
    pub fn on_stable(&mut self, upto: u64) {
        self.stable = self.stable.max(upto);
        self.check();
    }

    /// A socket took everything up to `upto`.
    pub fn on_sent(&mut self, upto: u64) {
        self.sent = self.sent.max(upto);
        self.check();
    }

    /// The client has applied everything up to `sequence`. Returns whether the mark moved.
    ///
    /// # Errors
    /// [`AckRefused::NeverSent`]; nothing has changed then.
    pub fn on_ack(&mut self, sequence: u64) -> Result<bool, AckRefused> {
        if sequence > self.sent {
            return Err(AckRefused::NeverSent);
        }
        let moved = sequence > self.acked;
        self.acked = self.acked.max(sequence);
        self.check();
        Ok(moved)
    }

    /// Frames up to `upto` are given up unacknowledged. Returns how many.
    pub fn on_expired(&mut self, upto: u64) -> u64 {
        let upto = upto.min(self.stable);
        let lost = upto.saturating_sub(self.acked);
        self.acked = self.acked.max(upto);
        self.check();
        lost
    }

    /// Frames up to `upto` are no longer held; they were acknowledged or had expired.
    pub fn on_forgotten(&mut self, upto: u64) {
        self.oldest = self.oldest.max(upto.min(self.acked) + 1);
        self.check();
    }

    /// Frames that wait for an acknowledgement, those not yet on disk included.
    pub fn pending(&self) -> u64 {
        self.next - 1 - self.acked
    }

    /// Where sending starts for a client that asks for `resume`.
    ///
    /// Recovery is never partial: where a single asked frame is gone, the client
    /// starts over from the oldest that is held, and is told so.
    pub fn start(&self, resume: &Resume) -> Start {
        let from_oldest = |reason| Start {
            after: self.oldest - 1,
            not_recovered: Some(reason),
        };
        let Resume::After { after, epoch } = resume else {
            return Start {
                after: self.acked,
                not_recovered: None,
            };
        };
        let nothing_ever_sent = self.next == 1;
        if *after == 0 || nothing_ever_sent {
            // A client that holds nothing loses nothing, whatever epoch it remembers.
            return match epoch {
                Some(epoch) if *after > 0 && *epoch != self.epoch.to_string() => {
                    from_oldest("epoch_changed")
                }
                _ => Start {
                    after: self.oldest - 1,
                    not_recovered: None,
                },
            };
        }
        if epoch
            .as_ref()
            .is_some_and(|epoch| *epoch != self.epoch.to_string())
        {
            return from_oldest("epoch_changed");
        }
        if *after > self.next - 1 {
            return from_oldest("ahead_of_server");
        }
        if *after + 1 < self.oldest {
            return from_oldest("frames_expired");
        }
        Start {
            after: *after,
            not_recovered: None,
        }
    }
}

/// How a socket sends.
#[derive(Debug, Clone, Copy)]
pub struct SendPolicy {
    /// Most unacknowledged frames on the socket.
    pub window: u64,
    /// How long to wait for an acknowledgement.
    pub ack_timeout: Duration,
    /// The pauses before a frame is sent again, and how often.
    pub retries: backoff::Policy,
}

/// What a cursor's timer orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Nothing yet.
    Wait,
    /// Send again from the oldest unacknowledged; this is the `retry`-th time.
    Resend {
        /// From 1.
        retry: u32,
    },
    /// Every retry is used up: close with 4100. The frames stay pending.
    GiveUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timer {
    /// Nothing is unacknowledged.
    Idle,
    /// Waiting for an acknowledgement until then.
    AckDue(Instant),
    /// It did not come; sending again then.
    Backoff(Instant),
}

/// One socket's place in the stream.
#[derive(Debug)]
pub struct Cursor {
    policy: SendPolicy,
    /// Everything up to here was sent on this socket; a resend steps it back.
    sent: u64,
    /// The highest sequence that was ever sent on this socket.
    reached: u64,
    /// What was acknowledged when the cursor last looked.
    acked: u64,
    /// A sequence whose acknowledgement is being timed, and when it was first sent. One at a time,
    /// as TCP times a round trip: no list of every frame under way.
    timed: Option<(u64, Instant)>,
    retries: Backoff,
    timer: Timer,
}

impl Cursor {
    /// A socket that starts after `start`.
    pub fn new(policy: SendPolicy, start: u64, acked: u64) -> Self {
        let retries = Backoff::new(policy.retries);
        Self {
            policy,
            sent: start,
            reached: start,
            acked,
            timed: None,
            retries,
            timer: Timer::Idle,
        }
    }

    /// The sequences that may be sent now; empty where the window is full or nothing is stable.
    pub fn sendable(&self, marks: &Marks) -> std::ops::RangeInclusive<u64> {
        // A resend steps `sent` back to the acknowledged mark, so this one rule serves both.
        let from = self.sent.max(marks.oldest - 1) + 1;
        let upto = marks
            .stable
            .min(self.sent.max(marks.acked) + self.room(marks));
        from..=upto
    }

    fn room(&self, marks: &Marks) -> u64 {
        self.policy
            .window
            .saturating_sub(self.sent.saturating_sub(marks.acked))
    }

    /// Everything up to `upto` was handed to the socket.
    pub fn on_sent(&mut self, upto: u64, now: Instant) {
        if self.timed.is_none() && upto > self.reached.max(self.acked) {
            self.timed = Some((upto, now));
        }
        self.sent = self.sent.max(upto);
        self.reached = self.reached.max(upto);
        if self.timer == Timer::Idle && self.sent > self.acked {
            self.timer = Timer::AckDue(now + self.policy.ack_timeout);
        }
    }

    /// The stream's acknowledged mark, whoever moved it. Gives how long the acknowledgement took
    /// that was being timed, from the first sending on this socket.
    pub fn on_acked(&mut self, acked: u64, now: Instant) -> Option<Duration> {
        if acked <= self.acked {
            return None;
        }
        let timed = self.timed.take_if(|(sequence, _)| *sequence <= acked);
        self.acked = acked;
        self.retries.reset();
        // What was acknowledged while a resend was due need not be sent again. What another socket
        // acknowledged before it was sent on this one still is: every socket gets every frame.
        self.sent = self.sent.max(acked.min(self.reached));
        self.timer = if self.sent > acked {
            Timer::AckDue(now + self.policy.ack_timeout)
        } else {
            Timer::Idle
        };
        timed.map(|(_, sent)| now.saturating_duration_since(sent))
    }

    /// The timer fired. `random` spreads the retries of many sockets.
    pub fn handle_timeout(&mut self, now: Instant, random: u64) -> Order {
        match self.timer {
            Timer::AckDue(due) if now >= due => {
                let Some(pause) = self.retries.next(random) else {
                    return Order::GiveUp;
                };
                self.timer = Timer::Backoff(now + pause);
                Order::Wait
            }
            Timer::Backoff(due) if now >= due => {
                self.sent = self.sent.min(self.acked);
                self.timer = Timer::Idle;
                Order::Resend {
                    retry: self.retries.tries(),
                }
            }
            _ => Order::Wait,
        }
    }

    /// Somebody asks that everything unacknowledged be sent again now; the retries begin anew.
    pub fn send_again(&mut self) {
        self.sent = self.sent.min(self.acked);
        self.timer = Timer::Idle;
        self.retries.reset();
    }

    /// When [`Cursor::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.timer {
            Timer::Idle => None,
            Timer::AckDue(due) | Timer::Backoff(due) => Some(due),
        }
    }

    /// The highest sequence sent on this socket since the last resend.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// True where a frame that this socket was never sent is no longer held. Sending on would be a
    /// gap in silence; a client that comes back is told so.
    pub fn is_left_behind(&self, marks: &Marks) -> bool {
        self.sent + 1 < marks.oldest
    }

    /// Frames sent on this socket and not acknowledged.
    pub fn in_flight(&self) -> u64 {
        self.sent.saturating_sub(self.acked)
    }

    /// How often the oldest unacknowledged frame was sent again, or is about to be.
    pub fn retries(&self) -> u32 {
        self.retries.tries()
    }
}

#[cfg(test)]
mod tests;
