//! From values to places, and the round numbers in between.

use crate::agents::answer::Axis;

/// Ticks of an axis, about.
const TICKS: f64 = 5.0;

/// Values along a line of the drawing.
pub(super) struct Scale {
    log: bool,
    low: f64,
    high: f64,
    /// Between two ticks.
    step: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// From the least to the greatest of `values`, drawn from `from` to `to`. None where there is
    /// nothing to draw, or nothing that a logarithm has.
    pub(super) fn of(
        axis: &Axis,
        values: impl Iterator<Item = f64>,
        with_zero: bool,
        (from, to): (f64, f64),
    ) -> Option<Self> {
        let log = axis.scale == "log";
        let usable = |v: &f64| v.is_finite() && (!log || *v > 0.0);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(usable) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            return None;
        }
        let mut step = 1.0;
        if log {
            (low, high) = (
                10f64.powf(low.log10().floor()),
                10f64.powf(high.log10().ceil()),
            );
            high = high.max(low * 10.0);
        } else {
            if with_zero {
                (low, high) = (low.min(0.0), high.max(0.0));
            }
            if low == high {
                high += low.abs().max(1.0);
            }
            step = round_step(high - low);
            (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        }
        Some(Self {
            log,
            low,
            high,
            step,
            from,
            to,
        })
    }

    /// Where a value stands; what lies outside stands at the end. None for what has no place.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let share = if self.log {
            if value <= 0.0 {
                return None;
            }
            (value / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        share
            .is_finite()
            .then(|| self.from + share.clamp(0.0, 1.0) * (self.to - self.from))
    }

    /// Where bars begin.
    pub(super) fn base(&self) -> f64 {
        let zero = if self.log { self.low } else { 0.0 };
        self.place(zero.clamp(self.low, self.high))
            .unwrap_or(self.from)
    }

    /// Round numbers within.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if self.log {
            let decades = (self.high / self.low).log10().round() as i32;
            let every = (f64::from(decades) / TICKS).ceil().max(1.0) as i32;
            let decades = (0..=decades).step_by(every as usize);
            return decades.map(|n| self.low * 10f64.powi(n)).collect();
        }
        let step = self.step;
        let count = ((self.high - self.low) / step).round().min(40.0) as i32;
        (0..=count)
            .map(|n| self.low + f64::from(n) * step)
            // What is meant to be zero.
            .map(|v| if v.abs() < step * 1e-9 { 0.0 } else { v })
            .collect()
    }
}

/// 1, 2 or 5 times a power of ten, so that about [`TICKS`] of them make `span`.
fn round_step(span: f64) -> f64 {
    let rough = span / TICKS;
    let power = 10f64.powf(rough.log10().floor());
    let factor = match rough / power {
        f if f <= 1.0 => 1.0,
        f if f <= 2.0 => 2.0,
        f if f <= 5.0 => 5.0,
        _ => 10.0,
    };
    factor * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(kind: &str, values: &[f64], zero: bool) -> Option<Scale> {
        let axis = Axis {
            label: String::new(),
            unit: String::new(),
            scale: kind.to_owned(),
        };
        Scale::of(&axis, values.iter().copied(), zero, (100.0, 500.0))
    }

    #[test]
    fn ticks_are_round_and_hold_the_values() {
        let check = |kind, values: &[f64], zero, expected: &[f64]| {
            let ticks = scale(kind, values, zero).unwrap().ticks();
            assert_eq!(ticks.len(), expected.len(), "{ticks:?}");
            for (tick, expected) in ticks.iter().zip(expected) {
                assert!(
                    (tick - expected).abs() < 1e-9 * expected.abs().max(1.0),
                    "{ticks:?}"
                );
            }
        };
        check(
            "linear",
            &[0.0, 4500.0],
            true,
            &[0.0, 1000.0, 2000.0, 3000.0, 4000.0, 5000.0],
        );
        check(
            "linear",
            &[12.0, 17.0],
            false,
            &[12.0, 13.0, 14.0, 15.0, 16.0, 17.0],
        );
        check(
            "linear",
            &[-3.0, 7.0],
            true,
            &[-4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0],
        );
        check("log", &[0.3, 70.0], false, &[0.1, 1.0, 10.0, 100.0]);
        check("linear", &[5.0], false, &[5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
    }

    #[test]
    fn what_has_no_place_is_left_out() {
        assert!(scale("linear", &[], true).is_none());
        assert!(scale("log", &[0.0, -1.0], true).is_none());
        assert!(scale("linear", &[f64::NAN, f64::INFINITY], true).is_none());
        let log = scale("log", &[1.0, 100.0], false).unwrap();
        assert_eq!(log.place(10.0), Some(300.0));
        assert_eq!(log.place(0.0), None);
        assert_eq!(log.place(1e9), Some(500.0), "at the end, not beyond it");
        let line = scale("linear", &[0.0, 10.0], true).unwrap();
        assert_eq!((line.base(), line.place(5.0)), (100.0, Some(300.0)));
        assert_eq!(line.place(f64::NAN), None);
    }
}
