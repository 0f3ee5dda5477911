//! How many at once: a permit for each connection, given back by dropping it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::address::Address;

/// The limits of open connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// From one [`Address`].
    pub per_address: u32,
    /// From all.
    pub total: u32,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            per_address: 50,
            total: 12_000,
        }
    }
}

/// No permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPermit {
    /// This address has as many connections as it may: its own doing.
    #[error("too many connections from this address")]
    Address,
    /// The server has as many as it may: nobody's in particular.
    #[error("all connections are taken")]
    Total,
}

#[derive(Debug, Default)]
struct Open {
    capacity: Capacity,
    total: u32,
    by_address: HashMap<Address, u32>,
}

/// Hands out permits. A clone hands out the same ones.
#[derive(Debug, Clone, Default)]
pub struct Permits {
    open: Arc<Mutex<Open>>,
}

/// One connection's place; it is free again when this is dropped.
#[derive(Debug)]
#[must_use = "the place is free again when the permit is dropped"]
pub struct Permit {
    open: Arc<Mutex<Open>>,
    address: Option<Address>,
}

impl Permits {
    /// All places are free.
    pub fn new(capacity: Capacity) -> Self {
        let permits = Self::default();
        permits.set(capacity);
        permits
    }

    /// Changes the limits; who is in stays, even above a lower limit.
    pub fn set(&self, capacity: Capacity) {
        lock(&self.open).capacity = capacity;
    }

    /// Takes a place; without an address, for a trusted proxy, which stands for many, only the
    /// total counts.
    pub fn acquire(&self, address: impl Into<Option<Address>>) -> Result<Permit, NoPermit> {
        let address = address.into();
        let mut open = lock(&self.open);
        let own = address.map(|a| (a, open.by_address.get(&a).copied().unwrap_or(0)));
        if own.is_some_and(|(_, count)| count >= open.capacity.per_address) {
            return Err(NoPermit::Address);
        }
        if open.total >= open.capacity.total {
            return Err(NoPermit::Total);
        }
        open.total += 1;
        if let Some((address, count)) = own {
            open.by_address.insert(address, count + 1);
        }
        Ok(Permit {
            open: self.open.clone(),
            address,
        })
    }

    /// Places taken.
    pub fn taken(&self) -> u32 {
        lock(&self.open).total
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        open.total -= 1;
        if let Some(address) = self.address
            && let Some(own) = open.by_address.get_mut(&address)
        {
            *own -= 1;
            if *own == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

/// The counts are whole after each statement: a panic elsewhere does not spoil them.
fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(|e| e.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn address(n: u32) -> Address {
        IpAddr::V4(Ipv4Addr::from_bits(n)).into()
    }

    fn permits(per_address: u32, total: u32) -> Permits {
        Permits::new(Capacity { per_address, total })
    }

    #[test]
    fn an_address_has_its_share_and_all_have_the_total() {
        let permits = permits(2, 3);
        let first = permits.acquire(address(1)).unwrap();
        let second = permits.acquire(address(1)).unwrap();
        assert_eq!(permits.acquire(address(1)).unwrap_err(), NoPermit::Address);
        let third = permits.acquire(address(2)).unwrap();
        assert_eq!(permits.acquire(address(3)).unwrap_err(), NoPermit::Total);
        drop(first);
        let again = permits.acquire(address(1)).unwrap();
        assert_eq!(permits.taken(), 3);
        drop((second, third, again));
        assert_eq!(permits.taken(), 0);
        assert!(
            lock(&permits.open).by_address.is_empty(),
            "an address without connections costs nothing"
        );
    }

    #[test]
    fn a_proxy_stands_for_many() {
        let permits = permits(1, 3);
        let held = [(); 3].map(|()| permits.acquire(None).unwrap());
        assert_eq!(permits.acquire(None).unwrap_err(), NoPermit::Total);
        drop(held);
        assert_eq!(permits.taken(), 0);
    }

    #[test]
    fn a_reload_throws_nobody_out() {
        let permits = permits(2, 10);
        let held = [(); 2].map(|()| permits.acquire(address(1)).unwrap());
        permits.set(Capacity {
            per_address: 1,
            total: 1,
        });
        assert!(permits.acquire(address(1)).is_err());
        assert_eq!(permits.taken(), 2);
        drop(held);
        assert!(permits.acquire(address(1)).is_ok());
    }

    #[test]
    fn threads_never_exceed_the_limit_and_lose_no_place() {
        let permits = permits(3, 1000);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        let held: Vec<_> = (0..3).map(|_| permits.acquire(address(1))).collect();
                        assert!(
                            lock(&permits.open)
                                .by_address
                                .get(&address(1))
                                .is_none_or(|n| *n <= 3)
                        );
                        drop(held);
                    }
                });
            }
        });
        assert_eq!(permits.taken(), 0);
    }
}
