//! When the next backup is due. Pure: the time is passed in.

use crate::clock::{Duration, Instant, Wall};

/// The longest wait after one that failed.
const RETRY: Duration = Duration::from_secs(600);

/// See the [module](self).
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    /// Zero: never.
    every: Duration,
    last: Option<Wall>,
    failed: Option<Instant>,
}

impl Schedule {
    /// `last` is when the newest scheduled one was made, of this process or one before.
    pub(super) fn new(every: Duration, last: Option<Wall>) -> Self {
        Self {
            every,
            last,
            failed: None,
        }
    }

    pub(super) fn on_made(&mut self, at: Wall) {
        self.last = Some(at);
        self.failed = None;
    }

    pub(super) fn on_failed(&mut self, now: Instant) {
        self.failed = Some(now);
    }

    /// Whether to make one now.
    pub(super) fn due(&self, wall: Wall, now: Instant) -> bool {
        let waits = |at| now.saturating_duration_since(at) < RETRY.min(self.every);
        if self.every.is_zero() || self.failed.is_some_and(waits) {
            return false;
        }
        // One from the future was made before the clock was put back: when, nobody knows.
        self.last
            .is_none_or(|last| last > wall || wall.since(last) >= self.every)
    }

    /// When the next one is due by the plan; none where there is no plan.
    pub(super) fn next(&self, wall: Wall) -> Option<Wall> {
        let planned = match self.last {
            Some(last) if last <= wall => last.plus(self.every).max(wall),
            _ => wall,
        };
        (!self.every.is_zero()).then_some(planned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn one_is_due_when_the_last_one_is_old_enough() {
        let check = |every: u64, last: Option<u64>, wall: u64, due: bool, next: Option<u64>| {
            let every = Duration::from_millis(every);
            let schedule = Schedule::new(every, last.map(Wall));
            let said = schedule.due(Wall(wall), clock::now());
            assert_eq!(said, due, "{schedule:?} at {wall}");
            assert_eq!(schedule.next(Wall(wall)), next.map(Wall), "{schedule:?}");
        };
        check(0, None, 1000, false, None);
        check(0, Some(1), 1_000_000, false, None);
        check(100, None, 1000, true, Some(1000));
        check(100, Some(950), 1000, false, Some(1050));
        check(100, Some(900), 1000, true, Some(1000));
        // Overdue: at once, not in the past. From the future: the clock was put back.
        check(100, Some(1), 1000, true, Some(1000));
        check(100, Some(2000), 1000, true, Some(1000));
    }

    #[test]
    fn after_a_failure_it_waits_and_tries_again() {
        let start = clock::now();
        let after = |s| start + Duration::from_secs(s);
        let mut schedule = Schedule::new(Duration::from_secs(86_400), None);
        schedule.on_failed(start);
        assert!(!schedule.due(Wall(1), after(599)));
        assert!(schedule.due(Wall(1), after(600)));
        schedule.on_made(Wall(2));
        assert!(!schedule.due(Wall(3), after(601)));
        // A plan that is shorter than the wait does not wait longer than itself.
        let mut schedule = Schedule::new(Duration::from_secs(60), None);
        schedule.on_failed(start);
        assert!(!schedule.due(Wall(1), after(59)) && schedule.due(Wall(1), after(60)));
    }
}
