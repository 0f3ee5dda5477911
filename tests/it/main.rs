//! Integration tests: real processes, real TLS sockets, real files. One module a promise.

mod harness;

mod accepted;
mod admin;
mod backup;
mod backups;
mod branding;
mod crash;
mod delivery;
mod disk;
mod docs;
mod drafts;

mod first_minute;
mod follow;
mod golden;
mod judges;
mod ledger;
mod load;
mod memory;
mod observe;
mod operate;
mod operator;
mod packaging;
mod presenter;
mod process;
mod proxy;
mod reports;
mod requirements;
mod service;
mod settings;
mod tidy;
mod typed;
mod upkeep;
mod wire;
