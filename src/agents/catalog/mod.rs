//! Models, prices, speeds and accelerators: what the agents look up.
//!
//! The figures stand in `data/`, in a format of this product's own, and are part
//! of the binary. Every price has a source and a date; a figure that is absent is
//! not known, never zero. Nothing here is fetched.
//!
//! # The operator's own file
//!
//! The same format, TOML, with any of these sections; units and meanings are told
//! in `data/sources.toml` and `data/hardware.toml`:
//!
//! ```toml
//! base = "builtin"              # or "none": start from an empty catalog
//! measurements_of_base = true   # false: without the built-in quality and speed packs
//! prices_as_of = "2026-11-30"   # the day of these prices
//!
//! [sources]
//! contract = "Our contract of 2026-11-30"
//!
//! [[model]]                     # replaces the row with this id, or adds one
//! id = "gpt-4o"
//! name = "GPT-4o"
//! provider = "openai"
//! aliases = ["4o"]
//! price = { input = 2.1, cached_read = 1.05, output = 8.4 }
//! tokens = { context = 128000, output = 16384, cache_minimum = 1024 }
//! reads = ["text", "image"]
//! evidence = { source = "contract", status = "confirmed", agree = ["contract"] }
//! ```
//!
//! Further sections: `[[price_change]]`, `[[cache_rule]]`, `[[gpu]]`, `[[gpu_price]]`,
//! `[[architecture]]`, `[[measurements]]`. A row replaces the row of the same key
//! (id; provider; gpu and cloud; a pack's name); a replaced model loses its price changes.
//! Faults are reported all at once, each with its line and the rule it broke.

mod builtin;
mod document;
mod hardware;
mod measurement;
mod model;
mod rules;
#[cfg(test)]
mod tests;

use time::Date;

pub use document::Fault;
pub use hardware::{Architecture, Gpu, GpuPrice, KvShape};
pub use measurement::{Basis, Metric, Mode, Pack, Quality, QualityRow, Quantiles, Speed};
pub use model::{
    Batch, CacheMechanism, CacheRule, Evidence, LongContext, Model, OtherPrice, Price, PriceChange,
    Status, TokenLimits, Weights,
};

/// All the facts the agents compute with.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    prices_as_of: Date,
    sources: std::collections::BTreeMap<String, String>,
    models: Vec<Model>,
    price_changes: Vec<PriceChange>,
    cache_rules: Vec<CacheRule>,
    gpus: Vec<Gpu>,
    gpu_prices: Vec<GpuPrice>,
    architectures: Vec<Architecture>,
    packs: Vec<Pack>,
}

impl Catalog {
    /// The catalog inside the binary.
    ///
    /// # Panics
    /// Where the built-in files are broken; a test reads them all, so a binary that
    /// was tested does not.
    pub fn builtin() -> Self {
        match builtin::read() {
            Ok(catalog) => catalog,
            Err(faults) => panic!("the built-in catalog is broken: {faults:?}"),
        }
    }

