//! One alert: a figure, a limit, and the time that it takes to believe either.
//!
//! It fires once the figure was beyond its limit for `hold`, and is over once it was back within
//! `clear` for `settle`. The two limits differ (hysteresis), so that a figure that trembles around
//! one of them does not ring all day.
//!
//! ```text
//!            beyond the limit           for `hold`
//!   ok ─────────────────────▶ pending ─────────────▶ firing ◀────────┐
//!   ▲ ▲                          │                     │             │ beyond `clear`
//!   │ └───────── back ───────────┘                     │ within      │ again
//!   │                                                  ▼ `clear`     │
//!   └──────────────────── for `settle` ──────────── clearing ────────┘
//! ```

use std::time::{Duration, Instant};

/// When a figure is bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Bad beyond it.
    pub limit: f64,
    /// Good again within it; not beyond `limit`.
    pub clear: f64,
    /// Whether *beyond* means above; below otherwise, as for free space.
    pub above: bool,
    /// How long it must be bad.
    pub hold: Duration,
    /// How long it must be good again.
    pub settle: Duration,
}

impl Rule {
    fn beyond(&self, value: f64, limit: f64) -> bool {
        if self.above {
            value > limit
        } else {
            value < limit
        }
    }
}

/// Where an alert stands, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The figure is good, or there is none.
    Ok,
    /// Bad, not yet for long enough.
    Pending {
        /// Since when it is bad.
        since: Instant,
    },
    /// Bad for long enough.
    Firing {
        /// Since when it fires.
        since: Instant,
    },
    /// Good again, not yet for long enough: it still counts as firing.
    Clearing {
        /// Since when it fires.
        since: Instant,
        /// Since when it is good.
        good: Instant,
    },
}

impl Phase {
    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Pending { .. } => "pending",
            Self::Firing { .. } => "firing",
            Self::Clearing { .. } => "clearing",
        }
    }

    /// Since when it fires.
    pub fn firing_since(self) -> Option<Instant> {
        match self {
            Self::Firing { since } | Self::Clearing { since, .. } => Some(since),
            Self::Ok | Self::Pending { .. } => None,
        }
    }
}

/// What there is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It fires.
    Raised,
    /// It is over.
    Resolved,
}

/// See the [module](self).
#[derive(Debug, Clone)]
pub struct Alert {
    rule: Rule,
    phase: Phase,
    acknowledged: bool,
}

impl Alert {
    /// An alert that is quiet.
    pub fn new(rule: Rule) -> Self {
        Self {
            rule,
            phase: Phase::Ok,
            acknowledged: false,
        }
    }

    /// An alert that fires since then, as another process has left it.
    pub fn resumed(rule: Rule, since: Instant, acknowledged: bool) -> Self {
        Self {
            rule,
            phase: Phase::Firing { since },
            acknowledged,
        }
    }

    /// When the figure is bad.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Where it stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether somebody has seen that it fires.
    pub fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    /// Somebody has seen it. False where it does not fire.
    pub fn acknowledge(&mut self) -> bool {
        let firing = self.phase.firing_since().is_some();
        self.acknowledged |= firing;
        firing
    }

