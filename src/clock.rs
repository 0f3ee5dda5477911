//! The only reader of clocks.
//!
//! Timers and deadlines are monotonic ([`Instant`]); what is stored or shown is
//! wall time ([`Wall`]). Everything else takes the time as a parameter, so that
//! a test owns it.

pub use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

/// Wall time in milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Wall(pub u64);

impl Wall {
    /// RFC 3339 in UTC with milliseconds, the form of every timestamp on the wire.
    pub fn rfc3339(self) -> String {
        let format = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        let nanos = i128::from(self.0) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|t| t.format(&format).ok())
            .unwrap_or_else(|| "1970-01-01T00:00:00.000Z".to_owned())
    }

    /// The calendar day in UTC.
    pub fn date(self) -> time::Date {
        OffsetDateTime::from_unix_timestamp((self.0 / 1000) as i64)
            .map_or(time::Date::MIN, |t| t.date())
    }

    /// This much later; saturating.
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.as_millis() as u64))
    }

    /// How long after `earlier`; zero where the clock went back.
    pub fn since(self, earlier: Wall) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Wall time for telling ages: it follows the wall clock, but at most twice as fast as time
/// passes, so that a clock that leaps ahead does not make everything old at once.
#[derive(Debug)]
pub struct AgeClock {
    wall: Wall,
    at: Instant,
}

impl AgeClock {
    /// Starts at `wall`.
    pub fn new(wall: Wall, at: Instant) -> Self {
        Self { wall, at }
    }

    /// The time by which ages are told, when the wall clock says `wall`.
    pub fn tell(&mut self, wall: Wall, at: Instant) -> Wall {
        let passed = at.saturating_duration_since(self.at);
        self.wall = wall.min(self.wall.plus(passed.saturating_mul(2)));
        self.at = at;
        self.wall
    }
}

/// Monotonic now.
pub fn now() -> Instant {
    Instant::now()
}

/// Wall now.
pub fn wall() -> Wall {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Wall(since.map_or(0, |d| d.as_millis() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_of_the_wall_clock_makes_nothing_old_at_once() {
        let start = now();
        let after = |s| start + Duration::from_secs(s);
        let mut clock = AgeClock::new(Wall(1_000_000), start);
        assert_eq!(clock.tell(Wall(1_060_000), after(60)), Wall(1_060_000));
        let month = 30 * 86_400_000;
        assert_eq!(
            clock.tell(Wall(month), after(120)),
            Wall(1_180_000),
            "ahead"
        );
        assert_eq!(
            clock.tell(Wall(1_180_000), after(120)),
            Wall(1_180_000),
            "and back"
        );
        assert_eq!(clock.tell(Wall(5_000), after(180)), Wall(5_000), "behind");
        assert_eq!(clock.tell(Wall(1_300_000), after(240)), Wall(125_000));
    }
}
