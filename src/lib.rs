//! emflow, the Example Message Flow appliance.

pub mod access;
pub mod agents;
pub mod cli;
pub mod clock;
pub mod config;
pub mod id;
pub mod machine;
pub mod outbox;
pub mod protocol;
pub mod serve;
pub mod shutdown;
pub mod store;
