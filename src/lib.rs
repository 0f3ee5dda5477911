//! emflow, the Example Message Flow appliance.

pub mod agents;
pub mod clock;
pub mod id;
pub mod machine;
pub mod protocol;
pub mod store;
