//! The agents: from a visitor's text to a computed, explained answer.
//!
//! This room knows `id` and `clock` only: nothing of sessions, store or wire.
//! The engine is pure: the same task and catalog give the same answer, byte for byte.

mod advanced;
pub mod answer;
mod builtin;
pub mod calculate;
pub mod catalog;
mod cost;
mod draft;
mod facts;
mod latency;
mod layout;
pub mod ledger;
mod preview;
mod scaling;
mod selection;
#[cfg(test)]
mod tests;
pub mod understand;
mod work;

pub use builtin::{answer, category_of, reading};
pub use preview::{Preview, Unused, preview};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{Category, Complexity};

/// What an agent is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The visitor's words, trimmed, 10 to 2000 Unicode scalar values. Data, never instructions.
    pub content: String,
    /// Which agent.
    pub category: Category,
    /// How deep.
    pub complexity: Complexity,
    /// Values the visitor edited, by [`answer::NamedQuantity::name`].
    pub assumptions: BTreeMap<String, serde_json::Value>,
    /// The day whose prices count, ISO 8601 (`2026-12-01`).
    pub as_of: String,
}

/// What an agent says while it works; the outbox gives each its sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A thought, with the assumptions it rests on.
    Thinking {
        /// A sentence.
        message: String,
        /// Assumptions made at this step.
        assumptions: Vec<answer::NamedQuantity>,
    },
    /// A calculator at work.
    Tool {
        /// The calculator, for example `cost_per_month`.
        tool_name: String,
        /// What it was given and what came out.
        message: String,
        /// 0 to 1: steps of the plan done over steps planned.
        progress: f64,
    },
    /// A part of the result that stands already.
    Partial {
        /// A sentence.
        message: String,
        /// A piece of the final text, where there is one.
        text_delta: Option<String>,
        /// A table that stands already.
        table: Option<answer::Table>,
    },
}

/// Why no answer can be computed; expected, and not a failure of the agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Refusal {
    /// Stable word, for example `nothing_to_compute`.
    pub code: String,
    /// What is missing and what to write instead.
    pub message: String,
}

pub mod backend;

/// The name of the agent of a category, as people read it.
pub fn name_of(category: Category) -> &'static str {
    match category {
        Category::Cost => "Cost Optimization Agent",
        Category::Latency => "Latency Optimization Agent",
        Category::Selection => "Model Selection Agent",
        Category::Scaling => "Scaling Analysis Agent",
        Category::Advanced => "Advanced Optimization Agent",
    }
}
