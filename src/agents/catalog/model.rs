//! A model's row: what it costs, what it can take, and who says so.

use serde::Deserialize;
use time::Date;

use crate::agents::calculate::cost::TokenPrices;

/// A model as a visitor can buy it. Token prices are USD per million tokens.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Stable name, for example `gpt-4o`; a hosted row ends in `@host`.
    pub id: String,
    /// As its maker writes it.
    pub name: String,
    /// The maker, for example `openai`.
    pub provider: String,
    /// Who serves it, where it is not the maker.
    pub host: Option<String>,
    /// Other ways to write the name.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The price of the row. What holds on a day is [`super::Catalog::price`].
    pub price: Price,
    /// What a long request costs, where that is another price.
    pub long_context: Option<LongContext>,
    /// The price of a batch job, where it is published.
    pub batch: Option<Batch>,
    /// Limits in tokens.
    pub tokens: TokenLimits,
    /// Parameter counts, where they are public.
    pub weights: Option<Weights>,
    /// True where the weights are open and the parameter count is not in [`Self::weights`];
    /// ask [`Self::has_open_weights`].
    #[serde(default)]
    pub open_weights: bool,
    /// True where the model can reason before it answers.
    #[serde(default)]
    pub reasoning: bool,
    /// Kinds of input: `text`, `image`, `pdf`, `file`, `audio`, `video`.
    pub reads: Vec<String>,
    /// First day on sale.
    #[serde(with = "iso_date::option", default)]
    pub released: Option<Date>,
    /// How well the price is known.
    pub evidence: Evidence,
    /// What a reader should know about this row.
    pub note: Option<String>,
}

impl Model {
    /// True where the maker itself serves it.
    pub fn is_first_party(&self) -> bool {
        self.host.is_none()
    }

    /// True where the weights are known to be open.
    pub fn has_open_weights(&self) -> bool {
        self.open_weights || self.weights.is_some()
    }
}

/// List prices in USD per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// A prompt token.
    #[serde(rename = "input")]
    pub input_usd_per_mtok: f64,
    /// A prompt token read from the cache; absent, it is billed as input.
    #[serde(rename = "cached_read")]
    pub cached_read_usd_per_mtok: Option<f64>,
    /// A prompt token written to the five-minute cache; absent, billed as input.
    #[serde(rename = "cache_write_5m")]
    pub cache_write_5m_usd_per_mtok: Option<f64>,
    /// A prompt token written to the one-hour cache; absent, not offered or not known.
    #[serde(rename = "cache_write_1h")]
    pub cache_write_1h_usd_per_mtok: Option<f64>,
    /// A token of the answer, hidden reasoning included.
    #[serde(rename = "output")]
    pub output_usd_per_mtok: f64,
}

impl Price {
    /// What the cost formulas take.
    pub fn token_prices(&self) -> TokenPrices {
        TokenPrices {
            input_usd_per_mtok: self.input_usd_per_mtok,
            cached_usd_per_mtok: self.cached_read_usd_per_mtok,
            output_usd_per_mtok: self.output_usd_per_mtok,
        }
    }
}

/// The price of a whole request whose prompt is long.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongContext {
    /// The price holds above this many prompt tokens.
    pub above_tokens: u32,
    /// A prompt token.
    #[serde(rename = "input")]
    pub input_usd_per_mtok: f64,
    /// A token of the answer.
    #[serde(rename = "output")]
    pub output_usd_per_mtok: f64,
}

/// The price of work that can wait.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Over the list price, 0 to 1.
    pub multiplier: f64,
    /// Key into the legend, see [`super::Catalog::source`].
    pub source: String,
}

/// Limits in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenLimits {
    /// Prompt and answer together.
    pub context: u32,
    /// The longest answer.
    pub output: u32,
    /// The shortest prefix that is cached at all; absent, not known or no cache.
    pub cache_minimum: Option<u32>,
}

/// Parameter counts of open weights.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// All parameters, in billions.
    pub total_billion: f64,
    /// Those that take part in one token, in billions.
    pub active_billion: f64,
    /// The licence's name.
    pub license: String,
    /// Key into the legend.
    pub source: String,
}

/// How well a price is known.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Key into the legend: whose price stands in the row.
    pub source: String,
    /// What the further sources say about it.
    pub status: Status,
    /// Keys of the sources with the same price.
    #[serde(default)]
    pub agree: Vec<String>,
    /// The sources with another price.
    #[serde(default)]
    pub differ: Vec<OtherPrice>,
}

/// Another source's price.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherPrice {
    /// Key into the legend.
    pub source: String,
    /// USD per million prompt tokens.
    #[serde(rename = "input")]
    pub input_usd_per_mtok: f64,
    /// USD per million tokens of the answer.
    #[serde(rename = "output")]
    pub output_usd_per_mtok: f64,
}

/// What further sources say about a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// At least one has the same price and none another.
    Confirmed,
    /// Some have the same price, some another.
    Mixed,
    /// Those that know the model have another price.
    Disputed,
    /// Nobody else knows the model.
    SingleSource,
}

impl Status {
    /// The word of the data files, fit for a table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Mixed => "mixed",
            Self::Disputed => "disputed",
            Self::SingleSource => "single-source",
        }
    }

    /// True where the price is good enough to recommend without being asked.
    pub fn is_recommendable(self) -> bool {
        matches!(self, Self::Confirmed | Self::Mixed)
    }
}

/// A dated change of a model's price.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceChange {
    /// Whose.
    pub model: String,
    /// First day of the new price.
    #[serde(with = "iso_date")]
    pub from: Date,
    /// The new price. Cache writes that are absent here scale with the input price.
    pub price: Price,
    /// Key into the legend.
    pub source: String,
}

/// How a provider's prompt cache counts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheRule {
    /// Whose.
    pub provider: String,
    /// The mechanism and its figures.
    pub how: CacheMechanism,
    /// Where it is published.
    pub source: String,
}

/// The mechanism of a prompt cache.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum CacheMechanism {
    /// Without being asked, in steps.
    Automatic {
        /// The shortest cached prefix.
        first_tokens: u32,
        /// What it grows by.
        step_tokens: u32,
    },
    /// At breakpoints the caller sets; factors on the input price.
    Explicit {
        /// Writing for five minutes.
        write_5m: f64,
        /// Writing for an hour.
        write_1h: f64,
        /// Reading.
        read: f64,
    },
    /// Kept for a rent, besides an implicit cache without guarantee.
    Stored {
        /// USD per million tokens and hour.
        storage_usd_per_mtok_hour: f64,
    },
}

time::serde::format_description!(pub(super) iso_date, Date, "[year]-[month]-[day]");
