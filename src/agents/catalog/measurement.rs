//! What others measured: quality and speed, by model and mode.
//!
//! Measurements come in packs, one publisher each, which can be taken out: the
//! publisher must be named wherever a figure of its pack is shown. A mode is part
//! of the key because a reasoning mode is another product: never combine the
//! quality of one with the speed of another.

use serde::Deserialize;
use time::Date;

use super::model::iso_date;

/// The figures of one publisher.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// For example `LMArena`.
    pub name: String,
    /// The line to show beside its figures.
    pub attribution: String,
    /// The day of the publisher's list.
    #[serde(with = "iso_date")]
    pub as_of: Date,
    /// Where it was read.
    pub source: String,
    /// Quality figures.
    #[serde(default)]
    pub quality: Vec<QualityRow>,
    /// Speed figures.
    #[serde(default)]
    pub speed: Vec<Speed>,
}

/// How hard the model thinks before it answers, in the publishers' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// No reasoning, or the least effort there is (`none`).
    #[serde(rename = "none")]
    Direct,
    /// As the provider sets it.
    Default,
    /// Low effort.
    Low,
    /// Medium effort.
    Medium,
    /// High effort.
    High,
    /// More than high.
    Xhigh,
    /// The most there is.
    Max,
    /// As long as the model finds fit.
    Adaptive,
    /// Reasoning on, effort not stated.
    Thinking,
}

impl Mode {
    /// The publishers' word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "none",
            Self::Default => "default",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
            Self::Adaptive => "adaptive",
            Self::Thinking => "thinking",
        }
    }
}

/// What a quality figure measures. More is better in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Artificial Analysis intelligence index, 0 to 100.
    Intelligence,
    /// Artificial Analysis coding index, 0 to 100.
    Coding,
    /// LMArena text rating with style control, comparable to Elo.
    Arena,
    /// Aider polyglot pass rate at the second try, 0 to 1.
    Aider,
}

impl Metric {
    /// A person's words for it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Intelligence => "Artificial Analysis intelligence index",
            Self::Coding => "Artificial Analysis coding index",
            Self::Arena => "LMArena text rating",
            Self::Aider => "Aider polyglot pass rate",
        }
    }
}

/// The quality figures of a model in a mode.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityRow {
    /// Which, by [`super::Model::id`].
    pub model: String,
    /// In which mode.
    pub mode: Mode,
    /// See [`Metric::Intelligence`].
    pub intelligence: Option<f64>,
    /// True where the publisher calls its intelligence index an estimate.
    #[serde(default)]
    pub estimated: bool,
    /// See [`Metric::Coding`].
    pub coding: Option<f64>,
    /// See [`Metric::Arena`].
    pub arena: Option<f64>,
    /// The rating's 95 % confidence interval.
    pub interval: Option<[f64; 2]>,
    /// See [`Metric::Aider`].
    pub aider: Option<f64>,
    /// The publisher's name of what was tested, where it is another.
    pub tested_as: Option<String>,
}

/// One quality figure and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality<'a> {
    /// In the metric's own scale.
    pub value: f64,
    /// Measured, or the publisher's estimate.
    pub basis: Basis,
    /// 95 % confidence interval, where published.
    pub interval: Option<[f64; 2]>,
    /// Whose figure it is.
    pub pack: &'a Pack,
}

/// What a figure rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The publisher ran its tests.
    Measured,
    /// The publisher says that it is an estimate.
    Estimated,
}

impl QualityRow {
    /// The figure for a metric, as a part of its pack.
    pub(super) fn get<'a>(&self, metric: Metric, pack: &'a Pack) -> Option<Quality<'a>> {
        let value = match metric {
            Metric::Intelligence => self.intelligence,
            Metric::Coding => self.coding,
            Metric::Arena => self.arena,
            Metric::Aider => self.aider,
        }?;
        let estimated = self.estimated && metric == Metric::Intelligence;
        Some(Quality {
            value,
            basis: if estimated {
                Basis::Estimated
            } else {
                Basis::Measured
            },
            interval: self.interval.filter(|_| metric == Metric::Arena),
            pack,
        })
    }
}

/// How fast a model answers in a mode, over the publisher's measurements.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speed {
    /// Which, by [`super::Model::id`].
    pub model: String,
    /// In which mode.
    pub mode: Mode,
    /// Output tokens per second; `p05` is the slow end.
    pub tps: Quantiles,
    /// Seconds to the first token; `p95` is the slow end.
    pub ttft: Quantiles,
    /// Median seconds to the first token of the answer after hidden reasoning, where
    /// that is not the first token; ask [`Self::answer_s`].
    answer: Option<f64>,
    /// True where the figure is the model's over all hosts and says nothing about this one.
    #[serde(default)]
    pub all_hosts: bool,
}

impl Speed {
    /// Median seconds to the first token a reader can use.
    pub fn answer_s(&self) -> f64 {
        self.answer.unwrap_or(self.ttft.p50)
    }
}

/// Five published percentiles, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(from = "[f64; 5]")]
pub struct Quantiles {
    /// 5 % lie below.
    pub p05: f64,
    /// 25 % lie below.
    pub p25: f64,
    /// Half lie below.
    pub p50: f64,
    /// 75 % lie below.
    pub p75: f64,
    /// 95 % lie below.
    pub p95: f64,
}

impl Quantiles {
    /// The five in ascending order.
    pub fn values(&self) -> [f64; 5] {
        [self.p05, self.p25, self.p50, self.p75, self.p95]
    }
}

impl From<[f64; 5]> for Quantiles {
    fn from([p05, p25, p50, p75, p95]: [f64; 5]) -> Self {
        Self {
            p05,
            p25,
            p50,
            p75,
            p95,
        }
    }
}
