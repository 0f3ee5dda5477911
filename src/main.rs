//! The `emflow` command.
fn main() {}
