//! Waiting for a free slot.
//!
//! Service times of language models are not exponential, and a replica slows down as
//! its batch fills. Take as slots the replicas times their batch, as service time the
//! one measured at that batch, correct with [`Queue::mean_wait_general_s`], and say so.

use super::{Computed, OutOfRange, amount, finite, positive, probability};

/// The most slots that are considered; the recursion is linear in them.
pub const MOST_SLOTS: u32 = 1_000_000;

/// Requests in flight: `L = lambda * W`.
///
/// Source: Little 1961.
///
/// # Errors
/// Where a figure is negative.
pub fn in_flight(arrivals_per_s: f64, time_in_system_s: f64) -> Computed<f64> {
    Ok(amount("arrivals_per_s", arrivals_per_s)? * amount("time_in_system_s", time_in_system_s)?)
}

/// A stable queue with Poisson arrivals, exponential service and `slots` servers (M/M/c).
/// Any unit of time, as long as it is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Queue {
    slots: u32,
    arrivals_per_s: f64,
    service_s: f64,
    wait_probability: f64,
}

impl Queue {
    /// The queue of a number of slots:
    /// `B_k = a B_(k-1) / (k + a B_(k-1))`, `C = B / (1 - rho (1 - B))`.
    ///
    /// Source: Erlang 1917. The recursion is stable where the sum of factorials overflows.
    ///
    /// # Errors
    /// Where the slots cannot carry the load, or a figure is out of its range.
    pub fn new(slots: u32, arrivals_per_s: f64, service_s: f64) -> Computed<Self> {
        let load = in_flight(arrivals_per_s, positive("service_s", service_s)?)?;
        if slots == 0 || slots > MOST_SLOTS || load >= f64::from(slots) {
            let allowed = "over the offered load, at most 1,000,000";
            return Err(OutOfRange {
                what: "slots",
                value: f64::from(slots),
                allowed,
            });
        }
        let blocked = (1..=slots).fold(1.0, |b, k| next_blocked(b, k, load));
        Ok(Self::from_blocked(
            slots,
            arrivals_per_s,
            service_s,
            blocked,
        ))
    }

    /// The smallest queue in which the share `percentile` of requests waits at most
    /// `wait_s`.
    ///
    /// Source: as [`Self::new`] and [`Self::wait_percentile_s`].
    ///
    /// # Errors
    /// Where a figure is out of its range or more than [`MOST_SLOTS`] would be needed.
    pub fn smallest(
        arrivals_per_s: f64,
        service_s: f64,
        wait_s: f64,
        percentile: f64,
    ) -> Computed<Self> {
        let load = in_flight(arrivals_per_s, positive("service_s", service_s)?)?;
        let target = amount("wait_s", wait_s)?;
        probability("percentile", percentile)?;
        let mut blocked = 1.0;
        for slots in 1..=MOST_SLOTS {
            blocked = next_blocked(blocked, slots, load);
            if load < f64::from(slots) {
                let queue = Self::from_blocked(slots, arrivals_per_s, service_s, blocked);
                if queue.wait_percentile_s(percentile)? <= target {
                    return Ok(queue);
                }
            }
        }
        Err(OutOfRange {
            what: "offered load",
            value: load,
            allowed: "carried by 1,000,000 slots",
        })
    }

    fn from_blocked(slots: u32, arrivals_per_s: f64, service_s: f64, blocked: f64) -> Self {
        let utilisation = arrivals_per_s * service_s / f64::from(slots);
        let wait_probability = blocked / (1.0 - utilisation * (1.0 - blocked));
        Self {
            slots,
            arrivals_per_s,
            service_s,
            wait_probability,
        }
    }

    /// How many.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Mean number of busy slots, in Erlang.
    pub fn offered_load(&self) -> f64 {
        self.arrivals_per_s * self.service_s
    }

    /// Share of the slots that is busy.
    pub fn utilisation(&self) -> f64 {
        self.offered_load() / f64::from(self.slots)
    }

    /// The probability that a request has to wait (Erlang C).
    pub fn wait_probability(&self) -> f64 {
        self.wait_probability
    }

    /// The probability that a request waits longer than `t_s`:
    /// `C * exp(-(c mu - lambda) t)`.
    ///
    /// # Errors
    /// Where the time is negative.
    pub fn waits_longer_than(&self, t_s: f64) -> Computed<f64> {
        Ok(self.wait_probability * (-self.spare_per_s() * amount("t_s", t_s)?).exp())
    }

    /// The percentile of the wait in seconds: `max(0, ln(C / (1 - p)) / (c mu - lambda))`.
    ///
    /// # Errors
    /// Where the percentile is not between 0 and 1.
    pub fn wait_percentile_s(&self, percentile: f64) -> Computed<f64> {
        let slow = 1.0 - probability("percentile", percentile)?;
        if self.wait_probability <= slow {
            return Ok(0.0);
        }
        finite(
            "wait",
            (self.wait_probability / slow).ln() / self.spare_per_s(),
        )
    }

    /// Mean wait in seconds: `C / (c mu - lambda)`.
    pub fn mean_wait_s(&self) -> f64 {
        self.wait_probability / self.spare_per_s()
    }

    /// Mean wait in seconds where arrivals and service vary otherwise, approximately:
    /// `mean_wait * (Ca2 + Cs2) / 2`, with the squared coefficients of variation.
    ///
    /// Source: Allen 1990; Cunneen.
    ///
    /// # Errors
    /// Where a coefficient is negative.
    pub fn mean_wait_general_s(
        &self,
        arrival_variation_squared: f64,
        service_variation_squared: f64,
    ) -> Computed<f64> {
        let arrivals = amount("arrival_variation_squared", arrival_variation_squared)?;
        let service = amount("service_variation_squared", service_variation_squared)?;
        finite("mean wait", self.mean_wait_s() * (arrivals + service) / 2.0)
    }

    /// How much faster the slots could serve than requests arrive.
    fn spare_per_s(&self) -> f64 {
        f64::from(self.slots) / self.service_s - self.arrivals_per_s
    }
}

/// Erlang B, one slot more.
fn next_blocked(blocked: f64, slot: u32, load: f64) -> f64 {
    load * blocked / (f64::from(slot) + load * blocked)
}
