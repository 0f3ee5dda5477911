//! emflow, the Example Message Flow appliance.
//!
//! A visitor sends an example message with their own numbers; an agent computes an
//! answer and streams it over a TLS WebSocket. Every frame is numbered, on disk before
//! anybody sees it, kept until it is acknowledged, and survives a cut network, a
//! reloaded page and a killed server.
//!
//! The rooms, in the order in which a message travels through them:
//!
//! 1. [`serve`] accepts sockets, speaks TLS, HTTP and WebSocket; [`machine::connection`]
//!    says when a socket has gone wrong.
//! 2. [`protocol`] turns text into typed requests, all faults at once, and back.
//! 3. [`access`] knows who it is, and how much they may ask.
//! 4. [`intake`] takes a message in: admission, repetition, one durable step, "accepted".
//! 5. [`store`] makes it durable: one committer, one sync for everybody who waits.
//! 6. [`supervisor`] runs the attempt: breaker, time limit, cancellation, panic, fallback;
//!    [`sessions`] moves the session through its states to its one end.
//! 7. [`agents`] understand the text, calculate by published formulas, and explain.
//! 8. [`outbox`] numbers every event, commits it, and hands it to each socket of the
//!    visitor within the window; [`machine::outbox`] keeps the watermarks.
//! 9. [`meter`] counts what they do, [`business`] durably what it was worth; [`observe`] makes
//!    metrics, percentiles, charts, alerts and health of it.
//! 10. [`cleanup`] removes all of a visitor in one step, and puts it back.
//!
//! Around them: [`app`] wires everything and knows everybody, [`cli`] is the command line,
//! [`config`] the settings, [`live`] which of them are in force, [`backups`] copies of the store,
//! [`examples`] the gallery, [`appearance`] the look of the page, [`report`] a result to take away,
//! [`shutdown`] the drain, [`clock`] the only reader of clocks, [`notify`] what the service manager is
//! told, [`id`] the shared words. Arrows only go down: `app` → `serve`, `cli` → the rooms → `store` → `machine`; `protocol` and `machine`
//! know only `id`, `agents` know `id` and `clock`.

pub mod access;
pub mod agents;
pub mod app;
pub mod appearance;
pub mod backups;
pub mod business;
pub mod cleanup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod examples;
pub mod id;
pub mod intake;
pub mod live;
pub mod machine;
pub mod meter;
pub mod notify;
pub mod observe;
pub mod outbox;
pub mod protocol;
pub mod report;
pub mod serve;
pub mod sessions;
pub mod shutdown;
pub mod store;
pub mod supervisor;
