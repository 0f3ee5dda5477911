//! The agents: from a visitor's text to a computed, explained answer.
//!
//! This room knows `id` and `clock` only: nothing of sessions, store or wire.
//! The engine is pure: the same task and catalog give the same answer, byte for byte.

pub mod answer;
pub mod understand;
