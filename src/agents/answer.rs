//! The structured result of an agent, as it stands in `agent_completed.result`.
//!
//! Every number a person can see is a [`Figure`], a cell, a point or a piece of
//! prose with a [`NumberRef`], and carries the id of the [`Derivation`] that
//! computed it: whoever doubts a number opens its arithmetic.

use serde::{Deserialize, Serialize};

/// A whole answer. Field names are the wire's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// For example `Cost Optimization Agent`.
    pub agent_name: String,
    /// The category's word on the wire.
    pub optimization_type: String,
    /// Two to four sentences a manager reads.
    pub summary: String,
    /// The numbers in `summary`, in the order in which they stand there.
    pub summary_refs: Vec<NumberRef>,
    /// The three numbers that matter first.
    pub headline: Vec<Figure>,
    /// What was understood, assumed or looked up.
    pub quantities: Vec<NamedQuantity>,
    /// Contradictions, warnings, what was left out and why.
    pub findings: Vec<Finding>,
    /// In order of priority.
    pub recommendations: Vec<Recommendation>,
    /// Tables; each chart names the one behind it.
    pub tables: Vec<Table>,
    /// Declarative charts.
    pub charts: Vec<Chart>,
    /// What it is worth, per month and year.
    pub business_impact: BusinessImpact,
    /// Phases with weeks.
    pub implementation_guidance: Vec<Phase>,
    /// What to measure afterwards.
    pub success_metrics: Vec<SuccessMetric>,
    /// Facts computed from this message, never asserted.
    pub business_insights: Vec<Finding>,
    /// At most three, ordered by their effect on the result.
    pub questions: Vec<Question>,
    /// The arithmetic behind every number.
    pub provenance: Vec<Derivation>,
    /// Which catalog spoke: name, prices as of (ISO date), attribution lines.
    pub catalog: CatalogNote,
    /// What really ran.
    pub execution: Execution,
}

/// A piece of a text that is a number, and where it was computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberRef {
    /// The exact substring, for example `$5,700`.
    pub text: String,
    /// Id into `provenance`.
    pub id: String,
}

/// A number that matters, ready to show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it is.
    pub label: String,
    /// The value, unrounded.
    pub value: f64,
    /// For example `USD/month`, `s`, `%`, `slots`.
    pub unit: String,
    /// The value as a person reads it, for example `$5,700 a month`.
    pub text: String,
    /// Id into `provenance`.
    pub id: String,
}

/// Where a number came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The visitor wrote it.
    Message,
    /// A default or a value the visitor edited.
    Assumption,
    /// The catalog, with source and date.
    Catalog,
    /// Another derivation.
    Computed,
}

/// A quantity the answer rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedQuantity {
    /// The key by which `session_context.assumptions` edits it, for example `requests_per_month`.
    pub name: String,
    /// A person's words for it.
    pub label: String,
    /// The value in `unit`.
    pub value: f64,
    /// For example `requests/month`.
    pub unit: String,
    /// Where it came from.
    pub source: Source,
    /// The exact words of the message, when it came from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// Where the quote stands: start and end in Unicode scalar values of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<(usize, usize)>,
    /// True where the visitor may edit it and recompute.
    pub editable: bool,
    /// Sensible limits for an editor or slider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
    /// Why this default, or the catalog row's source and date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Something the reader must know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// `info`, `warning` or `contradiction`.
    pub severity: String,
    /// One line.
    pub title: String,
    /// A sentence or three.
    pub text: String,
    /// The numbers in `text`.
    pub refs: Vec<NumberRef>,
}

/// One lever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// One line, imperative.
    pub title: String,
    /// Why, with the conditions under which it holds.
    pub rationale: String,
    /// The numbers in `rationale`.
    pub refs: Vec<NumberRef>,
    /// 1 is first.
    pub priority: u32,
    /// `low`, `medium` or `high`.
    pub effort: String,
    /// `low`, `medium` or `high`.
    pub impact: String,
    /// `high` (price arithmetic), `medium` (to be measured on the visitor's traffic), `low` (published elsewhere).
    pub confidence: String,
    /// The saving or gain; none where it cannot be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain: Option<Figure>,
    /// The formula with its symbols.
    pub formula: String,
    /// The same with its numbers filled in.
    pub arithmetic: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Unique in the answer.
    pub id: String,
    /// Its caption.
    pub title: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows; each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
}

/// A table's column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its header.
    pub name: String,
    /// The unit of its numbers; empty for text.
    pub unit: String,
}

