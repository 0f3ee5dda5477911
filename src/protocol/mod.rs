//! The wire `emflow.v1` and nothing else: frames, codec, limits, close codes, problem documents.
//!
//! No IO, no clock: text in, typed requests out, and the other way round.
//! What a frame means is decided by the rooms that receive the typed value.

pub mod close;
pub mod fault;
pub mod frame;
pub mod json;
pub mod problem;
pub mod request;

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "emflow.v1";
/// The largest whole number that every JSON reader keeps exact.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
/// The largest frame to a client, in bytes; larger results are refused by the encoder.
pub const MAX_SERVER_FRAME: usize = 256 * 1024;
