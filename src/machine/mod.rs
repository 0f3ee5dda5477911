//! Pure state machines: the time is a parameter, randomness too, and nothing is
//! read, written or awaited here. Thin shells elsewhere drive them.

pub mod admission;
pub mod backoff;
pub mod breaker;
#[cfg(test)]
pub(crate) mod dice;
