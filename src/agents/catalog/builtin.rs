//! The files inside the binary.

use super::Catalog;
use super::document::{self, Fault};

/// Facts that are everybody's to use. A file may name only what stands before it.
const FACTS: &[&str] = &[
    include_str!("data/sources.toml"),
    include_str!("data/models/openai.toml"),
    include_str!("data/models/anthropic.toml"),
    include_str!("data/models/google.toml"),
    include_str!("data/models/mistral.toml"),
    include_str!("data/models/others.toml"),
    include_str!("data/models/open_weights.toml"),
    include_str!("data/rules.toml"),
    include_str!("data/hardware.toml"),
];

/// Publishers' packs: remove a line and its file, and nothing else has to change.
const PACKS: &[&str] = &[
    include_str!("data/measurements/artificial_analysis.toml"),
    include_str!("data/measurements/lmarena.toml"),
    include_str!("data/measurements/aider.toml"),
];

/// Reads them all; lines in faults count within their file.
pub(super) fn read() -> Result<Catalog, Vec<Fault>> {
    document::assemble(FACTS.iter().chain(PACKS))
}
