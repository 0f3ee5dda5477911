//! Integration tests: real processes, real TLS sockets, real files. One module a promise.

mod harness;

mod accepted;
mod backup;
mod crash;
mod delivery;
mod judges;
mod load;
mod observe;
mod process;
mod requirements;
mod tidy;
mod wire;