/// A table's cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// As a person reads it.
    pub text: String,
    /// The number, unrounded, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Id into `provenance`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A chart, declared and not drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// Unique in the answer.
    pub id: String,
    /// `waterfall`, `bars`, `line`, `scatter`, `fan`, `tornado`, `histogram`, `stacked`, `gantt`.
    pub kind: String,
    /// Its caption.
    pub title: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// What is drawn.
    pub series: Vec<Series>,
    /// Lines across the chart: a limit, a target, a chosen point.
    pub marks: Vec<Mark>,
    /// Id of the table behind it.
    pub table: String,
    /// Where its data came from, and as of when.
    pub source: String,
    /// The text summary, with the numbers that matter.
    pub text: String,
    /// The numbers in `text`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<NumberRef>,
}

/// An axis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// What it measures.
    pub label: String,
    /// In which unit.
    pub unit: String,
    /// `linear`, `log` or `category`.
    pub scale: String,
}

/// One series of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its points.
    pub points: Vec<Point>,
}

/// One mark of a series. A waterfall step and a bar use `label` and `y`; a range uses `low` and `high`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Point {
    /// Its name, for category axes and tooltips.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Horizontal position on a numeric axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<f64>,
    /// Vertical position, or the bar's length; for a waterfall the level after this step.
    pub y: f64,
    /// Lower end of a range, or for a waterfall the level before this step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of a range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// True where it is to be emphasised (chosen, current, on the Pareto front).
    #[serde(default)]
    pub strong: bool,
    /// Id into `provenance`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A line across a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// `x` or `y`.
    pub axis: String,
    /// Where.
    pub value: f64,
    /// What it says.
    pub label: String,
}

/// What it is worth.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BusinessImpact {
    /// One or two sentences.
    pub text: String,
    /// The numbers in `text`.
    pub refs: Vec<NumberRef>,
    /// The figures, computed.
    pub figures: Vec<Figure>,
}

/// A phase of the implementation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Its name.
    pub title: String,
    /// First week, 1 is the first.
    pub from_week: u32,
    /// Last week, inclusive.
    pub to_week: u32,
    /// What is done.
    pub steps: Vec<String>,
}

/// What to measure afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuccessMetric {
    /// Its name.
    pub name: String,
    /// Today, as text; `not measured` where unknown.
    pub baseline: String,
    /// The aim, as text.
    pub target: String,
    /// How to measure it.
    pub how: String,
    /// The numbers in `baseline` and `target`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<NumberRef>,
}

/// A question to the visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The quantity it would settle.
    pub name: String,
    /// The question.
    pub text: String,
    /// Why it matters: its effect on the result.
    pub effect: String,
    /// The numbers in `effect`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<NumberRef>,
}

/// One computed number with everything needed to redo it by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Derivation {
    /// Unique in the answer, for example `p7`.
    pub id: String,
    /// What was computed.
    pub label: String,
    /// The formula with its symbols.
    pub formula: String,
    /// The same with its numbers filled in, ending in the result.
    pub arithmetic: String,
    /// The inputs by symbol.
    pub inputs: Vec<Input>,
    /// The result, unrounded.
    pub result: f64,
    /// Its unit.
    pub unit: String,
    /// The source of the formula.
    pub reference: String,
    /// For the points of a curve, which share one derivation: the symbol that is the
    /// chart's (or the table's first column's) x; `result` is the value at the x that
    /// `inputs` hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub varies: Option<String>,
}

/// An input of a derivation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The symbol in the formula.
    pub symbol: String,
    /// What it is.
    pub label: String,
    /// Its value.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// Where it came from.
    pub source: Source,
    /// The quantity's name, the derivation's id, or the catalog row with source and date.
    pub from: String,
    /// The exact words of the message, when it came from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
}

/// Which catalog spoke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogNote {
    /// For example `built-in engine, prices as of 2026-08-01, 40 days old`.
    pub text: String,
    /// ISO date of the prices.
    pub prices_as_of: String,
    /// Lines that must be shown where their data is shown.
    pub attributions: Vec<String>,
}

/// What really ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// `builtin`, or the name of a remote backend.
    pub backend: String,
    /// The model that was called; none for the built-in engine.
    pub model: Option<String>,
    /// Tokens that were used; zero for the built-in engine.
    pub tokens: u64,
    /// What it cost, in USD; zero for the built-in engine.
    pub cost_usd: f64,
    /// `closed`, `open` or `half_open`, as it stood when the attempt was admitted.
    pub breaker_state: String,
}
