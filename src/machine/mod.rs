//! Pure state machines: facts in, orders out, the clock passed in. std only.
//!
//! No IO, no async, no randomness, no logging. Expected refusals are variants,
//! violations by the other side are errors, our own bugs are assertions.

pub mod admission;
pub mod alert;
pub mod backoff;
pub mod breaker;
pub mod connection;
pub mod history;
pub mod ledger;
pub mod outbox;
pub mod session;

#[cfg(test)]
pub(crate) mod dice;
#[cfg(test)]
mod sim;
