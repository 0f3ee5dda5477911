//! One socket: heartbeats, idle and age limits, bad frames, floods.
//!
//! Activity only writes a time stamp; the timers are looked at when they fire,
//! so a frame costs nothing measurable.

use std::time::{Duration, Instant};

/// The limits of a socket.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// How often the server pings.
    pub heartbeat: Duration,
    /// Closed after this long without any frame from the client.
    pub idle_timeout: Duration,
    /// Closed at this age.
    pub max_age: Duration,
    /// Closed at this many bad frames.
    pub error_threshold: u32,
    /// What a client may cost in one second; the shell says what a frame costs.
    pub max_cost_per_second: u32,
}

/// What the shell has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Send a WebSocket ping.
    Ping,
    /// Close with 4101.
    CloseIdle,
    /// Close with 4102.
    CloseMaxAge,
}

/// What a received frame leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Handle it.
    Go,
    /// Too many in this second: close with 4103.
    TooFast,
}

/// The state of a socket.
#[derive(Debug)]
pub struct Connection {
    policy: Policy,
    opened: Instant,
    heard: Instant,
    next_ping: Instant,
    errors: u32,
    second: Instant,
    cost: u32,
}

impl Connection {
    /// A socket opened now. `spread` from 0 to 1 shortens the maximum age by up to a tenth,
    /// so that sockets that came together do not leave together.
    pub fn new(mut policy: Policy, now: Instant, spread: f64) -> Self {
        policy.max_age = policy.max_age.mul_f64(1.0 - spread.clamp(0.0, 1.0) / 10.0);
        Self {
            policy,
            opened: now,
            heard: now,
            next_ping: now + policy.heartbeat,
            errors: 0,
            second: now,
            cost: 0,
        }
    }

    /// Any frame arrived, pings and pongs included.
    pub fn on_frame(&mut self, now: Instant, cost: u32) -> Verdict {
        self.heard = now;
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            self.second = now;
            self.cost = 0;
        }
        self.cost = self.cost.saturating_add(cost);
        if self.cost > self.policy.max_cost_per_second {
            Verdict::TooFast
        } else {
            Verdict::Go
        }
    }

    /// A frame was bad. True where it was one too many: close with 4500.
    #[must_use]
    pub fn on_error(&mut self) -> bool {
        self.errors += 1;
        self.errors >= self.policy.error_threshold
    }

    /// Bad frames so far.
    pub fn errors(&self) -> u32 {
        self.errors
    }

    /// When the last frame arrived.
    pub fn heard(&self) -> Instant {
        self.heard
    }

    /// When to call [`Connection::handle_timeout`].
    pub fn poll_timeout(&self) -> Instant {
        let idle = self.heard + self.policy.idle_timeout;
        self.next_ping
            .min(idle)
            .min(self.opened + self.policy.max_age)
    }

    /// What is due now; call it until it gives nothing.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Output> {
        if now >= self.opened + self.policy.max_age {
            return Some(Output::CloseMaxAge);
        }
        if now >= self.heard + self.policy.idle_timeout {
            return Some(Output::CloseIdle);
        }
        if now >= self.next_ping {
            self.next_ping = now + self.policy.heartbeat;
            return Some(Output::Ping);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;
    const POLICY: Policy = Policy {
        heartbeat: Duration::from_secs(20),
        idle_timeout: Duration::from_secs(60),
        max_age: Duration::from_secs(3600),
        error_threshold: 10,
        max_cost_per_second: 5,
    };

    /// Plays a silent client, or one that answers each ping, and lists what the server does.
    fn check(answers: bool, until: u64) -> Vec<(u64, Output)> {
        let start = Instant::now();
        let mut socket = Connection::new(POLICY, start, 0.0);
        let mut seen = Vec::new();
        loop {
            let now = socket.poll_timeout();
            let at = now.duration_since(start).as_secs();
            if at > until {
                return seen;
            }
            while let Some(output) = socket.handle_timeout(now) {
                seen.push((at, output));
                if output != Output::Ping {
                    return seen;
                }
                if answers {
                    assert_eq!(socket.on_frame(now, 1), Verdict::Go);
                }
            }
        }
    }

    #[test]
    fn silence_closes_and_pongs_keep_until_the_age() {
        // req: C2
        use Output::*;
        assert_eq!(check(false, 100), [(20, Ping), (40, Ping), (60, CloseIdle)]);
        let talking = check(true, 4000);
        assert_eq!(talking.last(), Some(&(3600, CloseMaxAge)));
        assert_eq!(talking.len(), 180);
    }

    #[test]
    fn the_tenth_bad_frame_and_the_flood() {
        // req: C3
        let start = Instant::now();
        let mut socket = Connection::new(POLICY, start, 0.0);
        assert_eq!(socket.errors(), 0);
        let closing: Vec<bool> = (0..10).map(|_| socket.on_error()).collect();
        assert_eq!(socket.errors(), 10);
        assert_eq!(closing.iter().position(|close| *close), Some(9));
        let verdicts: Vec<Verdict> = (0..6).map(|_| socket.on_frame(start, 1)).collect();
        assert_eq!(verdicts[4..], [Verdict::Go, Verdict::TooFast]);
        assert_eq!(socket.on_frame(start + S(1), 1), Verdict::Go);
    }
}
