//! Integration tests: real processes, real TLS sockets, real files. One module a promise.

mod harness;

mod accepted;
mod administrator;
mod backup;
mod crash;
mod delivery;
mod drafts;
mod judges;
mod load;
mod operate;
mod operator;
mod process;
mod reports;
mod requirements;
mod service;
mod settings;
mod tidy;
mod wire;
