//! Integration tests: real processes, real TLS sockets, real files. One module a promise.

mod harness;

mod accepted;
mod backup;
mod crash;
mod delivery;
mod drafts;
mod follow;
mod judges;
mod load;
mod operator;
mod presenter;
mod process;
mod reports;
mod requirements;
mod service;
mod tidy;
mod wire;
