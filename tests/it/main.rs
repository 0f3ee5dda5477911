//! Integration tests: real processes, real TLS sockets, real files. One module a promise.

mod harness;

mod accepted;
mod backup;
mod backups;
mod crash;
mod delivery;
mod disk;
mod drafts;
mod golden;
mod judges;
mod load;
mod process;
mod reports;
mod requirements;
mod tidy;
mod wire;