    /// Reads the operator's file, on top of the built-in catalog unless it says otherwise.
    ///
    /// # Errors
    /// All faults at once, in the order of their lines.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        document::over_builtin(text)
    }

    /// The same without anybody's quality and speed figures.
    pub fn without_measurements(mut self) -> Self {
        self.packs.clear();
        self
    }

    /// All models, in the order of the files.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The model of exactly this id.
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|m| m.id == id)
    }

    /// Every id with its aliases, for whoever looks for names in a text.
    pub fn names(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.models
            .iter()
            .map(|m| (m.id.as_str(), m.aliases.as_slice()))
    }

    /// The list price on a day: the last announced change up to then, else the row's.
    ///
    /// A change that says nothing of cache writes leaves their ratio to the input price
    /// as it was.
    pub fn price(&self, id: &str, as_of: Date) -> Option<Price> {
        let row = self.model(id)?.price;
        let change = self
            .price_changes
            .iter()
            .filter(|c| c.model == id && c.from <= as_of)
            .max_by_key(|c| c.from);
        let Some(change) = change else {
            return Some(row);
        };
        let ratio = change.price.input_usd_per_mtok / row.input_usd_per_mtok;
        let scaled = |new: Option<f64>, old: Option<f64>| new.or(old.map(|v| v * ratio));
        Some(Price {
            cache_write_5m_usd_per_mtok: scaled(
                change.price.cache_write_5m_usd_per_mtok,
                row.cache_write_5m_usd_per_mtok,
            ),
            cache_write_1h_usd_per_mtok: scaled(
                change.price.cache_write_1h_usd_per_mtok,
                row.cache_write_1h_usd_per_mtok,
            ),
            ..change.price
        })
    }

    /// As [`Self::price`], for a request with this many prompt tokens: above the model's
    /// long-context threshold the whole request costs more. What a cache costs there is
    /// not in the catalog; its ratio to the input price is left as it was.
    pub fn price_for_prompt(&self, id: &str, as_of: Date, prompt_tokens: f64) -> Option<Price> {
        let price = self.price(id, as_of)?;
        let Some(long) = self.model(id)?.long_context else {
            return Some(price);
        };
        if prompt_tokens <= f64::from(long.above_tokens) {
            return Some(price);
        }
        let ratio = long.input_usd_per_mtok / price.input_usd_per_mtok;
        let scaled = |old: Option<f64>| old.map(|v| v * ratio);
        Some(Price {
            input_usd_per_mtok: long.input_usd_per_mtok,
            cached_read_usd_per_mtok: scaled(price.cached_read_usd_per_mtok),
            cache_write_5m_usd_per_mtok: scaled(price.cache_write_5m_usd_per_mtok),
            cache_write_1h_usd_per_mtok: scaled(price.cache_write_1h_usd_per_mtok),
            output_usd_per_mtok: long.output_usd_per_mtok,
        })
    }

    /// The announced changes of a model's price, in the order of their days.
    pub fn price_changes(&self, id: &str) -> Vec<&PriceChange> {
        let mut found: Vec<_> = self
            .price_changes
            .iter()
            .filter(|c| c.model == id)
            .collect();
        found.sort_by_key(|c| c.from);
        found
    }

    /// How the model's provider counts cached tokens; none for hosted rows and where no
    /// rule is known.
    pub fn cache_rule(&self, id: &str) -> Option<&CacheRule> {
        let model = self.model(id).filter(|m| m.is_first_party())?;
        self.cache_rules
            .iter()
            .find(|r| r.provider == model.provider)
    }

    /// A quality figure of a model in a mode.
    pub fn quality(&self, id: &str, mode: Mode, metric: Metric) -> Option<Quality<'_>> {
        self.packs.iter().find_map(|pack| {
            let mut rows = pack.quality.iter();
            rows.find_map(|r| (r.model == id && r.mode == mode).then(|| r.get(metric, pack))?)
        })
    }

    /// The speed of a model in a mode.
    pub fn speed(&self, id: &str, mode: Mode) -> Option<&Speed> {
        let mut rows = self.packs.iter().flat_map(|pack| &pack.speed);
        rows.find(|s| s.model == id && s.mode == mode)
    }

    /// The modes in which anything was measured, the least effort first.
    pub fn modes(&self, id: &str) -> Vec<Mode> {
        let quality = self.packs.iter().flat_map(|p| &p.quality);
        let speed = self.packs.iter().flat_map(|p| &p.speed);
        let mut modes: Vec<_> = quality
            .filter_map(|r| (r.model == id).then_some(r.mode))
            .chain(speed.filter_map(|s| (s.model == id).then_some(s.mode)))
            .collect();
        modes.sort_unstable();
        modes.dedup();
        modes
    }

    /// The packs of measurements; show [`Pack::attribution`] beside their figures.
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// The models fit for an automatic choice: sold by their maker, at a price that is
    /// confirmed or mixed, with an intelligence index and a speed in the direct mode.
    pub fn eligible(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(|m| {
            m.is_first_party()
                && m.evidence.status.is_recommendable()
                && self
                    .quality(&m.id, Mode::Direct, Metric::Intelligence)
                    .is_some()
                && self.speed(&m.id, Mode::Direct).is_some()
        })
    }

    /// All accelerators.
    pub fn gpus(&self) -> &[Gpu] {
        &self.gpus
    }

    /// The accelerator of this id or alias.
    pub fn gpu(&self, name: &str) -> Option<&Gpu> {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        self.gpus
            .iter()
            .find(|g| same(&g.id) || g.aliases.iter().any(|a| same(a)))
    }

    /// The offers for an accelerator, cheapest first.
    pub fn gpu_prices(&self, name: &str) -> Vec<&GpuPrice> {
        let Some(gpu) = self.gpu(name) else {
            return Vec::new();
        };
        let mut found: Vec<_> = self.gpu_prices.iter().filter(|p| p.gpu == gpu.id).collect();
        found.sort_by(|a, b| a.usd_per_gpu_hour.total_cmp(&b.usd_per_gpu_hour));
        found
    }

    /// The cheapest offer for an accelerator.
    pub fn gpu_price(&self, name: &str) -> Option<&GpuPrice> {
        self.gpu_prices(name).first().copied()
    }

    /// All shapes of open models.
    pub fn architectures(&self) -> &[Architecture] {
        &self.architectures
    }

    /// The shape of an open model, by its own id or by a row that sells it. None for a
    /// closed model: nothing may be derived from a shape nobody published.
    pub fn architecture(&self, id: &str) -> Option<&Architecture> {
        let mut all = self.architectures.iter();
        all.find(|a| a.id == id || a.models.iter().any(|m| m == id))
    }

    /// The text behind a key of the legend of sources.
    pub fn source(&self, key: &str) -> Option<&str> {
        self.sources.get(key).map(String::as_str)
    }

    /// The day of the prices.
    pub fn prices_as_of(&self) -> Date {
        self.prices_as_of
    }

    /// Prices older than this are shown with a warning: in two captures a week apart, two of
    /// seventy rows had changed.
    pub const STALE_DAYS: i64 = 90;

    /// "prices as of 2026-08-01", with their age and a warning where they are stale on a day, or
    /// where the day lies before them: older prices are not kept.
    pub fn prices_text(&self, today: Date) -> String {
        let date = self.prices_as_of;
        match self.age_days(today) {
            days if days > Self::STALE_DAYS => {
                format!("prices as of {date}: {days} days old, check them")
            }
            days if days > 1 => format!("prices as of {date}, {days} days old"),
            days if days < 0 => format!("prices as of {date}; those of {today} are not known"),
            _ => format!("prices as of {date}"),
        }
    }

    /// How old the prices are on a day; negative where it lies before them.
    pub fn age_days(&self, today: Date) -> i64 {
        (today - self.prices_as_of).whole_days()
    }
}