    /// The figure now; none where there is nothing to judge (no traffic, not set up), which is
    /// good. A check that failed says nothing: then this is not called.
    pub fn on_value(&mut self, value: Option<f64>, now: Instant) -> Option<Change> {
        let rule = self.rule;
        let limit = match self.phase {
            Phase::Ok | Phase::Pending { .. } => rule.limit,
            Phase::Firing { .. } | Phase::Clearing { .. } => rule.clear,
        };
        let bad = value.is_some_and(|value| rule.beyond(value, limit));
        let for_long = |since: Instant, span| now.saturating_duration_since(since) >= span;
        self.phase = match (self.phase, bad) {
            (Phase::Ok, true) => Phase::Pending { since: now },
            (Phase::Ok | Phase::Pending { .. }, false) => Phase::Ok,
            (Phase::Firing { since }, false) => Phase::Clearing { since, good: now },
            (Phase::Clearing { since, .. }, true) => Phase::Firing { since },
            (unchanged, _) => unchanged,
        };
        match self.phase {
            Phase::Pending { since } if for_long(since, rule.hold) => {
                self.phase = Phase::Firing { since: now };
                Some(Change::Raised)
            }
            Phase::Clearing { good, .. } if for_long(good, rule.settle) => {
                self.phase = Phase::Ok;
                self.acknowledged = false;
                Some(Change::Resolved)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::dice::{Dice, seeds};

    const RULE: Rule = Rule {
        limit: 10.0,
        clear: 8.0,
        above: true,
        hold: Duration::from_secs(20),
        settle: Duration::from_secs(30),
    };

    /// Feeds `(second, value)` and compares the phase after each.
    fn check(rule: Rule, steps: &[(u64, Option<f64>, &str, Option<Change>)]) {
        let (start, mut alert) = (Instant::now(), Alert::new(rule));
        for (second, value, phase, change) in steps {
            let told = alert.on_value(*value, start + Duration::from_secs(*second));
            assert_eq!(
                (alert.phase().as_str(), told),
                (*phase, *change),
                "at {second} s with {value:?}"
            );
        }
    }

    #[test]
    fn fires_after_holding_and_clears_after_settling() {
        // req: M4
        use Change::{Raised, Resolved};
        check(
            RULE,
            &[
                (0, Some(10.0), "ok", None),
                (1, Some(10.1), "pending", None),
                (5, Some(9.9), "ok", None),
                (10, Some(11.0), "pending", None),
                (29, Some(99.0), "pending", None),
                (30, Some(10.5), "firing", Some(Raised)),
                // Below the limit, above the one for clearing.
                (40, Some(9.0), "firing", None),
                (50, Some(8.0), "clearing", None),
                (60, Some(8.1), "firing", None),
                (70, None, "clearing", None),
                (99, Some(0.0), "clearing", None),
                (100, Some(0.0), "ok", Some(Resolved)),
                (200, Some(11.0), "pending", None),
            ],
        );
    }

    #[test]
    fn below_is_bad_where_little_is_bad_and_no_time_means_at_once() {
        let rule = Rule {
            limit: 100.0,
            clear: 150.0,
            above: false,
            hold: Duration::ZERO,
            settle: Duration::ZERO,
        };
        check(
            rule,
            &[
                (0, Some(100.0), "ok", None),
                (1, Some(99.0), "firing", Some(Change::Raised)),
                (2, Some(149.0), "firing", None),
                (3, Some(150.0), "ok", Some(Change::Resolved)),
            ],
        );
    }

    #[test]
    fn what_another_process_has_left_firing_goes_on_or_is_resolved_and_is_not_raised_again() {
        let (start, after) = (Instant::now(), |s| Instant::now() + Duration::from_secs(s));
        let mut bad = Alert::resumed(RULE, start, true);
        assert_eq!(bad.on_value(Some(11.0), after(0)), None);
        assert!(bad.phase().firing_since() == Some(start) && bad.is_acknowledged());
        let mut good = Alert::resumed(RULE, start, false);
        assert_eq!(good.on_value(Some(1.0), after(0)), None);
        assert_eq!(good.on_value(Some(1.0), after(60)), Some(Change::Resolved));
    }

    #[test]
    fn an_acknowledgement_lasts_as_long_as_the_firing() {
        let (start, mut alert) = (Instant::now(), Alert::new(RULE));
        let at = |s| start + Duration::from_secs(s);
        assert!(!alert.acknowledge(), "nothing fires");
        alert.on_value(Some(11.0), at(0));
        assert!(!alert.acknowledge(), "pending is not firing");
        alert.on_value(Some(11.0), at(20));
        assert!(alert.acknowledge() && alert.is_acknowledged());
        alert.on_value(Some(1.0), at(30));
        assert!(alert.is_acknowledged(), "clearing still counts as firing");
        alert.on_value(Some(1.0), at(60));
        assert!(!alert.is_acknowledged(), "the next time is another time");
    }

    #[test]
    fn raised_and_resolved_take_turns_whatever_the_figure_does() {
        seeds(2_000, |seed| {
            let mut dice = Dice::new(seed);
            let (mut now, mut alert) = (Instant::now(), Alert::new(RULE));
            let (mut firing, mut since_bad) = (false, None);
            for _ in 0..200 {
                now += Duration::from_secs(dice.below(15));
                let value = (dice.below(10) > 0).then(|| dice.below(20) as f64);
                let bad = value.is_some_and(|v| v > 10.0);
                since_bad = if bad { since_bad.or(Some(now)) } else { None };
                match alert.on_value(value, now) {
                    Some(Change::Raised) => {
                        let held = now - since_bad.expect("it fires only while the figure is bad");
                        assert!(!firing && held >= RULE.hold);
                        firing = true;
                    }
                    Some(Change::Resolved) => {
                        assert!(firing && !bad);
                        firing = false;
                    }
                    None => {}
                }
                assert_eq!(alert.phase().firing_since().is_some(), firing);
            }
        });
    }
}
