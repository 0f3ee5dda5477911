//! File descriptors: a socket takes one, and the store must never go without.
//!
//! The usual soft limit of a shell is 1024, far below `limits.max_connections`. It is raised as
//! far as the system lets us, and where that is not enough fewer connections are let in: rather a
//! refused visitor than a store that cannot open a file and stops.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Kept for the store, its backups, certificates, the runtime.
const RESERVED: u64 = 64;
/// Connections over the limit that are told so, where there are enough descriptors.
const REFUSALS: u64 = 256;

/// How many connections there may be, and how many more are told that there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) connections: u64,
    pub(super) refusals: u64,
}

/// How many connections over the limit are told so.
pub(super) fn refusals() -> usize {
    usize::try_from(within(limit(), 0).refusals).unwrap_or(usize::MAX)
}

fn limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Raises the limit of this process as far as `wanted` connections need it; what it gives.
pub(super) fn places(wanted: u64) -> Places {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let needed = wanted.saturating_add(RESERVED + REFUSALS);
    let enough = current.is_none_or(|current| current >= needed);
    let raised = Rlimit {
        current: Some(maximum.map_or(needed, |maximum| maximum.min(needed))),
        maximum,
    };
    if !enough && let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    let limit = limit();
    let places = within(limit, wanted);
    if places.connections < wanted {
        tracing::warn!(
            limit,
            connections = places.connections,
            "the limit of open files (`ulimit -n`, LimitNOFILE=) allows fewer connections than `limits.max_connections`"
        );
    }
    places
}

fn within(limit: u64, wanted: u64) -> Places {
    let rest = limit.saturating_sub(RESERVED);
    let refusals = (rest / 4).min(REFUSALS);
    Places {
        connections: wanted.min(rest - refusals).max(1),
        refusals: refusals.max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_leave_descriptors_for_the_store() {
        // req: D8
        let check = |limit, wanted, connections, refusals| {
            let expected = Places {
                connections,
                refusals,
            };
            assert_eq!(within(limit, wanted), expected, "{limit} for {wanted}");
        };
        check(u64::MAX, 12_000, 12_000, 256);
        check(20_000, 12_000, 12_000, 256);
        check(12_320, 12_000, 12_000, 256);
        check(1024, 12_000, 720, 240);
        check(1024, 100, 100, 240);
        check(128, 12_000, 48, 16);
        // Too few for anything: one at a time.
        check(10, 12_000, 1, 1);
        let before = getrlimit(Resource::Nofile).current;
        let places = places(200);
        assert_eq!((places.connections, places.refusals), (200, 256));
        assert!(
            getrlimit(Resource::Nofile).current >= before,
            "it was lowered"
        );
    }
}
