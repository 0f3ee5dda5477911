//! emflow, the Example Message Flow appliance.

pub mod access;
pub mod agents;
pub mod clock;
pub mod id;
pub mod machine;
