//! A cut: the store as it stood after one commit, read while commits go on.
//!
//! sled has no snapshots, and an iterator sees what is written meanwhile. So the
//! reader goes through the keys in order, and whoever overwrites a key that was
//! not read yet puts its old value aside. What was read and what was put aside are
//! together exactly the state at the beginning.
//!
//! Rejected: to let the writes since the beginning follow the entries as a log. It
//! grows with the rate of commits, where this grows only with what is overwritten.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Bytes put aside; beyond, the cut is given up: commits never wait for a slow reader.
pub(super) const ASIDE: usize = 64 << 20;
/// What a key costs in memory besides its bytes (about).
const OVERHEAD: usize = 64;

/// Keys and values in order.
pub(super) type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// Everything up to here was read.
    read: Option<Vec<u8>>,
    /// What keys beyond held at the beginning; none where they did not exist.
    aside: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
    given_up: bool,
}

impl Cut {
    /// Whether the value that `key` holds now is still needed.
    pub(super) fn needs(&self, key: &[u8]) -> bool {
        let behind = self.read.as_deref().is_some_and(|read| key <= read);
        !self.given_up && !behind && !self.aside.contains_key(key)
    }

    /// `key` is about to be written and holds `old`. Asked for only where [`Cut::needs`] it.
    pub(super) fn put_aside(&mut self, key: &[u8], old: Option<Vec<u8>>) {
        self.bytes += key.len() + old.as_ref().map_or(0, Vec::len) + OVERHEAD;
        self.aside.insert(key.to_vec(), old);
        if self.bytes > ASIDE {
            self.given_up = true;
            self.aside = BTreeMap::new();
        }
    }

    /// Too much was overwritten before it was read.
    pub(super) fn given_up(&self) -> bool {
        self.given_up
    }

    /// Where reading goes on.
    pub(super) fn from(&self) -> Bound<Vec<u8>> {
        self.read.clone().map_or(Bound::Unbounded, Bound::Excluded)
    }

    /// The next entries as they stood at the beginning. `now` is what the store holds from
    /// [`Cut::from`] on without a gap, and `last` says that nothing comes after it.
    pub(super) fn step(&mut self, now: Entries, last: bool) -> Entries {
        let end = now.last().map(|(key, _)| key.clone()).filter(|_| !last);
        let mut then: BTreeMap<Vec<u8>, Vec<u8>> = now.into_iter().collect();
        let rest = match &end {
            Some(end) => {
                let mut rest = self.aside.split_off(end);
                if let Some(at_end) = rest.remove(end) {
                    self.aside.insert(end.clone(), at_end);
                }
                rest
            }
            None => BTreeMap::new(),
        };
        for (key, old) in std::mem::replace(&mut self.aside, rest) {
            self.bytes -= key.len() + old.as_ref().map_or(0, Vec::len) + OVERHEAD;
            match old {
                Some(old) => then.insert(key, old),
                None => then.remove(&key),
            };
        }
        if end.is_some() {
            self.read = end;
        }
        then.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::dice::Dice;

    /// A store of small numbers, written while it is copied in steps: the copy is what it was at
    /// the beginning, in order.
    fn check(seed: u64) {
        let mut dice = Dice::new(seed);
        let mut store: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let write = |store: &mut BTreeMap<_, _>, cut: Option<&mut Cut>, dice: &mut Dice| {
            let key = vec![dice.below(40) as u8];
            let value = (dice.below(3) > 0).then(|| vec![dice.below(250) as u8]);
            if let Some(cut) = cut.filter(|cut| cut.needs(&key)) {
                cut.put_aside(&key, store.get(&key).cloned());
            }
            match value {
                Some(value) => store.insert(key, value),
                None => store.remove(&key),
            };
        };
        (0..60).for_each(|_| write(&mut store, None, &mut dice));
        let expected: Entries = store.clone().into_iter().collect();
        let mut cut = Cut::default();
        let mut copied = Entries::new();
        loop {
            (0..dice.below(12)).for_each(|_| write(&mut store, Some(&mut cut), &mut dice));
            let size = 1 + dice.below(7) as usize;
            let range = store.range((cut.from(), Bound::Unbounded));
            let now: Entries = range
                .take(size)
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            let last = now.len() < size;
            copied.extend(cut.step(now, last));
            if last {
                break;
            }
        }
        assert_eq!(copied, expected, "seed {seed}");
        assert_eq!((cut.bytes, cut.given_up()), (0, false), "seed {seed}");
    }

    #[test]
    fn a_copy_is_what_was_there_when_it_began() {
        (0..2000).for_each(check);
    }

    #[test]
    fn more_than_may_be_put_aside_gives_the_cut_up() {
        let mut cut = Cut::default();
        for n in 0..(ASIDE >> 20) as u32 {
            assert!(!cut.given_up(), "after {n} MiB");
            cut.put_aside(&n.to_be_bytes(), Some(vec![0; 1 << 20]));
        }
        assert!(cut.given_up() && !cut.needs(b"more") && cut.aside.is_empty());
    }
}
