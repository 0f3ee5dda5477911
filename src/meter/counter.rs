//! Counters, gauges, and tables of counters.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Only ever rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn one(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// How many.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Changes it by so much.
    pub fn add(&self, by: i64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// Sets it.
    pub fn set(&self, to: u64) {
        let to = i64::try_from(to).unwrap_or(i64::MAX);
        self.0.store(to, Ordering::Relaxed);
    }

    /// What it is; never below zero, also while two changes cross.
    pub fn get(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::Relaxed)).unwrap_or(0)
    }
}

/// The lowest of what a round of looking saw; stands until the next round is over.
#[derive(Debug)]
pub struct Lowest {
    seeing: AtomicU64,
    found: AtomicU64,
}

impl Default for Lowest {
    fn default() -> Self {
        Self {
            seeing: AtomicU64::new(u64::MAX),
            found: AtomicU64::new(u64::MAX),
        }
    }
}

impl Lowest {
    /// Seen in this round.
    pub fn saw(&self, value: u64) {
        self.seeing.fetch_min(value, Ordering::Relaxed);
    }

    /// The round is over.
    pub fn end_round(&self) {
        let lowest = self.seeing.swap(u64::MAX, Ordering::Relaxed);
        self.found.store(lowest, Ordering::Relaxed);
    }

    /// The lowest of the last whole round; none where it saw nothing.
    pub fn get(&self) -> Option<u64> {
        let found = self.found.load(Ordering::Relaxed);
        (found != u64::MAX).then_some(found)
    }
}

/// Counters by a label. For what happens once a message, a request or a fault; what happens once
/// a frame has a [`Counter`] of its own.
#[derive(Debug)]
pub struct Tally<K>(Mutex<BTreeMap<K, u64>>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

impl<K: Ord + Clone> Tally<K> {
    /// One more of `label`, which must be of a bounded set.
    pub fn one(&self, label: K) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(label).or_insert(0) += 1;
    }

    /// How many of `label`.
    pub fn get(&self, label: &K) -> u64 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(label).copied().unwrap_or(0)
    }

    /// How many of all labels.
    pub fn total(&self) -> u64 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.values().sum()
    }

    /// All of them, in the order of the labels.
    pub fn all(&self) -> Vec<(K, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(k, n)| (k.clone(), *n)).collect()
    }
}
